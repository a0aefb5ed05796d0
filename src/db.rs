//! The way to PostgreSQL: the pool, the migrations, what counts as "away", and look-ups gathered into one query.

use std::{
    collections::{HashMap, HashSet},
    future::Future,
    hash::Hash,
    sync::{Arc, LazyLock},
    time::Duration,
};

use futures::future::BoxFuture;
use sqlx::{
    PgConnection, PgPool, Postgres,
    migrate::Migrator,
    pool::PoolConnection,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};

use crate::config::DatabaseConfig;

/// A node of the version before starts beside a schema that is newer than it knows: it ignores what it does not know.
pub static MIGRATOR: LazyLock<Migrator> = LazyLock::new(|| {
    let mut migrator = sqlx::migrate!("./migrations");
    migrator.set_ignore_missing(true);
    migrator
});

/// A connection unused for this long is probed before it is given out; younger ones are trusted, because a
/// probe on every use costs a quarter of the throughput.
const PROBE_AFTER_IDLE: Duration = Duration::from_secs(10);

/// Opens the pool. It connects when first used, so that a server can start while PostgreSQL is away.
pub async fn connect(config: &DatabaseConfig) -> Result<PgPool, sqlx::Error> {
    let url = config.url.as_ref().ok_or_else(|| {
        sqlx::Error::Configuration("DATABASE_URL is not set and no private PostgreSQL was started".into())
    })?;
    let options: PgConnectOptions = url.expose().parse()?;
    let statement_timeout_ms = config.statement_timeout.as_millis().to_string();
    let options = options.application_name("devforge").options([
        ("statement_timeout", statement_timeout_ms.as_str()),
        ("idle_in_transaction_session_timeout", "30000"),
        ("lock_timeout", "5000"),
        ("timezone", "UTC"),
    ]);
    Ok(PgPoolOptions::new()
        .max_connections(config.max_connections)
        .acquire_timeout(config.acquire_timeout)
        .test_before_acquire(false)
        .before_acquire(|connection, meta| {
            Box::pin(async move {
                if meta.idle_for < PROBE_AFTER_IDLE {
                    return Ok(true);
                }
                use sqlx::Connection;
                Ok(connection.ping().await.is_ok())
            })
        })
        .connect_lazy_with(options))
}

/// A pool for upkeep: building an index or waiting for another node's migration takes as long as it takes, so the
/// time limits of requests do not hold here. Close it when done.
pub async fn upkeep(pool: &PgPool) -> Result<PgPool, sqlx::Error> {
    let options = PgConnectOptions::clone(&pool.connect_options());
    let options = options.options([("statement_timeout", "0"), ("lock_timeout", "0")]);
    PgPoolOptions::new().max_connections(2).connect_with(options).await
}

/// Applies what is missing. Two processes starting at once take turns: sqlx holds an advisory lock meanwhile.
pub async fn migrate(pool: &PgPool) -> Result<(), sqlx::migrate::MigrateError> {
    MIGRATOR.run(pool).await
}

/// How many migrations this program has that the database has not.
pub async fn pending_migrations(pool: &PgPool) -> Result<usize, sqlx::Error> {
    let applied = sqlx::query_scalar::<_, i64>("select version from _sqlx_migrations where success")
        .fetch_all(pool)
        .await;
    let applied = match applied {
        Ok(versions) => versions,
        // 42P01: the table is not there yet.
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some("42P01") => Vec::new(),
        Err(error) => return Err(error),
    };
    Ok(MIGRATOR.iter().filter(|migration| !applied.contains(&migration.version)).count())
}

/// Whether the database is away or overloaded, rather than the statement wrong: worth trying again later.
pub fn is_unavailable(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| {
            // 08 connection, 53 out of resources, 57P shutdown and crash recovery, 57014 statement timeout,
            // 55P03 lock timeout, 40001 and 40P01 serialization and deadlock.
            code.starts_with("08")
                || code.starts_with("53")
                || code.starts_with("57P")
                || matches!(&*code, "57014" | "55P03" | "40001" | "40P01")
        }),
        _ => false,
    }
}

