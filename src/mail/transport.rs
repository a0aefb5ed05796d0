//! The way out: an SMTP server, or in development none at all.

use std::{error::Error as _, fmt, time::Duration};

use lettre::{
    AsyncSmtpTransport, AsyncTransport, Tokio1Executor,
    message::{
        Mailbox, MultiPart, SinglePart,
        header::{HeaderName, HeaderValue},
    },
    transport::smtp,
};

use super::{Error, MailId, StoredMail, template::one_line};
use crate::config::MailConfig;

/// To reach the server.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// For the whole conversation. Servers that scan what they are given may take their time over the last answer.
const SEND_TIMEOUT: Duration = Duration::from_secs(90);
/// For the probe of `doctor`.
const CHECK_TIMEOUT: Duration = Duration::from_secs(10);
/// A server's answer can be long; its beginning says enough.
const REPLY_CHARS: usize = 500;

/// Sends mail, or keeps it. Cheap to clone.
#[derive(Clone)]
pub struct Mailer {
    from: Mailbox,
    way: Way,
}

#[derive(Clone)]
enum Way {
    /// Nothing leaves: the row in the table is what one reads.
    Outbox,
    Smtp {
        server: AsyncSmtpTransport<Tokio1Executor>,
        send_timeout: Duration,
    },
}

/// The connection's own `Debug` would show the password.
impl fmt::Debug for Mailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let way = if self.is_outbox() { "outbox" } else { "smtp" };
        write!(f, "Mailer({way}, from {})", self.from.email)
    }
}

/// Why a mail was not taken.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// Nobody will ever get mail there.
    NoSuchMailbox(String),
    /// This mail will never be taken.
    Refused(String),
    /// It may go better later.
    Temporary(String),
}

impl Mailer {
    pub fn from_config(config: &MailConfig) -> Result<Self, Error> {
        let from: Mailbox = config.from.parse().map_err(|_| Error::Sender)?;
        let way = match &config.smtp_url {
            None => Way::Outbox,
            Some(url) => {
                let server = AsyncSmtpTransport::<Tokio1Executor>::from_url(url.expose())
                    .map_err(Error::Url)?
                    .timeout(Some(CONNECT_TIMEOUT))
                    .build();
                Way::Smtp { server, send_timeout: SEND_TIMEOUT }
            }
        };
        Ok(Self { from, way })
    }

    /// Whether mail stays here.
    pub fn is_outbox(&self) -> bool {
        matches!(self.way, Way::Outbox)
    }

    /// Connects, signs in, and asks the server for nothing.
    pub async fn check(&self) -> Result<(), Error> {
        let Way::Smtp { server, .. } = &self.way else {
            return Ok(());
        };
        match tokio::time::timeout(CHECK_TIMEOUT, server.test_connection()).await {
            Ok(Ok(true)) => Ok(()),
            Ok(Err(error)) => Err(Error::Server(error)),
            Ok(Ok(false)) | Err(_) => Err(Error::Timeout),
        }
    }

    /// The Message-ID of a mail, under the sender's domain.
    pub(super) fn message_id(&self, id: MailId) -> String {
        format!("<{id}@{}>", self.from.email.domain())
    }

    pub(super) async fn deliver(&self, mail: &StoredMail, html: &str, text: &str) -> Result<(), Failure> {
        let Way::Smtp { server, send_timeout } = &self.way else {
            return Ok(());
        };
        let letter = self.letter(mail, html, text).map_err(Failure::Refused)?;
        match tokio::time::timeout(*send_timeout, server.send(letter)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(judge_error(&error)),
            Err(_) => Err(Failure::Temporary("the mail server did not answer in time".to_owned())),
        }
    }

