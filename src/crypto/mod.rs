//! Secrets and hashes. Stored secrets are keyed hashes, each purpose under a key of its own, all derived
//! from the one configured secret; passwords are argon2id, computed on a bounded number of threads.

mod password;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

pub use password::{PasswordError, PasswordHashers};

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
}

impl Purpose {
    const fn label(self) -> &'static [u8] {
        match self {
            Self::SessionToken => b"devforge session token v1",
            Self::RateLimitKey => b"devforge rate limit key v1",
        }
    }
}

/// The hashers of one process.
pub struct Hashers {
    session_token: Hmac<Sha256>,
    rate_limit_key: Hmac<Sha256>,
    pub passwords: PasswordHashers,
}

impl Hashers {
    pub fn new(config: &SecurityConfig) -> Self {
        // Keyed once: each hash then starts from a copy of this state, at half the work.
        let derive = |purpose: Purpose| keyed(&mac(config.secret.expose().as_bytes(), purpose.label()));
        Self {
            session_token: derive(Purpose::SessionToken),
            rate_limit_key: derive(Purpose::RateLimitKey),
            passwords: PasswordHashers::new(config.password_hashers),
        }
    }

    pub fn keyed(&self, purpose: Purpose, value: &[u8]) -> [u8; 32] {
        let state = match purpose {
            Purpose::SessionToken => &self.session_token,
            Purpose::RateLimitKey => &self.rate_limit_key,
        };
        let mut state = state.clone();
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
        assert_ne!(hashers.keyed(Purpose::SessionToken, b"x"), hashers.keyed(Purpose::RateLimitKey, b"x"));
    }

    #[test]
    fn a_secret_keeps_to_itself() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "[secret]");
    }
}
