//! Making a new cluster: all of it or nothing.
//!
//! `initdb` works in `data.new`, which becomes `data` only when the database in it exists too. So a start that was
//! cut short leaves nothing that a later one could mistake for a cluster.

use std::{
    fs,
    io::{Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    process::{Output, Stdio},
};

use crate::{DATABASE, Error, Options, USER, account::Account, binaries, error};

/// The programs that can serve this data, which may be older ones than those found first.
pub(crate) fn programs(directory: &Path, found: PathBuf) -> Result<PathBuf, Error> {
    let Ok(file) = fs::read_to_string(directory.join("data/PG_VERSION")) else {
        return Ok(found);
    };
    let data = file.trim().to_owned();
    let programs = binaries::version(&found).unwrap_or_else(|| "an unknown version".to_owned());
    if programs == data {
        return Ok(found);
    }
    binaries::of_version(&data).ok_or(Error::VersionMismatch {
        directory: directory.to_owned(),
        data,
        programs,
    })
}

/// Makes `data` and `password` when there is no cluster yet.
pub(crate) fn ensure(bin: &Path, account: Account, directory: &Path, options: &Options) -> Result<(), Error> {
    let data = directory.join("data");
    if data.join("PG_VERSION").is_file() {
        return Ok(());
    }
    let new = directory.join("data.new");
    remove(&new)?;
    let made = make(bin, account, directory, &new, options);
    if made.is_err() {
        // On a full disk this is what makes room again.
        let _ = remove(&new);
    }
    made?;
    fs::rename(&new, &data).map_err(error::io(format!("naming {}", data.display())))
}

fn make(bin: &Path, account: Account, directory: &Path, new: &Path, options: &Options) -> Result<(), Error> {
    let password = directory.join("password");
    write_password(&password)?;
    account.give(&password)?;

    let initdb = |locale: &str| -> Result<Output, Error> {
        let mut command = account.command(&bin.join("initdb"), directory);
        command.arg("--pgdata").arg(new).arg("--username").arg(USER).arg("--pwfile").arg(&password);
        command.args(["--auth=scram-sha-256", "--encoding=UTF8", "--locale", locale]);
        if !options.durable {
            command.arg("--no-sync");
        }
        command.stdin(Stdio::null()).output().map_err(error::io("starting initdb"))
    };
    let mut output = initdb("C.UTF-8")?;
    if !output.status.success() && text(&output).contains("locale") {
        remove(new)?;
        output = initdb("C")?;
    }
    check(&output, directory)?;

    // Single-user mode needs no client program, no port and no password.
    let mut command = account.command(&bin.join("postgres"), directory);
    command.arg("--single").arg("-D").arg(new).args(["-c", "exit_on_error=true"]);
    if !options.durable {
        command.args(["-c", "fsync=off"]);
    }
    command.arg("postgres").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(error::io("starting postgres"))?;
    if let Some(mut stdin) = child.stdin.take() {
        // When it is gone already, its exit status and its words tell why.
        let _ = writeln!(stdin, "CREATE DATABASE {DATABASE}");
    }
    check(&child.wait_with_output().map_err(error::io("waiting for postgres"))?, directory)
}

fn check(output: &Output, directory: &Path) -> Result<(), Error> {
    if output.status.success() {
        return Ok(());
    }
    let said = text(output);
    let (directory, detail) = (directory.to_owned(), error::last_lines(&said));
    Err(if error::says_disk_full(&said) {
        Error::DiskFull { directory, detail }
    } else {
        Error::NotCreated { directory, detail }
    })
}

fn text(output: &Output) -> String {
    format!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn remove(directory: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(directory) {
        Err(refusal) if refusal.kind() != std::io::ErrorKind::NotFound => {
            Err(error::io(format!("removing {}", directory.display()))(refusal))
        }
        _ => Ok(()),
    }
}

fn write_password(path: &Path) -> Result<(), Error> {
    let mut random = [0_u8; 24];
    let source = fs::File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut random));
    source.map_err(error::io("reading /dev/urandom"))?;
    let password: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    match fs::remove_file(path) {
        Err(refusal) if refusal.kind() != std::io::ErrorKind::NotFound => {
            return Err(error::io(format!("removing {}", path.display()))(refusal));
        }
        _ => {}
    }
    let file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    file.and_then(|mut file| file.write_all(password.as_bytes()))
        .map_err(error::io(format!("writing {}", path.display())))
}

/// The cluster's password.
pub(crate) fn password(directory: &Path) -> Result<String, Error> {
    let path = directory.join("password");
    let password = fs::read_to_string(&path).map_err(error::io(format!("reading {}", path.display())))?;
    Ok(password.trim().to_owned())
}
