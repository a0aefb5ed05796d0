//! Decisions about accounts that need no I/O.

use crate::contract::problem::FieldProblem;

pub const MIN_PASSWORD_CHARS: usize = 12;
pub const MAX_PASSWORD_CHARS: usize = 256;
const MAX_EMAIL_BYTES: usize = 254;
const MAX_NAME_CHARS: usize = 200;

/// An address as it is stored: without blanks around it, the domain in lower case.
///
/// Only the shape is checked here. Whether somebody reads it, only a mail can tell.
pub fn normalize_email(text: &str) -> Option<String> {
    let text = text.trim();
    let (local, domain) = text.rsplit_once('@')?;
    let domain_fine = !domain.is_empty()
        && !domain.starts_with('.')
        && !domain.ends_with('.')
        && !domain.contains("..")
        && domain.chars().all(|c| c.is_alphanumeric() || c == '.' || c == '-');
    let local_fine =
        !local.is_empty() && !local.chars().any(|c| c.is_whitespace() || c.is_control() || c == '@');
    let email = format!("{local}@{}", domain.to_lowercase());
    (domain_fine && local_fine && email.len() <= MAX_EMAIL_BYTES).then_some(email)
}

/// What is wrong with a new account's particulars, field by field; nothing when they can be stored.
pub fn check_new(email: &str, name: &str, password: &str) -> Vec<FieldProblem> {
    let mut problems = Vec::new();
    let mut add = |field: &str, code: &str, message: &str| {
        problems.push(FieldProblem {
            field: field.to_owned(),
            code: code.to_owned(),
            message: message.to_owned(),
        });
    };
    if normalize_email(email).is_none() {
        add("email", "invalid_email", "This is not a mail address. It needs a name, an @ and a domain.");
    }
    if name.trim().is_empty() {
        add("name", "required", "Enter a name.");
    } else if name.chars().count() > MAX_NAME_CHARS || name.chars().any(char::is_control) {
        add("name", "invalid_name", "A name has at most 200 letters, on one line.");
    }
    let length = password.chars().count();
    if length < MIN_PASSWORD_CHARS {
        add("password", "weak_password", "A password has at least 12 characters.");
    } else if length > MAX_PASSWORD_CHARS {
        add("password", "too_long", "A password has at most 256 characters.");
    }
    problems
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
    fn addresses_keep_their_local_part_and_lower_their_domain() {
        assert_eq!(normalize_email(" Ada+x@Example.COM "), Some("Ada+x@example.com".to_owned()));
        assert_eq!(normalize_email("ada@bücher.example"), Some("ada@bücher.example".to_owned()));
        for bad in ["", "ada", "@x.se", "ada@", "a b@x.se", "ada@x..se", "ada@.se", "a\n@x.se", "ada@x_y.se"]
        {
            assert_eq!(normalize_email(bad), None, "{bad:?}");
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
            let _ = (normalize_email(&text), check_new(&text, &text, &text), initials(&text), device_name(&text), safe_next(&text));
        }
    }
}
