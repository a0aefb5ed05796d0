//! Starting the server, joining one that runs, and stopping it.

use std::{
    collections::HashMap,
    fs,
    io::{Read, Seek, SeekFrom},
    net::{Ipv4Addr, TcpListener},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::Signal;

use crate::{
    Error, Options,
    account::Account,
    error,
    postmaster::{self, Postmaster},
};

const START: Duration = Duration::from_secs(120);
const STOP: Duration = Duration::from_secs(60);
const KEPT_LOGS: usize = 8;
/// A socket's address holds 108 bytes, its name `/.s.PGSQL.65535` included.
const LONGEST_SOCKET_DIRECTORY: usize = 90;

/// A server of this directory that answers, waiting for one that is on its way up or down.
pub(crate) fn running(data: &Path) -> Option<Postmaster> {
    let start = Instant::now();
    let mut told = false;
    loop {
        let postmaster = Postmaster::find(data)?;
        if postmaster.answers() {
            return Some(postmaster);
        }
        if start.elapsed() > START {
            // It is ours and it does not work: end it, and let the caller start another.
            let _ = stop(data, Signal::QUIT);
            return None;
        }
        if !told && start.elapsed() > Duration::from_secs(5) {
            told = true;
            eprintln!("Waiting for PostgreSQL in {} (it may be recovering)", data.display());
        }
        thread::sleep(Duration::from_millis(50));
    }
}

/// Starts a server. Only for whoever holds the turn and has found none running.
pub(crate) fn launch(
    bin: &Path,
    account: Account,
    directory: &Path,
    options: &Options,
) -> Result<Postmaster, Error> {
    let data = directory.join("data");
    let log = directory.join("log");
    prepare_log(&log, account)?;
    let start = Instant::now();
    let mut port = port(directory)?;
    loop {
        postmaster::clear_stale(&data);
        clear_sockets(directory);
        let before = sizes(&log);
        let mut child = spawn(bin, account, directory, options, port)?;
        match wait(&mut child, &data, start) {
            Waited::Ready(postmaster) => {
                // The next start takes the same port when it can, so that those who hold the address find it again.
                let _ = fs::write(directory.join("port"), port.to_string());
                // Nobody else waits for it, and a dead child that nobody has waited for keeps its number.
                thread::spawn(move || child.wait());
                return Ok(postmaster);
            }
            Waited::TooLong => {
                let _ = stop(&data, Signal::QUIT);
                let detail = format!("it was not ready after {} s", START.as_secs());
                return Err(Error::NotStarted { directory: directory.to_owned(), detail });
            }
            Waited::Ended => {}
        }
        let said = since(&log, &before);
        let patient = start.elapsed() < Duration::from_secs(30);
        if patient && said.contains("could not create any TCP/IP sockets") {
            port = free_port()?;
        } else if patient && said.contains("is still in use") {
            // After a `kill -9` of the server, its last connections take a moment to notice and go.
            thread::sleep(Duration::from_millis(200));
        } else {
            let (directory, detail) = (directory.to_owned(), error::last_lines(&said));
            return Err(if error::says_disk_full(&said) {
                Error::DiskFull { directory, detail }
            } else {
                Error::NotStarted { directory, detail }
            });
        }
    }
}

/// Sends `signal` (`INT` ends connections and writes everything down, `QUIT` drops everything) and waits.
pub(crate) fn stop(data: &Path, signal: Signal) -> Result<(), Error> {
    let Some(postmaster) = Postmaster::find(data) else {
        return Ok(());
    };
    postmaster.signal(signal);
    let start = Instant::now();
    while postmaster::serves(postmaster.pid, data) {
        if start.elapsed() > STOP {
            return Err(Error::NotStopped { directory: data.to_owned(), pid: postmaster.pid });
        }
        thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

enum Waited {
    Ready(Postmaster),
    Ended,
    TooLong,
}

fn wait(child: &mut Child, data: &Path, start: Instant) -> Waited {
    loop {
        if !matches!(child.try_wait(), Ok(None)) {
            return Waited::Ended;
        }
        if let Some(postmaster) =
            Postmaster::find(data).filter(|found| found.pid == child.id() && found.answers())
        {
            return Waited::Ready(postmaster);
        }
        if start.elapsed() > START {
            return Waited::TooLong;
        }
        thread::sleep(Duration::from_millis(20));
    }
}

fn spawn(
    bin: &Path,
    account: Account,
    directory: &Path,
    options: &Options,
    port: u16,
) -> Result<Child, Error> {
    let log = directory.join("log");
    let first_words = fs::File::create(log.join("start.log"))
        .map_err(error::io(format!("writing in {}", log.display())))?;
    let mut command = account.command(&bin.join("postgres"), directory);
    command.arg("-D").arg(directory.join("data"));
    for (name, value) in settings(directory, options, port) {
        command.arg("-c").arg(format!("{name}={value}"));
    }
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(first_words);
    // A process group of its own: Ctrl-C in the terminal reaches us first, and we stop it in order.
    command.process_group(0);
    command.spawn().map_err(error::io("starting postgres"))
}

fn settings(directory: &Path, options: &Options, port: u16) -> Vec<(&'static str, String)> {
    let sockets = directory
        .to_str()
        .filter(|path| path.len() <= LONGEST_SOCKET_DIRECTORY && !path.contains([',', '"']));
    let mut settings: Vec<(&'static str, String)> = vec![
        ("listen_addresses", "127.0.0.1".to_owned()),
        ("port", port.to_string()),
        ("unix_socket_directories", sockets.unwrap_or_default().to_owned()),
        ("max_connections", options.max_connections.to_string()),
        ("shared_buffers", format!("{}MB", options.shared_buffers_mb)),
        ("timezone", "UTC".to_owned()),
        ("log_timezone", "UTC".to_owned()),
        ("lc_messages", "C".to_owned()),
        // Our queries are short: compiling them costs more than it saves.
        ("jit", "off".to_owned()),
        ("logging_collector", "on".to_owned()),
        ("log_directory", directory.join("log").display().to_string()),
        ("log_filename", "postgres-%Y-%m-%d_%H%M%S.log".to_owned()),
        ("log_rotation_age", "1d".to_owned()),
        ("log_rotation_size", "10MB".to_owned()),
        ("log_checkpoints", "off".to_owned()),
        // Values of a failed statement may be personal data.
        ("log_parameter_max_length_on_error", "0".to_owned()),
    ];
    if !options.durable {
        let off = ["fsync", "synchronous_commit", "full_page_writes"];
        settings.extend(off.map(|name| (name, "off".to_owned())));
        settings.extend([("wal_level", "minimal".to_owned()), ("max_wal_senders", "0".to_owned())]);
    }
    settings
}

/// The port of the last time, else a free one.
fn port(directory: &Path) -> Result<u16, Error> {
    let last = fs::read_to_string(directory.join("port")).ok().and_then(|port| port.trim().parse().ok());
    match last.filter(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok()) {
        Some(port) => Ok(port),
        None => free_port(),
    }
}

fn free_port() -> Result<u16, Error> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
    listener.map(|address| address.port()).map_err(error::io("opening a port on 127.0.0.1"))
}

/// Socket files of a server that was killed name a process that is gone or has become something else.
fn clear_sockets(directory: &Path) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(".s.PGSQL.") {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Each start and each day begins a file of its own. The newest few are kept.
fn prepare_log(log: &Path, account: Account) -> Result<(), Error> {
    fs::create_dir_all(log).map_err(error::io(format!("making {}", log.display())))?;
    account.give(log)?;
    let mut files: Vec<PathBuf> =
        sizes(log).into_keys().filter(|path| !path.ends_with("start.log")).collect();
    // The names hold the time, so they sort by age.
    files.sort();
    for old in files.iter().rev().skip(KEPT_LOGS) {
        let _ = fs::remove_file(old);
    }
    Ok(())
}

fn sizes(log: &Path) -> HashMap<PathBuf, u64> {
    let entries = fs::read_dir(log).into_iter().flatten().flatten();
    entries.filter_map(|entry| Some((entry.path(), entry.metadata().ok()?.len()))).collect()
}

/// What was written to the logs since `before`. The server's first words go to `start.log`, which each start empties.
fn since(log: &Path, before: &HashMap<PathBuf, u64>) -> String {
    let mut files: Vec<PathBuf> = sizes(log).into_keys().collect();
    files.sort_by_key(|path| (!path.ends_with("start.log"), path.clone()));
    let mut said = String::new();
    for path in files {
        let seen = if path.ends_with("start.log") { 0 } else { before.get(&path).copied().unwrap_or(0) };
        let mut bytes = Vec::new();
        let read = fs::File::open(&path).and_then(|mut file| {
            file.seek(SeekFrom::Start(seen))?;
            file.read_to_end(&mut bytes)
        });
        if read.is_ok() {
            said.push_str(&String::from_utf8_lossy(&bytes));
        }
    }
    said
}