/// Repeats a deletion of at most `batch` rows until nothing is left for it, and says how many rows went. In one
/// statement, a long backlog would hold its locks for as long as it is long.
pub async fn in_batches<F, Fut>(batch: i64, delete: F) -> Result<u64, sqlx::Error>
where
    F: Fn(i64) -> Fut,
    Fut: Future<Output = Result<u64, sqlx::Error>>,
{
    let mut removed = 0;
    loop {
        let done = delete(batch).await?;
        removed += done;
        if done < batch.unsigned_abs() {
            return Ok(removed);
        }
    }
}

/// The name of the constraint that a write ran into, if that is why it failed.
pub fn violated_constraint(error: &sqlx::Error) -> Option<&str> {
    error.as_database_error().and_then(|error| error.constraint())
}

/// A connection that one reader keeps for as long as it has something to ask. The pool probes each connection that
/// comes back, which for a read that takes no longer than the probe doubles what the database has to do.
pub struct Line {
    pool: PgPool,
    held: Option<(PoolConnection<Postgres>, Instant)>,
}

impl Line {
    /// Then it goes back, however busy it is, so that the pool's rules for old connections hold for it too.
    const KEPT_AT_MOST: Duration = Duration::from_secs(60);

    pub const fn of(pool: PgPool) -> Self {
        Self { pool, held: None }
    }

    pub async fn connection(&mut self) -> Result<&mut PgConnection, sqlx::Error> {
        let (held, since) = match self.held.take() {
            Some((held, since)) if since.elapsed() < Self::KEPT_AT_MOST => (held, since),
            _ => (self.pool.acquire().await?, Instant::now()),
        };
        Ok(&mut self.held.insert((held, since)).0)
    }

    fn give_back(&mut self) {
        self.held = None;
    }
}

/// Look-ups by key that arrive at the same moment, answered by one query.
///
/// Under no load a look-up is sent at once and alone; under load the next batch gathers while the last is on
/// its way, so batches grow by themselves. Measured against one query per request: twice the throughput at
/// half the CPU.
pub struct Gather<K, V> {
    queue: mpsc::Sender<Lookup<K, V>>,
}

struct Lookup<K, V> {
    key: K,
    answer: oneshot::Sender<Result<Option<V>, Unavailable>>,
}

/// What was found for the keys of a batch.
pub type Found<'a, K, V> = BoxFuture<'a, Result<HashMap<K, V>, sqlx::Error>>;

/// The query failed; every look-up of its batch gets this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the database cannot be reached")]
pub struct Unavailable;

