//! What a message to us has to be like, and how it becomes a mail. No I/O.

use crate::{
    account::{problem, rules},
    contract::problem::FieldProblem,
    mail::Message,
};

pub const MAX_MESSAGE_CHARS: usize = 4_000;

/// What a message is about: by this, whoever reads the mail sorts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topic {
    Sales,
    Support,
    Press,
    Security,
    Other,
}

impl Topic {
    pub const ALL: [Self; 5] = [Self::Sales, Self::Support, Self::Press, Self::Security, Self::Other];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sales => "sales",
            Self::Support => "support",
            Self::Press => "press",
            Self::Security => "security",
            Self::Other => "other",
        }
    }

    pub const fn label(self) -> &'static str {
        match self {
            Self::Sales => "Sales and Enterprise",
            Self::Support => "Support",
            Self::Press => "Press",
            Self::Security => "Security",
            Self::Other => "Something else",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|topic| topic.as_str() == text)
    }
}

/// The form as it was sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    pub name: String,
    pub email: String,
    pub topic: String,
    pub message: String,
    /// A field that nobody sees. Programs that fill in every field fill in this one.
    pub trap: String,
}

/// A message that can be passed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    pub name: String,
    pub email: String,
    pub topic: Topic,
    pub message: String,
}

/// The message, or everything that is wrong with it, in the order of the fields.
pub fn read(written: &Written) -> Result<Letter, Vec<FieldProblem>> {
    let name = rules::normalize_name(&written.name).ok_or_else(|| rules::name_problem(&written.name));
    let email = rules::normalize_email(&written.email).ok_or_else(|| rules::email_problem("email"));
    let topic = Topic::parse(&written.topic)
        .ok_or_else(|| problem("topic", "required", "Choose what the message is about."));
    let message = read_message(&written.message);
    match (name, email, topic, message) {
        (Ok(name), Ok(email), Ok(topic), Ok(message)) => Ok(Letter { name, email, topic, message }),
        (name, email, topic, message) => {
            Err([name.err(), email.err(), topic.err(), message.err()].into_iter().flatten().collect())
        }
    }
}

/// With line breaks as they are counted in the browser: one character each.
fn read_message(typed: &str) -> Result<String, FieldProblem> {
    let message = typed.replace("\r\n", "\n").replace('\r', "\n");
    let message = message.trim();
    if message.is_empty() {
        return Err(problem("message", "required", "Write what it is about."));
    }
    let length = message.chars().count();
    if length > MAX_MESSAGE_CHARS {
        let words = format!("A message has at most {MAX_MESSAGE_CHARS} characters. This one has {length}.");
        return Err(problem("message", "too_long", &words));
    }
    if message.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t')) {
        let words =
            "The message has characters that cannot be sent in a mail. Take them out, then send it again.";
        return Err(problem("message", "invalid_characters", words));
    }
    Ok(message.to_owned())
}

