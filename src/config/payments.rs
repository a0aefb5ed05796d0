//! Reading the section of payments.
//!
//! What always holds: whoever can be paid can tell Stripe's messages from forged ones, so there is no key without a
//! signing secret, and no signing secret that is empty or short; keys leave this machine over https only; a key that
//! moves real money is not for development, and one that moves none is for production only where somebody says so.

use std::net::SocketAddr;

use super::{Mode, PaymentsConfig, Secret, Sources, load::Error};
use crate::crypto;

const SECRET_KEY: &str = "STRIPE_SECRET_KEY";
const WEBHOOK_SECRET: &str = "STRIPE_WEBHOOK_SECRET";
const PREVIOUS_WEBHOOK_SECRET: &str = "STRIPE_WEBHOOK_SECRET_PREVIOUS";
const TEST_MODE: &str = "DEVFORGE_STRIPE_TEST_MODE";
const SIMULATOR: &str = "DEVFORGE_STRIPE_SIMULATOR";
const STRIPE_TAX: &str = "DEVFORGE_STRIPE_TAX";
const HOME_COUNTRY: &str = "DEVFORGE_HOME_COUNTRY";

/// The simulator takes any key of a test mode.
const SIMULATOR_KEY: &str = "sk_test_simulator";
const SIMULATOR_LABEL: &[u8] = b"devforge simulator webhook v1";

/// An empty secret once made every library's check pass for everybody.
const MIN_WEBHOOK_SECRET_CHARS: usize = 10;

impl PaymentsConfig {
    pub(super) fn load(sources: &Sources, mode: Mode, main_secret: &Secret<String>) -> Result<Self, Error> {
        let key = secret_key(sources, mode)?;
        let simulator = match (&key, mode) {
            (None, Mode::Development) => simulator_address(sources)?,
            _ => None,
        };
        let mut webhook_secrets = webhook_secrets(sources)?;
        if key.is_some() && webhook_secrets.is_empty() {
            let problem = "is not set, so nobody could tell Stripe's messages from forged ones; copy the signing \
                           secret (whsec_…) of the endpoint /api/payments/webhook from Stripe's dashboard";
            return Err(Error::Payments { key: WEBHOOK_SECRET, problem });
        }
        let mut stripe_url = base_url(sources, "DEVFORGE_STRIPE_URL")?;
        if let Some(address) = simulator {
            stripe_url = format!("http://{address}");
            // One that was set is the real Stripe's, and none of the simulator's business.
            webhook_secrets = vec![simulator_secret(main_secret)];
        }
        let stripe_tax: bool = sources.parse(STRIPE_TAX, "true or false")?;
        let taxjar_key = sources.secret("TAXJAR_API_KEY");
        if stripe_tax && taxjar_key.is_some() {
            let wanted = "false when TAXJAR_API_KEY is set: one of them computes the tax";
            return Err(Error::BadValue { key: STRIPE_TAX, value: "true".to_owned(), wanted });
        }
        Ok(Self {
            stripe_secret_key: key.or_else(|| simulator.map(|_| Secret::new(SIMULATOR_KEY.to_owned()))),
            stripe_url,
            stripe_webhook_secrets: webhook_secrets,
            stripe_tax,
            taxjar_key,
            taxjar_url: base_url(sources, "DEVFORGE_TAXJAR_URL")?,
            home_country: home_country(sources)?,
            seller_tax_id: sources.text("DEVFORGE_SELLER_TAX_ID"),
            simulated: simulator.is_some(),
            simulator_address: simulator,
        })
    }
}

fn secret_key(sources: &Sources, mode: Mode) -> Result<Option<Secret<String>>, Error> {
    let test_mode: bool = sources.parse(TEST_MODE, "true or false")?;
    let Some(key) = sources.optional(SECRET_KEY) else { return Ok(None) };
    let key = key.trim();
    let begins = |prefixes: [&str; 2]| prefixes.iter().any(|prefix| key.starts_with(prefix));
    if begins(["sk_live_", "rk_live_"]) && mode == Mode::Development {
        let problem = "moves real money, which is not for development; use a key of Stripe's test mode (sk_test_…), \
                       or none for the built-in simulator";
        return Err(Error::Payments { key: SECRET_KEY, problem });
    }
    if begins(["sk_test_", "rk_test_"]) && mode == Mode::Production && !test_mode {
        let problem = "is of Stripe's test mode, in which anybody gets what is sold with a card for tests; use a key \
                       of its live mode (sk_live_…), or set DEVFORGE_STRIPE_TEST_MODE=true on a site that sells \
                       nothing in earnest";
        return Err(Error::Payments { key: SECRET_KEY, problem });
    }
    if !begins(["sk_live_", "rk_live_"]) && !begins(["sk_test_", "rk_test_"]) {
        let problem = "is not a secret key; it begins with sk_live_, rk_live_, sk_test_ or rk_test_ and stands in \
                       Stripe's dashboard under API keys";
        return Err(Error::Payments { key: SECRET_KEY, problem });
    }
    Ok(Some(Secret::new(key.to_owned())))
}

