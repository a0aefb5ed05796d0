//! License keys in addresses: somebody pastes one where it does not belong.
//!
//! What always holds: no page and no redirect repeats a key that stood in the address.

use devforge::contract::license_key::{LicenseKey, PREFIX, contains_key};

/// With its prefix, this much of a key is one with a slip in it.
const ALMOST_A_KEY: usize = 20;

/// A path with something else in the place of each key.
pub fn without_keys(path: &str) -> String {
    let parts: Vec<&str> = path.split('/').map(|part| if is_key(part) { "\u{2026}" } else { part }).collect();
    parts.join("/")
}

/// Whether there is a key anywhere in an address.
pub fn has_key(address: &str) -> bool {
    address.split(['/', '?', '&', '=', '#']).any(is_key)
}

fn is_key(part: &str) -> bool {
    url::form_urlencoded::parse(part.as_bytes()).any(|(name, value)| may_be_key(&name) || may_be_key(&value))
}

/// Whether there is a key in a text, or it is one with a slip in it, which nobody finds by its letters any more.
fn may_be_key(text: &str) -> bool {
    let text = text.trim();
    let begins_like_one = text.get(..PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(PREFIX));
    begins_like_one && text.len() >= ALMOST_A_KEY || contains_key(text) || LicenseKey::parse(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "DF-07ENW-3AHRZ-6DMV2-9GQY5-CKT1H";

    #[test]
    fn a_key_is_seen_however_it_was_written_and_escaped() {
        let bare = KEY.replace('-', "");
        for written in [
            KEY.to_owned(),
            KEY.to_lowercase(),
            KEY.replace('-', "%20"),
            KEY.replace('-', "+"),
            bare.clone(),
            bare[2..].to_owned(),
            KEY.replace('D', "%44"),
            // With something beside it.
            format!("key={KEY}"),
            format!("my%20key%20is%20{KEY}"),
            format!("{KEY}%2C%20as%20it%20came"),
            // With a slip in it.
            KEY.replace("CKT1H", "CKT1"),
        ] {
            assert_eq!(
                without_keys(&format!("/activate/{written}/now")),
                "/activate/\u{2026}/now",
                "{written}"
            );
            assert!(has_key(&format!("/activate?app=electron&key={written}")), "{written}");
        }
    }

    #[test]
    fn everything_else_stays_as_it_is() {
        for path in
            ["/", "", "//", "/account/licenses/lic_01h2xcejqtf2nbrexx3vqjhp41", "/df", "/docs/%F0%9F", "/a b"]
        {
            assert_eq!(without_keys(path), path);
            assert!(!has_key(path), "{path}");
        }
    }
}
