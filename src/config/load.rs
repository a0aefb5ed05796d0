//! Reading configuration: the environment wins over the file, the file over the defaults.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use super::{
    Config, DatabaseConfig, HttpConfig, JobsConfig, LicensesConfig, LogConfig, LogFormat, MailConfig, Mode,
    OperatorConfig, PaymentsConfig, SearchConfig, Secret, SecurityConfig, StorageConfig,
    keys::{Fallback, KEYS, Key},
};
use crate::{crypto, random::Random};

/// The shortest secret that production takes.
const MIN_SECRET_CHARS: usize = 32;
/// Gathered look-ups keep up to four connections while they are busy; jobs, followers and all other queries need some.
const MIN_CONNECTIONS: u32 = 8;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{0} is not a configuration key; `devforge serve --help` lists them{1}")]
    UnknownKey(String, String),
    #[error("{key} is “{value}”, but must be {wanted}")]
    BadValue { key: &'static str, value: String, wanted: &'static str },
    #[error("{0} must be set in production; {1}")]
    Missing(&'static str, &'static str),
    #[error(
        "development shows mail and failures to everyone, so it listens on loopback only and never has an https \
         address; set DEVFORGE_MODE=production"
    )]
    DevelopmentInPublic,
    #[error("{key} is too weak: {why}; make one with `openssl rand -base64 48`")]
    Weak { key: &'static str, why: &'static str },
    /// What is wrong with a key whose value is nobody's business, and what to do.
    #[error("{key} {problem}")]
    Payments { key: &'static str, problem: &'static str },
    #[error("{path} cannot be read: {source}")]
    File { path: PathBuf, source: std::io::Error },
    #[error("{path} is not valid TOML: {message}")]
    Toml { path: PathBuf, message: String },
    #[error("{path} cannot be written: {source}; make the folder writable or set DEVFORGE_DATA_DIR")]
    DataDir { path: PathBuf, source: std::io::Error },
}

/// Where values come from, collected and checked for unknown names before anything is read.
#[derive(Debug, Default)]
pub struct Sources {
    /// By name in the environment.
    values: BTreeMap<&'static str, String>,
}

impl Sources {
    /// The process's environment, and `devforge.toml` in the working directory or where `DEVFORGE_CONFIG` says.
    pub fn from_process() -> Result<Self, Error> {
        let environment: Vec<(String, String)> = std::env::vars().collect();
        let named = environment
            .iter()
            .find(|(name, _)| name == "DEVFORGE_CONFIG")
            .map(|(_, path)| PathBuf::from(path));
        let file = match named {
            Some(path) => Some(read_file(&path)?),
            None => {
                let path = Path::new("devforge.toml");
                if path.exists() { Some(read_file(path)?) } else { None }
            }
        };
        Self::collect(environment.into_iter(), file.as_ref())
    }

    /// For tests and tools: these values and nothing else.
    pub fn from_pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, Error> {
        let pairs = pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        Self::collect(pairs, None)
    }

    fn collect(
        environment: impl Iterator<Item = (String, String)>,
        file: Option<&toml::Table>,
    ) -> Result<Self, Error> {
        let mut values = BTreeMap::new();
        if let Some(table) = file {
            let mut flat = Vec::new();
            flatten("", table, &mut flat);
            for (name, value) in flat {
                let key =
                    KEYS.iter().find(|key| key.file == name).ok_or_else(|| unknown(&name, |key| key.file))?;
                values.insert(key.env, value);
            }
        }
        for (name, value) in environment {
            // An empty variable is how shells and compose files say "not set".
            match KEYS.iter().find(|key| key.env == name) {
                Some(key) if !value.is_empty() => {
                    values.insert(key.env, value);
                }
                Some(_) => {}
                None if name.starts_with("DEVFORGE_") && name != "DEVFORGE_CONFIG" => {
                    return Err(unknown(&name, |key| key.env));
                }
                None => {}
            }
        }
        Ok(Self { values })
    }

    pub fn get(&self, env: &'static str) -> Option<&str> {
        if let Some(value) = self.values.get(env) {
            return Some(value);
        }
        let key = KEYS.iter().find(|key| key.env == env).expect("only declared keys are asked for");
        match key.default {
            Fallback::Value("") | Fallback::Unset(_) => None,
            Fallback::Value(value) => Some(value),
        }
    }