fn webhook_secrets(sources: &Sources) -> Result<Vec<Secret<String>>, Error> {
    let mut secrets = Vec::new();
    for key in [WEBHOOK_SECRET, PREVIOUS_WEBHOOK_SECRET] {
        let Some(text) = sources.optional(key) else { continue };
        for secret in text.split(',').map(str::trim) {
            if secret.chars().count() < MIN_WEBHOOK_SECRET_CHARS {
                let problem = "has an empty or a short secret in it, with which anybody could forge Stripe's \
                               messages; copy the signing secret (whsec_…) from Stripe's dashboard";
                return Err(Error::Payments { key, problem });
            }
            secrets.push(Secret::new(secret.to_owned()));
        }
    }
    Ok(secrets)
}

fn simulator_address(sources: &Sources) -> Result<Option<SocketAddr>, Error> {
    const WANTED: &str = "an address on loopback such as 127.0.0.1:12111, or off";
    if sources.get(SIMULATOR) == Some("off") {
        return Ok(None);
    }
    let address: SocketAddr = sources.parse(SIMULATOR, WANTED)?;
    if !address.ip().is_loopback() {
        return Err(Error::BadValue { key: SIMULATOR, value: address.to_string(), wanted: WANTED });
    }
    Ok(Some(address))
}

/// The same after every restart, because the simulator delivers what it had still to deliver.
fn simulator_secret(main_secret: &Secret<String>) -> Secret<String> {
    let digest = crypto::sha256(&[SIMULATOR_LABEL, main_secret.expose().as_bytes()].concat());
    Secret::new(format!("whsec_{}", crypto::to_hex(&digest)))
}

