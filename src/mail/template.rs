//! What a mail says, once, as HTML and as plain text.
//!
//! A mail is a short list of blocks in one shared layout, so every mail looks the same and both parts always
//! say the same. What always holds: every text is escaped where it meets markup, links are spelled out, and
//! the plain part is ASCII wherever the words are.
//!
//! Mail clients know neither our stylesheets nor modern layout: tables and inline styles it is. The colours
//! are those of the site's design, in hexadecimal.

use std::fmt::Write as _;

/// Where plain text is wrapped.
const TEXT_WIDTH: usize = 76;
const SUBJECT_CHARS: usize = 200;

/// A mail being written. What is said is given in the order in which it is read.
#[derive(Debug, Clone)]
pub struct Message {
    subject: String,
    greeting: Option<String>,
    blocks: Vec<Block>,
    reply_to: Option<String>,
    sensitive: bool,
}

#[derive(Debug, Clone)]
enum Block {
    Paragraph(String),
    Action {
        label: String,
        url: String,
    },
    Code(String),
    Facts(Vec<(String, String)>),
    Note(String),
    /// Somebody's own words, line by line.
    Words(Vec<String>),
}

/// A mail as it is stored and sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    pub subject: String,
    pub html: String,
    pub text: String,
}

impl Message {
    pub fn new(subject: impl AsRef<str>) -> Self {
        let subject = one_line(subject.as_ref()).chars().take(SUBJECT_CHARS).collect();
        Self { subject, greeting: None, blocks: Vec::new(), reply_to: None, sensitive: false }
    }

    #[must_use]
    pub fn greeting(mut self, text: impl AsRef<str>) -> Self {
        self.greeting = Some(one_line(text.as_ref()));
        self
    }

    #[must_use]
    pub fn paragraph(self, text: impl AsRef<str>) -> Self {
        self.with(Block::Paragraph(one_line(text.as_ref())))
    }

    /// The one thing to do next. A mail has at most one.
    #[must_use]
    pub fn action(self, label: impl AsRef<str>, url: impl AsRef<str>) -> Self {
        self.with(Block::Action { label: one_line(label.as_ref()), url: address(url.as_ref()) })
    }

    /// A license key or a code to type. Makes the mail sensitive.
    #[must_use]
    pub fn code(self, code: impl AsRef<str>) -> Self {
        self.with(Block::Code(one_line(code.as_ref()))).sensitive()
    }

    /// Labels and values, one pair in a row.
    #[must_use]
    pub fn facts<L: AsRef<str>, V: AsRef<str>>(self, facts: Vec<(L, V)>) -> Self {
        let facts = facts
            .into_iter()
            .map(|(label, value)| (one_line(label.as_ref()), one_line(value.as_ref())))
            .collect();
        self.with(Block::Facts(facts))
    }

    /// Said in a lower voice: how long a link works, what to do if one did not ask for this.
    #[must_use]
    pub fn note(self, text: impl AsRef<str>) -> Self {
        self.with(Block::Note(one_line(text.as_ref())))
    }

    /// What somebody wrote, with its line breaks. It is set apart, so that nobody takes it for our words.
    #[must_use]
    pub fn words(self, text: impl AsRef<str>) -> Self {
        self.with(Block::Words(text.as_ref().lines().map(one_line).collect()))
    }

    /// Whom an answer goes to, where that is not the sender. An address that cannot receive mail is refused when the
    /// mail is sent.
    #[must_use]
    pub fn reply_to(mut self, address: impl AsRef<str>) -> Self {
        self.reply_to = Some(one_line(address.as_ref()));
        self
    }

    /// Carries something that opens a door, such as a link with a token: once the mail is out, we keep no copy
    /// of what it said.
    #[must_use]
    pub fn sensitive(mut self) -> Self {
        self.sensitive = true;
        self
    }

    pub(super) fn is_sensitive(&self) -> bool {
        self.sensitive
    }

    pub(super) fn answers_go_to(&self) -> Option<&str> {
        self.reply_to.as_deref()
    }

    fn with(mut self, block: Block) -> Self {
        self.blocks.push(block);
        self
    }

    /// Both parts, addressed to `to`.
    pub fn render(&self, to: &str) -> Rendered {
        let to = one_line(to);
        Rendered { subject: self.subject.clone(), html: self.html(&to), text: self.text(&to) }
    }

    fn html(&self, to: &str) -> String {
        let mut rows = String::new();
        if let Some(greeting) = &self.greeting {
            row(
                &mut rows,
                &format!("<p class=\"t\" style=\"{PARAGRAPH}font-weight:600;\">{}</p>", escape(greeting)),
            );
        }
        for block in &self.blocks {
            row(&mut rows, &block.html());
        }
        LAYOUT
            .replace("{{subject}}", &escape(&self.subject))
            .replace("{{footer}}", &format!("Sent by Dev Forge to {}", escape(to)))
            // Last, so that nothing people typed is ever searched for a place to fill in.
            .replace("{{rows}}", &rows)
    }

