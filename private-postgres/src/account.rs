//! Which user PostgreSQL runs as, and a directory that this user can reach.
//!
//! PostgreSQL refuses to run as root. As root we become the owner of the data when it has one, else the
//! user `postgres` that Debian's package makes. Everyone else runs it as themselves.

use std::{
    fs, io,
    os::unix::{
        fs::{DirBuilderExt, MetadataExt, PermissionsExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::Command,
};

use crate::{Error, error};

const FALLBACK: &str = "/var/lib/devforge";

/// The user to become, or nobody when we are not root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Account(Option<Ids>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ids {
    uid: u32,
    gid: u32,
}

impl Account {
    /// Picks the account and makes a directory for it, at `wanted` or, when the account cannot get there, below
    /// `/var/lib/devforge`. Gives back the directory's real path.
    pub(crate) fn settle(wanted: &Path) -> Result<(Self, PathBuf), Error> {
        let wanted =
            std::path::absolute(wanted).map_err(error::io(format!("finding {}", wanted.display())))?;
        if !rustix::process::geteuid().is_root() {
            let account = Self(None);
            account.make(&wanted)?;
            return Ok((account, real(&wanted)?));
        }
        let account = Self(Some(owner(&wanted).or_else(postgres).ok_or(Error::NoAccount)?));
        let refused = match account.unreachable(&wanted) {
            Some(parent) => format!("{} is closed to the user that runs PostgreSQL", parent.display()),
            None => match account.make(&wanted) {
                Ok(()) => return Ok((account, real(&wanted)?)),
                Err(error @ Error::Io { .. }) => error.to_string(),
                Err(error) => return Err(error),
            },
        };
        let fallback = Path::new(FALLBACK).join(name_for(&wanted));
        eprintln!("{refused}: keeping the database in {} instead", fallback.display());
        let account = Self(Some(owner(&fallback).or_else(postgres).ok_or(Error::NoAccount)?));
        account.make(&fallback)?;
        Ok((account, real(&fallback)?))
    }

    /// A command that runs as this account, with nothing of our environment that PostgreSQL would take as a setting.
    pub(crate) fn command(self, program: &Path, directory: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(directory).env("LC_ALL", "C").env("TZ", "UTC");
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PG")) {
            command.env_remove(name);
        }
        if let Some(Ids { uid, gid }) = self.0 {
            command.uid(uid).gid(gid);
        }
        command
    }

    /// Gives a file to the account.
    pub(crate) fn give(self, path: &Path) -> Result<(), Error> {
        match self.0 {
            Some(Ids { uid, gid }) => chown(path, Some(uid), Some(gid))
                .map_err(error::io(format!("giving {} to the database's user", path.display()))),
            None => Ok(()),
        }
    }

    fn make(self, directory: &Path) -> Result<(), Error> {
        if let Some(parent) = directory.parent() {
            fs::create_dir_all(parent).map_err(error::io(format!("making {}", parent.display())))?;
        }
        match fs::DirBuilder::new().mode(0o700).create(directory) {
            Ok(()) => {}
            Err(refusal) if refusal.kind() == io::ErrorKind::AlreadyExists => {}
            Err(refusal) => return Err(error::io(format!("making {}", directory.display()))(refusal)),
        }
        if let Some(Ids { uid, gid }) = self.0 {
            return give_all(directory, uid, gid)
                .map_err(error::io(format!("giving {} to the database's user", directory.display())));
        }
        let metadata =
            fs::metadata(directory).map_err(error::io(format!("reading {}", directory.display())))?;
        if metadata.uid() != rustix::process::geteuid().as_raw() {
            return Err(Error::NotOurs { directory: directory.to_owned() });
        }
        if metadata.permissions().mode() & 0o077 != 0 {
            fs::set_permissions(directory, fs::Permissions::from_mode(0o700))
                .map_err(error::io(format!("closing {} to others", directory.display())))?;
        }
        Ok(())
    }

    /// The first directory on the way to `directory` that the account may not pass.
    fn unreachable(self, directory: &Path) -> Option<PathBuf> {
        let Ids { uid, gid } = self.0?;
        let existing =
            directory.ancestors().skip(1).filter_map(|parent| Some((parent, fs::metadata(parent).ok()?)));
        let closed = existing
            .filter(|(_, metadata)| !passable(metadata.mode(), metadata.uid() == uid, metadata.gid() == gid));
        closed.last().map(|(parent, _)| parent.to_owned())
    }
}

