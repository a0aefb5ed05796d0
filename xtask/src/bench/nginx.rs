//! An nginx of our own that answers with the same bytes as devforge: the same bodies, the same headers.
//!
//! It is set up as someone would who wants it fast: two workers, files kept open, no log.

use std::{
    fs::{self, File},
    path::Path,
    process::Stdio,
};

use anyhow::{Context, Result, bail};

use super::client::{self, Answer};
use crate::process::{Server, command, free_port};

pub const BROTLI: &str = "/brotli";
pub const PLAIN: &str = "/plain";

/// Headers that nginx writes itself, or that belong to one connection.
const OWN: [&str; 7] =
    ["connection", "content-length", "content-type", "date", "last-modified", "server", "transfer-encoding"];

pub struct Nginx {
    pub server: Server,
    pub port: u16,
}

/// Starts it in `directory`, and makes sure that it answers as devforge did.
pub fn start(program: &Path, directory: &Path, brotli: &Answer, plain: &Answer) -> Result<Nginx> {
    fs::create_dir_all(directory).with_context(|| format!("making {}", directory.display()))?;
    for (name, answer) in [(BROTLI, brotli), (PLAIN, plain)] {
        fs::write(body(directory, name), &answer.body).context("writing what nginx serves")?;
    }
    let port = free_port()?;
    let config = directory.join("nginx.conf");
    let text = configuration(directory, port, &built_without(program)?, brotli, plain);
    fs::write(&config, text).context("writing nginx.conf")?;
    let log = directory.join("nginx.log");
    let words = File::create(&log).context("writing nginx's log")?;
    let mut nginx = command(program);
    nginx.arg("-p").arg(directory).arg("-c").arg(&config).args(["-g", "daemon off;"]);
    nginx.stdin(Stdio::null()).stdout(words.try_clone().context("writing nginx's log")?).stderr(words);
    let mut server = Server::start(&mut nginx)?;
    server.wait_until_ready(port).with_context(|| {
        let said = fs::read_to_string(&log).unwrap_or_default();
        format!("nginx does not serve: {}", said.trim())
    })?;
    for (path, answer) in [(BROTLI, brotli), (PLAIN, plain)] {
        let served = client::get(port, path, &[])?;
        let same = |name: &str| served.header(name) == answer.header(name);
        if served.body != answer.body || !same("content-encoding") || !same("content-type") {
            bail!("nginx does not answer {path} with the bytes of devforge's home page");
        }
    }
    Ok(Nginx { server, port })
}

fn body(directory: &Path, name: &str) -> std::path::PathBuf {
    directory.join(name.trim_start_matches('/'))
}

/// How it was built. It prints this to standard error.
fn built_without(program: &Path) -> Result<String> {
    let printed = command(program).arg("-V").stdin(Stdio::null()).output();
    let printed = printed.with_context(|| format!("cannot start {}", program.display()))?;
    Ok(String::from_utf8_lossy(&printed.stderr).into_owned())
}

fn configuration(directory: &Path, port: u16, built: &str, brotli: &Answer, plain: &Answer) -> String {
    let at = |name: &str| quoted(&directory.join(name).display().to_string());
    // Its workers would become a user that cannot read our directory.
    let user = if rustix::process::geteuid().is_root() { "user root;\n" } else { "" };
    // It makes these for every module it has, and the places it was built with belong to its service.
    let temporary: String = ["proxy", "fastcgi", "uwsgi", "scgi"]
        .iter()
        .filter(|module| !built.contains(&format!("--without-http_{module}_module")))
        .map(|module| format!("    {module}_temp_path {};\n", at(&format!("{module}.tmp"))))
        .collect();
    let location = |path: &str, answer: &Answer| {
        let kind = quoted(answer.header("content-type").unwrap_or("text/html"));
        let headers: String = answer
            .headers
            .iter()
            .filter(|(name, _)| !OWN.contains(&name.as_str()))
            .map(|(name, value)| format!("            add_header {name} {};\n", quoted(value)))
            .collect();
        let file = quoted(&body(directory, path).display().to_string());
        format!(
            "        location = {path} {{\n            alias {file};\n            default_type {kind};\n{headers}        }}\n"
        )
    };
    format!(
        "{user}worker_processes 2;\npid {pid};\nerror_log stderr warn;\nevents {{ worker_connections 1024; }}\n\
         http {{\n    access_log off;\n    sendfile on;\n    tcp_nopush on;\n    tcp_nodelay on;\n    \
         server_tokens off;\n    etag off;\n    types {{ }}\n    keepalive_timeout 75s;\n    \
         keepalive_requests 1000000000;\n    open_file_cache max=16;\n    open_file_cache_valid 60s;\n    \
         client_body_temp_path {body};\n{temporary}    server {{\n        listen 127.0.0.1:{port};\n        \
         location = /readyz {{ return 200; }}\n{brotli}{plain}    }}\n}}\n",
        pid = at("nginx.pid"),
        body = at("body.tmp"),
        brotli = location(BROTLI, brotli),
        plain = location(PLAIN, plain),
    )
}

/// A value in nginx's own notation. A dollar sign would begin a variable, and there is no way to write one: another
/// letter has the same length.
fn quoted(value: &str) -> String {
    let escaped = value.replace('\\', "\\\\").replace('"', "\\\"").replace('$', "S");
    format!("\"{escaped}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(encoding: &str) -> Answer {
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        Answer {
            status: 200,
            headers: vec![
                header("content-type", "text/html; charset=utf-8"),
                header("content-length", "3"),
                header("content-encoding", encoding),
                header("etag", "W/\"ab\""),
            ],
            body: b"abc".to_vec(),
        }
    }

    #[test]
    fn headers_are_those_of_the_answer() {
        let text =
            configuration(Path::new("/t"), 81, "--without-http_scgi_module", &answer("br"), &answer("x"));
        assert!(text.contains("add_header content-encoding \"br\";"), "{text}");
        assert!(text.contains("add_header etag \"W/\\\"ab\\\"\";"), "{text}");
        assert!(text.contains("default_type \"text/html; charset=utf-8\";"), "{text}");
        assert!(!text.contains("content-length"), "{text}");
        assert!(text.contains("fastcgi_temp_path") && !text.contains("scgi_temp_path \"/t/scgi"), "{text}");
    }

    #[test]
    fn values_are_quoted() {
        assert_eq!(quoted("a; \"b\" \\ $c"), "\"a; \\\"b\\\" \\\\ Sc\"");
    }
}