    fn text(&self, to: &str) -> String {
        let mut text = String::new();
        if let Some(greeting) = &self.greeting {
            wrap(&mut text, greeting, "");
            text.push('\n');
        }
        for block in &self.blocks {
            block.text(&mut text);
            text.push('\n');
        }
        text.push_str("-- \n");
        wrap(&mut text, &format!("Sent by Dev Forge to {to}"), "");
        text
    }
}

impl Block {
    fn html(&self) -> String {
        match self {
            Self::Paragraph(text) => format!("<p class=\"t\" style=\"{PARAGRAPH}\">{}</p>", escape(text)),
            Self::Action { label, url } => {
                ACTION.replace("{{label}}", &escape(label)).replace("{{url}}", &escape(url))
            }
            Self::Code(code) => CODE.replace("{{code}}", &escape(code)),
            Self::Facts(facts) => {
                let mut table = format!("<table role=\"presentation\" width=\"100%\" {TABLE}>");
                for (label, value) in facts {
                    let (label, value) = (escape(label), escape(value));
                    // Writing to a string does not fail.
                    let _ = write!(
                        table,
                        "<tr><td class=\"n l\" width=\"34%\" valign=\"top\" style=\"{FACT}color:#474c53;\">{label}</td>\
                         <td class=\"t l\" valign=\"top\" style=\"{FACT}color:#181c22;word-break:break-word;\">{value}</td></tr>"
                    );
                }
                table.push_str("</table>");
                table
            }
            Self::Note(text) => format!("<p class=\"n\" style=\"{NOTE}\">{}</p>", escape(text)),
            Self::Words(lines) => {
                let lines: Vec<String> = lines.iter().map(|line| escape(line)).collect();
                format!("<p class=\"t l\" style=\"{WORDS}\">{}</p>", lines.join("<br>"))
            }
        }
    }

    fn text(&self, out: &mut String) {
        match self {
            Self::Paragraph(text) | Self::Note(text) => wrap(out, text, ""),
            // The address stands alone and unbroken, so that every client makes a link of it.
            Self::Action { label, url } => {
                wrap(out, &format!("{label}:"), "");
                out.push_str(url);
                out.push('\n');
            }
            Self::Code(code) => {
                out.push_str("    ");
                out.push_str(code);
                out.push('\n');
            }
            Self::Facts(facts) => {
                for (label, value) in facts {
                    wrap(out, &format!("{label}: {value}"), "  ");
                }
            }
            // Quoted as mail programs do it: no line of it can be read as the end of the mail.
            Self::Words(lines) => {
                for line in lines {
                    out.push_str("> ");
                    wrap(out, line, "> ");
                }
            }
        }
    }
}

const FONT: &str = "font-family:Archivo,'Helvetica Neue',Helvetica,Arial,sans-serif;";
const PARAGRAPH: &str = "margin:0;font-size:16px;line-height:26px;color:#181c22;";
const NOTE: &str = "margin:0;font-size:13px;line-height:20px;color:#474c53;";
const WORDS: &str = "margin:0;padding:4px 0 4px 12px;border-left:2px solid #d9dcdf;font-size:16px;line-height:26px;\
color:#181c22;word-break:break-word;";
const FACT: &str = "padding:8px 12px 8px 0;border-top:1px solid #d9dcdf;font-size:14px;line-height:20px;";
const TABLE: &str = "cellpadding=\"0\" cellspacing=\"0\" border=\"0\"";

const ACTION: &str = "<table role=\"presentation\" cellpadding=\"0\" cellspacing=\"0\" border=\"0\"><tr>\
<td class=\"e\" bgcolor=\"#f66b17\" style=\"background:#f66b17;border-radius:6px;\">\
<a class=\"e\" href=\"{{url}}\" style=\"display:inline-block;padding:12px 20px;font-size:16px;line-height:22px;\
font-weight:600;color:#1e0e08;text-decoration:none;border-radius:6px;\">{{label}}</a></td></tr></table>\
<p class=\"n\" style=\"margin:12px 0 0;font-size:13px;line-height:20px;color:#474c53;\">Or open this address:<br>\
<a class=\"n\" href=\"{{url}}\" style=\"color:#474c53;word-break:break-all;\">{{url}}</a></p>";

const CODE: &str = "<p class=\"k\" style=\"margin:0;padding:14px 16px;background:#eef0f3;border:1px solid #d9dcdf;\
border-radius:6px;font-family:'Martian Mono',Consolas,Menlo,monospace;font-size:16px;line-height:24px;\
letter-spacing:0.04em;color:#181c22;word-break:break-word;\">{{code}}</p>";

