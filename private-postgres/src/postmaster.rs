//! What `postmaster.pid` says, and whether it is still true.
//!
//! PostgreSQL writes the file at its start and removes it at its end. After `kill -9` or a power cut it is stale:
//! its number may be nobody's, or that of a process that has nothing to do with us.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, TcpStream},
    path::Path,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Postmaster {
    pub(crate) pid: u32,
    pub(crate) port: u16,
    ready: bool,
}

impl Postmaster {
    /// The living server of this data directory.
    pub(crate) fn find(data: &Path) -> Option<Self> {
        let file = fs::read_to_string(data.join("postmaster.pid")).ok()?;
        Self::parse(&file).filter(|postmaster| serves(postmaster.pid, data))
    }

    /// The lines are: pid, data directory, start time, port, socket directory, address, shared memory, state.
    fn parse(file: &str) -> Option<Self> {
        let mut lines = file.lines().map(str::trim);
        let pid = lines.next()?.parse().ok().filter(|pid| *pid > 0)?;
        let port = lines.nth(2).and_then(|port| port.parse().ok()).unwrap_or(0);
        let ready = lines.nth(3) == Some("ready");
        Some(Self { pid, port, ready })
    }

    /// Ready by its own word, and its port answers.
    pub(crate) fn answers(&self) -> bool {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        self.ready && TcpStream::connect_timeout(&address, Duration::from_secs(2)).is_ok()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.pid).ok().and_then(Pid::from_raw);
        if let Some(pid) = pid {
            // The only failure is that it is gone already, which is what a signal is sent for.
            let _ = kill_process(pid, signal);
        }
    }
}

/// Takes away a file whose number now belongs to another process, or to one that is dead and not yet waited for.
/// PostgreSQL would take either for a running server and refuse to start. Files with a free number it clears itself.
/// Only for whoever holds the turn and has found no living server.
pub(crate) fn clear_stale(data: &Path) {
    let path = data.join("postmaster.pid");
    let taken = fs::read_to_string(&path)
        .ok()
        .and_then(|file| Postmaster::parse(&file))
        .is_some_and(|stale| exists(stale.pid));
    if taken {
        // When this fails, PostgreSQL's own message about the file says so.
        let _ = fs::remove_file(path);
    }
}

fn exists(pid: u32) -> bool {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    pid.is_some_and(|pid| test_kill_process(pid) != Err(rustix::io::Errno::SRCH))
}

/// Whether this process is alive and is a PostgreSQL of this very directory.
pub(crate) fn serves(pid: u32, data: &Path) -> bool {
    if !Path::new("/proc/self/stat").exists() {
        // Without /proc the number alone has to do.
        return exists(pid);
    }
    let process = Path::new("/proc").join(pid.to_string());
    let alive = fs::read_to_string(process.join("stat")).is_ok_and(|stat| runs(&stat));
    alive && fs::read(process.join("cmdline")).is_ok_and(|line| names(&line, data))
}

/// A dead process that nobody has waited for still has its entry under `/proc`, in state Z.
fn runs(stat: &str) -> bool {
    // The second field is the program's name in brackets and may itself hold spaces and brackets.
    let state = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().next());
    state.is_some_and(|state| !matches!(state, "Z" | "X" | "x"))
}

fn names(command_line: &[u8], data: &Path) -> bool {
    command_line.split(|byte| *byte == 0).any(|argument| argument == data.as_os_str().as_encoded_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "41723\n/srv/postgres/data\n1763680000\n40127\n/srv/postgres\n127.0.0.1\n  7878787    294912\nready   \n";

    #[test]
    fn a_whole_file_is_read() {
        assert_eq!(Postmaster::parse(FILE), Some(Postmaster { pid: 41723, port: 40127, ready: true }));
    }

    #[test]
    fn an_empty_socket_directory_keeps_its_line() {
        let file = FILE.replace("/srv/postgres\n127", "\n127").replace("ready   ", "starting");
        assert_eq!(Postmaster::parse(&file), Some(Postmaster { pid: 41723, port: 40127, ready: false }));
    }

    #[test]
    fn a_file_cut_short_is_not_ready() {
        assert_eq!(
            Postmaster::parse("41723\n/srv\n"),
            Some(Postmaster { pid: 41723, port: 0, ready: false })
        );
        assert_eq!(Postmaster::parse(""), None);
        assert_eq!(Postmaster::parse("-7\n"), None);
        assert_eq!(Postmaster::parse("garbage"), None);
    }

    #[test]
    fn states_are_read_behind_the_name() {
        assert!(runs("7 (postgres) S 1 7 7 0"));
        assert!(runs("7 (a) Z (b) R 1 7 7 0"));
        assert!(!runs("7 (postgres) Z 1 7 7 0"));
        assert!(!runs(""));
    }

    #[test]
    fn only_a_whole_argument_counts() {
        let line = b"/usr/lib/postgresql/15/bin/postgres\0-D\0/srv/postgres/data\0";
        assert!(names(line, Path::new("/srv/postgres/data")));
        assert!(!names(line, Path::new("/srv/postgres")));
        assert!(!names(b"", Path::new("/srv/postgres")));
    }

    #[test]
    fn we_are_no_postgres() {
        assert!(!serves(std::process::id(), Path::new("/srv/postgres/data")));
        assert!(!serves(u32::MAX, Path::new("/")));
    }
}
