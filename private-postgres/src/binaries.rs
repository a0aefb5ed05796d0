//! Where PostgreSQL's programs are and which version they have.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::Error;

const DEBIAN: &str = "/usr/lib/postgresql";

/// The directory with `initdb` and `postgres`: from PATH, else the newest of Debian's.
pub fn find_binaries() -> Result<PathBuf, Error> {
    from_path(env::var_os("PATH").as_deref()).or_else(|| debian(None)).ok_or(Error::NotInstalled)
}

/// Debian keeps several major versions side by side, so data of an older one can still be served.
pub(crate) fn of_version(major: &str) -> Option<PathBuf> {
    debian(Some(major))
}

/// The major version of the programs in `bin`, as in `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`.
pub(crate) fn version(bin: &Path) -> Option<String> {
    let output = Command::new(bin.join("postgres")).arg("--version").output().ok()?;
    major(&String::from_utf8_lossy(&output.stdout))
}

fn major(line: &str) -> Option<String> {
    let version = line.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
    let digits: String = version.chars().take_while(char::is_ascii_digit).collect();
    Some(digits)
}

fn from_path(path: Option<&std::ffi::OsStr>) -> Option<PathBuf> {
    env::split_paths(path?)
        .filter(|directory| directory.is_absolute())
        .find(|directory| complete(directory))
        .map(|directory| {
            // A link in /usr/local/bin leads to the directory that also has psql, pgbench and the rest.
            match fs::canonicalize(directory.join("postgres")) {
                Ok(real) => real.parent().filter(|real| complete(real)).map_or(directory, Path::to_owned),
                Err(_) => directory,
            }
        })
}

fn debian(wanted: Option<&str>) -> Option<PathBuf> {
    let entries = fs::read_dir(DEBIAN).ok()?;
    let mut versions: Vec<(u32, PathBuf)> = entries
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let bin = entry.path().join("bin");
            let wanted = wanted.is_none_or(|wanted| wanted == name);
            (wanted && complete(&bin)).then_some((name.parse().ok()?, bin))
        })
        .collect();
    versions.sort();
    versions.pop().map(|(_, bin)| bin)
}

fn complete(directory: &Path) -> bool {
    ["initdb", "postgres"].iter().all(|program| directory.join(program).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn major_versions_are_read() {
        assert_eq!(major("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n").as_deref(), Some("15"));
        assert_eq!(major("postgres (PostgreSQL) 18devel").as_deref(), Some("18"));
        assert_eq!(major("postgres"), None);
    }

    #[test]
    fn a_path_without_the_programs_gives_nothing() {
        assert_eq!(from_path(Some("/nonexistent:relative".as_ref())), None);
        assert_eq!(from_path(None), None);
    }
}