    pub(super) fn parse<T: FromStr>(&self, env: &'static str, wanted: &'static str) -> Result<T, Error> {
        let value = self.get(env).unwrap_or_default();
        value.trim().parse().map_err(|_| Error::BadValue { key: env, value: value.to_owned(), wanted })
    }

    pub(super) fn text(&self, env: &'static str) -> String {
        self.get(env).unwrap_or_default().to_owned()
    }

    pub(super) fn optional(&self, env: &'static str) -> Option<String> {
        self.get(env).map(str::to_owned)
    }

    pub(super) fn secret(&self, env: &'static str) -> Option<Secret<String>> {
        self.optional(env).map(Secret::new)
    }

    fn seconds(&self, env: &'static str) -> Result<Duration, Error> {
        self.parse::<u32>(env, "a number of seconds").map(|seconds| Duration::from_secs(seconds.into()))
    }

    fn days(&self, env: &'static str) -> Result<Duration, Error> {
        self.parse::<u32>(env, "a number of days").map(|days| Duration::from_secs(u64::from(days) * 86_400))
    }
}

impl Config {
    /// Reads every section. In development a missing secret is made and kept in the data directory.
    pub fn load(sources: &Sources, random: &Random) -> Result<Self, Error> {
        let mode = match sources.get("DEVFORGE_MODE") {
            Some("development") => Mode::Development,
            Some("production") => Mode::Production,
            other => {
                let value = other.unwrap_or_default().to_owned();
                return Err(Error::BadValue {
                    key: "DEVFORGE_MODE",
                    value,
                    wanted: "development or production",
                });
            }
        };
        let data_dir: PathBuf = sources.parse("DEVFORGE_DATA_DIR", "a folder")?;
        let http = http(sources)?;
        if mode == Mode::Development && (http.is_https() || !http.address.ip().is_loopback()) {
            return Err(Error::DevelopmentInPublic);
        }
        let in_data_dir = |name: &str| data_dir.join(name);
        let secret = main_secret(sources, mode, &data_dir, random)?;
        Ok(Self {
            mode,
            http,
            payments: PaymentsConfig::load(sources, mode, &secret)?,
            licenses: LicensesConfig { cache: sources.seconds("DEVFORGE_LICENSE_CACHE_SECONDS")? },
            database: DatabaseConfig {
                url: sources.secret("DATABASE_URL"),
                max_connections: connections(sources)?,
                acquire_timeout: sources.seconds("DEVFORGE_DATABASE_ACQUIRE_TIMEOUT_SECONDS")?,
                statement_timeout: sources.seconds("DEVFORGE_DATABASE_STATEMENT_TIMEOUT_SECONDS")?,
            },
            security: SecurityConfig {
                secret,
                session_idle: sources.days("DEVFORGE_SESSION_IDLE_DAYS")?,
                session_absolute: sources.days("DEVFORGE_SESSION_ABSOLUTE_DAYS")?,
                password_hashers: sources.parse("DEVFORGE_PASSWORD_HASHERS", "a number")?,
            },
            jobs: JobsConfig {
                in_process: sources.parse("DEVFORGE_JOBS_IN_PROCESS", "true or false")?,
                concurrency: sources.parse("DEVFORGE_JOBS_CONCURRENCY", "a number")?,
            },
            mail: MailConfig {
                smtp_url: sources.secret("DEVFORGE_MAIL_SMTP_URL"),
                from: sources.text("DEVFORGE_MAIL_FROM"),
            },
            storage: StorageConfig {
                url: sources
                    .optional("DEVFORGE_STORAGE_URL")
                    .unwrap_or_else(|| in_data_dir("storage").to_string_lossy().into_owned()),
                s3_endpoint: sources.optional("DEVFORGE_STORAGE_S3_ENDPOINT"),
                s3_region: sources.optional("DEVFORGE_STORAGE_S3_REGION"),
                s3_access_key: sources.optional("DEVFORGE_STORAGE_S3_ACCESS_KEY"),
                s3_secret_key: sources.secret("DEVFORGE_STORAGE_S3_SECRET_KEY"),
            },
            search: SearchConfig {
                directory: sources
                    .optional("DEVFORGE_SEARCH_DIRECTORY")
                    .map_or_else(|| in_data_dir("index"), PathBuf::from),
            },
            log: LogConfig {
                filter: sources.text("DEVFORGE_LOG"),
                format: match sources.get("DEVFORGE_LOG_FORMAT") {
                    Some("auto") => LogFormat::Auto,
                    Some("pretty") => LogFormat::Pretty,
                    Some("json") => LogFormat::Json,
                    other => {
                        let value = other.unwrap_or_default().to_owned();
                        let wanted = "auto, pretty or json";
                        return Err(Error::BadValue { key: "DEVFORGE_LOG_FORMAT", value, wanted });
                    }
                },
            },
            operator: operator(sources, mode)?,
            data_dir,
        })
    }
}

