//! Whether a message is from Stripe: `Stripe-Signature: t=<unix seconds>,v1=<hex>[,v1=…]` over the raw bytes of its body.
//!
//! What always holds: nothing of the body is read before; every `v1` is tried with every secret, in constant time; an
//! empty secret matches nothing; a message signed more than five minutes ago, or from now, is refused. Written here,
//! because async-stripe keeps only the last `v1` and fails on events whose shape it does not know.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use time::OffsetDateTime;

use crate::config::Secret;

/// Both ways, in seconds.
const TOLERANCE: u64 = 300;
/// Stripe signs with each of its secrets, of which there are two at most; more than these are nobody's we know.
const MOST_SIGNATURES: usize = 16;
const LONGEST_HEADER: usize = 4096;

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    #[error("there is no signature")]
    Missing,
    #[error("the signature cannot be read")]
    Malformed,
    #[error("the message was not signed within five minutes of now")]
    TooOld,
    #[error("the signature is of another message or another secret")]
    Mismatch,
    #[error("no signing secret is set")]
    NoSecret,
}

/// Whether `body` was signed with one of `secrets` around `now`.
pub fn verify(
    secrets: &[Secret<String>],
    header: Option<&str>,
    body: &[u8],
    now: OffsetDateTime,
) -> Result<(), SignatureError> {
    let mut secrets = secrets.iter().filter(|secret| !secret.expose().is_empty()).peekable();
    if secrets.peek().is_none() {
        return Err(SignatureError::NoSecret);
    }
    let header = header.map(str::trim).filter(|header| !header.is_empty()).ok_or(SignatureError::Missing)?;
    let signed = Signed::read(header).ok_or(SignatureError::Malformed)?;
    let good = secrets.any(|secret| signed.is_by(secret, body));
    // The time is part of what is signed, and says something only when the signature is good.
    if !good {
        return Err(SignatureError::Mismatch);
    }
    if now.unix_timestamp().abs_diff(signed.at) > TOLERANCE {
        return Err(SignatureError::TooOld);
    }
    Ok(())
}

/// What the header says.
struct Signed<'a> {
    /// As it stands in the header: that is what was signed.
    time: &'a str,
    at: i64,
    signatures: Vec<Vec<u8>>,
}

impl<'a> Signed<'a> {
    fn read(header: &'a str) -> Option<Self> {
        if header.len() > LONGEST_HEADER {
            return None;
        }
        let mut time = None;
        let mut signatures = Vec::new();
        for part in header.split(',') {
            let (scheme, value) = part.split_once('=')?;
            match (scheme.trim(), value.trim()) {
                // A second time would leave open which of them was signed.
                ("t", _) if time.is_some() => return None,
                ("t", value) => time = Some(value),
                // One that cannot be read matches nothing, and spoils nothing for the others.
                ("v1", value) => signatures.extend(hex::decode(value).ok()),
                _ => {}
            }
        }
        let time = time.filter(|time| !time.is_empty() && time.bytes().all(|byte| byte.is_ascii_digit()))?;
        if signatures.is_empty() || signatures.len() > MOST_SIGNATURES {
            return None;
        }
        Some(Self { time, at: time.parse().ok()?, signatures })
    }

    fn is_by(&self, secret: &Secret<String>, body: &[u8]) -> bool {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()) else { return false };
        mac.update(self.time.as_bytes());
        mac.update(b".");
        mac.update(body);
        self.signatures.iter().any(|signature| mac.clone().verify_slice(signature).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECRET: &str = "whsec_test_secret";
    const AT: i64 = 1_798_711_200;

    fn now() -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(AT).expect("a time")
    }

    fn secrets(texts: &[&str]) -> Vec<Secret<String>> {
        texts.iter().map(|text| Secret::new((*text).to_owned())).collect()
    }

