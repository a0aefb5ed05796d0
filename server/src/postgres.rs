//! The private PostgreSQL, for when no `DATABASE_URL` is set.

use anyhow::Context;
use devforge::config::{Config, Secret};
use private_postgres::{Cluster, Options};

const MAX_CONNECTIONS: u32 = 100;
const SHARED_BUFFERS_MB: u32 = 128;

/// The configuration with a database in it: the one that was set, or a cluster of our own under the data
/// directory, started or joined. The cluster must be kept until the database is no longer needed.
pub async fn ensure(mut config: Config) -> anyhow::Result<(Config, Option<Cluster>)> {
    if config.database.url.is_some() {
        return Ok((config, None));
    }
    let options = Options {
        data_dir: config.data_dir.join("postgres"),
        durable: true,
        max_connections: MAX_CONNECTIONS,
        shared_buffers_mb: SHARED_BUFFERS_MB,
    };
    let cluster = tokio::task::spawn_blocking(move || private_postgres::start(&options))
        .await
        .context("the start of the private PostgreSQL was interrupted")??;
    config.database.url = Some(Secret::new(cluster.url()));
    Ok((config, Some(cluster)))
}

/// Gives up our share of the cluster; the last process to do so stops it.
pub async fn stop(cluster: Option<Cluster>) {
    let Some(cluster) = cluster else { return };
    match tokio::task::spawn_blocking(move || cluster.stop()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(error = %error, "the private PostgreSQL did not stop in order"),
        Err(error) => tracing::warn!(error = %error, "the private PostgreSQL did not stop in order"),
    }
}
