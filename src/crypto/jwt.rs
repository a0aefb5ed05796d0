//! JSON Web Tokens signed with Ed25519 (RFC 7519, RFC 8037).
//!
//! Written here over `ed25519-dalek`, because a JOSE library would bring RSA and the NIST curves for the one
//! algorithm that we accept. What always holds: the header is, to the byte, the one that [`sign`] writes, so nothing
//! in a token chooses how it is checked; each part is base64url in its one canonical form; and the claims are not
//! looked at before the signature is known to be good. Whether the times in them have come is for the caller to say.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::sha256;

/// Ours have a few hundred bytes.
const LONGEST: usize = 8 * 1024;
const LONGEST_KID: usize = 64;
const HEADER_START: &[u8] = br#"{"alg":"EdDSA","typ":"JWT","kid":""#;
const HEADER_END: &[u8] = br#""}"#;

/// `kid` is a word of letters, digits, `-` and `_`, as [`thumbprint`] makes it.
pub fn sign(kid: &str, key: &SigningKey, claims: &impl Serialize) -> Result<String, serde_json::Error> {
    let header = [HEADER_START, kid.as_bytes(), HEADER_END].concat();
    let mut token = encode(&header);
    token.push('.');
    token.push_str(&encode(&serde_json::to_vec(claims)?));
    let signature = key.sign(token.as_bytes());
    token.push('.');
    token.push_str(&encode(&signature.to_bytes()));
    Ok(token)
}

/// Which key a token says it was signed with. Nothing of it is proven yet.
pub fn kid(token: &str) -> Option<String> {
    Parts::of(token).map(|parts| parts.kid)
}

/// The claims, when this key has signed them.
pub fn verify<C: DeserializeOwned>(token: &str, key: &VerifyingKey) -> Option<C> {
    let parts = Parts::of(token)?;
    if !is_signed(parts.signed, parts.signature, key) {
        return None;
    }
    serde_json::from_slice(&decode(parts.claims)?).ok()
}

/// A key's name, made from the key itself (RFC 7638).
pub fn thumbprint(key: &VerifyingKey) -> String {
    let canonical = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, encode(key.as_bytes()));
    encode(&sha256(canonical.as_bytes()))
}

/// A public key as it is published.
pub fn jwk(kid: &str, key: &VerifyingKey) -> Value {
    json!({
        "kty": "OKP",
        "crv": "Ed25519",
        "x": encode(key.as_bytes()),
        "kid": kid,
        "alg": "EdDSA",
        "use": "sig",
    })
}

struct Parts<'a> {
    kid: String,
    /// Header and claims as they stand in the token.
    signed: &'a str,
    claims: &'a str,
    signature: &'a str,
}

impl<'a> Parts<'a> {
    fn of(token: &'a str) -> Option<Self> {
        if token.len() > LONGEST {
            return None;
        }
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        if claims.contains('.') {
            return None;
        }
        let header = decode(header)?;
        let kid = header.strip_prefix(HEADER_START)?.strip_suffix(HEADER_END)?;
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if kid.is_empty() || kid.len() > LONGEST_KID || !kid.iter().all(plain) {
            return None;
        }
        Some(Self { kid: String::from_utf8(kid.to_vec()).ok()?, signed, claims, signature })
    }
}

