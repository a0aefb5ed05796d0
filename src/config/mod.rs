//! Configuration: one struct per section, from the environment and an optional `devforge.toml`.
//!
//! What always holds: every key is declared once, in [`keys::KEYS`], with its default and a sentence of help;
//! a key that is not declared there is an error, never ignored; secrets are [`Secret`]s.

mod keys;
mod load;
mod payments;

use std::{net::SocketAddr, path::PathBuf, time::Duration};

pub use keys::{Fallback, KEYS, Key};
pub use load::{Error, Sources};

pub use crate::crypto::Secret;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Secrets are made on first start, mail goes to a page one can read, `/dev` exists.
    Development,
    /// A missing or weak secret refuses to start; nothing of `/dev` is there.
    Production,
}

#[derive(Debug, Clone)]
pub struct Config {
    pub mode: Mode,
    pub data_dir: PathBuf,
    pub http: HttpConfig,
    pub database: DatabaseConfig,
    pub security: SecurityConfig,
    pub jobs: JobsConfig,
    pub mail: MailConfig,
    pub storage: StorageConfig,
    pub search: SearchConfig,
    pub log: LogConfig,
    pub operator: OperatorConfig,
    pub payments: PaymentsConfig,
    pub licenses: LicensesConfig,
}

#[derive(Debug, Clone)]
pub struct HttpConfig {
    pub address: SocketAddr,
    /// Scheme, host and port as people type it, without a slash at the end.
    pub public_url: String,
    /// Proxies whose `X-Forwarded-For` is believed, as addresses or networks in CIDR form.
    pub trusted_proxies: Vec<IpNetwork>,
    pub request_timeout: Duration,
    pub max_body_bytes: usize,
    /// How long a stop waits for requests and jobs that are under way.
    pub drain_timeout: Duration,
    pub rate_per_minute: u32,
    pub metrics_token: Option<Secret<String>>,
}

impl HttpConfig {
    pub fn is_https(&self) -> bool {
        self.public_url.starts_with("https://")
    }
}

#[derive(Debug, Clone)]
pub struct DatabaseConfig {
    /// None: the server starts its own private PostgreSQL in the data directory.
    pub url: Option<Secret<String>>,
    pub max_connections: u32,
    pub acquire_timeout: Duration,
    pub statement_timeout: Duration,
}

#[derive(Debug, Clone)]
pub struct SecurityConfig {
    /// Every keyed hash and signature of ours is derived from this.
    pub secret: Secret<String>,
    pub session_idle: Duration,
    pub session_absolute: Duration,
    /// How many passwords are hashed at once; the others wait, and beyond a short queue are refused.
    pub password_hashers: usize,
}

#[derive(Debug, Clone)]
pub struct JobsConfig {
    /// Whether `serve` also works; `devforge worker` always does.
    pub in_process: bool,
    pub concurrency: usize,
}

#[derive(Debug, Clone)]
pub struct MailConfig {
    pub smtp_url: Option<Secret<String>>,
    pub from: String,
}

#[derive(Debug, Clone)]
pub struct StorageConfig {
    pub url: String,
    pub s3_endpoint: Option<String>,
    pub s3_region: Option<String>,
    pub s3_access_key: Option<String>,
    pub s3_secret_key: Option<Secret<String>>,
}

#[derive(Debug, Clone)]
pub struct LicensesConfig {
    /// How long a license is answered about from memory. Changes are heard of at once; this is for when they are not.
    /// Zero is never.
    pub cache: Duration,
}

#[derive(Debug, Clone)]
pub struct SearchConfig {
    pub directory: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// Pretty in a terminal, JSON otherwise.
    Auto,
    Pretty,
    Json,
}

#[derive(Debug, Clone)]
pub struct LogConfig {
    pub filter: String,
    pub format: LogFormat,
}

/// Who runs this site, as the legal pages name them.
#[derive(Debug, Clone)]
pub struct OperatorConfig {
    pub name: String,
    pub address: String,
    pub email: String,
    pub country: String,
}

/// How money comes in, and who computes the tax on it.
#[derive(Debug, Clone)]
pub struct PaymentsConfig {
    /// None: nothing can be bought.
    pub stripe_secret_key: Option<Secret<String>>,
    /// Without a slash at the end: Stripe's, or the simulator's.
    pub stripe_url: String,
    /// The current one first, then those being replaced. None is ever empty.
    pub stripe_webhook_secrets: Vec<Secret<String>>,
    pub stripe_tax: bool,
    pub taxjar_key: Option<Secret<String>>,
    /// Without a slash at the end.
    pub taxjar_url: String,
    /// Two letters: where the seller is.
    pub home_country: String,
    /// As invoices show it; may be empty.
    pub seller_tax_id: String,
    /// Whether Stripe is the built-in simulator.
    pub simulated: bool,
    /// Where the simulator listens, when it is in use.
    pub simulator_address: Option<SocketAddr>,
}

/// An address with the number of leading bits that count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IpNetwork {
    address: std::net::IpAddr,
    prefix: u8,
}

impl IpNetwork {
    pub fn contains(&self, other: std::net::IpAddr) -> bool {
        use std::net::IpAddr::{V4, V6};
        match (self.address, other.to_canonical()) {
            (V4(ours), V4(theirs)) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.prefix)).unwrap_or(0);
                u32::from(ours) & mask == u32::from(theirs) & mask
            }
            (V6(ours), V6(theirs)) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(self.prefix)).unwrap_or(0);
                u128::from(ours) & mask == u128::from(theirs) & mask
            }
            _ => false,
        }
    }
}

impl std::str::FromStr for IpNetwork {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: std::net::IpAddr = address.trim().parse().map_err(|_| ())?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            Some(prefix) => prefix.trim().parse().map_err(|_| ())?,
            None => longest,
        };
        if prefix > longest {
            return Err(());
        }
        Ok(Self { address, prefix })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_contain_what_they_should() {
        let network: IpNetwork = "10.0.0.0/8".parse().expect("a network");
        assert!(network.contains("10.200.1.1".parse().expect("an address")));
        assert!(network.contains("::ffff:10.1.1.1".parse().expect("a mapped address")));
        assert!(!network.contains("11.0.0.1".parse().expect("an address")));
        let everything: IpNetwork = "0.0.0.0/0".parse().expect("a network");
        assert!(everything.contains("8.8.8.8".parse().expect("an address")));
        assert_eq!("10.0.0.0/33".parse::<IpNetwork>(), Err(()));
    }
}
