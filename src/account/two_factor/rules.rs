//! What people type where a code is asked for, and how recovery codes are written.

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const TOTP_DIGITS: usize = 6;
const RECOVERY_LETTERS: usize = 10;

/// A code as typed, with what people add or mistake taken out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Typed {
    Totp(String),
    Recovery(String),
}

/// None when it can be neither.
pub fn read(text: &str) -> Option<Typed> {
    let bare: String = text.chars().filter(|c| !c.is_whitespace() && *c != '-').take(64).collect();
    if bare.len() == TOTP_DIGITS && bare.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Typed::Totp(bare));
    }
    let letter = |c: char| match c.to_ascii_lowercase() {
        'i' | 'l' => '1',
        'o' => '0',
        other => other,
    };
    let code: String = bare.chars().map(letter).collect();
    let known = code.len() == RECOVERY_LETTERS && code.bytes().all(|byte| ALPHABET.contains(&byte));
    known.then_some(Typed::Recovery(code))
}

/// A recovery code of fifty random bits, without its hyphen.
pub fn recovery_code(random: [u8; 8]) -> String {
    let value = u64::from_be_bytes(random);
    (0..RECOVERY_LETTERS)
        .map(|place| char::from(ALPHABET[((value >> (59 - 5 * place)) & 31) as usize]))
        .collect()
}

/// As it is shown: two halves are easier to copy than one long word.
pub fn shown(code: &str) -> String {
    let (first, second) = code.split_at(RECOVERY_LETTERS / 2);
    format!("{first}-{second}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn six_digits_are_from_the_app() {
        for text in ["123456", " 123 456 ", "123-456", "1 2 3 4 5 6"] {
            assert_eq!(read(text), Some(Typed::Totp("123456".to_owned())), "{text:?}");
        }
    }

    #[test]
    fn a_recovery_code_may_be_typed_carelessly() {
        for text in ["0123a-bcd1z", "0123ABCD1Z", " o123a bcdlz ", "O-1-2-3-A-B-C-D-I-Z"] {
            assert_eq!(read(text), Some(Typed::Recovery("0123abcd1z".to_owned())), "{text:?}");
        }
    }

    #[test]
    fn anything_else_is_no_code() {
        for text in ["", "-", "12345", "1234567", "0123a-bcd1", "0123a-bcd1zz", "0123a-bcd1u", "0123a-bcd1ü"]
        {
            assert_eq!(read(text), None, "{text:?}");
        }
    }

    #[test]
    fn the_ends_of_the_range_are_written_out() {
        assert_eq!(shown(&recovery_code([0; 8])), "00000-00000");
        assert_eq!(shown(&recovery_code([255; 8])), "zzzzz-zzzzz");
    }

    proptest! {
        #[test]
        fn a_code_that_is_shown_can_be_typed(random: [u8; 8]) {
            let code = recovery_code(random);
            prop_assert_eq!(read(&shown(&code).to_uppercase()), Some(Typed::Recovery(code)));
        }

        #[test]
        fn no_text_panics(text in ".{0,100}") {
            let _ = read(&text);
        }
    }
}
