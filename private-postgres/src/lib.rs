//! A PostgreSQL cluster of our own, for a machine that has the programs but no server set up for us.
//!
//! `start` makes the cluster the first time, takes over a server that outlived its process, starts one otherwise,
//! and joins the one that another process of ours has started. The server listens on 127.0.0.1 and on a socket inside
//! its directory, asks for a random password kept beside the data, and stops with the last process that uses it.
//! `kill -9` of us or of the server loses nothing that was committed to a durable cluster.
//!
//! Everything is synchronous: call it before the runtime starts, or on a blocking thread.

mod account;
mod binaries;
mod error;
mod lock;
mod postmaster;
mod server;
mod setup;

use std::{
    fmt, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use rustix::process::Signal;

pub use binaries::find_binaries;
pub use error::Error;

const USER: &str = "devforge";
const DATABASE: &str = "devforge";

/// What kind of cluster, and where.
#[derive(Clone, Debug)]
pub struct Options {
    /// Ours alone: `data/`, `log/`, `password`, the locks and the socket live in it. Made when missing.
    pub data_dir: PathBuf,
    /// Whether a commit survives a power cut. Only tests do without.
    pub durable: bool,
    /// Taken by whoever starts the server. Who joins a running one gets what it has.
    pub max_connections: u32,
    /// As `max_connections`.
    pub shared_buffers_mb: u32,
}

/// A running server, and our share in it.
pub struct Cluster {
    bin: PathBuf,
    directory: PathBuf,
    port: u16,
    password: String,
    user: Option<lock::User>,
}

/// Starts or joins the cluster of `options.data_dir`.
pub fn start(options: &Options) -> Result<Cluster, Error> {
    let found = find_binaries()?;
    let (account, directory) = account::Account::settle(&options.data_dir)?;
    let turn = lock::Turn::take(&directory)?;
    let bin = setup::programs(&directory, found)?;
    setup::ensure(&bin, account, &directory, options)?;
    let user = lock::User::enter(&directory, &turn)?;
    let postmaster = match server::running(&directory.join("data")) {
        Some(postmaster) => postmaster,
        None => server::launch(&bin, account, &directory, options)?,
    };
    Ok(Cluster {
        bin,
        port: postmaster.port,
        password: setup::password(&directory)?,
        directory,
        user: Some(user),
    })
}

impl Cluster {
    /// The address of the database `devforge`, as its owner.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_of(DATABASE)
    }

    /// The address of another database in the same cluster.
    #[must_use]
    pub fn url_of(&self, database: &str) -> String {
        format!("postgres://{USER}:{}@127.0.0.1:{}/{database}", self.password, self.port)
    }

    /// Where this version's programs are: `psql`, `pgbench`, `pg_dump`.
    #[must_use]
    pub fn bin_dir(&self) -> &Path {
        &self.bin
    }

    /// Where the cluster really is, which may not be where it was asked for.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// One of PostgreSQL's client programs, told how to reach a database here. The password is not on its command line.
    #[must_use]
    pub fn client(&self, program: &str, database: &str) -> Command {
        let installed = self.bin.join(program);
        let mut command = if installed.is_file() { Command::new(installed) } else { Command::new(program) };
        command.env("PGHOST", "127.0.0.1").env("PGPORT", self.port.to_string()).env("PGUSER", USER);
        command.env("PGPASSWORD", &self.password).env("PGDATABASE", database).env("PGCONNECT_TIMEOUT", "10");
        command
    }

    /// Makes an empty database in this cluster.
    pub fn create_database(&self, name: &str) -> Result<(), Error> {
        let mut command = self.client("psql", DATABASE);
        command
            .args(["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--command"])
            .arg(format!("CREATE DATABASE \"{name}\""));
        let output = command.stdin(Stdio::null()).output().map_err(error::io("starting psql"))?;
        if output.status.success() {
            return Ok(());
        }
        Err(Error::Client {
            program: "psql".to_owned(),
            detail: error::last_lines(&String::from_utf8_lossy(&output.stderr)),
        })
    }

    /// Gives up our share. The last to leave stops the server and waits until all is written down.
    pub fn stop(mut self) -> Result<(), Error> {
        self.leave(Signal::INT).map(drop)
    }

    /// As `stop`, and removes the cluster with everything in it, unless others still use it. For throwaway clusters.
    pub fn remove(mut self) -> Result<(), Error> {
        if self.leave(Signal::QUIT)? {
            fs::remove_dir_all(&self.directory)
                .map_err(error::io(format!("removing {}", self.directory.display())))?;
        }
        Ok(())
    }

    /// Whether we were the last.
    fn leave(&mut self, signal: Signal) -> Result<bool, Error> {
        let Some(user) = self.user.take() else {
            return Ok(false);
        };
        let turn = lock::Turn::take(&self.directory)?;
        let last = user.leave(&self.directory, &turn)?;
        if last {
            server::stop(&self.directory.join("data"), signal)?;
        }
        Ok(last)
    }
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster")
            .field("directory", &self.directory)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Err(refusal) = self.leave(Signal::INT) {
            eprintln!("{refusal}");
        }
    }
}
