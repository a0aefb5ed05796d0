//! The simulated Stripe of a development installation, for when no key of the real one is set.
//!
//! What always holds: it listens on loopback; of several processes on one data folder one runs it and the others use it;
//! what it knows outlives its process, as with the real one.

use std::{
    fs::{File, TryLockError},
    io::Write,
    net::SocketAddr,
    path::Path,
};

use anyhow::Context;
use devforge::config::Config;
use stripe_simulator::{Settings, Simulator, Weather, Webhook};

/// Where the one that runs it says at which address.
const ADDRESS_FILE: &str = "address";
/// The ids it makes differ from start to start by what it has made before, not by this.
const SEED: u64 = 1;

/// A simulator of ours, and the lock that makes it the only one of its data folder.
pub struct Running {
    simulator: Simulator,
    _lock: File,
}

/// The configuration with the address of the simulator in it, where one is wanted: started here, or in another process
/// on the same folder. `site` is where this process listens for its messages.
pub async fn ensure(mut config: Config, site: SocketAddr) -> anyhow::Result<(Config, Option<Running>)> {
    let Some(address) = config.payments.simulator_address else { return Ok((config, None)) };
    let folder = config.data_dir.join("stripe-simulator");
    std::fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    let lock = File::create(folder.join("lock"))?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let url = std::fs::read_to_string(folder.join(ADDRESS_FILE))
                .context("another process runs the simulated Stripe and has not said where yet; try again")?;
            config.payments.stripe_url = url.trim().to_owned();
            return Ok((config, None));
        }
        Err(TryLockError::Error(error)) => {
            return Err(error).context("the simulated Stripe cannot be locked");
        }
    }
    let secret = config.payments.stripe_webhook_secrets.first();
    let webhook = secret.map(|secret| Webhook {
        url: format!("http://{}/api/payments/webhook", reachable(site)),
        secret: secret.expose().clone(),
    });
    let settings = Settings {
        address,
        webhook,
        journal: Some(folder.join("journal.jsonl")),
        seed: SEED,
        weather: Weather::default(),
    };
    let simulator = match stripe_simulator::start(settings.clone()) {
        // Another installation has the port: any other does as well.
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
            stripe_simulator::start(Settings { address: SocketAddr::new(address.ip(), 0), ..settings })
        }
        started => started,
    }
    .context("the simulated Stripe cannot be started; DEVFORGE_STRIPE_SIMULATOR=off does without it")?;
    config.payments.stripe_url = simulator.url().to_owned();
    write_whole(&folder.join(ADDRESS_FILE), simulator.url())?;
    Ok((config, Some(Running { simulator, _lock: lock })))
}

/// A listener on every address of a machine is reached on loopback.
fn reachable(site: SocketAddr) -> SocketAddr {
    if site.ip().is_unspecified() {
        SocketAddr::new(std::net::Ipv4Addr::LOCALHOST.into(), site.port())
    } else {
        site
    }
}

/// A reader finds all of it, or what was there before.
fn write_whole(path: &Path, text: &str) -> anyhow::Result<()> {
    let draft = path.with_extension("draft");
    let mut file = File::create(&draft)?;
    file.write_all(text.as_bytes())?;
    std::fs::rename(draft, path)?;
    Ok(())
}

/// Stops it, after what it was about to answer.
pub async fn stop(running: Option<Running>) {
    if let Some(running) = running {
        running.simulator.stop().await;
    }
}
