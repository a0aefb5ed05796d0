//! The real program in real processes: killed in the middle of its work, started twice, started wrongly.

mod chaos;
mod program;

use std::time::Duration;

use devforge::{
    audit,
    clock::Clock,
    config::{Config, Secret, Sources},
    context::Context,
    mail,
    random::Random,
};

use program::{Program, free_port, sign_in};

const PASSWORD: &str = "a password for demo people";

/// A context on the database that a running program uses.
async fn context(program: &Program, data_dir: &std::path::Path) -> Context {
    context_with(program, data_dir, &[]).await
}

/// The same with keys of its own.
async fn context_with(
    program: &Program,
    data_dir: &std::path::Path,
    environment: &[(&str, &str)],
) -> Context {
    let pairs = environment.iter().copied().chain([("DEVFORGE_SECRET", "x")]);
    let sources = Sources::from_pairs(pairs).expect("known keys");
    let mut config = Config::load(&sources, &Random::System).expect("defaults load");
    config.data_dir = data_dir.to_owned();
    config.storage.url = data_dir.join("storage").to_string_lossy().into_owned();
    config.search.directory = data_dir.join("index-of-the-test");
    config.database.url = Some(Secret::new(program.database_url()));
    Context::open(config, Clock::System, Random::System).await.expect("the context opens")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_ten_times_while_writing_it_keeps_every_committed_row() {
    let folder = tempfile::tempdir().expect("a folder");
    let port = free_port();
    let mut confirmed = 0_i64;
    for round in 0..10 {
        let mut program = Program::private(folder.path(), port, PASSWORD);
        program.wait_until_ready().await;
        let before = program.sessions().await;
        let base = program.base();
        let writers: Vec<_> = (0..4)
            .map(|_| {
                let base = base.clone();
                tokio::spawn(async move {
                    let mut answered = 0;
                    // Until the server is gone in the middle of one.
                    while sign_in(&base, "ada@devforge.test", PASSWORD).await.is_ok() {
                        answered += 1;
                    }
                    answered
                })
            })
            .collect();
        // Each writer has at most one sign-in that was written and not answered yet, so some were answered.
        program.wait_until_sessions_exceed(before + 6).await;
        program.kill();
        for writer in writers {
            confirmed += writer.await.expect("the writer ends when the server does");
        }
        assert!(confirmed > round, "something was written in every round");
    }
    let mut program = Program::private(folder.path(), port, PASSWORD);
    program.wait_until_ready().await;
    let ctx = context(&program, folder.path()).await;
    let stored = program.sessions().await;
    assert!(stored >= confirmed, "{confirmed} sign-ins were confirmed, {stored} are there");
    program.wait_until_sealed(&ctx).await;
    audit::verify(&ctx.db).await.expect("the chain of the audit log is whole");
    ctx.db.close().await;
    program.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_share_sessions_and_each_job_runs_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut first = Program::private(folder.path(), free_port(), PASSWORD);
    first.wait_until_ready().await;
    // The second finds the first's cluster in the same data folder and joins it.
    let mut second = Program::private(folder.path(), free_port(), PASSWORD);
    second.wait_until_ready().await;

    let cookie = sign_in(&first.base(), "ada@devforge.test", PASSWORD).await.expect("signed in at the first");
    for program in [&first, &second] {
        let (status, body) = program.get("/api/auth/me", Some(&cookie)).await;
        assert_eq!(status, 200);
        assert!(body.contains("ada@devforge.test"), "{body}");
    }

    let ctx = context(&first, folder.path()).await;
    let mut ids = Vec::new();
    for number in 0..200 {
        let mut tx = ctx.db.begin().await.expect("a transaction");
        let message = mail::Message::new(format!("Number {number}")).paragraph("Only once.");
        let to = mail::Recipient::nameless(format!("reader{number}@example.com"));
        ids.push(mail::send(&mut tx, &ctx, &to, "test", &message).await.expect("queued"));
        tx.commit().await.expect("committed");
    }
    let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
    for id in ids {
        loop {
            let stored = mail::find(&ctx, id).await.expect("read").expect("there");
            if stored.state == mail::MailState::Sent {
                assert_eq!(stored.attempts, 1, "it was sent once");
                break;
            }
            assert!(tokio::time::Instant::now() < deadline, "every job runs");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    ctx.db.close().await;

    // The one that started the cluster leaves; the other goes on with it.
    first.stop();
    let (status, _) = second.get("/api/auth/me", Some(&cookie)).await;
    assert_eq!(status, 200);
    second.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_taken_port_is_named_with_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port();
    let line = Program::private(folder.path(), port, PASSWORD).last_words();
    assert!(
        line.contains(&format!("port {port} is taken")) && line.contains("DEVFORGE_HTTP_ADDRESS"),
        "{line}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_configuration_is_named_with_what_to_do() {
    for (name, value, words) in [
        ("DEVFORGE_HTTP_ADRESS", "x", "did you mean DEVFORGE_HTTP_ADDRESS?"),
        ("DEVFORGE_MODE", "production", "openssl rand -base64 48"),
        ("DEVFORGE_JOBS_CONCURRENCY", "many", "must be a number"),
        ("DATABASE_URL", "postgres://nobody@127.0.0.1:1/nothing", "check the address"),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let line = Program::with(folder.path(), free_port(), PASSWORD, &[(name, value)]).last_words();
        assert!(line.contains(words), "{name}={value}: {line}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_doctor_finds_nothing_wrong_in_a_fresh_installation() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut program = Program::private(folder.path(), free_port(), PASSWORD);
    program.wait_until_ready().await;
    let (fine, words) = program::run(folder.path(), &["doctor"]);
    assert!(fine && words.contains("Everything is fine."), "{words}");
    let (created, words) = program::run_with_input(
        folder.path(),
        &["admin", "create", "--email", "first@example.com", "--name", "First"],
        "a long enough password\n",
    );
    assert!(created && words.contains("first@example.com is an administrator now"), "{words}");
    let (created, words) = program::run_with_input(
        folder.path(),
        &["admin", "create", "--email", "x", "--name", "X"],
        "short\n",
    );
    assert!(!created && words.contains("at least 12 characters"), "{words}");
    program.stop();
}
