//! Decisions about accounts that need no I/O.

use unicode_normalization::UnicodeNormalization as _;

use super::problem;
use crate::{contract::problem::FieldProblem, mail};

pub const MAX_PASSWORD_CHARS: usize = 256;
const MAX_EMAIL_BYTES: usize = 254;
const MAX_NAME_CHARS: usize = 200;
/// More than this is no attempt at an address or a name, and not worth normalizing.
const MAX_TYPED_BYTES: usize = 4_000;

/// An address as it is stored: without blanks around it, composed, the domain in lower case and in ASCII, so that
/// `bücher.example` and `xn--bcher-kva.example` are one. What stands before the @ is kept as typed, `+…` included.
///
/// Only the shape is checked here. Whether somebody reads it, only a mail can tell.
pub fn normalize_email(text: &str) -> Option<String> {
    let text = text.trim();
    if text.len() > MAX_TYPED_BYTES {
        return None;
    }
    let (local, domain) = text.rsplit_once('@')?;
    let local: String = local.nfc().collect();
    // Quoted names may hold blanks and further @ signs; nobody has such an address, and few programs read them.
    if local.starts_with('"') || local.chars().any(|c| c.is_whitespace() || c.is_control() || is_unseen(c)) {
        return None;
    }
    let domain = idna::domain_to_ascii_strict(domain).ok()?;
    let email = format!("{local}@{domain}");
    (email.len() <= MAX_EMAIL_BYTES && mail::accepts(&email)).then_some(email)
}

/// Two addresses that reach the same account. The database compares in the same way.
pub fn is_same_email(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

/// A name as it is stored: composed, on one line, with single blanks between its words.
pub fn normalize_name(text: &str) -> Option<String> {
    let text = text.trim();
    if text.len() > MAX_TYPED_BYTES || text.chars().any(|c| c.is_control() || turns_text(c)) {
        return None;
    }
    let composed: String = text.nfc().collect();
    let name = composed.split_whitespace().collect::<Vec<_>>().join(" ");
    let is_seen = name.chars().any(|c| !c.is_whitespace() && !is_unseen(c));
    (is_seen && name.chars().count() <= MAX_NAME_CHARS).then_some(name)
}

/// A name for somebody of whom nothing is known but the address: what stands before the @. They can write their own
/// instead.
pub fn name_from(email: &str) -> String {
    let local = email.rsplit_once('@').map_or(email, |(local, _)| local);
    local.chars().take(MAX_NAME_CHARS).collect()
}

/// What to say of an address that [`normalize_email`] does not take.
pub fn email_problem(field: &str) -> FieldProblem {
    problem(field, "invalid_email", "This is not a mail address. It needs a name, an @ and a domain.")
}

/// What to say of a name that [`normalize_name`] does not take.
pub fn name_problem(name: &str) -> FieldProblem {
    if name.chars().all(|c| c.is_whitespace() || is_unseen(c)) {
        problem("name", "required", "Enter a name.")
    } else {
        problem("name", "invalid_name", "A name has at most 200 letters, on one line.")
    }
}

/// Characters that turn the direction of what follows: they make one name look like another.
fn turns_text(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Characters that take no room: alone they are no name.
fn is_unseen(c: char) -> bool {
    turns_text(c)
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{206f}' | '\u{2800}'
            | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{e0000}'..='\u{e0fff}')
}

/// The first letters of a name, for the circle in the header.
pub fn initials(name: &str) -> String {
    let mut words = name.split_whitespace().filter_map(|word| word.chars().find(|c| c.is_alphanumeric()));
    let first = words.next();
    let last = words.next_back();
    first.into_iter().chain(last).flat_map(char::to_uppercase).take(3).collect()
}

/// A few words for a browser, from its user agent: enough to recognise one's own devices by.
pub fn device_name(user_agent: &str) -> String {
    let browser = [
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Electron/", "Dev Forge"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
        ("curl/", "curl"),
    ]
    .into_iter()
    .find_map(|(mark, name)| user_agent.contains(mark).then_some(name));
    let system = [
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("CrOS", "ChromeOS"),
        ("Linux", "Linux"),
    ]
    .into_iter()
    .find_map(|(mark, name)| user_agent.contains(mark).then_some(name));
    match (browser, system) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(browser), None) => browser.to_owned(),
        (None, Some(system)) => format!("A browser on {system}"),
        (None, None) => "An unknown browser".to_owned(),
    }
}

