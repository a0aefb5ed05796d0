//! Jobs run when, and only when, their transaction commits; each of them once; and none is lost by failing.

use std::collections::HashSet;

use devforge::{
    config::Secret,
    jobs::{self, Job, Options, QueueFigures},
    mail::{self, MailState, SendMail},
};
use time::Duration;
use tokio::net::TcpListener;

use crate::{
    mail::{Answer, FakeSmtp, ada, hello, send},
    support::TestApp,
};

/// An app whose mail server is not there, so that every sending fails.
async fn app_without_mail_server() -> TestApp {
    let gone = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("smtp://{}", gone.local_addr().expect("an address"));
    drop(gone);
    TestApp::start_with(move |config| config.mail.smtp_url = Some(Secret::new(url))).await
}

/// Makes jobs that wait for their next attempt due at once: the queue goes by the database's clock.
async fn make_due(app: &TestApp) {
    sqlx::query(
        "select count(*) from graphile_worker.reschedule_jobs(
             array(select id from graphile_worker.jobs where attempts < max_attempts), run_at => now())",
    )
    .execute(&app.ctx.db)
    .await
    .expect("rescheduled");
}

#[tokio::test]
async fn a_job_of_a_transaction_that_is_rolled_back_does_not_run() {
    let app = TestApp::start().await;
    let mut tx = app.ctx.db.begin().await.expect("a transaction");
    mail::send(&mut tx, &app.ctx, &ada(), "test_mail", &hello()).await.expect("written");
    tx.rollback().await.expect("rolled back");
    assert_eq!(jobs::figures(&app.ctx).await.expect("counted"), QueueFigures::default());

    send(&app.ctx, &ada(), &hello()).await;
    let waiting = jobs::figures(&app.ctx).await.expect("counted");
    assert_eq!(waiting, QueueFigures { waiting: 1, running: 0, dead: 0 });
    app.run_jobs().await;
    assert_eq!(jobs::figures(&app.ctx).await.expect("counted"), QueueFigures::default());
}

#[tokio::test]
async fn two_processes_share_the_jobs_and_run_each_once() {
    const MAILS: usize = 200;
    let server = FakeSmtp::start(&[Answer::Accept]).await;
    let app = server.app().await;
    let second = app.second().await;
    for _ in 0..MAILS {
        send(&app.ctx, &ada(), &hello()).await;
    }

    let (one, other) =
        tokio::join!(Box::pin(jobs::run_all_queued(&app.ctx)), Box::pin(jobs::run_all_queued(&second)));
    one.expect("worked");
    other.expect("worked");

    let received = server.received();
    let distinct: HashSet<&str> = received.iter().map(|mail| mail.header("Message-ID")).collect();
    assert_eq!((received.len(), distinct.len()), (MAILS, MAILS));
    for listed in mail::recent(&app.ctx, 200).await.expect("asked") {
        let mail = mail::find(&app.ctx, listed.id).await.expect("asked").expect("there");
        assert_eq!((mail.state, mail.attempts), (MailState::Sent, 1));
    }
}

#[tokio::test]
async fn a_job_that_fails_waits_for_its_next_attempt() {
    let app = app_without_mail_server().await;
    let id = send(&app.ctx, &ada(), &hello()).await;
    app.run_jobs().await;
    let waiting = mail::find(&app.ctx, id).await.expect("asked").expect("there");
    assert_eq!((waiting.state, waiting.attempts), (MailState::Queued, 1));
    let later: bool = sqlx::query_scalar(
        "select run_at >= created_at + interval '2 seconds' and locked_at is null from graphile_worker.jobs",
    )
    .fetch_one(&app.ctx.db)
    .await
    .expect("asked");
    assert!(later, "it is not tried again at once");
    let figures = jobs::figures(&app.ctx).await.expect("counted");
    assert_eq!(figures, QueueFigures { waiting: 1, running: 0, dead: 0 });

    make_due(&app).await;
    app.run_jobs().await;
    let waiting = mail::find(&app.ctx, id).await.expect("asked").expect("there");
    assert_eq!(waiting.attempts, 2);
    assert!(jobs::dead(&app.ctx, 10).await.expect("asked").is_empty());

    // A job of which nobody knows any more has nothing to do, and leaves the queue.
    sqlx::query("delete from mail_message").execute(&app.ctx.db).await.expect("deleted");
    make_due(&app).await;
    app.run_jobs().await;
    assert_eq!(jobs::figures(&app.ctx).await.expect("counted"), QueueFigures::default());
}