    /// Everything in it comes from the row, so every attempt sends the same bytes.
    fn letter(&self, mail: &StoredMail, html: &str, text: &str) -> Result<lettre::Message, String> {
        let address = mail.to_address.parse().map_err(|_| "the address cannot receive mail".to_owned())?;
        let bodies = MultiPart::alternative()
            .boundary(format!("forge-{}", mail.id))
            .singlepart(SinglePart::plain(text.to_owned()))
            .singlepart(SinglePart::html(html.to_owned()));
        // Keeps holiday notices from being sent back.
        let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
        let mut letter = lettre::Message::builder();
        if let Some(answers) = &mail.reply_to {
            let answers =
                answers.parse().map_err(|_| "the address to answer to cannot receive mail".to_owned())?;
            letter = letter.reply_to(Mailbox::new(None, answers));
        }
        letter
            .from(self.from.clone())
            .to(Mailbox::new(mail.to_name.clone(), address))
            .subject(mail.subject.as_str())
            .date(mail.created_at.into())
            .message_id(Some(mail.message_id_header.clone()))
            .raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()))
            .multipart(bodies)
            .map_err(|error| error.to_string())
    }
}

fn judge_error(error: &smtp::Error) -> Failure {
    let reply = error.source().map(|source| source.to_string()).unwrap_or_default();
    match error.status() {
        Some(code) => judge(code.into(), &reply),
        None => Failure::Temporary(shortened(&error.to_string())),
    }
}

/// What a server's refusal means for the mail and for its address.
fn judge(code: u16, reply: &str) -> Failure {
    let said = shortened(&format!("{code} {reply}"));
    match code {
        // Our own sign-in is refused: that is for the operator to repair, and the mail is not to blame.
        530 | 534 | 535 | 538 => Failure::Temporary(said),
        500..=599 => {
            // Servers that send enhanced codes (RFC 3463) tell a missing mailbox from a policy; 550 alone
            // means the former.
            let enhanced = reply.split_whitespace().next().filter(|word| word.starts_with("5."));
            let missing = match enhanced {
                Some(enhanced) => matches!(enhanced, "5.1.1" | "5.1.6" | "5.1.10"),
                None => code == 550,
            };
            if missing { Failure::NoSuchMailbox(said) } else { Failure::Refused(said) }
        }
        _ => Failure::Temporary(said),
    }
}