/// Where to go after signing in: a path on this site, or the account when `next` would lead anywhere else.
pub fn safe_next(next: &str) -> &str {
    // Browsers read `\` as `/` and drop tabs and newlines, so `/\evil` and `/<tab>/evil` leave the site.
    let on_this_site = next.starts_with('/')
        && !next.starts_with("//")
        && !next.contains('\\')
        && next.chars().all(|c| c.is_ascii_graphic());
    if on_this_site { next } else { "/account" }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn addresses_keep_their_local_part_and_have_one_spelling_of_their_domain() {
        for (typed, stored) in [
            (" Ada+x@Example.COM ", "Ada+x@example.com"),
            ("ada@bücher.example", "ada@xn--bcher-kva.example"),
            ("ada@BÜCHER.example", "ada@xn--bcher-kva.example"),
            ("ada@bu\u{308}cher.example", "ada@xn--bcher-kva.example"),
            ("ada@xn--bcher-kva.example", "ada@xn--bcher-kva.example"),
            ("andre\u{301}@example.com", "andré@example.com"),
            ("ada.b+c_d-e@mail.example", "ada.b+c_d-e@mail.example"),
        ] {
            assert_eq!(normalize_email(typed).as_deref(), Some(stored), "{typed:?}");
        }
    }

    #[test]
    fn what_is_no_address_is_not_taken() {
        let (long_local, long_domain) =
            (format!("{}@x.se", "a".repeat(65)), format!("ada@{}.se", "b".repeat(64)));
        let endless = format!("ada@{}", "b.".repeat(10_000));
        for bad in [
            "",
            "ada",
            "@x.se",
            "ada@",
            "a b@x.se",
            "ada@x..se",
            "ada@.se",
            "ada@x.se.",
            "a\n@x.se",
            "ada@x_y.se",
            "ada@-x.se",
            "a@b@x.se",
            "ada.@x.se",
            "\"a b\"@x.se",
            "ada\u{200b}@x.se",
            "ada\u{202e}@x.se",
            "ada@x\u{202e}.se",
            "ada\0@x.se",
            "ada@xn--a.se",
            "ada@x.se\r\nBcc: all@x.se",
            long_local.as_str(),
            long_domain.as_str(),
            endless.as_str(),
        ] {
            assert_eq!(normalize_email(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn names_are_whatever_people_are_called() {
        let longest = "ß".repeat(200);
        for (typed, stored) in [
            ("Ada Lovelace", "Ada Lovelace"),
            ("  Ada \u{a0}  Lovelace ", "Ada Lovelace"),
            ("Bjo\u{308}rk", "Björk"),
            ("李小龍", "李小龍"),
            ("محمد بن موسى", "محمد بن موسى"),
            ("O’Connor-Smith Jr.", "O’Connor-Smith Jr."),
            ("می\u{200c}خواهم", "می\u{200c}خواهم"),
            ("👩\u{200d}🚀", "👩\u{200d}🚀"),
            ("<script>", "<script>"),
            (longest.as_str(), longest.as_str()),
        ] {
            assert_eq!(normalize_name(typed).as_deref(), Some(stored), "{typed:?}");
        }
    }

    #[test]
    fn who_has_only_an_address_is_called_by_its_first_part() {
        assert_eq!(name_from("ada.b+c@mail.example"), "ada.b+c");
        assert_eq!(name_from(&format!("{}@x.se", "ß".repeat(300))).chars().count(), MAX_NAME_CHARS);
    }

    #[test]
    fn names_that_deceive_or_break_lines_are_not_taken() {
        let too_long = "ß".repeat(201);
        let marks = format!("a{}", "\u{301}".repeat(5_000));
        for (bad, code) in [
            ("", "required"),
            (" \u{a0} ", "required"),
            ("\u{200b}\u{feff}", "required"),
            ("\u{3164}", "required"),
            ("Ada\nLovelace", "invalid_name"),
            ("Ada\0", "invalid_name"),
            ("\u{202e}adA", "invalid_name"),
            ("Ada\u{2066}x\u{2069}", "invalid_name"),
            (too_long.as_str(), "invalid_name"),
            (marks.as_str(), "invalid_name"),
        ] {
            assert_eq!(normalize_name(bad), None, "{bad:?}");
            assert_eq!(name_problem(bad).code, code, "{bad:?}");
        }
    }

    #[test]
    fn next_never_leaves_the_site() {
        for bad in
            ["https://evil.example", "//evil.example", "/\\evil.example", "/\t/evil.example", "account", ""]
        {
            assert_eq!(safe_next(bad), "/account", "{bad:?}");
        }
        assert_eq!(safe_next("/account?tab=2#x"), "/account?tab=2#x");
    }

    #[test]
    fn devices_have_short_names() {
        let chrome = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0 Safari/537.36";
        assert_eq!(device_name(chrome), "Chrome on Linux");
        assert_eq!(device_name(""), "An unknown browser");
    }

    #[test]
    fn initials_are_first_and_last() {
        assert_eq!(initials("Ada King Lovelace"), "AL");
        assert_eq!(initials("ada"), "A");
        assert_eq!(initials(" - "), "");
    }

    proptest! {
        #[test]
        fn no_input_panics(text in ".{0,300}") {
            let _ = (normalize_email(&text), normalize_name(&text), name_problem(&text));
            let _ = (initials(&text), device_name(&text), safe_next(&text));
        }

        #[test]
        fn what_is_normalized_stays_as_it_is(text in ".{0,60}", domain in "[a-zà-ÿ]{1,12}\\.[a-z]{2,6}") {
            if let Some(name) = normalize_name(&text) {
                prop_assert_eq!(normalize_name(&name), Some(name));
            }
            if let Some(email) = normalize_email(&format!("{text}@{domain}")) {
                prop_assert_eq!(normalize_email(&email), Some(email));
            }
        }
    }
}