/// An address of an API, without a slash at its end.
fn base_url(sources: &Sources, key: &'static str) -> Result<String, Error> {
    let text = sources.text(key);
    let bad = || Error::BadValue {
        key,
        value: text.clone(),
        wanted: "an https address without a query, or an http address on loopback",
    };
    let url = url::Url::parse(text.trim()).map_err(|_| bad())?;
    let loopback = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => return Err(bad()),
    };
    let safe = url.scheme() == "https" || (url.scheme() == "http" && loopback);
    let plain = url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    if !safe || !plain {
        return Err(bad());
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

fn home_country(sources: &Sources) -> Result<String, Error> {
    let text = sources.text(HOME_COUNTRY);
    let country = text.trim().to_ascii_uppercase();
    if country.len() != 2 || !country.bytes().all(|byte| byte.is_ascii_uppercase()) {
        let wanted = "the two letters of a country, such as DE";
        return Err(Error::BadValue { key: HOME_COUNTRY, value: text, wanted });
    }
    Ok(country)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEST_KEY: (&str, &str) = (SECRET_KEY, "sk_test_51abcdefghijk");
    const LIVE_KEY: (&str, &str) = (SECRET_KEY, "rk_live_51abcdefghijk");
    const HOOK: (&str, &str) = (WEBHOOK_SECRET, "whsec_0123456789");

    fn load(mode: Mode, pairs: &[(&str, &str)]) -> Result<PaymentsConfig, Error> {
        let sources = Sources::from_pairs(pairs.iter().copied())?;
        PaymentsConfig::load(&sources, mode, &Secret::new("a secret for tests".to_owned()))
    }

    fn exposed(config: &PaymentsConfig) -> Vec<&str> {
        config.stripe_webhook_secrets.iter().map(|secret| secret.expose().as_str()).collect()
    }

    #[test]
    fn development_without_a_key_has_the_simulator() {
        let config = load(Mode::Development, &[]).expect("loads");
        assert!(config.simulated);
        assert_eq!(config.stripe_url, "http://127.0.0.1:12111");
        assert_eq!(config.home_country, "DE");
        assert!(config.stripe_secret_key.is_some());
        assert!(exposed(&config)[0].len() > 32);
        let again = load(Mode::Development, &[]).expect("loads");
        assert_eq!(exposed(&config), exposed(&again), "the same after a restart");
        let own = load(Mode::Development, &[HOOK]).expect("loads");
        assert_eq!(exposed(&own), exposed(&config), "never the secret of the real one");
    }

    #[test]
    fn the_simulator_can_be_turned_off_and_is_never_in_production() {
        for (mode, pairs) in [
            (Mode::Development, vec![(SIMULATOR, "off")]),
            (Mode::Production, vec![(SIMULATOR, "127.0.0.1:9")]),
        ] {
            let config = load(mode, &pairs).expect("loads");
            assert!(!config.simulated && config.stripe_secret_key.is_none(), "{mode:?}");
            assert_eq!(config.stripe_url, "https://api.stripe.com");
            assert!(config.stripe_webhook_secrets.is_empty());
        }
    }

    #[test]
    fn a_key_needs_a_good_webhook_secret() {
        let missing = load(Mode::Production, &[LIVE_KEY]).expect_err("no webhook secret");
        assert!(missing.to_string().starts_with("STRIPE_WEBHOOK_SECRET is not set"), "{missing}");
        for short in ["whsec_", ",", "whsec_0123456789,", "whsec_0123456789,short", " "] {
            let error = load(Mode::Production, &[LIVE_KEY, (WEBHOOK_SECRET, short)]).expect_err(short);
            assert!(error.to_string().contains("short"), "{error}");
        }
        let previous = load(Mode::Production, &[LIVE_KEY, HOOK, (PREVIOUS_WEBHOOK_SECRET, "x")]);
        assert!(matches!(previous, Err(Error::Payments { key: PREVIOUS_WEBHOOK_SECRET, .. })));
    }

    #[test]
    fn secrets_that_are_being_replaced_are_believed_as_well() {
        let pairs = [
            LIVE_KEY,
            (WEBHOOK_SECRET, "whsec_current1, whsec_older001"),
            (PREVIOUS_WEBHOOK_SECRET, "whsec_oldest01"),
        ];
        let config = load(Mode::Production, &pairs).expect("loads");
        assert_eq!(exposed(&config), ["whsec_current1", "whsec_older001", "whsec_oldest01"]);
        assert!(!config.simulated);
    }

    #[test]
    fn a_live_key_is_not_for_development() {
        let error = load(Mode::Development, &[LIVE_KEY, HOOK]).expect_err("live");
        assert!(error.to_string().contains("real money") && !error.to_string().contains("51abc"), "{error}");
        assert!(load(Mode::Development, &[TEST_KEY, HOOK]).is_ok());
    }

    #[test]
    fn a_test_key_is_for_production_only_where_somebody_says_so() {
        for key in ["sk_test_51abcdefghijk", "rk_test_51abcdefghijk"] {
            let pairs = [(SECRET_KEY, key), HOOK];
            let error = load(Mode::Production, &pairs).expect_err("a test key").to_string();
            assert!(error.contains("DEVFORGE_STRIPE_TEST_MODE=true") && !error.contains("51abc"), "{error}");
            let said = [pairs.as_slice(), &[(TEST_MODE, "true")]].concat();
            assert!(load(Mode::Production, &said).is_ok());
            assert!(load(Mode::Development, &pairs).is_ok(), "development needs no word");
        }
        assert!(load(Mode::Production, &[LIVE_KEY, HOOK, (TEST_MODE, "perhaps")]).is_err());
    }

    #[test]
    fn only_secret_keys_are_taken() {
        for key in ["pk_test_51abcdefghijk", "whsec_0123456789", "sk_51abcdefghijk"] {
            let error = load(Mode::Production, &[(SECRET_KEY, key), HOOK]).expect_err(key);
            assert!(!error.to_string().contains(key), "{error}");
        }
    }

    #[test]
    fn keys_leave_the_machine_over_https_only() {
        for (text, read) in [
            ("https://stripe.example/", Some("https://stripe.example")),
            ("http://127.0.0.1:9/base/", Some("http://127.0.0.1:9/base")),
            ("http://localhost:9", Some("http://localhost:9")),
            ("http://[::1]:9", Some("http://[::1]:9")),
            ("http://stripe.example", None),
            ("http://127.0.0.1.example", None),
            ("https://stripe.example?x=1", None),
            ("https://user:password@stripe.example", None),
            ("ftp://localhost", None),
            ("stripe", None),
        ] {
            let config = load(Mode::Production, &[LIVE_KEY, HOOK, ("DEVFORGE_STRIPE_URL", text)]);
            assert_eq!(config.ok().map(|config| config.stripe_url).as_deref(), read, "{text}");
        }
    }

    #[test]
    fn one_maker_computes_the_tax_in_a_country_of_two_letters() {
        let both = [(STRIPE_TAX, "true"), ("TAXJAR_API_KEY", "0123456789abcdef")];
        assert!(matches!(load(Mode::Development, &both), Err(Error::BadValue { key: STRIPE_TAX, .. })));
        assert!(load(Mode::Development, &both[1..]).is_ok());
        let config = load(Mode::Development, &[(HOME_COUNTRY, "se")]).expect("loads");
        assert_eq!(config.home_country, "SE");
        for country in ["Sweden", "S", "S1"] {
            assert!(load(Mode::Development, &[(HOME_COUNTRY, country)]).is_err(), "{country}");
        }
    }
}