    fn hex_of(secret: &str, at: i64, body: &[u8]) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any length");
        mac.update(format!("{at}.").as_bytes());
        mac.update(body);
        hex::encode(mac.finalize().into_bytes())
    }

    fn header(secret: &str, at: i64, body: &[u8]) -> String {
        format!("t={at},v1={}", hex_of(secret, at, body))
    }

    fn check(header: &str, body: &[u8]) -> Result<(), SignatureError> {
        verify(&secrets(&[SECRET]), Some(header), body, now())
    }

    #[test]
    fn a_fixed_vector_is_met() {
        // printf '1798711200.{"id":"evt_1"}' | openssl dgst -sha256 -hmac whsec_test_secret
        let header = "t=1798711200,v1=922b9387094e93eb3a48de90f19d8a0d32b617794e8ccb6919b249eb6e40805a";
        assert_eq!(check(header, br#"{"id":"evt_1"}"#), Ok(()));
        assert_eq!(check(header, br#"{"id":"evt_2"}"#), Err(SignatureError::Mismatch));
    }

    #[test]
    fn spaces_other_schemes_and_several_signatures_are_taken() {
        let body = b"{}";
        let good = hex_of(SECRET, AT, body);
        for header in [
            format!(" t={AT} , v1={good} "),
            format!("v1={good},t={AT}"),
            format!("t={AT},v1={},v1={good}", hex_of("whsec_other", AT, body)),
            format!("t={AT},v1={good},v1={}", hex_of("whsec_other", AT, body)),
            format!("t={AT},v0=abc,v1=zz,v1={good},v2="),
            format!("t={AT},v1={}", good.to_uppercase()),
        ] {
            assert_eq!(check(&header, body), Ok(()), "{header}");
        }
    }

    #[test]
    fn every_secret_counts_and_an_empty_one_never_does() {
        let body = b"{}";
        let signed = header(SECRET, AT, body);
        let with = |texts: &[&str], header: &str| verify(&secrets(texts), Some(header), body, now());
        assert_eq!(with(&["whsec_new", SECRET], &signed), Ok(()));
        assert_eq!(with(&["whsec_new"], &signed), Err(SignatureError::Mismatch));
        let forged = header("", AT, body);
        assert_eq!(with(&[""], &forged), Err(SignatureError::NoSecret));
        assert_eq!(with(&[], &forged), Err(SignatureError::NoSecret));
        assert_eq!(with(&["", SECRET], &forged), Err(SignatureError::Mismatch));
        assert_eq!(with(&["", SECRET], &signed), Ok(()));
    }

    #[test]
    fn five_minutes_count_both_ways() {
        let body = b"{}";
        for (at, outcome) in [
            (AT - 300, Ok(())),
            (AT + 300, Ok(())),
            (AT - 301, Err(SignatureError::TooOld)),
            (AT + 301, Err(SignatureError::TooOld)),
        ] {
            assert_eq!(check(&header(SECRET, at, body), body), outcome, "{at}");
        }
        // A fresh time in front of an old signature does not help.
        let old = hex_of(SECRET, AT - 301, body);
        assert_eq!(check(&format!("t={AT},v1={old}"), body), Err(SignatureError::Mismatch));
    }

    #[test]
    fn what_cannot_be_read_is_told_apart_from_what_is_missing() {
        assert_eq!(verify(&secrets(&[SECRET]), None, b"", now()), Err(SignatureError::Missing));
        assert_eq!(check("", b""), Err(SignatureError::Missing));
        let v1 = hex_of(SECRET, AT, b"");
        for header in [
            "nonsense".to_owned(),
            format!("t={AT}"),
            format!("v1={v1}"),
            format!("t=,v1={v1}"),
            format!("t=+{AT},v1={v1}"),
            format!("t={AT}x,v1={v1}"),
            format!("t=99999999999999999999,v1={v1}"),
            format!("t={AT},t={AT},v1={v1}"),
            format!("t={AT},v1=xyz"),
            format!("t={AT},v1={v1}{}", ",v1=00".repeat(20)),
        ] {
            assert_eq!(check(&header, b""), Err(SignatureError::Malformed), "{header}");
        }
        assert_eq!(
            check(&format!("t={AT},v1={}", &v1[..32]), b""),
            Err(SignatureError::Mismatch),
            "half of it"
        );
    }

    proptest! {
        #[test]
        fn a_changed_byte_never_verifies(body in prop::collection::vec(any::<u8>(), 1..300), at: prop::sample::Index, by in 1_u8..) {
            let signed = header(SECRET, AT, &body);
            prop_assert_eq!(check(&signed, &body), Ok(()));
            let mut changed = body.clone();
            let at = at.index(changed.len());
            changed[at] ^= by;
            prop_assert_eq!(check(&signed, &changed), Err(SignatureError::Mismatch));
            prop_assert_eq!(check(&signed, &body[1..]), Err(SignatureError::Mismatch));
        }

        #[test]
        fn garbage_never_panics_and_never_verifies(header in ".{0,200}", body in prop::collection::vec(any::<u8>(), 0..50)) {
            prop_assert!(check(&header, &body).is_err());
        }

        #[test]
        fn parts_in_any_order_never_panic(parts in prop::collection::vec("(t|v1|v0| )=?[0-9a-f ]{0,70}", 0..8)) {
            let checked = check(&parts.join(","), b"{}");
            prop_assert!(checked.is_err());
        }
    }
}
