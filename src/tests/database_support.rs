//! A database of its own for each test, cloned from a template that is migrated once. Both integration binaries
//! use it.
//!
//! What always holds: no test sees what another wrote; a test that ends well leaves no job waiting and no
//! database behind.

use std::{
    path::Path,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use devforge::{
    config::{Config, DatabaseConfig, Secret, Sources},
    crypto, db, jobs,
    random::Random,
};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use url::Url;

/// Raised when the template must change for another reason than a migration, such as a newer job queue.
const TEMPLATE_VERSION: &str = "1";
/// Key of the advisory lock under which the template is made.
const TEMPLATE_LOCK: i64 = 0x6465_7666_7465;

pub struct TestDatabase {
    server: Url,
    name: String,
}

impl TestDatabase {
    pub async fn create() -> Self {
        let server = server_url();
        let template = Box::pin(template(&server)).await;
        let name = unique_name();
        let mut admin = connect(&server).await;
        run(&mut admin, format!("create database {name} template {template}")).await;
        admin.close().await.expect("closed");
        Self { server, name }
    }

    /// Everything at its default, but for what would reach out of the test.
    pub fn config(&self, data_dir: &Path) -> Config {
        let url = database_url(&self.server, &self.name);
        let data_dir = data_dir.to_string_lossy();
        let sources = Sources::from_pairs([
            ("DEVFORGE_MODE", "development"),
            ("DEVFORGE_DATA_DIR", &*data_dir),
            ("DEVFORGE_SECRET", "a secret that only tests use"),
            ("DEVFORGE_HTTP_RATE_PER_MINUTE", "0"),
            // Tests that sell start a simulated Stripe of their own.
            ("DEVFORGE_STRIPE_SIMULATOR", "off"),
            ("DATABASE_URL", url.as_str()),
            ("DEVFORGE_DATABASE_MAX_CONNECTIONS", "8"),
            ("DEVFORGE_DATABASE_ACQUIRE_TIMEOUT_SECONDS", "10"),
        ]);
        Config::load(&sources.expect("these keys exist"), &Random::System).expect("a configuration")
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        // After a failure the database stays, to be looked at.
        if std::thread::panicking() {
            return;
        }
        let (server, name) = (self.server.clone(), self.name.clone());
        // `drop` cannot wait for a future, and the test's own runtime stands still meanwhile.
        let cleaning = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let left = jobs_left(&database_url(&server, &name)).await;
                let mut admin = connect(&server).await;
                run(&mut admin, format!("drop database {name} with (force)")).await;
                left
            })
        });
        let left = cleaning.join().expect("the database is looked at and dropped");
        assert_eq!(left, 0, "the test ends with jobs that nobody ran");
    }
}

/// The server that tests may fill with databases.
pub fn server_url() -> Url {
    let url = std::env::var("DATABASE_URL").unwrap_or_default();
    assert!(
        !url.is_empty(),
        "DATABASE_URL is not set, and this test needs a PostgreSQL: type `cargo xtask test rust`, which starts one"
    );
    url.parse().expect("DATABASE_URL is an address such as postgres://user:password@host/database")
}

fn database_url(server: &Url, name: &str) -> Url {
    let mut url = server.clone();
    url.set_path(name);
    url
}

async fn connect(url: &Url) -> PgConnection {
    Box::pin(PgConnection::connect(url.as_str())).await.expect("the PostgreSQL of DATABASE_URL answers")
}

/// For statements that take no parameters; the names in them are our own.
async fn run(connection: &mut PgConnection, statement: String) {
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(connection).await.expect("the statement works");
}

/// The name of the database that the others are clones of, made when it is not there yet.
async fn template(server: &Url) -> String {
    let name = template_name();
    let mut admin = connect(server).await;
    // Of tests that start at the same time, one makes it and the others wait here.
    sqlx::query("select pg_advisory_lock($1)").bind(TEMPLATE_LOCK).execute(&mut admin).await.expect("locked");
    let exists: bool = sqlx::query_scalar("select exists (select 1 from pg_database where datname = $1)")
        .bind(&name)
        .fetch_one(&mut admin)
        .await
        .expect("asked");
    if !exists {
        // Only what is whole gets the name, so that a run that is interrupted leaves no half template.
        let draft = format!("{name}_draft");
        run(&mut admin, format!("drop database if exists {draft} with (force)")).await;
        run(&mut admin, format!("create database {draft}")).await;
        fill(&database_url(server, &draft)).await;
        run(&mut admin, format!("alter database {draft} rename to {name}")).await;
    }
    // The lock goes with the connection.
    admin.close().await.expect("closed");
    name
}

async fn fill(url: &Url) {
    let config = DatabaseConfig {
        url: Some(Secret::new(url.to_string())),
        max_connections: 4,
        acquire_timeout: Duration::from_secs(10),
        statement_timeout: Duration::from_secs(60),
    };
    let pool = db::connect(&config).await.expect("a pool");
    db::migrate(&pool).await.expect("migrated");
    jobs::prepare_schema(&pool).await.expect("the queue's tables are made");
    // A database that somebody is connected to cannot be cloned.
    pool.close().await;
}

/// Another set of migrations is another template.
fn template_name() -> String {
    let mut told = TEMPLATE_VERSION.as_bytes().to_vec();
    for migration in db::MIGRATOR.iter() {
        told.extend_from_slice(&migration.checksum);
    }
    format!("df_template_{}", &crypto::to_hex(&crypto::sha256(&told))[..12])
}

fn unique_name() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    // A cluster that is kept between runs may still hold a database of a process with this id.
    let random = crypto::to_hex(&Random::System.bytes::<4>());
    format!("df_test_{}_{count}_{random}", std::process::id())
}

/// Jobs that are waiting or running. Those that failed for good are not waiting for anybody.
async fn jobs_left(url: &Url) -> i64 {
    let mut connection = connect(url).await;
    let exists: bool = sqlx::query_scalar("select to_regclass('graphile_worker.jobs') is not null")
        .fetch_one(&mut connection)
        .await
        .expect("asked");
    if !exists {
        return 0;
    }
    sqlx::query_scalar(
        // Mail that waits does not count: whatever tells somebody something queues one. Nor do Stripe's messages, which
        // a simulator may deliver while the test ends. Neither does what was put off
        // to a later day and never tried.
        "select count(*) from graphile_worker.jobs
         where (attempts < max_attempts or locked_at is not null)
           and task_identifier not in ('send_mail', 'handle_webhook')
           and (attempts > 0 or run_at <= now())",
    )
    .fetch_one(&mut connection)
    .await
    .expect("counted")
}