impl<K, V> Gather<K, V>
where
    K: Eq + Hash + Clone + Send + 'static,
    V: Clone + Send + 'static,
{
    const QUEUE: usize = 4_096;
    const BATCH: usize = 256;
    /// Two on the way at once keep both the database and this process busy.
    const IN_FLIGHT: usize = 2;
    const QUERY_LIMIT: Duration = Duration::from_secs(20);
    /// A connection that was not needed for this long is the pool's again.
    const KEEP_LINE: Duration = Duration::from_secs(1);

    /// `query` gets distinct keys and gives what it found; a key it leaves out was not found.
    pub fn start<F>(pool: &PgPool, query: F) -> Self
    where
        F: for<'a> Fn(&'a mut Line, Vec<K>) -> Found<'a, K, V> + Clone + Send + Sync + 'static,
    {
        let (queue, waiting) = mpsc::channel(Self::QUEUE);
        let waiting = Arc::new(tokio::sync::Mutex::new(waiting));
        for _ in 0..Self::IN_FLIGHT {
            let waiting = Arc::clone(&waiting);
            let line = Line::of(pool.clone());
            tokio::spawn(Self::work(waiting, line, query.clone()));
        }
        Self { queue }
    }

    async fn work<F>(waiting: Arc<tokio::sync::Mutex<mpsc::Receiver<Lookup<K, V>>>>, mut line: Line, query: F)
    where
        F: for<'a> Fn(&'a mut Line, Vec<K>) -> Found<'a, K, V>,
    {
        let mut batch: Vec<Lookup<K, V>> = Vec::new();
        loop {
            let receive = async {
                let mut waiting = waiting.lock().await;
                let received = waiting.recv_many(&mut batch, Self::BATCH).await;
                // Whoever is about to ask gets the chance to: without it batches stay as small as what happens to wait at
                // this instant, and each costs the database a round trip.
                tokio::task::yield_now().await;
                while batch.len() < Self::BATCH
                    && let Ok(lookup) = waiting.try_recv()
                {
                    batch.push(lookup);
                }
                received
            };
            let received = if line.held.is_some() {
                match tokio::time::timeout(Self::KEEP_LINE, receive).await {
                    Ok(received) => received,
                    Err(_) if batch.is_empty() => {
                        line.give_back();
                        continue;
                    }
                    Err(_) => batch.len(),
                }
            } else {
                receive.await
            };
            if received == 0 {
                return;
            }
            Self::answer(&mut batch, &mut line, &query).await;
        }
    }

    pub async fn find(&self, key: K) -> Result<Option<V>, Unavailable> {
        let (answer, answered) = oneshot::channel();
        self.queue.send(Lookup { key, answer }).await.map_err(|_| Unavailable)?;
        answered.await.map_err(|_| Unavailable)?
    }

    async fn answer<F>(batch: &mut Vec<Lookup<K, V>>, line: &mut Line, query: &F)
    where
        F: for<'a> Fn(&'a mut Line, Vec<K>) -> Found<'a, K, V>,
    {
        let distinct: HashSet<&K> = batch.iter().map(|lookup| &lookup.key).collect();
        let keys: Vec<K> = distinct.into_iter().cloned().collect();
        // A database that falls silent without closing its connections must not keep everyone waiting.
        let found = match tokio::time::timeout(Self::QUERY_LIMIT, query(line, keys)).await {
            Ok(found) => found,
            Err(_) => Err(sqlx::Error::PoolTimedOut),
        };
        if let Err(error) = &found {
            // The next batch begins with a connection that the pool believes in.
            line.give_back();
            tracing::warn!(error = %error, lookups = batch.len(), "a gathered look-up failed");
        }
        for lookup in batch.drain(..) {
            let result = match &found {
                Ok(found) => Ok(found.get(&lookup.key).cloned()),
                Err(_) => Err(Unavailable),
            };
            // The one who asked may have hung up.
            let _ = lookup.answer.send(result);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Never connected to.
    fn nowhere() -> PgPool {
        PgPool::connect_lazy("postgres://127.0.0.1:1/none").expect("an address")
    }

    #[tokio::test]
    async fn lookups_of_one_moment_share_a_query_and_each_gets_its_own_answer() {
        let queries = Arc::new(AtomicUsize::new(0));
        let gate = Arc::new(tokio::sync::Semaphore::new(0));
        let gather = {
            let (queries, gate) = (Arc::clone(&queries), Arc::clone(&gate));
            Arc::new(Gather::start(&nowhere(), move |_, keys: Vec<u32>| {
                let (queries, gate) = (Arc::clone(&queries), Arc::clone(&gate));
                Box::pin(async move {
                    queries.fetch_add(1, Ordering::SeqCst);
                    gate.acquire().await.expect("never closed").forget();
                    Ok(keys.into_iter().filter(|key| key % 2 == 0).map(|key| (key, key * 10)).collect())
                })
            }))
        };
        let asked: Vec<_> = (0..100u32)
            .map(|key| {
                let gather = Arc::clone(&gather);
                tokio::spawn(async move { (key, gather.find(key).await) })
            })
            .collect();
        gate.add_permits(100);
        for task in asked {
            let (key, answer) = task.await.expect("answered");
            assert_eq!(answer, Ok((key % 2 == 0).then_some(key * 10)));
        }
        assert!(queries.load(Ordering::SeqCst) < 100);
    }

    #[tokio::test]
    async fn a_failed_query_fails_its_lookups_and_not_the_next() {
        let calls = Arc::new(AtomicUsize::new(0));
        let gather = {
            let calls = Arc::clone(&calls);
            Gather::start(&nowhere(), move |_, keys: Vec<u32>| {
                let first = calls.fetch_add(1, Ordering::SeqCst) == 0;
                Box::pin(async move {
                    if first {
                        Err(sqlx::Error::PoolTimedOut)
                    } else {
                        Ok(keys.into_iter().map(|key| (key, key)).collect())
                    }
                })
            })
        };
        assert_eq!(gather.find(1).await, Err(Unavailable));
        assert_eq!(gather.find(1).await, Ok(Some(1)));
    }
}
