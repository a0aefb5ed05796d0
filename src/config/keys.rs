//! Every configuration key there is. `devforge serve --help` prints this table.

/// One key: how it is called in the environment and in `devforge.toml`, what it is when nobody sets it,
/// and what it is for.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    pub env: &'static str,
    /// `section.key` in the file.
    pub file: &'static str,
    pub default: Fallback,
    pub help: &'static str,
}

#[derive(Debug, Clone, Copy)]
pub enum Fallback {
    Value(&'static str),
    /// Nothing, and that means something: the words say what.
    Unset(&'static str),
}

const fn key(env: &'static str, file: &'static str, default: &'static str, help: &'static str) -> Key {
    Key { env, file, default: Fallback::Value(default), help }
}

const fn optional(env: &'static str, file: &'static str, without: &'static str, help: &'static str) -> Key {
    Key { env, file, default: Fallback::Unset(without), help }
}

pub const KEYS: &[Key] = &[
    key("DEVFORGE_MODE", "mode", "development", "development or production"),
    key(
        "DEVFORGE_DATA_DIR",
        "data_dir",
        ".devforge",
        "folder for the private PostgreSQL, files, index and own secrets",
    ),
    key("DEVFORGE_HTTP_ADDRESS", "http.address", "127.0.0.1:3000", "address and port to listen on"),
    optional(
        "DEVFORGE_HTTP_PUBLIC_URL",
        "http.public_url",
        "http://localhost:PORT",
        "the site's address as people type it; https turns HSTS on",
    ),
    key(
        "DEVFORGE_HTTP_TRUSTED_PROXIES",
        "http.trusted_proxies",
        "",
        "addresses or networks, with commas, whose X-Forwarded-For is believed",
    ),
    key(
        "DEVFORGE_HTTP_REQUEST_TIMEOUT_SECONDS",
        "http.request_timeout_seconds",
        "30",
        "a request that takes longer is answered 503",
    ),
    key(
        "DEVFORGE_HTTP_MAX_BODY_BYTES",
        "http.max_body_bytes",
        "1048576",
        "bodies above this are answered 413, where a route sets no limit of its own",
    ),
    key(
        "DEVFORGE_HTTP_DRAIN_TIMEOUT_SECONDS",
        "http.drain_timeout_seconds",
        "20",
        "how long a stop waits for requests and jobs under way",
    ),
    key(
        "DEVFORGE_HTTP_RATE_PER_MINUTE",
        "http.rate_per_minute",
        "1200",
        "requests an address may make in a minute before it is asked to wait; 0 is no limit",
    ),
    optional(
        "DEVFORGE_HTTP_METRICS_TOKEN",
        "http.metrics_token",
        "loopback in development, nobody in production",
        "bearer token that lets its bearer read /metrics",
    ),
    optional(
        "DATABASE_URL",
        "database.url",
        "a private PostgreSQL in the data directory",
        "postgres://user:password@host/database",
    ),
    key(
        "DEVFORGE_DATABASE_MAX_CONNECTIONS",
        "database.max_connections",
        "16",
        "connections this process may hold, 8 or more",
    ),
    key(
        "DEVFORGE_DATABASE_ACQUIRE_TIMEOUT_SECONDS",
        "database.acquire_timeout_seconds",
        "3",
        "how long a request waits for a connection before it is answered 503",
    ),
    key(
        "DEVFORGE_DATABASE_STATEMENT_TIMEOUT_SECONDS",
        "database.statement_timeout_seconds",
        "15",
        "a statement that takes longer is ended",
    ),
    optional(
        "DEVFORGE_SECRET",
        "security.secret",
        "made and kept in the data directory; needed in production",
        "at least 32 random characters: `openssl rand -base64 48`",
    ),
    key(
        "DEVFORGE_SESSION_IDLE_DAYS",
        "security.session_idle_days",
        "14",
        "a session unused for so long ends",
    ),
    key(
        "DEVFORGE_SESSION_ABSOLUTE_DAYS",
        "security.session_absolute_days",
        "90",
        "a session older than this ends, used or not",
    ),
    key(
        "DEVFORGE_PASSWORD_HASHERS",
        "security.password_hashers",
        "1",
        "passwords hashed at once; each takes 19 MiB and a core",
    ),
    key(
        "DEVFORGE_JOBS_IN_PROCESS",
        "jobs.in_process",
        "true",
        "whether serve also runs jobs; with false run devforge worker beside it",
    ),
    key("DEVFORGE_JOBS_CONCURRENCY", "jobs.concurrency", "4", "jobs run at once by this process"),
    optional(
        "DEVFORGE_MAIL_SMTP_URL",
        "mail.smtp_url",
        "mail is kept and shown at /dev/mail",
        "smtps://user:password@host:465 or smtp://…?tls=required",
    ),
    key("DEVFORGE_MAIL_FROM", "mail.from", "Dev Forge <no-reply@localhost>", "the sender of every mail"),
    optional(
        "DEVFORGE_STORAGE_URL",
        "storage.url",
        "a folder in the data directory",
        "a folder, file://… or s3://bucket/prefix",
    ),
    optional(
        "DEVFORGE_STORAGE_S3_ENDPOINT",
        "storage.s3_endpoint",
        "AWS",
        "for R2 and other stores that speak S3",
    ),
    optional(
        "DEVFORGE_STORAGE_S3_REGION",
        "storage.s3_region",
        "us-east-1",
        "region of the bucket; auto for R2",
    ),
    optional("DEVFORGE_STORAGE_S3_ACCESS_KEY", "storage.s3_access_key", "none", "access key id"),
    optional("DEVFORGE_STORAGE_S3_SECRET_KEY", "storage.s3_secret_key", "none", "secret access key"),
    optional(
        "DEVFORGE_SEARCH_DIRECTORY",
        "search.directory",
        "a folder in the data directory",
        "where the search index lives; it can be thrown away",
    ),
    key(
        "DEVFORGE_LOG",
        "log.filter",
        "info,sqlx=warn,tantivy=warn,graphile_worker=warn",
        "what is logged, as tracing filters",
    ),
    key("DEVFORGE_LOG_FORMAT", "log.format", "auto", "auto, pretty or json"),
    optional(
        "DEVFORGE_SEED",
        "seed",
        "nothing",
        "demo: fill an empty database with demo data at start (development only)",
    ),
    optional(
        "DEVFORGE_DEMO_PASSWORD",
        "demo_password",
        "made at random and printed",
        "password of the demo accounts",
    ),
    key("DEVFORGE_OPERATOR_NAME", "operator.name", "Dev Forge", "who runs this site, on the legal pages"),
    key(
        "DEVFORGE_OPERATOR_ADDRESS",
        "operator.address",
        "",
        "postal address of the operator, on the imprint; needed in production",
    ),
    key(
        "DEVFORGE_OPERATOR_EMAIL",
        "operator.email",
        "contact@localhost",
        "address for letters, security reports and data requests",
    ),
    key(
        "DEVFORGE_OPERATOR_COUNTRY",
        "operator.country",
        "",
        "country whose law the terms name; needed in production",
    ),
    optional(
        "STRIPE_SECRET_KEY",
        "payments.stripe_secret_key",
        "the built-in simulator in development, no payments in production",
        "secret or restricted key of Stripe: sk_… or rk_…",
    ),
    key(
        "DEVFORGE_STRIPE_TEST_MODE",
        "payments.stripe_test_mode",
        "false",
        "whether production takes a key of Stripe's test mode, with which no money moves",
    ),
    optional(
        "STRIPE_WEBHOOK_SECRET",
        "payments.stripe_webhook_secret",
        "made for the simulator; needed with a key",
        "signing secret of the webhook endpoint, whsec_…; earlier ones may follow, with commas",
    ),
    optional(
        "STRIPE_WEBHOOK_SECRET_PREVIOUS",
        "payments.stripe_webhook_secret_previous",
        "none",
        "signing secret that is being replaced; it is believed as well",
    ),
    key(
        "DEVFORGE_STRIPE_URL",
        "payments.stripe_url",
        "https://api.stripe.com",
        "where Stripe's API is; http only on loopback",
    ),
    key(
        "DEVFORGE_STRIPE_SIMULATOR",
        "payments.stripe_simulator",
        "127.0.0.1:12111",
        "where the simulated Stripe listens when no key is set, or off (development only)",
    ),
    key("DEVFORGE_STRIPE_TAX", "payments.stripe_tax", "false", "whether Stripe Tax computes the tax"),
    optional(
        "TAXJAR_API_KEY",
        "payments.taxjar_key",
        "Stripe Tax where it is on, the built-in table otherwise",
        "API token of TaxJar, which then computes the tax",
    ),
    key(
        "DEVFORGE_TAXJAR_URL",
        "payments.taxjar_url",
        "https://api.taxjar.com",
        "where TaxJar's API is; http only on loopback",
    ),
    key(
        "DEVFORGE_HOME_COUNTRY",
        "payments.home_country",
        "DE",
        "two letters of the country the seller is taxed in",
    ),
    key(
        "DEVFORGE_SELLER_TAX_ID",
        "payments.seller_tax_id",
        "",
        "the seller's VAT number, as invoices show it",
    ),
    key(
        "DEVFORGE_LICENSE_CACHE_SECONDS",
        "licenses.cache_seconds",
        "30",
        "how long a license may be answered about from memory, should news of a change be lost; 0 is never",
    ),
];
