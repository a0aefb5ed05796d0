//! Mail from the caller's transaction to an SMTP server that speaks the protocol over real TCP.

use std::{
    io,
    sync::{Arc, Mutex},
};

use devforge::{
    config::Secret,
    context::Context,
    contract::id::UserId,
    jobs::Job,
    mail::{self, MailId, MailState, Message, PurgeMail, Recipient, SendMail, StoredMail, SuppressionReason},
};
use time::Duration;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::Notify,
    task::JoinHandle,
};
use uuid::Uuid;

use crate::support::TestApp;

const ADA: &str = "ada@example.com";

pub(crate) fn ada() -> Recipient {
    Recipient::new(ADA, "Ada Lovelace")
}

pub(crate) fn hello() -> Message {
    Message::new("Hello").greeting("Hello Ada").paragraph("The forge is hot.")
}

pub(crate) async fn send(ctx: &Context, to: &Recipient, message: &Message) -> MailId {
    let mut tx = ctx.db.begin().await.expect("a transaction");
    let id = mail::send(&mut tx, ctx, to, "test_mail", message).await.expect("written");
    tx.commit().await.expect("committed");
    id
}

async fn read(ctx: &Context, id: MailId) -> StoredMail {
    mail::find(ctx, id).await.expect("asked").expect("the mail is there")
}

/// How the server ends one conversation.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Answer {
    Accept,
    /// 550: no such mailbox.
    Unknown,
    /// 451: try again later.
    Busy,
    /// Takes the mail, and says so only once the test lets it.
    Hold,
}

/// What came over the wire after `DATA`, and the same after the doubled dots are undone.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    wire: String,
    letter: String,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.letter
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
            .expect("the header is there")
    }
}

#[derive(Default)]
struct Shared {
    received: Mutex<Vec<Received>>,
    arrived: Notify,
    release: Notify,
}

pub(crate) struct FakeSmtp {
    url: String,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

impl FakeSmtp {
    /// One answer for each conversation; the last one stands for all that follow.
    pub(crate) async fn start(answers: &'static [Answer]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("smtp://{}", listener.local_addr().expect("an address"));
        let shared = Arc::new(Shared::default());
        let accepting = tokio::spawn({
            let shared = Arc::clone(&shared);
            async move {
                for turn in 0.. {
                    let answer = answers[turn.min(answers.len() - 1)];
                    let (stream, _) = listener.accept().await.expect("a connection");
                    // A client that hangs up early is that client's affair.
                    tokio::spawn({
                        let shared = Arc::clone(&shared);
                        async move { converse(stream, answer, &shared).await }
                    });
                }
            }
        });
        Self { url, shared, accepting }
    }

