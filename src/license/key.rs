//! Keys: made from randomness, found by a keyed hash, shown again from a sealed copy.

use crate::{
    context::Context,
    contract::{
        id::LicenseId,
        license_key::{LicenseKey, RANDOM_LETTERS},
    },
    crypto::{Purpose, Sealed},
};

/// A new key, as it is stored.
pub(super) struct NewKey {
    pub key: LicenseKey,
    pub hash: [u8; 32],
    pub end: String,
    pub sealed: Vec<u8>,
}

pub(super) fn make(ctx: &Context, license: LicenseId) -> NewKey {
    let key = LicenseKey::from_random(ctx.random.bytes::<RANDOM_LETTERS>());
    let plain = key.expose();
    let subject = license.uuid();
    let sealed =
        ctx.hashers.sealer.seal(Sealed::LicenseKey, subject.as_bytes(), plain.as_bytes(), &ctx.random);
    NewKey { hash: hash(ctx, &key), end: key.end(), sealed, key }
}

/// What a key is found by.
pub(super) fn hash(ctx: &Context, key: &LicenseKey) -> [u8; 32] {
    ctx.hashers.keyed(Purpose::LicenseKey, &key.letters())
}

/// What a machine is found by.
pub(super) fn fingerprint_hash(ctx: &Context, fingerprint: &str) -> [u8; 32] {
    ctx.hashers.keyed(Purpose::MachineFingerprint, fingerprint.as_bytes())
}

/// The key again, for its owner. None when it was sealed under another secret.
pub(super) fn open(ctx: &Context, license: LicenseId, sealed: &[u8]) -> Option<LicenseKey> {
    let plain = ctx.hashers.sealer.open(Sealed::LicenseKey, license.uuid().as_bytes(), sealed)?;
    LicenseKey::parse(std::str::from_utf8(&plain).ok()?).ok()
}