fn http(sources: &Sources) -> Result<HttpConfig, Error> {
    let address: std::net::SocketAddr =
        sources.parse("DEVFORGE_HTTP_ADDRESS", "an address and port such as 127.0.0.1:3000")?;
    let public_url = match sources.get("DEVFORGE_HTTP_PUBLIC_URL") {
        None => format!("http://localhost:{}", address.port()),
        Some(text) => {
            let wanted = "the site's address, such as https://devforge.example";
            let bad = || Error::BadValue { key: "DEVFORGE_HTTP_PUBLIC_URL", value: text.to_owned(), wanted };
            let url = url::Url::parse(text).map_err(|_| bad())?;
            if !matches!(url.scheme(), "http" | "https") || url.host().is_none() || url.path() != "/" {
                return Err(bad());
            }
            url.origin().ascii_serialization()
        }
    };
    let proxies = sources.text("DEVFORGE_HTTP_TRUSTED_PROXIES");
    let trusted_proxies = proxies
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(|part| {
            part.parse().map_err(|()| Error::BadValue {
                key: "DEVFORGE_HTTP_TRUSTED_PROXIES",
                value: part.to_owned(),
                wanted: "addresses or networks such as 10.0.0.0/8, with commas",
            })
        })
        .collect::<Result<_, _>>()?;
    Ok(HttpConfig {
        address,
        public_url,
        trusted_proxies,
        request_timeout: sources.seconds("DEVFORGE_HTTP_REQUEST_TIMEOUT_SECONDS")?,
        max_body_bytes: sources.parse("DEVFORGE_HTTP_MAX_BODY_BYTES", "a number of bytes")?,
        drain_timeout: sources.seconds("DEVFORGE_HTTP_DRAIN_TIMEOUT_SECONDS")?,
        rate_per_minute: sources.parse("DEVFORGE_HTTP_RATE_PER_MINUTE", "a number")?,
        metrics_token: sources.secret("DEVFORGE_HTTP_METRICS_TOKEN"),
    })
}

fn connections(sources: &Sources) -> Result<u32, Error> {
    let key = "DEVFORGE_DATABASE_MAX_CONNECTIONS";
    let wanted = "8 or more: sign-ins and licenses alone keep up to 4 connections while they are looked up";
    let connections: u32 = sources.parse(key, wanted)?;
    if connections < MIN_CONNECTIONS {
        return Err(Error::BadValue { key, value: connections.to_string(), wanted });
    }
    Ok(connections)
}

fn operator(sources: &Sources, mode: Mode) -> Result<OperatorConfig, Error> {
    let operator = OperatorConfig {
        name: sources.text("DEVFORGE_OPERATOR_NAME"),
        address: sources.text("DEVFORGE_OPERATOR_ADDRESS"),
        email: sources.text("DEVFORGE_OPERATOR_EMAIL"),
        country: sources.text("DEVFORGE_OPERATOR_COUNTRY"),
    };
    if mode == Mode::Production {
        // Selling without naming the seller is against the law in most places we sell to.
        for (key, value) in [
            ("DEVFORGE_OPERATOR_ADDRESS", &operator.address),
            ("DEVFORGE_OPERATOR_COUNTRY", &operator.country),
        ] {
            if value.is_empty() {
                return Err(Error::Missing(key, "the legal pages name the operator with it"));
            }
        }
    }
    Ok(operator)
}