fn shortened(reply: &str) -> String {
    one_line(reply).chars().take(REPLY_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;
    use crate::config::Secret;

    fn config(smtp_url: Option<&str>) -> MailConfig {
        MailConfig {
            smtp_url: smtp_url.map(|url| Secret::new(url.to_owned())),
            from: "Dev Forge <no-reply@forge.example>".to_owned(),
        }
    }

    fn mail(to_name: Option<&str>) -> StoredMail {
        StoredMail {
            id: MailId::from_uuid(uuid::Uuid::from_u128(7)),
            kind: "test".to_owned(),
            to_address: "ada@example.com".to_owned(),
            to_name: to_name.map(str::to_owned),
            reply_to: None,
            subject: "Steel".to_owned(),
            html: Some("<p>Steel</p>".to_owned()),
            text: Some("Steel".to_owned()),
            sensitive: false,
            state: super::super::MailState::Queued,
            attempts: 0,
            last_error: None,
            message_id_header: "<eml_1@forge.example>".to_owned(),
            created_at: time::macros::datetime!(2026-11-20 10:00 UTC),
            sent_at: None,
        }
    }

    #[test]
    fn refusals_are_told_apart() {
        let missing = |code, reply| matches!(judge(code, reply), Failure::NoSuchMailbox(_));
        assert!(missing(550, "5.1.1 No such user"));
        assert!(missing(550, "User unknown"));
        assert!(missing(550, ""));
        assert!(missing(553, "5.1.10 The domain takes no mail"));
        let refused = |code, reply| matches!(judge(code, reply), Failure::Refused(_));
        assert!(refused(550, "5.7.1 Looks like spam"));
        assert!(refused(552, "5.3.4 Too large"));
        assert!(refused(554, "Transaction failed"));
        let temporary = |code, reply| matches!(judge(code, reply), Failure::Temporary(_));
        assert!(temporary(451, "4.7.1 Greylisted"));
        assert!(temporary(421, ""));
        assert!(temporary(535, "5.7.8 Wrong password"));
    }

    #[test]
    fn a_reply_is_kept_short_and_on_one_line() {
        let Failure::Refused(said) = judge(554, &format!("no\r\n\0{}", "x".repeat(2_000))) else {
            panic!("554 is a refusal");
        };
        assert!(said.starts_with("554 no x") && said.chars().count() == REPLY_CHARS);
    }

    #[test]
    fn every_attempt_sends_the_same_bytes() {
        let mailer = Mailer::from_config(&config(None)).expect("a mailer");
        let bytes =
            || mailer.letter(&mail(Some("Ada")), "<p>Steel</p>", "Steel").expect("a letter").formatted();
        assert_eq!(bytes(), bytes());
        let text = String::from_utf8(bytes()).expect("mail is ASCII");
        assert!(text.contains("Message-ID: <eml_1@forge.example>\r\n"));
        assert!(text.contains("Date: Fri, 20 Nov 2026 10:00:00 +0000\r\n"));
        assert!(text.contains("Auto-Submitted: auto-generated\r\n"));
    }

    #[test]
    fn an_answer_goes_to_whom_the_mail_names() {
        let mailer = Mailer::from_config(&config(None)).expect("a mailer");
        let head = |mail: &StoredMail| {
            let letter = mailer.letter(mail, "", "").expect("a letter");
            String::from_utf8(letter.formatted()).expect("mail is ASCII")
        };
        assert!(!head(&mail(None)).contains("Reply-To"));
        let answered = StoredMail { reply_to: Some("jo@example.org".to_owned()), ..mail(None) };
        let head = head(&answered);
        assert!(head.contains("Reply-To: jo@example.org\r\n"), "{head}");
        assert!(head.contains("<no-reply@forge.example>\r\n"), "{head}");
        let hostile =
            StoredMail { reply_to: Some("jo@example.org\r\nBcc: all@example.com".to_owned()), ..mail(None) };
        assert!(mailer.letter(&hostile, "", "").is_err());
    }

    #[test]
    fn a_hostile_name_stays_inside_its_header() {
        let mailer = Mailer::from_config(&config(None)).expect("a mailer");
        let name = one_line("Ada\r\nBcc: everyone@example.com\r\n\r\n<script>");
        let letter = mailer.letter(&mail(Some(&name)), "", "").expect("a letter");
        let text = String::from_utf8(letter.formatted()).expect("mail is ASCII");
        let (head, _) = text.split_once("\r\n\r\n").expect("a head");
        assert!(!head.lines().any(|line| line.to_ascii_lowercase().starts_with("bcc")));
        assert_eq!(letter.envelope().to().len(), 1);
    }

    #[test]
    fn wrong_settings_are_refused_without_showing_the_password() {
        let mut wrong = config(None);
        wrong.from = "not an address".to_owned();
        assert!(matches!(Mailer::from_config(&wrong), Err(Error::Sender)));
        let refused =
            Mailer::from_config(&config(Some("ftp://user:hunter2@host"))).expect_err("no mail over FTP");
        assert!(!format!("{refused:?} {refused}").contains("hunter2"));
        let mailer = Mailer::from_config(&config(Some("smtp://user:hunter2@host"))).expect("a mailer");
        assert!(!format!("{mailer:?}").contains("hunter2"));
    }

    #[tokio::test]
    async fn a_server_that_never_answers_is_a_temporary_failure() {
        let silent = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("smtp://{}", silent.local_addr().expect("an address"));
        let mut mailer = Mailer::from_config(&config(Some(&url))).expect("a mailer");
        if let Way::Smtp { send_timeout, .. } = &mut mailer.way {
            *send_timeout = Duration::from_millis(50);
        }
        let outcome = mailer.deliver(&mail(None), "<p>Steel</p>", "Steel").await;
        assert!(matches!(outcome, Err(Failure::Temporary(_))));
    }

    #[tokio::test]
    async fn a_server_that_is_not_there_fails_the_check() {
        let gone = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("smtp://{}", gone.local_addr().expect("an address"));
        drop(gone);
        let mailer = Mailer::from_config(&config(Some(&url))).expect("a mailer");
        assert!(matches!(mailer.check().await, Err(Error::Server(_))));
        let outbox = Mailer::from_config(&config(None)).expect("a mailer");
        assert!(outbox.is_outbox() && outbox.check().await.is_ok());
    }
}