fn is_signed(text: &str, signature: &str, key: &VerifyingKey) -> bool {
    let signature = decode(signature).and_then(|bytes| Signature::from_slice(&bytes).ok());
    // Strict: without it a weak key could be found for which one signature fits many texts.
    signature.is_some_and(|signature| key.verify_strict(text.as_bytes(), &signature).is_ok())
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Refuses padding, letters of the other alphabet, and bits behind the last byte.
fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
    struct Claims {
        sub: String,
        exp: i64,
    }

    fn claims() -> Claims {
        Claims { sub: "usr_ada".to_owned(), exp: 1_800_000_000 }
    }

    /// The key of RFC 8037, appendix A.
    fn key() -> SigningKey {
        let bytes = decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A").expect("base64url");
        SigningKey::from_bytes(&bytes.try_into().expect("32 bytes"))
    }

    fn token() -> String {
        sign("a-key_1", &key(), &claims()).expect("signed")
    }

    fn read(token: &str) -> Option<Claims> {
        verify(token, &key().verifying_key())
    }

    /// A token with any header and claims, rightly signed.
    fn signed(header: &str, claims: &str) -> String {
        let text = format!("{}.{}", encode(header.as_bytes()), encode(claims.as_bytes()));
        let signature = encode(&key().sign(text.as_bytes()).to_bytes());
        format!("{text}.{signature}")
    }

    const CLAIMS: &str = r#"{"sub":"usr_ada","exp":1800000000}"#;

    #[test]
    fn the_vector_of_rfc_8037_is_met() {
        let text = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
        let signature =
            "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
        assert_eq!(encode(&key().sign(text.as_bytes()).to_bytes()), signature);
        assert!(is_signed(text, signature, &key().verifying_key()));
        assert_eq!(thumbprint(&key().verifying_key()), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
        // Well signed, and still not one of ours: its header names no key.
        assert_eq!(kid(&format!("{text}.{signature}")), None);
    }

    #[test]
    fn a_key_is_published_as_rfc_8037_says() {
        let published = jwk("a-key_1", &key().verifying_key());
        let expected = json!({
            "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
            "kid": "a-key_1", "alg": "EdDSA", "use": "sig",
        });
        assert_eq!(published, expected);
    }

    #[test]
    fn what_is_signed_can_be_read() {
        let token = token();
        let header = decode(token.split('.').next().expect("a header")).expect("base64url");
        assert_eq!(header, br#"{"alg":"EdDSA","typ":"JWT","kid":"a-key_1"}"#);
        assert_eq!(kid(&token).as_deref(), Some("a-key_1"));
        assert_eq!(read(&token), Some(claims()));
        assert_eq!(read(&signed(r#"{"alg":"EdDSA","typ":"JWT","kid":"a-key_1"}"#, CLAIMS)), Some(claims()));
    }

    #[test]
    fn another_key_reads_nothing() {
        let other = SigningKey::from_bytes(&[9; 32]).verifying_key();
        assert_eq!(verify::<Claims>(&token(), &other), None);
    }

    #[test]
    fn a_weak_key_accepts_no_signature() {
        // The neutral point: with it, an empty signature would fit every text.
        let mut neutral = [0; 32];
        neutral[0] = 1;
        let weak = VerifyingKey::from_bytes(&neutral).expect("it is on the curve");
        let mut signature = [0; 64];
        signature[0] = 1;
        let token = token();
        let (text, _) = token.rsplit_once('.').expect("three parts");
        assert_eq!(verify::<Claims>(&format!("{text}.{}", encode(&signature)), &weak), None);
    }

    #[test]
    fn no_letter_can_be_changed_and_none_left_out() {
        let token = token();
        for (index, letter) in token.char_indices() {
            assert_eq!(read(&token[..index]), None, "{index} letters");
            for other in ['A', 'B', 'g', '-', '.', '='] {
                if other != letter {
                    let mut changed = token.clone();
                    changed.replace_range(index..=index, &other.to_string());
                    assert_eq!(read(&changed), None, "letter {index} is {other}");
                }
            }
        }
    }

    #[test]
    fn no_other_header_is_accepted_even_when_it_is_signed() {
        for header in [
            r#"{"alg":"none","typ":"JWT","kid":"a-key_1"}"#,
            r#"{"alg":"HS256","typ":"JWT","kid":"a-key_1"}"#,
            r#"{"alg":"ES256","typ":"JWT","kid":"a-key_1"}"#,
            r#"{"alg":"Ed25519","typ":"JWT","kid":"a-key_1"}"#,
            r#"{"alg":"eddsa","typ":"JWT","kid":"a-key_1"}"#,
            r#"{"alg":"EdDSA","typ":"JWT"}"#,
            r#"{"alg":"EdDSA","typ":"JWT","kid":""}"#,
            r#"{"alg":"EdDSA","typ":"JWT","kid":"a key"}"#,
            r#"{"alg":"EdDSA","typ":"JWT","kid":"a-key_1","crit":["exp"],"exp":1}"#,
            r#"{"alg":"EdDSA","typ":"JWT","kid":"a-key_1","alg":"none"}"#,
            r#"{"alg":"EdDSA","typ":"JWT","kid":"a-key_1","jwk":{}}"#,
            r#"{"alg":"EdDSA","typ":"at+jwt","kid":"a-key_1"}"#,
            r#"{"typ":"JWT","alg":"EdDSA","kid":"a-key_1"}"#,
            r#"{"alg": "EdDSA","typ":"JWT","kid":"a-key_1"}"#,
            r#"["EdDSA","JWT","a-key_1"]"#,
            "{}",
            "",
        ] {
            let token = signed(header, CLAIMS);
            assert_eq!(kid(&token), None, "{header}");
            assert_eq!(read(&token), None, "{header}");
        }
        let long = "k".repeat(LONGEST_KID + 1);
        assert_eq!(kid(&signed(&format!(r#"{{"alg":"EdDSA","typ":"JWT","kid":"{long}"}}"#), CLAIMS)), None);
    }

    #[test]
    fn alg_none_without_a_signature_is_refused() {
        let none = encode(br#"{"alg":"none","typ":"JWT","kid":"a-key_1"}"#);
        let claims = encode(CLAIMS.as_bytes());
        for token in [format!("{none}.{claims}."), format!("{none}.{claims}")] {
            assert_eq!(kid(&token), None);
            assert_eq!(read(&token), None);
        }
        let token = token();
        let (text, _) = token.rsplit_once('.').expect("three parts");
        assert_eq!(read(&format!("{text}.")), None);
    }

    #[test]
    fn only_three_parts_in_their_canonical_form_are_a_token() {
        let token = token();
        for other in [
            format!("{token}."),
            format!(".{token}"),
            format!("{token}.{token}"),
            format!("{token}="),
            format!(" {token}"),
            format!("{token}\n"),
            token.replacen('.', "..", 1),
            token.replacen('.', "=.", 1),
            String::new(),
            ".".to_owned(),
            "..".to_owned(),
            "...".to_owned(),
        ] {
            assert_eq!(read(&other), None, "{other:?}");
        }
        assert_eq!(kid(&format!("{token}.{token}")), None);
        // A signature's last letter carries four bits that count for nothing: only one spelling of them is right.
        let last = token.chars().last().expect("a letter");
        let spelled = |letter: char| format!("{}{letter}", &token[..token.len() - 1]);
        let alphabet = ('A'..='Z').chain('a'..='z').chain('0'..='9').chain(['-', '_']);
        let read_with: Vec<char> = alphabet.filter(|letter| read(&spelled(*letter)).is_some()).collect();
        assert_eq!(read_with, [last]);
    }

    #[test]
    fn a_long_token_is_not_looked_at() {
        let header = r#"{"alg":"EdDSA","typ":"JWT","kid":"a-key_1"}"#;
        let with = |filling: usize| {
            let sub = "a".repeat(filling);
            signed(header, &format!(r#"{{"sub":"{sub}","exp":1}}"#))
        };
        assert!(read(&with(5_000)).is_some());
        let long = with(7_000);
        assert!(long.len() > LONGEST);
        assert_eq!((kid(&long), read(&long)), (None, None));
    }

    #[test]
    fn signed_claims_of_another_shape_are_none() {
        let header = r#"{"alg":"EdDSA","typ":"JWT","kid":"a-key_1"}"#;
        for claims in ["", "null", "[]", "{}", r#"{"sub":1,"exp":1}"#, r#"{"sub":"a","exp":1} x"#] {
            assert_eq!(read(&signed(header, claims)), None, "{claims}");
        }
    }

    proptest! {
        #[test]
        fn no_input_panics_and_none_is_a_token(text in ".{0,300}", parts in "[A-Za-z0-9_.=-]{0,300}") {
            for input in [&text, &parts] {
                prop_assert_eq!(kid(input), None);
                prop_assert_eq!(read(input), None);
            }
        }

        #[test]
        fn no_part_behind_the_right_header_panics(claims in "[A-Za-z0-9_.=-]{0,120}", signature in "[A-Za-z0-9_-]{80,90}") {
            let header = encode(br#"{"alg":"EdDSA","typ":"JWT","kid":"a-key_1"}"#);
            prop_assert_eq!(read(&format!("{header}.{claims}.{signature}")), None);
        }

        #[test]
        fn any_claims_come_back(sub: String, exp: i64) {
            prop_assume!(sub.len() < 500);
            let claims = Claims { sub, exp };
            let token = sign("a-key_1", &key(), &claims).expect("signed");
            prop_assert_eq!(read(&token), Some(claims));
        }
    }
}
