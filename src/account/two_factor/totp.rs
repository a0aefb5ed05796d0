//! Codes that change every thirty seconds (RFC 6238), as authenticator apps compute them.

use std::fmt::Write as _;

use time::OffsetDateTime;
use totp_rs::{Algorithm, Builder, Secret, Totp};

/// As long as RFC 4226 recommends.
pub const SECRET_BYTES: usize = 20;

const ISSUER: &str = "Dev Forge";
const DIGITS: u8 = 6;
const PERIOD: u64 = 30;
/// How many steps a clock may be off, to either side.
const SKEW: u16 = 1;

/// The time step that `code` belongs to, if it is the present one or next to it.
pub fn step_of(secret: &[u8], code: &str, now: OffsetDateTime) -> Option<i64> {
    let seconds = u64::try_from(now.unix_timestamp()).ok()?;
    let step = totp(secret)?.check(code, seconds)?;
    i64::try_from(step).ok()
}

/// For typing where there is no camera.
pub fn base32(secret: &[u8]) -> String {
    Secret::from(secret).to_base32()
}

/// The address in the QR code. Apps show the issuer and the account's own address beside the code.
pub fn url(secret: &[u8], email: &str) -> String {
    let issuer = percent_encoded(ISSUER);
    let account = percent_encoded(email);
    let secret = base32(secret);
    format!(
        "otpauth://totp/{issuer}:{account}?secret={secret}&issuer={issuer}&algorithm=SHA1&digits={DIGITS}&period={PERIOD}"
    )
}

fn totp(secret: &[u8]) -> Option<Totp> {
    Builder::new()
        // Many apps ignore what the address says here and take SHA-1 in any case.
        .with_algorithm(Algorithm::SHA1)
        .with_digits(DIGITS)
        .with_skew(SKEW)
        .with_step_duration(PERIOD)
        .with_secret(secret)
        .build()
        .ok()
}

/// Blanks become `%20`: of a `+`, some apps make a plus sign.
fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The secret of RFC 6238, appendix B.
    const SECRET: &[u8] = b"12345678901234567890";

    fn at(seconds: i64) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(seconds).expect("a time")
    }

    #[test]
    fn the_vectors_of_rfc_6238_are_met() {
        // The last six of the eight digits there.
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(step_of(SECRET, code, at(seconds)), Some(seconds / 30), "{seconds}");
        }
    }

    #[test]
    fn a_clock_may_be_one_step_off_and_no_more() {
        // Step 1 runs from 30 to 59.
        for (seconds, step) in [(0, Some(1)), (30, Some(1)), (89, Some(1)), (90, None), (1_000, None)] {
            assert_eq!(step_of(SECRET, "287082", at(seconds)), step, "{seconds}");
        }
    }

    #[test]
    fn only_six_digits_are_a_code() {
        for code in ["", "28708", "2870820", "+87082", "28708a", "２８７０８２"] {
            assert_eq!(step_of(SECRET, code, at(59)), None, "{code:?}");
        }
    }

    #[test]
    fn a_secret_that_is_too_short_opens_nothing() {
        assert_eq!(step_of(b"short", "287082", at(59)), None);
    }

    #[test]
    fn the_address_survives_any_account_name() {
        assert_eq!(
            url(SECRET, "ada+x@bücher.example"),
            "otpauth://totp/Dev%20Forge:ada%2Bx%40b%C3%BCcher.example?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\
             &issuer=Dev%20Forge&algorithm=SHA1&digits=6&period=30"
        );
    }
}
