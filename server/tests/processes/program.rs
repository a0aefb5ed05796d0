//! One run of the program `devforge`, as a child process in a folder of its own.

use std::{
    io::Write,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use devforge::{audit, context::Context};
use sqlx::{Connection, PgConnection};
use tokio::time::{Instant, sleep};

const START_LIMIT: Duration = Duration::from_secs(90);
const PROBE: Duration = Duration::from_millis(50);

pub struct Program {
    child: Option<Child>,
    port: u16,
    data_dir: PathBuf,
    log: PathBuf,
}

/// Follows nothing, so that a redirect is seen as one.
fn client() -> reqwest::Client {
    // The client wants a TLS provider even where it speaks plain HTTP. A second call changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client")
}

pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

/// The program without anything of the test's own environment.
fn command(data_dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_devforge"));
    for (name, _) in std::env::vars() {
        let ours = ["DEVFORGE_", "STRIPE_", "TAXJAR_"].iter().any(|prefix| name.starts_with(prefix));
        if ours || name == "DATABASE_URL" {
            command.env_remove(name);
        }
    }
    command.env("DEVFORGE_DATA_DIR", data_dir).current_dir(data_dir);
    command
}

/// Runs a command to its end: whether it succeeded, and what it said.
pub fn run(data_dir: &Path, arguments: &[&str]) -> (bool, String) {
    run_with_input(data_dir, arguments, "")
}

pub fn run_with_input(data_dir: &Path, arguments: &[&str], input: &str) -> (bool, String) {
    let mut command = command(data_dir);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    // A command that does not read its input may be gone already.
    let _ = child.stdin.take().expect("its input is piped").write_all(input.as_bytes());
    let output = child.wait_with_output().expect("the program ends");
    let words = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&words).into_owned())
}

impl Program {
    /// `devforge serve` with its own private PostgreSQL and demo people.
    pub fn private(data_dir: &Path, port: u16, password: &str) -> Self {
        Self::with(data_dir, port, password, &[])
    }

    pub fn with(data_dir: &Path, port: u16, password: &str, environment: &[(&str, &str)]) -> Self {
        let log = data_dir.join(format!("server-{port}.log"));
        let words = std::fs::OpenOptions::new().create(true).append(true).open(&log).expect("a log");
        let mut command = command(data_dir);
        command
            .arg("serve")
            .env("DEVFORGE_HTTP_ADDRESS", format!("127.0.0.1:{port}"))
            .env("DEVFORGE_HTTP_RATE_PER_MINUTE", "0")
            .env("DEVFORGE_SEED", "demo")
            .env("DEVFORGE_DEMO_PASSWORD", password)
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(words.try_clone().expect("a second handle"))
            .stderr(words);
        let child = command.spawn().expect("the program starts");
        Self { child: Some(child), port, data_dir: data_dir.to_owned(), log }
    }

    pub fn base(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn words(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Waits for a program that cannot start, and gives what it said last.
    pub fn last_words(mut self) -> String {
        let mut child = self.child.take().expect("it was started");
        let status = child.wait().expect("the program ends");
        assert!(!status.success(), "it should not have started");
        self.words().lines().last().unwrap_or_default().to_owned()
    }

    pub async fn wait_until_ready(&mut self) {
        let deadline = Instant::now() + START_LIMIT;
        loop {
            if let Ok(answer) = client().get(format!("{}/readyz", self.base())).send().await
                && answer.status() == 200
            {
                return;
            }
            let ended =
                self.child.as_mut().expect("it was started").try_wait().expect("its state can be asked");
            assert!(
                ended.is_none() && Instant::now() < deadline,
                "it did not become ready:\n{}",
                self.words()
            );
            sleep(PROBE).await;
        }
    }

    pub async fn get(&self, path: &str, cookie: Option<&str>) -> (u16, String) {
        let mut request = client().get(format!("{}{path}", self.base()));
        if let Some(cookie) = cookie {
            request = request.header("cookie", cookie);
        }
        let answer = request.send().await.expect("an answer");
        (answer.status().as_u16(), answer.text().await.expect("a body"))
    }

    /// The address of the database in the private cluster of this data folder.
    pub fn database_url(&self) -> String {
        // Joining costs nothing while the program runs, and gives the address that it uses.
        let cluster = private_postgres::start(&private_postgres::Options {
            data_dir: self.data_dir.join("postgres"),
            durable: true,
            max_connections: 100,
            shared_buffers_mb: 128,
        })
        .expect("the running cluster is joined");
        cluster.url()
    }

    pub async fn sessions(&self) -> i64 {
        let mut conn = PgConnection::connect(&self.database_url()).await.expect("connected");
        sqlx::query_scalar("select count(*) from session").fetch_one(&mut conn).await.expect("counted")
    }

    pub async fn wait_until_sessions_exceed(&self, count: i64) {
        let mut conn = PgConnection::connect(&self.database_url()).await.expect("connected");
        let deadline = Instant::now() + START_LIMIT;
        loop {
            let sessions: i64 = sqlx::query_scalar("select count(*) from session")
                .fetch_one(&mut conn)
                .await
                .expect("counted");
            if sessions > count {
                return;
            }
            assert!(Instant::now() < deadline, "nobody signs in:\n{}", self.words());
            sleep(PROBE).await;
        }
    }

    pub async fn wait_until_sealed(&self, ctx: &Context) {
        let deadline = Instant::now() + START_LIMIT;
        while audit::verify(&ctx.db).await.expect("the chain holds").unsealed > 0 {
            assert!(Instant::now() < deadline, "the sealer does not come by");
            sleep(PROBE).await;
        }
    }

    /// SIGKILL: the program gets no chance to tidy up.
    pub fn kill(&mut self) {
        let mut child = self.child.take().expect("it was started");
        child.kill().expect("it can be killed");
        child.wait().expect("it is gone");
    }

    /// SIGTERM, and waits for the orderly end.
    pub fn stop(mut self) {
        let mut child = self.child.take().expect("it was started");
        let id = child.id().to_string();
        let told = Command::new("kill").args(["-TERM", &id]).status().expect("kill runs");
        assert!(told.success());
        let status = child.wait().expect("it ends");
        assert!(status.success(), "it did not end in order:\n{}", self.words());
    }
}

impl Drop for Program {
    /// After a failed assertion nothing is left running: neither the program nor its cluster.
    fn drop(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        let _ = child.kill();
        let _ = child.wait();
        let _ = private_postgres::start(&private_postgres::Options {
            data_dir: self.data_dir.join("postgres"),
            durable: true,
            max_connections: 100,
            shared_buffers_mb: 128,
        })
        .and_then(private_postgres::Cluster::stop);
    }
}

/// Signs in through the form: the session cookie, or an error when the server does not answer with one.
pub async fn sign_in(base: &str, email: &str, password: &str) -> Result<String, String> {
    let form = format!("email={}&password={}", email.replace('@', "%40"), password.replace(' ', "+"));
    let answer = client()
        .post(format!("{base}/sign-in"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form)
        .send()
        .await
        .map_err(|error| error.to_string())?;
    if answer.status() != 303 {
        return Err(format!("answered {}", answer.status()));
    }
    let cookie = answer.headers().get("set-cookie").and_then(|value| value.to_str().ok()).unwrap_or_default();
    Ok(cookie.split(';').next().unwrap_or_default().to_owned())
}
