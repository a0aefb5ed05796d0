//! Passwords: argon2id at 19 MiB and two passes, about 16 ms of a core each. So only a few are computed at
//! once, on threads that give way to everything else, and a short queue waits; beyond that the answer is "later",
//! so that a flood of sign-ins cannot take the site's cores away.

use std::{
    panic::{self, AssertUnwindSafe},
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
};

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use tokio::sync::{Semaphore, oneshot};

use crate::random::Random;

const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
/// How many may wait for each one that computes.
const QUEUE_PER_HASHER: usize = 32;
/// How much the computing threads give way. At 10 they get a tenth of a core that others want too.
const NICENESS: i32 = 10;

#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    #[error("too many passwords are being checked at once")]
    Busy,
    #[error("the password hash cannot be computed")]
    Failed,
}

type Work = Box<dyn FnOnce() + Send>;

pub struct PasswordHashers {
    admitted: Arc<Semaphore>,
    queue: mpsc::Sender<Work>,
    /// Checked when there is no such account, so that its absence takes as long as a wrong password.
    decoy: String,
}

impl PasswordHashers {
    pub fn new(at_once: usize) -> Self {
        let at_once = at_once.max(1);
        let (queue, waiting) = mpsc::channel();
        let waiting = Arc::new(Mutex::new(waiting));
        for number in 0..at_once {
            let waiting = Arc::clone(&waiting);
            thread::Builder::new()
                .name(format!("passwords-{number}"))
                .spawn(move || work_off(&waiting))
                .expect("a process that cannot start a thread cannot serve either");
        }
        Self {
            admitted: Arc::new(Semaphore::new(at_once * (1 + QUEUE_PER_HASHER))),
            queue,
            decoy: hash(b"no account has this password", b"decoy salt 16 by")
                .expect("fixed parameters are valid"),
        }
    }

    pub async fn hash(&self, password: &str, random: &Random) -> Result<String, PasswordError> {
        let password = password.as_bytes().to_vec();
        let salt = random.bytes::<16>();
        self.compute(move || hash(&password, &salt)).await?.ok_or(PasswordError::Failed)
    }

    /// Whether `password` is the one that `stored` was made from. Without `stored` it takes as long and says no.
    pub async fn verify(&self, password: &str, stored: Option<&str>) -> Result<bool, PasswordError> {
        let exists = stored.is_some();
        let stored = stored.unwrap_or(&self.decoy).to_owned();
        let password = password.as_bytes().to_vec();
        let matches = self.compute(move || verify(&password, &stored)).await?;
        Ok(matches && exists)
    }

    async fn compute<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, PasswordError> {
        let admitted = Arc::clone(&self.admitted).try_acquire_owned().map_err(|_| PasswordError::Busy)?;
        let (answer, answered) = oneshot::channel();
        let work = move || {
            // Nobody waits for an answer whose caller has hung up.
            if !answer.is_closed() {
                let _ = answer.send(work());
            }
            // The place in the queue is free only now.
            drop(admitted);
        };
        self.queue.send(Box::new(work)).map_err(|_| PasswordError::Failed)?;
        answered.await.map_err(|_| PasswordError::Failed)
    }
}

/// One computing thread, until the process's hashers are dropped.
fn work_off(waiting: &Mutex<mpsc::Receiver<Work>>) {
    // On Linux this is about the calling thread alone. Where it is refused, the threads are like all others.
    let _ = rustix::process::nice(NICENESS);
    loop {
        let work = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match work {
            // A thread lost to a panic would be missing for good.
            Ok(work) => drop(panic::catch_unwind(AssertUnwindSafe(work))),
            Err(mpsc::RecvError) => return,
        }
    }
}

fn argon2() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, 1, None).expect("fixed parameters are valid");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

fn hash(password: &[u8], salt: &[u8]) -> Option<String> {
    let hash: PasswordHash = argon2().hash_password_with_salt(password, salt).ok()?;
    Some(hash.to_string())
}

fn verify(password: &[u8], stored: &str) -> bool {
    PasswordHash::new(stored).is_ok_and(|stored| argon2().verify_password(password, &stored).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_known_again_and_no_other() {
        let hashers = PasswordHashers::new(1);
        let stored = hashers.hash("correct horse battery", &Random::seeded(1)).await.expect("hashed");
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert!(hashers.verify("correct horse battery", Some(&stored)).await.expect("checked"));
        assert!(!hashers.verify("correct horse batterY", Some(&stored)).await.expect("checked"));
        assert!(!hashers.verify("anything", None).await.expect("checked"));
        assert!(!hashers.verify("anything", Some("not a hash")).await.expect("checked"));
    }

    #[tokio::test]
    async fn the_queue_has_an_end() {
        let hashers = PasswordHashers::new(1);
        let held = Arc::clone(&hashers.admitted).acquire_many_owned(1 + QUEUE_PER_HASHER as u32).await;
        assert!(held.is_ok());
        assert!(matches!(hashers.verify("x", None).await, Err(PasswordError::Busy)));
    }
}