impl Letter {
    /// The mail that carries it. `account` is the address of the account that was signed in, if one was.
    pub fn to_mail(&self, account: Option<&str>) -> Message {
        let Self { name, email, topic, message } = self;
        let signed_in =
            account.map_or_else(|| "Not signed in".to_owned(), |address| format!("Signed in as {address}"));
        Message::new(format!("{}: {name}", topic.label()))
            .reply_to(email)
            .facts(vec![
                ("From", format!("{name} <{email}>")),
                ("About", topic.label().to_owned()),
                ("Account", signed_in),
            ])
            .words(message)
            .note("Sent through the form of the site. An answer to this mail goes to the address above. Nobody has checked whose it is.")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written() -> Written {
        Written {
            name: "  Ada   Lovelace ".to_owned(),
            email: " ada@Example.com".to_owned(),
            topic: "press".to_owned(),
            message: "\r\nHello,\r\n\r\nwhat is the mark?\r\n".to_owned(),
            trap: String::new(),
        }
    }

    fn wrong(change: impl FnOnce(&mut Written)) -> Vec<(String, String)> {
        let mut written = written();
        change(&mut written);
        let problems = read(&written).expect_err("something is wrong with it");
        problems.into_iter().map(|problem| (problem.field, problem.code)).collect()
    }

    fn at(field: &str, code: &str) -> Vec<(String, String)> {
        vec![(field.to_owned(), code.to_owned())]
    }

    #[test]
    fn a_message_is_tidied_and_keeps_its_lines() {
        let letter = read(&written()).expect("nothing is wrong with it");
        assert_eq!((letter.name.as_str(), letter.email.as_str()), ("Ada Lovelace", "ada@example.com"));
        assert_eq!((letter.topic, letter.message.as_str()), (Topic::Press, "Hello,\n\nwhat is the mark?"));
    }

    #[test]
    fn what_is_missing_is_said_of_every_field_at_once() {
        let problems = read(&Written::default()).expect_err("all of it is missing");
        let fields: Vec<&str> = problems.iter().map(|problem| problem.field.as_str()).collect();
        assert_eq!(fields, ["name", "email", "topic", "message"]);
    }

    #[test]
    fn nothing_that_would_end_a_header_is_taken() {
        assert_eq!(
            wrong(|form| form.name = "Ada\r\nBcc: all@example.com".to_owned()),
            at("name", "invalid_name")
        );
        assert_eq!(wrong(|form| form.name = "Ada\u{202e}".to_owned()), at("name", "invalid_name"));
        for email in [
            "ada@example.com\r\nBcc: all@example.com",
            "ada@example.com,all@example.com",
            "ada",
            "Ada <ada@example.com>",
        ] {
            assert_eq!(wrong(|form| form.email = email.to_owned()), at("email", "invalid_email"), "{email}");
        }
        assert_eq!(wrong(|form| form.topic = "Press".to_owned()), at("topic", "required"));
        assert_eq!(wrong(|form| form.message = "a\0b".to_owned()), at("message", "invalid_characters"));
        assert_eq!(wrong(|form| form.message = " \n\t ".to_owned()), at("message", "required"));
    }

    #[test]
    fn a_message_may_be_as_long_as_the_form_says() {
        let mut form = written();
        // A browser counts a line break once and sends it as two.
        form.message = format!("{}\r\n{}", "ä".repeat(1_999), "b".repeat(2_000));
        assert!(read(&form).is_ok());
        assert_eq!(wrong(|form| form.message = "x".repeat(MAX_MESSAGE_CHARS + 1)), at("message", "too_long"));
    }

    #[test]
    fn every_topic_is_read_as_it_is_written() {
        for topic in Topic::ALL {
            assert_eq!(Topic::parse(topic.as_str()), Some(topic));
        }
        assert_eq!(Topic::parse(""), None);
    }

    #[test]
    fn the_mail_names_who_wrote_and_quotes_what_they_wrote() {
        let mut form = written();
        form.message = "<script>alert(1)</script>\nsecond line".to_owned();
        let letter = read(&form).expect("nothing is wrong with it");
        let mail = letter.to_mail(Some("countess@example.org")).render("post@example.com");
        assert_eq!(mail.subject, "Press: Ada Lovelace");
        assert!(mail.text.contains("> <script>alert(1)</script>\n> second line\n"), "{}", mail.text);
        assert!(mail.html.contains("&lt;script&gt;alert(1)&lt;/script&gt;<br>second line"), "{}", mail.html);
        for said in ["Ada Lovelace <ada@example.com>", "Signed in as countess@example.org"] {
            assert!(mail.text.contains(said), "{said}: {}", mail.text);
        }
        assert!(!mail.html.contains("<script"));
    }

    proptest! {
        #[test]
        fn whatever_is_typed_is_read_or_refused(name in any::<String>(), message in any::<String>()) {
            let form = Written { name, message, ..written() };
            if let Ok(letter) = read(&form) {
                prop_assert!(!letter.name.chars().any(char::is_control));
                prop_assert!(letter.message.chars().count() <= MAX_MESSAGE_CHARS);
                let mail = letter.to_mail(None).render("post@example.com");
                prop_assert!(!mail.subject.chars().any(char::is_control));
            }
        }
    }
}
