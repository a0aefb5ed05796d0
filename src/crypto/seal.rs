//! Secrets that must be read again, as they lie in the database: encrypted and authenticated.
//!
//! What always holds: what was sealed as one kind of thing for one subject opens as nothing else, so that whoever
//! can write the database cannot put the secret of one row into another.

use chacha20poly1305::{
    Key, KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};

use crate::random::Random;

/// Says how the rest is laid out: nonce, then the encrypted bytes with their tag.
const VERSION: u8 = 1;
const NONCE_LENGTH: usize = 24;

/// What is sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sealed {
    TotpSecret,
    SigningKey,
    /// The answer that is kept under an idempotency key: it may hold what opens a payment.
    KeptAnswer,
    LicenseKey,
}

impl Sealed {
    const fn label(self) -> &'static [u8] {
        match self {
            Self::TotpSecret => b"devforge totp secret v1",
            Self::SigningKey => b"devforge signing key v1",
            Self::KeptAnswer => b"devforge kept answer v1",
            Self::LicenseKey => b"devforge license key v1",
        }
    }
}

pub struct Sealer {
    cipher: XChaCha20Poly1305,
}

impl Sealer {
    pub(super) fn new(key: [u8; 32]) -> Self {
        Self { cipher: XChaCha20Poly1305::new(&Key::from(key)) }
    }

    /// `subject` is whose it is, and is asked for again when it is opened.
    pub fn seal(&self, what: Sealed, subject: &[u8], plain: &[u8], random: &Random) -> Vec<u8> {
        // 192 bits at random do not meet again, however often one key is used.
        let nonce = random.bytes::<NONCE_LENGTH>();
        let aad = bound_to(what, subject);
        let encrypted = self
            .cipher
            .encrypt(&XNonce::from(nonce), Payload { msg: plain, aad: &aad })
            .expect("a secret is far shorter than the cipher's limit of 256 GiB");
        let mut sealed = Vec::with_capacity(1 + NONCE_LENGTH + encrypted.len());
        sealed.push(VERSION);
        sealed.extend(nonce);
        sealed.extend(encrypted);
        sealed
    }

    /// None when it was changed, is another's, or was sealed under another secret: they look the same.
    pub fn open(&self, what: Sealed, subject: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let (&version, rest) = sealed.split_first()?;
        if version != VERSION {
            return None;
        }
        let (nonce, encrypted) = rest.split_first_chunk::<NONCE_LENGTH>()?;
        let aad = bound_to(what, subject);
        self.cipher.decrypt(&XNonce::from(*nonce), Payload { msg: encrypted, aad: &aad }).ok()
    }
}

/// The subject is preceded by its length: no two different pairs give the same bytes.
fn bound_to(what: Sealed, subject: &[u8]) -> Vec<u8> {
    let mut aad = what.label().to_vec();
    aad.extend((subject.len() as u64).to_be_bytes());
    aad.extend(subject);
    aad
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sealer() -> Sealer {
        Sealer::new([7; 32])
    }

    fn sealed() -> Vec<u8> {
        sealer().seal(Sealed::TotpSecret, b"ada", b"a secret", &Random::seeded(1))
    }

    #[test]
    fn what_is_sealed_can_be_read_again() {
        let sealed = sealed();
        assert_eq!(sealed.len(), 1 + 24 + 8 + 16);
        assert!(!sealed.windows(8).any(|window| window == b"a secret"));
        assert_eq!(sealer().open(Sealed::TotpSecret, b"ada", &sealed).as_deref(), Some(&b"a secret"[..]));
    }

    #[test]
    fn it_opens_as_nothing_else_for_nobody_else_and_under_no_other_key() {
        let sealed = sealed();
        assert_eq!(sealer().open(Sealed::SigningKey, b"ada", &sealed), None);
        assert_eq!(sealer().open(Sealed::TotpSecret, b"bob", &sealed), None);
        assert_eq!(sealer().open(Sealed::TotpSecret, b"", &sealed), None);
        assert_eq!(Sealer::new([8; 32]).open(Sealed::TotpSecret, b"ada", &sealed), None);
    }

    #[test]
    fn not_a_byte_of_it_can_be_changed_or_left_out() {
        let sealed = sealed();
        for index in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[index] ^= 1;
            assert_eq!(sealer().open(Sealed::TotpSecret, b"ada", &changed), None, "byte {index}");
            assert_eq!(sealer().open(Sealed::TotpSecret, b"ada", &sealed[..index]), None, "{index} bytes");
        }
    }

    #[test]
    fn the_same_secret_never_looks_the_same() {
        let random = Random::seeded(1);
        let seal = || sealer().seal(Sealed::TotpSecret, b"ada", b"a secret", &random);
        assert_ne!(seal(), seal());
    }

    proptest! {
        #[test]
        fn any_secret_of_any_subject_comes_back(subject: Vec<u8>, plain: Vec<u8>) {
            let sealed = sealer().seal(Sealed::SigningKey, &subject, &plain, &Random::seeded(1));
            prop_assert_eq!(sealer().open(Sealed::SigningKey, &subject, &sealed), Some(plain));
        }

        #[test]
        fn rubbish_does_not_open(bytes: Vec<u8>) {
            prop_assert_eq!(sealer().open(Sealed::SigningKey, b"ada", &bytes), None);
        }
    }
}