/// The classes serve dark mode alone; clients that drop the style sheet show the light colours.
const LAYOUT: &str = r##"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>{{subject}}</title>
<style>
:root { color-scheme: light dark; supported-color-schemes: light dark; }
@media (prefers-color-scheme: dark) {
.g { background: #0d1014 !important; }
.s { background: #14181c !important; border-color: #262a2f !important; }
.t { color: #eceff1 !important; }
.n { color: #b5b9bf !important; }
.l { border-color: #262a2f !important; }
.k { background: #070a0d !important; border-color: #262a2f !important; color: #eceff1 !important; }
.e { background: #fd7627 !important; color: #1e0e08 !important; }
}
</style>
</head>
<body class="g" style="margin:0;padding:0;background:#f4f6f8;font-family:Archivo,'Helvetica Neue',Helvetica,Arial,sans-serif;">
<table role="presentation" class="g" width="100%" cellpadding="0" cellspacing="0" border="0" bgcolor="#f4f6f8" style="background:#f4f6f8;">
<tr><td align="center" style="padding:16px 8px;">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" style="max-width:560px;">
<tr><td bgcolor="#0d1014" style="padding:16px 20px;background:#0d1014;border-radius:10px 10px 0 0;border-bottom:2px solid #e35003;font-size:18px;line-height:24px;font-weight:600;color:#eceff1;">Dev Forge</td></tr>
<tr><td class="s" bgcolor="#fcfdfd" style="padding:8px 20px 24px;background:#fcfdfd;border:1px solid #d9dcdf;border-top:0;border-radius:0 0 10px 10px;">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0">
{{rows}}</table>
</td></tr>
<tr><td class="n" style="padding:16px 20px;font-size:13px;line-height:20px;color:#474c53;word-break:break-word;">{{footer}}</td></tr>
</table>
</td></tr>
</table>
</body>
</html>
"##;

fn row(rows: &mut String, content: &str) {
    let _ = writeln!(rows, "<tr><td style=\"padding:16px 0 0;{FONT}\">{content}</td></tr>");
}

/// Text as markup, inside elements and inside quoted attributes. The braces keep typed text from ever looking
/// like a place that the layout fills in.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '{' => escaped.push_str("&#123;"),
            '}' => escaped.push_str("&#125;"),
            c => escaped.push(c),
        }
    }
    escaped
}

/// Text without line breaks and other control characters, and with single spaces: fit for a header, a cell
/// and a column of type `text`.
pub(super) fn one_line(text: &str) -> String {
    let cleaned: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    cleaned.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// An address for a link. Ours begin with a scheme of the web; anything else is a mistake that must not
/// become a link that runs something.
fn address(url: &str) -> String {
    let url: String = url.chars().filter(|c| !c.is_control() && !c.is_whitespace()).collect();
    let lower = url.to_ascii_lowercase();
    if lower.starts_with("https://") || lower.starts_with("http://") || lower.starts_with("mailto:") {
        url
    } else {
        "about:blank".to_owned()
    }
}

/// Adds `text` in lines of at most [`TEXT_WIDTH`] characters; longer words stay whole. Every line but the
/// first begins with `indent`.
fn wrap(out: &mut String, text: &str, indent: &str) {
    let mut width = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if width > 0 && width + 1 + length > TEXT_WIDTH {
            out.push('\n');
            out.push_str(indent);
            width = indent.len();
        } else if width > 0 {
            out.push(' ');
            width += 1;
        }
        out.push_str(word);
        width += length;
    }
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LINK: &str = "https://devforge.example/activate?token=abc&for=ada";

    fn sample() -> Message {
        Message::new("Your license")
            .greeting("Hello Ada")
            .paragraph("Your license is ready. It works on three machines at a time, and you can move it between them.")
            .action("Activate license", LINK)
            .code("DF-AAAAA-BBBBB-CCCCC-DDDDD-EEEEE")
            .facts(vec![("Plan", "Pro"), ("Machine", "anvil-1")])
            .note("The link works for one day.")
    }

    #[test]
    fn both_parts_say_the_same() {
        let Rendered { subject, html, text } = sample().render("ada@example.com");
        assert_eq!(subject, "Your license");
        for said in [
            "Hello Ada",
            "Your license is ready.",
            "Activate license",
            "DF-AAAAA-BBBBB-CCCCC-DDDDD-EEEEE",
            "anvil-1",
            "The link works for one day.",
            "ada@example.com",
        ] {
            assert!(html.contains(said), "{said} in HTML");
            assert!(text.contains(said), "{said} in text");
        }
        assert!(text.contains(&format!("\n{LINK}\n")), "the link stands on a line of its own");
        let escaped = LINK.replace('&', "&amp;");
        assert_eq!(html.matches(&format!("href=\"{escaped}\"")).count(), 2);
        assert!(html.contains(&format!(">{escaped}</a>")), "the link is spelled out");
        assert!(!html.contains("{{"), "every place of the layout is filled in");
    }

    #[test]
    fn the_text_is_what_a_reader_expects() {
        let text = sample().render("ada@example.com").text;
        let expected = "\
Hello Ada

Your license is ready. It works on three machines at a time, and you can
move it between them.

Activate license:
https://devforge.example/activate?token=abc&for=ada

    DF-AAAAA-BBBBB-CCCCC-DDDDD-EEEEE

Plan: Pro
Machine: anvil-1

The link works for one day.

-- 
Sent by Dev Forge to ada@example.com
";
        assert_eq!(text, expected);
    }

    #[test]
    fn what_people_typed_cannot_become_markup() {
        let hostile = "<script>alert(1)</script>\" onload='x' {{rows}} & {{footer}}";
        let html = Message::new(hostile)
            .greeting(hostile)
            .paragraph(hostile)
            .action(hostile, format!("https://example.com/{hostile}"))
            .code(hostile)
            .facts(vec![(hostile, hostile)])
            .note(hostile)
            .render(hostile)
            .html;
        assert!(!html.contains("<script") && !html.contains("onload='x'") && !html.contains("{{"));
        assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
        // One head, one body: no block was filled in twice.
        assert_eq!(html.matches("Sent by Dev Forge to").count(), 1);
    }

    #[test]
    fn a_subject_is_one_short_line() {
        let subject = |text: &str| Message::new(text).render("ada@example.com").subject;
        assert_eq!(subject("Hello\r\nBcc: everyone@example.com"), "Hello Bcc: everyone@example.com");
        assert_eq!(subject("a\0b\u{85}c\t d"), "a b c d");
        assert_eq!(subject(&"x".repeat(5_000)).chars().count(), SUBJECT_CHARS);
    }

    #[test]
    fn only_links_of_the_web_become_links() {
        for url in [
            "javascript:alert(1)",
            "JAVASCRIPT:alert(1)",
            "data:text/html,x",
            " java\nscript:alert(1)",
            "/account",
        ] {
            let Rendered { html, text, .. } = Message::new("x").action("Go", url).render("ada@example.com");
            assert!(
                html.contains("href=\"about:blank\"") && !html.to_lowercase().contains("script:"),
                "{url}"
            );
            assert!(text.contains("about:blank"), "{url}");
        }
    }

    #[test]
    fn somebody_s_words_keep_their_lines_and_stay_words() {
        let typed = "Hello,\n\n<b>bold</b> {{rows}}\n-- \nBcc: all@example.com";
        let Rendered { html, text, .. } = Message::new("x").words(typed).render("ada@example.com");
        assert!(
            text.contains("> Hello,\n> \n> <b>bold</b> {{rows}}\n> --\n> Bcc: all@example.com\n"),
            "{text}"
        );
        assert!(
            html.contains("Hello,<br><br>&lt;b&gt;bold&lt;/b&gt; &#123;&#123;rows&#125;&#125;<br>--<br>"),
            "{html}"
        );
    }

    #[test]
    fn an_address_to_answer_to_stays_on_its_line() {
        let message = Message::new("x").reply_to("ada@example.com\r\nBcc: all@example.com");
        assert_eq!(
            message.answers_go_to(),
            Some("ada@example.com Bcc: all@example.com"),
            "which nobody can send to"
        );
        assert_eq!(Message::new("x").answers_go_to(), None);
    }

    #[test]
    fn a_code_makes_a_mail_sensitive() {
        assert!(!Message::new("x").paragraph("y").is_sensitive());
        assert!(Message::new("x").code("123456").is_sensitive());
        assert!(Message::new("x").action("Reset", LINK).sensitive().is_sensitive());
    }

    proptest! {
        #[test]
        fn lines_are_short_and_no_word_is_lost(text in "[a-z .,]{0,400}") {
            let mut out = String::new();
            wrap(&mut out, &text, "  ");
            prop_assert!(out.lines().all(|line| line.chars().count() <= TEXT_WIDTH || !line.trim().contains(' ')));
            prop_assert_eq!(out.split_whitespace().collect::<Vec<_>>(), text.split_whitespace().collect::<Vec<_>>());
        }

        #[test]
        fn any_text_renders(text in any::<String>()) {
            let mail = Message::new(&text).greeting(&text).paragraph(&text).action(&text, &text).code(&text).note(&text).words(&text);
            let Rendered { subject, html, text } = mail.render("ada@example.com");
            prop_assert!(!subject.chars().any(char::is_control));
            prop_assert!(!html.contains('\0') && !text.contains('\0') && !html.contains("{{"));
        }
    }
}
