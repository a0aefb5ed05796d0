//! A message to whoever runs the site: one mail, which an answer goes back from, and nothing else that is kept.

use devforge::{
    account::{Caller, Denied, Identity, Via},
    config::Config,
    contact::{self, Error, Written},
    contract::{account::Role, id::RequestId},
    jobs::{self, Options, QueueDelay},
    mail::{self, MailId, MailState, PurgeMail, SendMail, StoredMail},
};
use time::{Duration, OffsetDateTime};

use crate::{
    mail::{Answer, FakeSmtp},
    support::{TestApp, client},
};

const OPERATOR: &str = "post@forge.example";

fn with_operator(config: &mut Config) {
    config.operator.email = OPERATOR.to_owned();
}

fn written() -> Written {
    Written {
        name: "Ada Lovelace".to_owned(),
        email: "ada@example.com".to_owned(),
        topic: "sales".to_owned(),
        message: "Forty seats.\r\nIs there a quote?".to_owned(),
        trap: String::new(),
    }
}

async fn mail(app: &TestApp, id: MailId) -> StoredMail {
    mail::find(&app.ctx, id).await.expect("asked").expect("the mail is there")
}

async fn write(app: &TestApp, written: &Written) -> Result<MailId, Error> {
    contact::write(&app.ctx, &Caller::Anonymous, &client(), written).await
}

async fn count_mails(app: &TestApp) -> usize {
    mail::recent(&app.ctx, 100).await.expect("asked").len()
}

#[tokio::test]
async fn a_message_becomes_a_mail_that_is_answered_to_who_wrote_it() {
    let app = TestApp::start_with(with_operator).await;
    let id = write(&app, &written()).await.expect("passed on");
    let mail = mail(&app, id).await;
    assert_eq!((mail.kind.as_str(), mail.to_address.as_str()), ("contact", OPERATOR));
    assert_eq!(mail.reply_to.as_deref(), Some("ada@example.com"));
    assert_eq!(mail.subject, "Sales and Enterprise: Ada Lovelace");
    let text = mail.text.expect("a text");
    assert!(text.contains("> Forty seats.\n> Is there a quote?\n"), "{text}");

    let (action, subject, detail): (String, String, String) = sqlx::query_as(
        "select action, subject_id, detail::text from audit_event where subject_kind = 'mail'",
    )
    .fetch_one(&app.ctx.db)
    .await
    .expect("one entry");
    assert_eq!((action.as_str(), subject), ("contact.written", id.to_string()));
    assert_eq!(detail, "{\"topic\": \"sales\"}", "who wrote it is not in it");
    app.run_jobs().await;
}

#[tokio::test]
async fn the_mail_server_is_told_where_the_answer_goes() {
    let server = FakeSmtp::start(&[Answer::Accept]).await;
    let app = server.app().await;
    let mut form = written();
    form.name = "Ada <b>Lovelace</b>, Countess".to_owned();
    let id = write(&app, &form).await.expect("passed on");
    app.run_jobs().await;
    assert_eq!(mail(&app, id).await.state, MailState::Sent);
    assert_eq!(server.received()[0].header("Reply-To"), "ada@example.com");
}

#[tokio::test]
async fn what_cannot_be_passed_on_leaves_nothing() {
    let app = TestApp::start_with(with_operator).await;
    let wrong = Written { email: "ada@example.com\r\nBcc: all@example.com".to_owned(), ..written() };
    match write(&app, &wrong).await {
        Err(Error::Invalid(problems)) => assert_eq!(problems[0].field, "email"),
        other => panic!("an address with a header in it is refused: {other:?}"),
    }
    let trapped = Written { trap: "https://example.com".to_owned(), ..written() };
    assert!(matches!(write(&app, &trapped).await, Err(Error::Trapped)));
    assert_eq!(count_mails(&app).await, 0);

    let nobody = TestApp::start_with(|config| config.operator.email = String::new()).await;
    assert_eq!(contact::address(&nobody.ctx), None);
    assert!(matches!(write(&nobody, &written()).await, Err(Error::NoAddress)));
}