/// Whether a directory's mode lets someone through, as the kernel decides it: the first class that fits counts.
fn passable(mode: u32, owner: bool, group: bool) -> bool {
    match (owner, group) {
        (true, _) => mode & 0o100 != 0,
        (false, true) => mode & 0o010 != 0,
        (false, false) => mode & 0o001 != 0,
    }
}

/// The owner of an existing directory, unless that is root.
fn owner(directory: &Path) -> Option<Ids> {
    let metadata = fs::metadata(directory).ok()?;
    (metadata.uid() != 0).then(|| Ids { uid: metadata.uid(), gid: metadata.gid() })
}

fn postgres() -> Option<Ids> {
    passwd_entry(&fs::read_to_string("/etc/passwd").ok()?, "postgres")
}

fn passwd_entry(passwd: &str, name: &str) -> Option<Ids> {
    let fields: Vec<&str> =
        passwd.lines().map(|line| line.split(':').collect()).find(|fields: &Vec<&str>| fields[0] == name)?;
    Some(Ids { uid: fields.get(2)?.parse().ok()?, gid: fields.get(3)?.parse().ok()? })
}

/// Changes only what is not right yet, so that a warm start does not touch thousands of files.
fn give_all(path: &Path, uid: u32, gid: u32) -> io::Result<()> {
    let metadata = fs::symlink_metadata(path)?;
    if metadata.file_type().is_symlink() {
        return Ok(());
    }
    if metadata.uid() != uid {
        chown(path, Some(uid), Some(gid))?;
    }
    if metadata.is_dir() {
        for entry in fs::read_dir(path)? {
            match give_all(&entry?.path(), uid, gid) {
                // A running server makes and removes files all the time.
                Err(gone) if gone.kind() == io::ErrorKind::NotFound => {}
                other => other?,
            }
        }
    }
    Ok(())
}

fn real(directory: &Path) -> Result<PathBuf, Error> {
    fs::canonicalize(directory).map_err(error::io(format!("reading {}", directory.display())))
}

/// A name that stays the same for the same path (FNV-1a), for the place where the path itself cannot be used.
fn name_for(path: &Path) -> String {
    let hash = path.as_os_str().as_encoded_bytes().iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    format!("{hash:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_account_is_read_from_passwd() {
        let passwd = "root:x:0:0:root:/root:/bin/bash\npostgres:x:101:104:PostgreSQL,,,:/var/lib/postgresql:/bin/bash\n";
        assert_eq!(passwd_entry(passwd, "postgres"), Some(Ids { uid: 101, gid: 104 }));
        assert_eq!(passwd_entry(passwd, "postgre"), None);
        assert_eq!(passwd_entry("postgres:x\n", "postgres"), None);
        assert_eq!(passwd_entry("", "postgres"), None);
    }

    #[test]
    fn the_first_class_that_fits_decides() {
        assert!(passable(0o755, false, false));
        assert!(!passable(0o750, false, false));
        assert!(passable(0o750, false, true));
        assert!(!passable(0o071, true, true));
        assert!(passable(0o700, true, false));
    }

    #[test]
    fn names_are_stable() {
        assert_eq!(name_for(Path::new("")), "cbf29ce484222325");
        assert_eq!(name_for(Path::new("a")), "af63dc4c8601ec8c");
    }
}