#[tokio::test]
async fn a_job_that_used_up_its_attempts_is_dead_and_can_be_revived() {
    let app = app_without_mail_server().await;
    let id = send(&app.ctx, &ada(), &hello()).await;
    for _ in 0..SendMail::MAX_ATTEMPTS {
        make_due(&app).await;
        app.run_jobs().await;
    }
    let dead = jobs::dead(&app.ctx, 10).await.expect("asked");
    assert_eq!(dead.len(), 1);
    assert_eq!((dead[0].name.as_str(), dead[0].attempts), (SendMail::NAME, SendMail::MAX_ATTEMPTS));
    let reason = dead[0].last_error.as_deref().unwrap_or_default();
    assert!(reason.contains("the mail was not taken yet"), "{reason}");
    let figures = jobs::figures(&app.ctx).await.expect("counted");
    assert_eq!(figures, QueueFigures { waiting: 0, running: 0, dead: 1 });

    assert!(!jobs::revive(&app.ctx, dead[0].id + 1).await.expect("asked"), "there is no such job");
    assert!(jobs::revive(&app.ctx, dead[0].id).await.expect("revived"));
    assert!(jobs::dead(&app.ctx, 10).await.expect("asked").is_empty());
    app.run_jobs().await;
    let mail = mail::find(&app.ctx, id).await.expect("asked").expect("there");
    assert_eq!(mail.attempts, i32::from(SendMail::MAX_ATTEMPTS) + 1);

    sqlx::query("delete from mail_message").execute(&app.ctx.db).await.expect("deleted");
    make_due(&app).await;
    app.run_jobs().await;
}

#[tokio::test]
async fn queueing_again_under_the_same_key_replaces_the_job_that_waits() {
    let server = FakeSmtp::start(&[Answer::Accept]).await;
    let app = server.app().await;
    let first = send(&app.ctx, &ada(), &hello()).await;
    let second = send(&app.ctx, &ada(), &hello()).await;
    app.run_jobs().await;
    // Both are out. From here on only what is queued by key counts.
    sqlx::query("update mail_message set state = 'queued', sent_at = null")
        .execute(&app.ctx.db)
        .await
        .expect("queued again");

    let mut tx = app.ctx.db.begin().await.expect("a transaction");
    for id in [first, second] {
        let options = Options { key: Some("newest".to_owned()), ..Options::default() };
        jobs::enqueue_with(&mut tx, &SendMail { id }, options).await.expect("queued");
    }
    tx.commit().await.expect("committed");
    assert_eq!(jobs::figures(&app.ctx).await.expect("counted").waiting, 1);

    app.run_jobs().await;
    let state = async |id| mail::find(&app.ctx, id).await.expect("asked").expect("there").state;
    assert_eq!((state(first).await, state(second).await), (MailState::Queued, MailState::Sent));
}

#[tokio::test]
async fn a_job_for_later_does_not_run_now() {
    let app = TestApp::start().await;
    let id = send(&app.ctx, &ada(), &hello()).await;
    app.run_jobs().await;
    // The queue compares with the database's clock, which the test does not set.
    let now: time::OffsetDateTime =
        sqlx::query_scalar("select now()").fetch_one(&app.ctx.db).await.expect("asked");
    let mut tx = app.ctx.db.begin().await.expect("a transaction");
    let options = Options { run_at: Some(now + Duration::hours(1)), ..Options::default() };
    jobs::enqueue_with(&mut tx, &SendMail { id }, options).await.expect("queued");
    tx.commit().await.expect("committed");

    app.run_jobs().await;
    assert_eq!(jobs::figures(&app.ctx).await.expect("counted").waiting, 1);
    make_due(&app).await;
    app.run_jobs().await;
    assert_eq!(jobs::figures(&app.ctx).await.expect("counted").waiting, 0);
}
