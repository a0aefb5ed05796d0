//! A million licenses with keys that are known, in a table that devforge has made.
//!
//! Keys and hashes are made here as `src/contract/license_key.rs` and `src/crypto/mod.rs` make them: through the
//! server it would take an hour. That both agree is seen before anything is measured.

use std::{
    fs::{self, File},
    io::Read,
    ops::Range,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use hmac::{Hmac, KeyInit, Mac};
use private_postgres::Cluster;
use sha2::Sha256;

use crate::bench::fill::{copy, settle};

pub const LICENSES: usize = 1_000_000;
/// Those that a cache is warm for.
pub const HOT: Range<usize> = 0..20_000;
/// Those that are active on one machine.
pub const ON_A_MACHINE: Range<usize> = 20_000..40_000;
/// Those that are taken away.
pub const TO_REVOKE: Range<usize> = 40_000..41_000;
pub const FINGERPRINT: &str = "bench-machine";

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const RANDOM_LETTERS: usize = 24;
const LETTERS: usize = RANDOM_LETTERS + 1;

/// The keys of all licenses, in the order of their numbers.
pub struct Keys {
    /// One on each line.
    pub file: PathBuf,
    letters: Vec<[u8; LETTERS]>,
}

impl Keys {
    pub fn make(directory: &Path) -> Result<Self> {
        let mut random = vec![0; LICENSES * RANDOM_LETTERS];
        let mut source = File::open("/dev/urandom").context("opening /dev/urandom")?;
        source.read_exact(&mut random).context("reading /dev/urandom")?;
        let letters: Vec<_> = random.chunks_exact(RANDOM_LETTERS).map(letters).collect();
        let file = directory.join("keys.txt");
        let text: String = letters.iter().map(|letters| written(letters) + "\n").collect();
        fs::write(&file, text).with_context(|| format!("writing {}", file.display()))?;
        Ok(Self { file, letters })
    }

    pub fn written(&self, number: usize) -> String {
        written(&self.letters[number])
    }
}

/// The key of one purpose, from which its hashes are made.
pub fn derived(secret: &str, purpose: &[u8]) -> [u8; 32] {
    hash(&keyed(secret.as_bytes()), purpose)
}

pub const LICENSE_KEY: &[u8] = b"devforge license key v1";
pub const MACHINE_FINGERPRINT: &[u8] = b"devforge machine fingerprint v1";

/// Fills the tables, and leaves nothing of it to be done while something is measured.
pub fn fill(cluster: &Cluster, database: &str, secret: &str, keys: &Keys) -> Result<()> {
    let by_key = keyed(&derived(secret, LICENSE_KEY));
    let columns = "license (id, email, origin, tier, key_hash, key_end, key_sealed, seats, machines_per_seat, overage, \
         node_locked, machines_used, fallback, suspended_by, revoked_by, extra_features, reminded, created_at, updated_at)";
    copy(cluster, database, columns, keys.letters.iter().enumerate(), |out, (number, letters)| {
        let key_hash = hex::encode(hash(&by_key, letters));
        let end = String::from_utf8_lossy(&letters[LETTERS - 5..]);
        let used = u8::from(ON_A_MACHINE.contains(&number));
        writeln!(
            out,
            "{}\tbench-{number}@devforge.test\tstaff\tpro\t\\\\x{key_hash}\t{end}\t\\\\x00\t1\t3\t0\tf\t{used}\tf\t{{}}\t{{}}\t\
             []\t0\tnow\tnow",
            id(number)
        )
    })?;
    let print = hash(&keyed(&derived(secret, MACHINE_FINGERPRINT)), FINGERPRINT.as_bytes());
    let print = hex::encode(print);
    let columns = "license_machine (id, license_id, fingerprint_hash, name, platform, email, activated_at, last_seen_at)";
    copy(cluster, database, columns, ON_A_MACHINE, |out, number| {
        let id = id(number);
        writeln!(out, "{id}\t{id}\t\\\\x{print}\tbench\tlinux-x64\tbench-{number}@devforge.test\tnow\tnow")
    })?;
    settle(cluster, database, &["license", "license_machine"])
}

/// Ids that sort by their numbers, as those that the server makes sort by their time.
fn id(number: usize) -> String {
    format!("01930000-0000-7000-8000-{number:012x}")
}

fn letters(random: &[u8]) -> [u8; LETTERS] {
    let mut letters = [0; LETTERS];
    let mut sum = 0;
    for (letter, random) in letters.iter_mut().zip(random) {
        let value = random & 31;
        *letter = ALPHABET[usize::from(value)];
        let shifted = (sum ^ value) << 1;
        sum = if shifted & 32 == 0 { shifted } else { shifted ^ 0b10_0101 };
    }
    letters[LETTERS - 1] = ALPHABET[usize::from(sum)];
    letters
}

fn written(letters: &[u8; LETTERS]) -> String {
    let groups: Vec<_> = letters.chunks(5).map(String::from_utf8_lossy).collect();
    format!("DF-{}", groups.join("-"))
}

fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes a key of any length")
}

fn hash(keyed: &Hmac<Sha256>, value: &[u8]) -> [u8; 32] {
    let mut state = keyed.clone();
    state.update(value);
    state.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_those_of_the_contract() {
        let random: Vec<u8> = (0..RANDOM_LETTERS).map(|at| (at * 7) as u8).collect();
        // The example of `src/contract/license_key.rs`.
        assert_eq!(written(&letters(&random)), "DF-07ENW-3AHRZ-6DMV2-9GQY5-CKT1H");
    }

    #[test]
    fn hashes_are_hmacs() {
        let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(hex::encode(derived("Jefe", b"what do ya want for nothing?")), expected);
    }

    #[test]
    fn ids_sort_by_their_numbers() {
        assert_eq!(id(255), "01930000-0000-7000-8000-0000000000ff");
        assert!(id(9) < id(10) && id(999_999) > id(65_536));
    }
}