fn main_secret(
    sources: &Sources,
    mode: Mode,
    data_dir: &Path,
    random: &Random,
) -> Result<Secret<String>, Error> {
    const KEY: &str = "DEVFORGE_SECRET";
    match (sources.optional(KEY), mode) {
        (Some(secret), Mode::Development) => Ok(Secret::new(secret)),
        (Some(secret), Mode::Production) => {
            if secret.chars().count() < MIN_SECRET_CHARS {
                return Err(Error::Weak { key: KEY, why: "it has fewer than 32 characters" });
            }
            let distinct = secret.chars().collect::<std::collections::BTreeSet<_>>().len();
            if distinct < 10 {
                return Err(Error::Weak { key: KEY, why: "it repeats a few characters" });
            }
            Ok(Secret::new(secret))
        }
        (None, Mode::Production) => Err(Error::Missing(KEY, "make one with `openssl rand -base64 48`")),
        (None, Mode::Development) => own_secret(data_dir, random),
    }
}

/// Development's secret: made once, readable by its owner only.
fn own_secret(data_dir: &Path, random: &Random) -> Result<Secret<String>, Error> {
    use std::{io::Write, os::unix::fs::OpenOptionsExt};

    let path = data_dir.join("secret");
    let failed = |source| Error::DataDir { path: path.clone(), source };
    std::fs::create_dir_all(data_dir).map_err(failed)?;
    let secret = crypto::to_hex(&random.bytes::<32>());
    // Written beside and linked into place, so that of two processes starting at once both end with one secret,
    // and neither ever reads half of it.
    let draft = data_dir.join(format!("secret.{}", crypto::to_hex(&random.bytes::<8>())));
    let mut file =
        std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft).map_err(failed)?;
    file.write_all(secret.as_bytes()).map_err(failed)?;
    let linked = std::fs::hard_link(&draft, &path);
    std::fs::remove_file(&draft).map_err(failed)?;
    match linked {
        Ok(()) => Ok(Secret::new(secret)),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            std::fs::read_to_string(&path).map(|text| Secret::new(text.trim().to_owned())).map_err(failed)
        }
        Err(error) => Err(failed(error)),
    }
}

fn read_file(path: &Path) -> Result<toml::Table, Error> {
    let text =
        std::fs::read_to_string(path).map_err(|source| Error::File { path: path.to_owned(), source })?;
    text.parse::<toml::Table>()
        .map_err(|error| Error::Toml { path: path.to_owned(), message: error.message().to_owned() })
}

fn flatten(prefix: &str, table: &toml::Table, flat: &mut Vec<(String, String)>) {
    for (name, value) in table {
        let name = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        match value {
            toml::Value::Table(inner) => flatten(&name, inner, flat),
            toml::Value::String(text) => flat.push((name, text.clone())),
            toml::Value::Array(items) => {
                let items: Vec<String> = items
                    .iter()
                    .map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned))
                    .collect();
                flat.push((name, items.join(",")));
            }
            other => flat.push((name, other.to_string())),
        }
    }
}

/// Names the nearest key, because most unknown keys are typing mistakes.
fn unknown(name: &str, spelling: fn(&Key) -> &'static str) -> Error {
    let nearest = KEYS
        .iter()
        .map(|key| (edit_distance(name, spelling(key)), spelling(key)))
        .min()
        .filter(|(distance, _)| *distance <= name.len() / 3);
    let hint = nearest.map_or_else(String::new, |(_, known)| format!(" (did you mean {known}?)"));
    Error::UnknownKey(name.to_owned(), hint)
}

