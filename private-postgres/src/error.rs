//! What can go wrong, each as one line that says what to do.

use std::{fmt, io, path::PathBuf};

/// Every variant's text is a single line ending with what to do about it.
#[derive(Debug)]
pub enum Error {
    /// Neither PATH nor `/usr/lib/postgresql` has the programs.
    NotInstalled,
    /// We are root, PostgreSQL refuses to run as root, and there is no `postgres` user to become.
    NoAccount,
    /// The data was written by another major version than the programs we found.
    VersionMismatch { directory: PathBuf, data: String, programs: String },
    /// The directory exists and this user may not use it.
    NotOurs { directory: PathBuf },
    /// Another process has been starting or stopping this cluster for too long.
    Busy { directory: PathBuf },
    /// The disk is full.
    DiskFull { directory: PathBuf, detail: String },
    /// `initdb` failed.
    NotCreated { directory: PathBuf, detail: String },
    /// The server did not come up.
    NotStarted { directory: PathBuf, detail: String },
    /// The server did not go down.
    NotStopped { directory: PathBuf, pid: u32 },
    /// A client program failed.
    Client { program: String, detail: String },
    /// The file system refused something.
    Io { doing: String, source: io::Error },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotInstalled => write!(
                f,
                "PostgreSQL is not installed: type `sudo apt-get install postgresql`, or set DATABASE_URL to a server you have"
            ),
            Self::NoAccount => write!(
                f,
                "PostgreSQL does not run as root and there is no user named postgres: type `useradd --system postgres`, \
                 run as another user, or set DATABASE_URL"
            ),
            Self::VersionMismatch { directory, data, programs } => write!(
                f,
                "the data in {} was made by PostgreSQL {data} and only {programs} is installed: type `sudo apt-get install \
                 postgresql-{data}`, or move that directory away to begin with an empty database",
                directory.display()
            ),
            Self::NotOurs { directory } => write!(
                f,
                "{} belongs to another user: run as that user, or move it away to begin with an empty database",
                directory.display()
            ),
            Self::Busy { directory } => write!(
                f,
                "another process has been starting or stopping the PostgreSQL in {} for two minutes: end that process and try again",
                directory.display()
            ),
            Self::DiskFull { directory, detail } => write!(
                f,
                "the disk that holds {} is full: free some space and try again ({detail})",
                directory.display()
            ),
            Self::NotCreated { directory, detail } => write!(
                f,
                "initdb could not make a database in {}: correct what it names and try again ({detail})",
                directory.display()
            ),
            Self::NotStarted { directory, detail } => write!(
                f,
                "PostgreSQL in {dir} did not start: correct what it names, the whole story is in {dir}/log ({detail})",
                dir = directory.display()
            ),
            Self::NotStopped { directory, pid } => write!(
                f,
                "PostgreSQL in {} did not stop within a minute: look at process {pid}, end it with `kill -QUIT {pid}`",
                directory.display()
            ),
            Self::Client { program, detail } => {
                write!(f, "{program} failed: correct what it names and try again ({detail})")
            }
            Self::Io { doing, source } if source.kind() == io::ErrorKind::StorageFull => {
                write!(f, "the disk is full while {doing}: free some space and try again")
            }
            Self::Io { doing, .. } => write!(f, "the file system refused {doing}: check its permissions"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}

/// Names what was being done when the file system said no.
pub(crate) fn io(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Error {
    let doing = doing.into();
    move |source| Error::Io { doing, source }
}

/// The last lines of a program's output, as one line.
pub(crate) fn last_lines(output: &str) -> String {
    let lines: Vec<&str> = output.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let start = lines.len().saturating_sub(6);
    if lines.is_empty() { "it said nothing".to_owned() } else { lines[start..].join("; ") }
}

/// Whether a program's output says that the disk is full.
pub(crate) fn says_disk_full(output: &str) -> bool {
    ["No space left on device", "Disk quota exceeded", "Check free disk space"]
        .iter()
        .any(|words| output.contains(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_is_one_line() {
        let directory = PathBuf::from("/data");
        let errors = [
            Error::NotInstalled,
            Error::NoAccount,
            Error::VersionMismatch { directory: directory.clone(), data: "15".into(), programs: "17".into() },
            Error::NotOurs { directory: directory.clone() },
            Error::Busy { directory: directory.clone() },
            Error::DiskFull { directory: directory.clone(), detail: "x".into() },
            Error::NotCreated { directory: directory.clone(), detail: "x".into() },
            Error::NotStarted { directory: directory.clone(), detail: "x".into() },
            Error::NotStopped { directory, pid: 7 },
            Error::Client { program: "psql".into(), detail: "x".into() },
        ];
        for error in errors {
            let text = error.to_string();
            assert!(!text.contains('\n') && !text.contains("  "), "{text}");
        }
    }

    #[test]
    fn the_last_lines_are_joined() {
        assert_eq!(last_lines("\n one \n\n two\n"), "one; two");
        assert_eq!(last_lines(""), "it said nothing");
        assert_eq!(last_lines("1\n2\n3\n4\n5\n6\n7"), "2; 3; 4; 5; 6; 7");
    }
}
