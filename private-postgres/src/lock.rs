//! Who may start and stop a cluster, and who uses it.
//!
//! Two files: `lock` is held exclusively by whoever is starting or stopping, for that long; `users` is held shared
//! by every process that uses the server. Whoever leaves and can have `users` for itself was the last, and stops the
//! server. The kernel drops both when a process dies, however it dies.

use std::{
    fs::{File, OpenOptions, TryLockError},
    os::unix::fs::OpenOptionsExt,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use crate::{Error, error};

const PATIENCE: Duration = Duration::from_secs(120);

/// Held while the server is being started or stopped.
#[derive(Debug)]
pub(crate) struct Turn {
    _file: File,
}

/// Held as long as the server is in use.
#[derive(Debug)]
pub(crate) struct User {
    _file: File,
}

impl Turn {
    pub(crate) fn take(directory: &Path) -> Result<Self, Error> {
        let file = open(directory, "lock")?;
        let start = Instant::now();
        let mut told = false;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _file: file }),
                Err(TryLockError::Error(source)) => {
                    return Err(error::io("locking the database's directory")(source));
                }
                Err(TryLockError::WouldBlock) if start.elapsed() > PATIENCE => {
                    return Err(Error::Busy { directory: directory.to_owned() });
                }
                Err(TryLockError::WouldBlock) => {
                    if !told && start.elapsed() > Duration::from_secs(3) {
                        told = true;
                        eprintln!("Waiting for another process that starts or stops the database");
                    }
                    thread::sleep(Duration::from_millis(50));
                }
            }
        }
    }
}

impl User {
    /// Only while holding the turn, so that nobody is counting at the same time.
    pub(crate) fn enter(directory: &Path, _turn: &Turn) -> Result<Self, Error> {
        let file = open(directory, "users")?;
        file.lock_shared().map_err(error::io("locking the database's directory"))?;
        Ok(Self { _file: file })
    }

    /// Leaves, and says whether nobody else is left.
    pub(crate) fn leave(self, directory: &Path, _turn: &Turn) -> Result<bool, Error> {
        drop(self);
        match open(directory, "users")?.try_lock() {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(source)) => Err(error::io("locking the database's directory")(source)),
        }
    }
}

fn open(directory: &Path, name: &str) -> Result<File, Error> {
    let path = directory.join(name);
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(error::io(format!("opening {}", path.display())))
}
