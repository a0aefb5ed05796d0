//! A cluster's whole life, with the real programs: made, joined, killed, started again, stopped.

use std::{
    fs,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use private_postgres::{Cluster, Options, start};
use rustix::process::{Pid, Signal, kill_process};

fn options(name: &str) -> Options {
    let data_dir = std::env::temp_dir().join(format!("devforge-{name}-{}", std::process::id()));
    Options { data_dir, durable: false, max_connections: 20, shared_buffers_mb: 16 }
}

fn ask(cluster: &Cluster, sql: &str) -> String {
    let output = cluster
        .client("psql", "devforge")
        .args(["-XAtqc", sql])
        .output()
        .expect("psql is there with the server");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn pid_file(cluster: &Cluster) -> PathBuf {
    cluster.directory().join("data/postmaster.pid")
}

fn pid(cluster: &Cluster) -> i32 {
    let file = fs::read_to_string(pid_file(cluster)).expect("a running server has its file");
    file.lines().next().expect("the number is on the first line").parse().expect("it is a number")
}

fn kill_9(pid: i32) {
    kill_process(Pid::from_raw(pid).expect("not zero"), Signal::KILL).expect("it was running");
    let start = Instant::now();
    let stat = Path::new("/proc").join(pid.to_string()).join("stat");
    while fs::read_to_string(&stat).is_ok_and(|stat| !stat.contains(") Z ")) {
        assert!(start.elapsed() < Duration::from_secs(10), "kill -9 ends a process");
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_whole_life() {
    // A commit that survives the server's death is one that was waited for.
    let options = Options { durable: true, ..options("life") };
    let first = start(&options).expect("it starts");
    assert_eq!(ask(&first, "SHOW timezone"), "UTC");
    assert_eq!(ask(&first, "SHOW server_encoding"), "UTF8");
    assert_eq!(ask(&first, "SHOW fsync"), "on");
    assert_eq!(ask(&first, "SHOW synchronous_commit"), "on");
    assert_eq!(ask(&first, "SHOW listen_addresses"), "127.0.0.1");
    ask(&first, "CREATE TABLE kept (n int)");
    ask(&first, "INSERT INTO kept VALUES (7)");

    // A second user joins the same server, and its leaving does not stop it.
    let second = start(&options).expect("it joins");
    assert_eq!(second.url(), first.url());
    assert_eq!(pid(&second), pid(&first));
    second.stop().expect("it leaves");
    assert_eq!(ask(&first, "SELECT n FROM kept"), "7");

    // The server dies without a word. The next one takes its stale file and its address.
    let dead = pid(&first);
    let url = first.url();
    kill_9(dead);
    let third = start(&options).expect("it starts anew");
    assert_ne!(pid(&third), dead);
    assert_eq!(third.url(), url);
    assert_eq!(ask(&third, "SELECT n FROM kept"), "7");
    assert_eq!(ask(&first, "SELECT n FROM kept"), "7");

    // The first leaves, the third still works, and with it goes the server.
    drop(first);
    assert_eq!(ask(&third, "SELECT n FROM kept"), "7");
    third.create_database("another").expect("it makes a database");
    let file = pid_file(&third);
    third.stop().expect("it stops");
    assert!(!file.exists());

    // A file that names somebody else's process is no reason to refuse.
    fs::write(&file, format!("{}\n/nowhere\n1\n1\n\n\n", std::process::id())).expect("the directory is ours");
    let fourth = start(&options).expect("it starts with a stale file");
    assert_eq!(ask(&fourth, "SELECT n FROM kept"), "7");
    let directory = fourth.directory().to_owned();
    fourth.remove().expect("it goes");
    assert!(!directory.exists());
}

#[test]
fn the_password_is_asked_for_and_kept_from_others() {
    use std::os::unix::fs::PermissionsExt;

    let cluster = start(&options("password")).expect("it starts");
    assert_eq!(ask(&cluster, "SHOW fsync"), "off");
    let output = cluster
        .client("psql", "devforge")
        .env("PGPASSWORD", "wrong")
        .args(["-Xc", "SELECT 1"])
        .output()
        .expect("psql runs");
    assert!(!output.status.success());
    let mode = fs::metadata(cluster.directory().join("password")).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    cluster.remove().expect("it goes");
}

#[test]
fn data_of_another_version_is_refused_with_the_way_out() {
    let options = options("version");
    let cluster = start(&options).expect("it starts");
    let version = cluster.directory().join("data/PG_VERSION");
    let directory = cluster.directory().to_owned();
    cluster.stop().expect("it stops");
    fs::write(&version, "9\n").expect("the directory is ours");
    let refusal = start(&options).expect_err("nobody serves version 9").to_string();
    assert!(refusal.contains("postgresql-9") && refusal.contains("move that directory away"), "{refusal}");
    fs::remove_dir_all(directory).expect("the directory is ours");
}

#[test]
fn many_at_once_share_one_server() {
    let options = options("many");
    let clusters: Vec<Cluster> = thread::scope(|scope| {
        let starts: Vec<_> =
            (0..4).map(|_| scope.spawn(|| start(&options).expect("it starts or joins"))).collect();
        starts.into_iter().map(|start| start.join().expect("no panic")).collect()
    });
    let url = clusters[0].url();
    assert!(clusters.iter().all(|cluster| cluster.url() == url));
    let data = clusters[0].directory().join("data");
    for cluster in clusters {
        cluster.remove().expect("it leaves");
    }
    assert!(!data.exists());
}