    pub(crate) async fn app(&self) -> TestApp {
        let url = self.url.clone();
        TestApp::start_with(move |config| config.mail.smtp_url = Some(Secret::new(url))).await
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.shared.received.lock().expect("no test panics while it holds this").clone()
    }
}

impl Drop for FakeSmtp {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn converse(stream: TcpStream, answer: Answer, shared: &Shared) -> io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    write.write_all(b"220 fake.example ready\r\n").await?;
    while let Some(line) = lines.next_line().await? {
        let reply = match line.get(..4).unwrap_or_default() {
            "EHLO" => "250-fake.example\r\n250 8BITMIME\r\n",
            "RCPT" => match answer {
                Answer::Unknown => "550 5.1.1 No such mailbox\r\n",
                Answer::Busy => "451 4.7.1 Try again later\r\n",
                Answer::Accept | Answer::Hold => "250 Ok\r\n",
            },
            "DATA" => {
                write.write_all(b"354 Go ahead\r\n").await?;
                let mut wire = String::new();
                let mut letter = String::new();
                while let Some(line) = lines.next_line().await? {
                    if line == "." {
                        break;
                    }
                    wire.push_str(&line);
                    wire.push_str("\r\n");
                    letter.push_str(line.strip_prefix('.').unwrap_or(&line));
                    letter.push_str("\r\n");
                }
                shared
                    .received
                    .lock()
                    .expect("no test panics while it holds this")
                    .push(Received { wire, letter });
                shared.arrived.notify_one();
                if matches!(answer, Answer::Hold) {
                    shared.release.notified().await;
                }
                "250 Taken\r\n"
            }
            "QUIT" => {
                write.write_all(b"221 Bye\r\n").await?;
                return Ok(());
            }
            _ => "250 Ok\r\n",
        };
        write.write_all(reply.as_bytes()).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_transaction_that_is_rolled_back_leaves_no_mail_and_no_job() {
    let server = FakeSmtp::start(&[Answer::Accept]).await;
    let app = server.app().await;
    let mut tx = app.ctx.db.begin().await.expect("a transaction");
    mail::send(&mut tx, &app.ctx, &ada(), "test_mail", &hello()).await.expect("written");
    tx.rollback().await.expect("rolled back");

    app.run_jobs().await;
    assert!(mail::recent(&app.ctx, 10).await.expect("asked").is_empty());
    assert!(server.received().is_empty());
}

#[tokio::test]
async fn a_mail_is_sent_once_though_its_job_runs_twice() {
    let server = FakeSmtp::start(&[Answer::Accept]).await;
    let app = server.app().await;
    let id = send(&app.ctx, &ada(), &hello()).await;
    assert_eq!(read(&app.ctx, id).await.state, MailState::Queued);

    app.run_jobs().await;
    SendMail { id }.run(app.ctx.clone()).await.expect("nothing is left to do");

    let received = server.received();
    assert_eq!(received.len(), 1);
    assert_eq!(received[0].header("Subject"), "Hello");
    assert!(received[0].header("To").contains("<ada@example.com>"));
    let mail = read(&app.ctx, id).await;
    assert_eq!((mail.state, mail.attempts), (MailState::Sent, 1));
    assert_eq!(mail.sent_at, Some(app.ctx.clock.now()));
    assert_eq!(received[0].header("Message-ID"), mail.message_id_header);
}

#[tokio::test]
async fn without_a_server_mail_is_kept_to_be_read() {
    let app = TestApp::start().await;
    let id = send(&app.ctx, &ada(), &hello().code("DF-AAAAA")).await;
    app.run_jobs().await;
    let mail = read(&app.ctx, id).await;
    assert_eq!(mail.state, MailState::Sent);
    assert!(mail.text.expect("kept").contains("DF-AAAAA"));
    assert!(mail.html.expect("kept").contains("The forge is hot."));
    let listed = mail::recent(&app.ctx, 10).await.expect("asked");
    assert_eq!(listed.iter().map(|mail| mail.id).collect::<Vec<_>>(), [id]);
}

#[tokio::test]
async fn a_sensitive_mail_leaves_no_copy_once_it_is_out() {
    let server = FakeSmtp::start(&[Answer::Accept]).await;
    let app = server.app().await;
    let id = send(&app.ctx, &ada(), &hello().code("DF-AAAAA")).await;
    app.run_jobs().await;
    assert!(server.received()[0].letter.contains("DF-AAAAA"));
    let mail = read(&app.ctx, id).await;
    assert_eq!((mail.state, mail.html, mail.text), (MailState::Sent, None, None));
}

#[tokio::test]
async fn nothing_is_sent_to_a_suppressed_address_until_it_is_allowed_again() {
    let server = FakeSmtp::start(&[Answer::Accept]).await;
    let app = server.app().await;
    mail::suppress(&app.ctx, " Ada@Example.com", SuppressionReason::Complained, "marked as spam")
        .await
        .expect("noted");

    let id = send(&app.ctx, &ada(), &hello()).await;
    app.run_jobs().await;
    let mail = read(&app.ctx, id).await;
    assert_eq!((mail.state, mail.last_error.as_deref()), (MailState::Suppressed, Some("complained")));
    assert!(server.received().is_empty());

    assert!(mail::unsuppress(&app.ctx, ADA).await.expect("allowed"));
    assert!(!mail::unsuppress(&app.ctx, ADA).await.expect("asked"), "it was allowed already");
    let id = send(&app.ctx, &ada(), &hello()).await;
    app.run_jobs().await;
    assert_eq!(read(&app.ctx, id).await.state, MailState::Sent);
}

#[tokio::test]
async fn a_mailbox_that_does_not_exist_is_not_written_to_again() {
    let server = FakeSmtp::start(&[Answer::Unknown, Answer::Accept]).await;
    let app = server.app().await;
    let first = send(&app.ctx, &ada(), &hello()).await;
    app.run_jobs().await;
    let mail = read(&app.ctx, first).await;
    assert_eq!((mail.state, mail.attempts), (MailState::Failed, 1));
    assert!(mail.last_error.expect("a reason").contains("No such mailbox"));

    let second = send(&app.ctx, &ada(), &hello()).await;
    app.run_jobs().await;
    assert_eq!(read(&app.ctx, second).await.state, MailState::Suppressed);
    assert!(server.received().is_empty());
}

#[tokio::test]
async fn a_mail_that_is_tried_again_is_the_same_mail() {
    let server = FakeSmtp::start(&[Answer::Busy, Answer::Accept]).await;
    let app = server.app().await;
    let id = send(&app.ctx, &ada(), &hello()).await;
    let job = SendMail { id };

    let refused = job.run(app.ctx.clone()).await.expect_err("the server is busy");
    assert!(refused.to_string().contains("Try again later"));
    let waiting = read(&app.ctx, id).await;
    assert_eq!((waiting.state, waiting.attempts), (MailState::Queued, 1));
    assert!(waiting.last_error.expect("a reason").contains("451"));

    app.ctx.clock.advance(Duration::hours(1));
    job.run(app.ctx.clone()).await.expect("the server takes it");
    let sent = read(&app.ctx, id).await;
    assert_eq!((sent.state, sent.attempts, sent.last_error), (MailState::Sent, 2, None));
    assert_eq!(sent.message_id_header, waiting.message_id_header);
    let received = server.received();
    assert_eq!(received.len(), 1);
    assert_eq!(received[0].header("Message-ID"), waiting.message_id_header);

    // What was queued finds nothing to do.
    app.run_jobs().await;
    assert_eq!(server.received().len(), 1);
}

#[tokio::test]
async fn a_mail_counts_as_sent_only_when_a_slow_server_has_taken_it() {
    let server = FakeSmtp::start(&[Answer::Hold]).await;
    let app = server.app().await;
    let id = send(&app.ctx, &ada(), &hello()).await;
    let sending = tokio::spawn(SendMail { id }.run(app.ctx.clone()));

    server.shared.arrived.notified().await;
    assert_eq!(read(&app.ctx, id).await.state, MailState::Queued);
    server.shared.release.notify_one();
    sending.await.expect("not cancelled").expect("taken");
    assert_eq!(read(&app.ctx, id).await.state, MailState::Sent);

    app.run_jobs().await;
    assert_eq!(server.received().len(), 1);
}

#[tokio::test]
async fn a_line_that_begins_with_a_dot_arrives_whole() {
    let server = FakeSmtp::start(&[Answer::Accept]).await;
    let app = server.app().await;
    let message = Message::new("Dots").paragraph(".first line").paragraph(".").paragraph("last line");
    send(&app.ctx, &ada(), &message).await;
    app.run_jobs().await;

    let received = server.received();
    assert!(received[0].wire.contains("\r\n..first line\r\n"), "the dot is doubled on the wire");
    assert!(received[0].letter.contains("\r\n.first line\r\n\r\n.\r\n\r\nlast line\r\n"));
}

#[tokio::test]
async fn addresses_that_cannot_receive_mail_are_refused_at_once() {
    let app = TestApp::start().await;
    let mut tx = app.ctx.db.begin().await.expect("a transaction");
    let long = format!("{}@example.com", "a".repeat(300));
    for address in
        ["", "ada", "ada@", "ada@example.com\r\nBcc: all@example.com", "ada@exam ple.com", long.as_str()]
    {
        let refused =
            mail::send(&mut tx, &app.ctx, &Recipient::nameless(address), "test_mail", &hello()).await;
        assert!(matches!(refused, Err(mail::Error::Address)), "{address:?}");
    }
}

#[tokio::test]
async fn old_mail_forgets_what_it_said() {
    let app = TestApp::start().await;
    let old = send(&app.ctx, &ada(), &hello()).await;
    app.run_jobs().await;
    app.ctx.clock.advance(Duration::days(89));
    let young = send(&app.ctx, &ada(), &hello()).await;
    app.run_jobs().await;
    app.ctx.clock.advance(Duration::days(2));

    PurgeMail {}.run(app.ctx.clone()).await.expect("purged");
    let mail = read(&app.ctx, old).await;
    assert_eq!((mail.state, mail.html, mail.text), (MailState::Sent, None, None));
    assert!(read(&app.ctx, young).await.text.is_some());
}

#[tokio::test]
async fn an_account_that_is_forgotten_is_forgotten_at_every_address() {
    let server = FakeSmtp::start(&[Answer::Accept]).await;
    let app = server.app().await;
    let ctx = &app.ctx;
    let [hers, other] = [1, 2].map(|number| UserId::from_uuid(Uuid::from_u128(number)));
    let sent = async |account: Option<UserId>, address: &str| {
        let to = Recipient::new(address, "Ada Lovelace");
        let mut tx = ctx.db.begin().await.expect("a transaction");
        let sending = match account {
            Some(account) => mail::send_to_account(&mut tx, ctx, account, &to, "test_mail", &hello()).await,
            None => mail::send(&mut tx, ctx, &to, "test_mail", &hello()).await,
        };
        tx.commit().await.expect("committed");
        sending.expect("written")
    };
    let gone = [
        sent(Some(hers), ADA).await,
        sent(Some(hers), "former@example.com").await,
        sent(Some(hers), "never-hers@example.com").await,
        sent(None, "Ada@Example.com").await,
    ];
    let kept = [sent(Some(other), "former@example.com").await, sent(None, "former@example.com").await];

    let mut tx = ctx.db.begin().await.expect("a transaction");
    mail::forget(&mut tx, hers, " ADA@example.com").await.expect("forgotten");
    tx.commit().await.expect("committed");
    app.run_jobs().await;

    for id in gone {
        let mail = read(ctx, id).await;
        assert_eq!((mail.to_address.as_str(), mail.to_name, mail.subject.as_str()), ("deleted", None, ""));
        assert_eq!((mail.html, mail.text, mail.state), (None, None, MailState::Failed));
    }
    for id in kept {
        assert_eq!(read(ctx, id).await.to_address, "former@example.com");
    }
    assert_eq!(server.received().len(), kept.len(), "what was queued is not sent any more");
}

#[tokio::test]
async fn mail_whose_text_is_gone_fails_instead_of_waiting_for_ever() {
    let app = TestApp::start().await;
    let id = send(&app.ctx, &ada(), &hello()).await;
    app.ctx.clock.advance(Duration::days(91));
    PurgeMail {}.run(app.ctx.clone()).await.expect("purged");
    app.run_jobs().await;
    assert_eq!(read(&app.ctx, id).await.state, MailState::Failed);
}
