//! Secrets and hashes. Stored secrets are keyed hashes, each purpose under a key of its own, all derived
//! from the one configured secret; what must be read again is sealed; passwords are argon2id, computed on a
//! bounded number of threads.

pub mod jwt;
mod password;
mod seal;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

pub use password::{PasswordError, PasswordHashers};
pub use seal::{Sealed, Sealer};

use crate::config::SecurityConfig;

/// A value that never shows itself in logs or in `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret<T>(T);

impl<T> Secret<T> {
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself. Every call of this is a place to look at in a review.
    pub const fn expose(&self) -> &T {
        &self.0
    }
}

impl<T> std::fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[secret]")
    }
}

/// What a keyed hash is for. Hashes of one purpose are worthless for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    SessionToken,
    RateLimitKey,
    ApiSession,
    RefreshToken,
    RefreshSuccessor,
    Ticket,
    RecoveryCode,
    PersonalToken,
    KnownDevice,
    /// The part of an order's address that nobody can guess.
    OrderLink,
    /// The same of an invoice's.
    DocumentLink,
    /// Whose an idempotency key is, and for which route.
    IdempotencyScope,
    LicenseKey,
    MachineFingerprint,
    /// Which addresses have had a trial, after their accounts have ended too.
    TrialAddress,
    /// From where a page was said to be helpful, on one day.
    PageVisitor,
}

impl Purpose {
    /// In the order of their declaration: the place of each is its index among the keys.
    const ALL: [Self; 16] = [
        Self::SessionToken,
        Self::RateLimitKey,
        Self::ApiSession,
        Self::RefreshToken,
        Self::RefreshSuccessor,
        Self::Ticket,
        Self::RecoveryCode,
        Self::PersonalToken,
        Self::KnownDevice,
        Self::OrderLink,
        Self::DocumentLink,
        Self::IdempotencyScope,
        Self::LicenseKey,
        Self::MachineFingerprint,
        Self::TrialAddress,
        Self::PageVisitor,
    ];

    const fn label(self) -> &'static [u8] {
        match self {
            Self::SessionToken => b"devforge session token v1",
            Self::RateLimitKey => b"devforge rate limit key v1",
            Self::ApiSession => b"devforge api session v1",
            Self::RefreshToken => b"devforge refresh token v1",
            Self::RefreshSuccessor => b"devforge refresh successor v1",
            Self::Ticket => b"devforge ticket v1",
            Self::RecoveryCode => b"devforge recovery code v1",
            Self::PersonalToken => b"devforge personal token v1",
            Self::KnownDevice => b"devforge known device v1",
            Self::OrderLink => b"devforge order link v1",
            Self::DocumentLink => b"devforge document link v1",
            Self::IdempotencyScope => b"devforge idempotency scope v1",
            Self::LicenseKey => b"devforge license key v1",
            Self::MachineFingerprint => b"devforge machine fingerprint v1",
            Self::TrialAddress => b"devforge trial address v1",
            Self::PageVisitor => b"devforge page visitor v1",
        }
    }
}

const SEALING_LABEL: &[u8] = b"devforge sealing v1";

/// The hashers of one process.
pub struct Hashers {
    purposes: [Hmac<Sha256>; Purpose::ALL.len()],
    pub sealer: Sealer,
    pub passwords: PasswordHashers,
}

impl Hashers {
    pub fn new(config: &SecurityConfig) -> Self {
        let derive = |label: &[u8]| mac(config.secret.expose().as_bytes(), label);
        Self {
            // Keyed once: each hash then starts from a copy of this state, at half the work.
            purposes: Purpose::ALL.map(|purpose| keyed(&derive(purpose.label()))),
            sealer: Sealer::new(derive(SEALING_LABEL)),
            passwords: PasswordHashers::new(config.password_hashers),
        }
    }

    pub fn keyed(&self, purpose: Purpose, value: &[u8]) -> [u8; 32] {
        let mut state = self.purposes[purpose as usize].clone();
        state.update(value);
        state.finalize().into_bytes().into()
    }
}

fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes a key of any length")
}

fn mac(key: &[u8], value: &[u8]) -> [u8; 32] {
    let mut mac = keyed(key);
    mac.update(value);
    mac.finalize().into_bytes().into()
}

pub fn sha256(value: &[u8]) -> [u8; 32] {
    Sha256::digest(value).into()
}

pub fn to_hex(bytes: &[u8]) -> String {
    hex::encode(bytes)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn hmac_meets_the_rfc_4231_vector() {
        let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(to_hex(&mac(b"Jefe", b"what do ya want for nothing?")), expected);
    }

    #[test]
    fn purposes_do_not_share_hashes() {
        let config = SecurityConfig {
            secret: Secret::new("a secret for tests".to_owned()),
            session_idle: std::time::Duration::from_secs(1),
            session_absolute: std::time::Duration::from_secs(1),
            password_hashers: 1,
        };
        let hashers = Hashers::new(&config);
        let hashes: HashSet<_> = Purpose::ALL.map(|purpose| hashers.keyed(purpose, b"x")).into();
        assert_eq!(hashes.len(), Purpose::ALL.len());
        for purpose in Purpose::ALL {
            let key = mac(config.secret.expose().as_bytes(), purpose.label());
            assert_eq!(hashers.keyed(purpose, b"x"), mac(&key, b"x"), "{purpose:?}");
            assert_ne!(purpose.label(), SEALING_LABEL);
        }
    }

    #[test]
    fn a_secret_keeps_to_itself() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "[secret]");
    }
}
