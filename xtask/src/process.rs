//! Child processes: with a clean environment, stopped in order, and Ctrl-C left to them.
//!
//! A terminal sends Ctrl-C to everyone in the foreground, so the children end by themselves. We take note, wait for
//! them, and then tidy up.

use std::{
    env,
    io::{Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, LazyLock, atomic::AtomicBool, atomic::Ordering},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use signal_hook::consts::{SIGINT, SIGTERM};

static INTERRUPTED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);
static TERMINATED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// From here on Ctrl-C and SIGTERM are noted instead of ending us at once.
pub fn watch_signals() -> Result<()> {
    signal_hook::flag::register(SIGINT, Arc::clone(&INTERRUPTED)).context("watching for Ctrl-C")?;
    signal_hook::flag::register(SIGTERM, Arc::clone(&TERMINATED)).context("watching for SIGTERM")?;
    Ok(())
}

/// Whether someone asked us to stop.
pub fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed) || TERMINATED.load(Ordering::Relaxed)
}

/// The repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is a directory of the repository")
}

/// Where cargo puts what it builds.
pub fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |target| root().join(target))
}

/// The server's program as cargo has built it.
pub fn server_program(profile: &str) -> PathBuf {
    target().join(profile).join("devforge")
}

/// A command in the repository, without what `cargo run` has set for us. Those variables describe the package xtask:
/// build scripts that look at them would run again, and everything after them be built again, on every change
/// between `cargo xtask` and plain `cargo`.
pub fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root());
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        let ours = [
            "CARGO_MANIFEST_DIR",
            "CARGO_MANIFEST_PATH",
            "CARGO_CRATE_NAME",
            "CARGO_PRIMARY_PACKAGE",
            "OUT_DIR",
        ];
        if ours.contains(&&*text) || text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_BIN_") {
            command.env_remove(&name);
        }
    }
    command
}

/// The cargo that started us.
pub fn cargo<const N: usize>(args: [&str; N]) -> Command {
    let mut command = command(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(args);
    command
}

/// Runs a command with its output passed through. Not to succeed is an error.
pub fn run(command: &mut Command) -> Result<()> {
    let mut child = command.spawn().with_context(|| format!("cannot start `{}`", line(command)))?;
    let status = wait(&mut child)?;
    if interrupted() {
        bail!("stopped");
    }
    if !status.success() {
        bail!("`{}` failed ({status})", line(command));
    }
    Ok(())
}

/// Runs a command and gives back what it printed.
pub fn output(command: &mut Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let output = output.with_context(|| format!("cannot start `{}`", line(command)))?;
    if !output.status.success() {
        bail!("`{}` failed ({})", line(command), output.status);
    }
    String::from_utf8(output.stdout)
        .with_context(|| format!("`{}` printed something that is not text", line(command)))
}

/// Whether a command can be started and succeeds, in silence.
pub fn succeeds(command: &mut Command) -> bool {
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

fn wait(child: &mut Child) -> Result<ExitStatus> {
    let mut told = false;
    loop {
        if let Some(status) = child.try_wait().context("waiting for a program")? {
            return Ok(status);
        }
        if !told && TERMINATED.load(Ordering::Relaxed) {
            // Unlike Ctrl-C this was sent to us alone.
            told = true;
            signal(child, Signal::TERM);
        }
        thread::sleep(Duration::from_millis(10));
    }
}

fn signal(child: &Child, signal: Signal) {
    if let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        // It can only be gone already.
        let _ = kill_process(pid, signal);
    }
}

fn line(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy();
    let args = command.get_args().map(|arg| arg.to_string_lossy());
    std::iter::once(program).chain(args).collect::<Vec<_>>().join(" ")
}

/// A server that runs beside us and ends with us.
pub struct Server {
    child: Child,
}

impl Server {
    pub fn start(command: &mut Command) -> Result<Self> {
        let child = command.spawn().with_context(|| format!("cannot start `{}`", line(command)))?;
        Ok(Self { child })
    }

    /// The number of its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it ended by itself.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        self.child.try_wait().context("looking after the server")
    }

    /// Waits until `http://127.0.0.1:port/readyz` answers 200.
    pub fn wait_until_ready(&mut self, port: u16) -> Result<()> {
        let start = Instant::now();
        while http_status(port, "/readyz") != Some(200) {
            if let Some(status) = self.ended()? {
                bail!("the server ended before it was ready ({status})");
            }
            if interrupted() {
                bail!("stopped");
            }
            if start.elapsed() > Duration::from_secs(90) {
                bail!("the server was not ready after 90 s: /readyz on port {port} does not answer 200");
            }
            thread::sleep(Duration::from_millis(100));
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let start = Instant::now();
        // After Ctrl-C it is on its way already, and a second signal would hurry it.
        if !INTERRUPTED.load(Ordering::Relaxed) {
            signal(&self.child, Signal::TERM);
        }
        while matches!(self.child.try_wait(), Ok(None)) {
            if start.elapsed() > Duration::from_secs(40) {
                let _ = self.child.kill();
                let _ = self.child.wait();
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
    }
}

fn http_status(port: u16, path: &str) -> Option<u16> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n").ok()?;
    let mut start = [0_u8; 12];
    stream.read_exact(&mut start).ok()?;
    std::str::from_utf8(&start[9..]).ok()?.parse().ok()
}

/// A port that was free a moment ago.
pub fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("opening a port on 127.0.0.1")?;
    Ok(listener.local_addr().context("reading the port")?.port())
}

/// Names a long step, and says how long it took.
pub fn step<T>(name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    eprintln!("{name}");
    let start = Instant::now();
    let result = work()?;
    let seconds = start.elapsed().as_secs_f64();
    if seconds >= 1.0 {
        eprintln!("{name}: done in {seconds:.1} s");
    }
    Ok(result)
}
