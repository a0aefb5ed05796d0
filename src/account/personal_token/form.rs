//! How a personal token is written: `dfp_`, 160 random bits, and a checksum of what stands before it. Scanners for
//! secrets find one by its pattern and know by the checksum, without asking us, that it is not there by chance.

pub const PREFIX: &str = "dfp_";
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const RANDOM_LEN: usize = 32;
const CHECKSUM_LEN: usize = 7;
const HINT_LEN: usize = 4;

/// `dfp_[0-9a-hjkmnp-tv-z]{39}`.
pub fn make(random: [u8; 20]) -> String {
    let mut token = PREFIX.to_owned();
    // Five bytes are eight letters exactly.
    for five in random.chunks_exact(5) {
        let value = five.iter().fold(0, |value, byte| (value << 8) | u64::from(*byte));
        push_letters(&mut token, value, 8);
    }
    let checksum = crc32(token.as_bytes());
    push_letters(&mut token, checksum.into(), CHECKSUM_LEN);
    token
}

/// Whether a text has the form of a token and its checksum is right.
pub fn is_well_formed(text: &str) -> bool {
    let Some(letters) = text.strip_prefix(PREFIX) else {
        return false;
    };
    if letters.len() != RANDOM_LEN + CHECKSUM_LEN || !letters.bytes().all(|letter| ALPHABET.contains(&letter))
    {
        return false;
    }
    let (body, checksum) = text.split_at(PREFIX.len() + RANDOM_LEN);
    let mut expected = String::with_capacity(CHECKSUM_LEN);
    push_letters(&mut expected, crc32(body.as_bytes()).into(), CHECKSUM_LEN);
    checksum == expected
}

/// The last characters, by which its owner tells one token from another.
pub fn hint(token: &str) -> &str {
    token.get(token.len().saturating_sub(HINT_LEN)..).unwrap_or_default()
}

/// The last `count` letters of a number, most significant first.
fn push_letters(text: &mut String, value: u64, count: usize) {
    for place in (0..count).rev() {
        text.push(char::from(ALPHABET[((value >> (5 * place)) & 31) as usize]));
    }
}

/// CRC-32/ISO-HDLC, as in zip and PNG. A token has 36 bytes before it, so no table is worth its lines.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
    !bytes.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_published_check_value_is_met() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn a_token_has_its_published_form() {
        assert_eq!(make([0; 20]), "dfp_000000000000000000000000000000001n8xc9d");
        assert_eq!(make([255; 20]), "dfp_zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz0ycb2nq");
        assert_eq!(hint(&make([0; 20])), "xc9d");
    }

    #[test]
    fn what_is_no_token_is_told_from_one() {
        let token = make([7; 20]);
        assert!(is_well_formed(&token));
        for other in [
            "",
            "dfp_",
            &token[4..],
            &token[..42],
            format!("{token}0").as_str(),
            token.to_uppercase().as_str(),
            token.replace("dfp_", "dfx_").as_str(),
            "dfp_ü".repeat(8).as_str(),
            format!("dfp_{}", "i".repeat(39)).as_str(),
        ] {
            assert!(!is_well_formed(other), "{other}");
        }
    }

    proptest! {
        #[test]
        fn every_token_checks_and_no_slip_of_one_letter_does(random: [u8; 20], place in 4_usize..43, to in 0_usize..32) {
            let token = make(random);
            prop_assert_eq!(token.len(), 43);
            prop_assert!(is_well_formed(&token));
            let mut slipped = token.clone().into_bytes();
            slipped[place] = ALPHABET[to];
            let slipped = String::from_utf8(slipped).expect("letters");
            prop_assert_eq!(is_well_formed(&slipped), slipped == token);
        }

        #[test]
        fn no_text_panics(text in ".{0,60}") {
            let _ = (is_well_formed(&text), hint(&text));
        }
    }
}