#[tokio::test]
async fn a_network_fills_no_mailbox_and_mistakes_are_not_counted() {
    let app = TestApp::start_with(with_operator).await;
    for _ in 0..20 {
        assert!(matches!(write(&app, &Written::default()).await, Err(Error::Invalid(_))));
    }
    for _ in 0..10 {
        write(&app, &written()).await.expect("passed on");
    }
    match write(&app, &written()).await {
        Err(Error::TooManyTries { retry_after }) => assert!(retry_after.as_secs() <= 24 * 60 * 60),
        other => panic!("the eleventh waits: {other:?}"),
    }
    let elsewhere = devforge::account::Client { network: "198.51.100.7".to_owned(), ..client() };
    contact::write(&app.ctx, &Caller::Anonymous, &elsewhere, &written()).await.expect("another network");
    assert_eq!(count_mails(&app).await, 11);
    app.ctx.clock.advance(Duration::days(1));
    write(&app, &written()).await.expect("a new day");
    app.run_jobs().await;
}

#[tokio::test]
async fn nobody_writes_through_somebody_else_s_eyes() {
    let app = TestApp::start_with(with_operator).await;
    let person = app.person("ada@example.com", Role::Customer).await;
    let admin = app.person("admin@example.com", Role::Admin).await;
    let opened = app.sign_in(&person).await;
    let via = Via::Session {
        id: opened.session,
        authenticated_at: Some(app.ctx.clock.now()),
        impersonator: Some(admin.id),
    };
    let request = RequestId::from_uuid(uuid::Uuid::nil());
    let viewing = Caller::User(Identity { user: person, via, request });
    let refused = contact::write(&app.ctx, &viewing, &client(), &written()).await;
    assert!(matches!(refused, Err(Error::Denied(Denied::ReadOnly))), "{refused:?}");
    app.run_jobs().await;
}

#[tokio::test]
async fn what_was_written_is_forgotten_in_time_and_with_the_account() {
    let app = TestApp::start_with(with_operator).await;
    let caller = app.signed_in("jo@example.org", Role::Customer).await;
    let own = contact::write(&app.ctx, &caller, &client(), &written()).await.expect("passed on");
    assert!(mail(&app, own).await.text.expect("a text").contains("Signed in as jo@example.org"));
    let from_address =
        write(&app, &Written { email: "JO@example.org".to_owned(), ..written() }).await.expect("passed on");
    let other = write(&app, &written()).await.expect("passed on");
    app.run_jobs().await;

    let mut tx = app.ctx.db.begin().await.expect("a transaction");
    let account = caller.user().expect("somebody").id;
    mail::forget(&mut tx, account, "jo@example.org").await.expect("forgotten");
    tx.commit().await.expect("committed");
    for id in [own, from_address] {
        let mail = mail(&app, id).await;
        assert_eq!((mail.subject.as_str(), mail.text, mail.reply_to), ("", None, None));
    }

    let kept = mail(&app, other).await;
    assert_eq!(kept.reply_to.as_deref(), Some("ada@example.com"));
    app.ctx.clock.advance(mail::KEEP_BODIES + Duration::seconds(1));
    jobs::Job::run(PurgeMail {}, app.ctx.clone()).await.expect("purged");
    let purged = mail(&app, other).await;
    assert_eq!((purged.subject.as_str(), purged.text, purged.reply_to), ("", None, None));
    assert_eq!(purged.to_address, OPERATOR, "that there was a mail is kept");
}

#[tokio::test]
async fn a_queue_that_nobody_works_on_is_late() {
    let app = TestApp::start_with(with_operator).await;
    let delay = async || jobs::delay(&app.ctx).await.expect("asked");
    let id = write(&app, &written()).await.expect("passed on");
    assert_eq!(delay().await, QueueDelay::default(), "it was queued a moment ago");

    let mut tx = app.ctx.db.begin().await.expect("a transaction");
    let long_ago = Options { run_at: Some(OffsetDateTime::UNIX_EPOCH), ..Options::default() };
    jobs::enqueue_with(&mut tx, &PurgeMail {}, long_ago.clone()).await.expect("queued");
    tx.commit().await.expect("committed");
    assert_eq!(delay().await, QueueDelay { work: true, mail: false });

    let mut tx = app.ctx.db.begin().await.expect("a transaction");
    jobs::enqueue_with(&mut tx, &SendMail { id }, long_ago).await.expect("queued");
    tx.commit().await.expect("committed");
    assert_eq!(delay().await, QueueDelay { work: true, mail: true });
    app.run_jobs().await;
    assert_eq!(delay().await, QueueDelay::default());
}