fn edit_distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, from) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in right.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(pairs: &[(&str, &str)]) -> Result<Config, Error> {
        let folder = tempfile::tempdir().expect("a folder");
        let data_dir = folder.path().to_string_lossy().into_owned();
        let pairs = pairs.iter().copied().chain([("DEVFORGE_DATA_DIR", data_dir.as_str())]);
        Config::load(&Sources::from_pairs(pairs)?, &Random::seeded(1))
    }

    const PRODUCTION: [(&str, &str); 4] = [
        ("DEVFORGE_MODE", "production"),
        ("DEVFORGE_SECRET", "kJ8v0s7TqYzP3mWbX1nR5dFhG9cL2aEu"),
        ("DEVFORGE_OPERATOR_ADDRESS", "1 Example Street"),
        ("DEVFORGE_OPERATOR_COUNTRY", "Sweden"),
    ];

    #[test]
    fn defaults_are_enough_in_development() {
        let config = load(&[]).expect("defaults load");
        assert_eq!(config.http.public_url, "http://localhost:3000");
        assert_eq!(config.security.secret.expose().len(), 64);
        assert!(config.database.url.is_none());
    }

    #[test]
    fn the_own_secret_is_made_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = own_secret(folder.path(), &Random::seeded(1)).expect("made");
        let second = own_secret(folder.path(), &Random::seeded(2)).expect("read");
        assert_eq!(first.expose(), second.expose());
        assert_eq!(std::fs::read_dir(folder.path()).expect("listed").count(), 1, "no draft is left");
    }

    #[test]
    fn production_refuses_missing_and_weak_secrets() {
        assert!(load(&PRODUCTION).is_ok());
        let missing = load(&[PRODUCTION[0], PRODUCTION[2], PRODUCTION[3]]).expect_err("no secret");
        assert!(missing.to_string().contains("openssl rand"), "{missing}");
        for weak in ["short", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"] {
            let pairs = [PRODUCTION[0], ("DEVFORGE_SECRET", weak), PRODUCTION[2], PRODUCTION[3]];
            assert!(matches!(load(&pairs), Err(Error::Weak { .. })), "{weak}");
        }
    }

    #[test]
    fn development_stays_on_this_machine() {
        for (key, value) in [
            ("DEVFORGE_HTTP_ADDRESS", "0.0.0.0:3000"),
            ("DEVFORGE_HTTP_PUBLIC_URL", "https://devforge.example"),
        ] {
            assert!(matches!(load(&[(key, value)]), Err(Error::DevelopmentInPublic)), "{key}={value}");
        }
    }

    #[test]
    fn unknown_keys_name_the_nearest_one() {
        let error = load(&[("DEVFORGE_HTTP_ADRESS", "x")]).expect_err("unknown");
        assert!(error.to_string().contains("did you mean DEVFORGE_HTTP_ADDRESS?"), "{error}");
        let table = "[http]\nadress = \"x\"".parse::<toml::Table>().expect("toml");
        let error = Sources::collect(std::iter::empty(), Some(&table)).expect_err("unknown");
        assert!(error.to_string().contains("did you mean http.address?"), "{error}");
    }

    #[test]
    fn the_environment_wins_over_the_file() {
        let table =
            "[http]\naddress = \"127.0.0.1:1\"\nrate_per_minute = 7".parse::<toml::Table>().expect("toml");
        let environment = [("DEVFORGE_HTTP_ADDRESS".to_owned(), "127.0.0.1:2".to_owned())];
        let sources = Sources::collect(environment.into_iter(), Some(&table)).expect("known keys");
        assert_eq!(sources.get("DEVFORGE_HTTP_ADDRESS"), Some("127.0.0.1:2"));
        assert_eq!(sources.get("DEVFORGE_HTTP_RATE_PER_MINUTE"), Some("7"));
    }

    #[test]
    fn bad_values_say_what_is_wanted() {
        for (key, value) in [
            ("DEVFORGE_HTTP_ADDRESS", "localhost"),
            ("DEVFORGE_HTTP_PUBLIC_URL", "ftp://x"),
            ("DEVFORGE_HTTP_PUBLIC_URL", "https://x/path"),
            ("DEVFORGE_HTTP_TRUSTED_PROXIES", "10.0.0.0/99"),
            ("DEVFORGE_MODE", "prod"),
            ("DEVFORGE_JOBS_IN_PROCESS", "maybe"),
            ("DEVFORGE_DATABASE_MAX_CONNECTIONS", "7"),
            ("DEVFORGE_DATABASE_MAX_CONNECTIONS", "many"),
        ] {
            let error = load(&[(key, value)]).expect_err(key);
            assert!(error.to_string().starts_with(key) && error.to_string().contains("must be"), "{error}");
        }
    }

    #[test]
    fn as_few_connections_as_the_program_needs_are_taken() {
        let config = load(&[("DEVFORGE_DATABASE_MAX_CONNECTIONS", "8")]).expect("enough");
        assert_eq!(config.database.max_connections, MIN_CONNECTIONS);
    }

    #[test]
    fn secrets_do_not_show_in_debug() {
        let config = load(&PRODUCTION).expect("loads");
        assert!(!format!("{config:?}").contains("kJ8v0s7T"));
    }
}
