//! Logs: pretty in a terminal, JSON otherwise. No personal data goes into them: requests are logged by route,
//! not by address.

use std::io::IsTerminal;

use anyhow::Context;
use devforge::config::{LogConfig, LogFormat};
use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

pub fn install(config: &LogConfig) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&config.filter).with_context(|| {
        format!("DEVFORGE_LOG is “{}”, but must be filters such as info,sqlx=warn", config.filter)
    })?;
    let pretty = match config.format {
        LogFormat::Auto => std::io::stderr().is_terminal(),
        LogFormat::Pretty => true,
        LogFormat::Json => false,
    };
    let registry = tracing_subscriber::registry().with(filter);
    if pretty {
        registry.with(fmt::layer().with_target(false).with_writer(std::io::stderr).compact()).init();
    } else {
        registry.with(fmt::layer().json().flatten_event(true).with_writer(std::io::stderr)).init();
    }
    Ok(())
}
