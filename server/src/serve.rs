//! `devforge serve` and `devforge worker`: what starts in which order, and what stops in which.

use std::{net::SocketAddr, time::Duration};

use anyhow::Context as _;
use devforge::{
    api::openapi,
    audit,
    billing::catalogue,
    clock::Clock,
    config::{Config, Mode, Sources},
    content::Content,
    context::Context,
    db, jobs, license, outbox,
    random::Random,
    search, seed, signing,
    support::knowledge,
};
use tokio::{
    net::TcpListener,
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
    task::JoinHandle,
    time::Instant,
};

use crate::{http, payments, postgres};

/// The index of a node holds what has changed this long after the page cache heard of it.
const FOUND_BY_THEN: Duration = Duration::from_secs(3);

/// Serves until SIGINT or SIGTERM, then drains.
pub async fn serve(config: Config, sources: &Sources) -> anyhow::Result<()> {
    let mut signals = Signals::listen()?;
    let running = tokio::select! {
        running = Box::pin(start(config, sources)) => running?,
        // What was started so far is dropped, and with it our share of the private PostgreSQL.
        () = signals.next() => return Ok(()),
    };
    running.until(signals).await
}

/// Everything that serves, once it does.
struct Running {
    ctx: Context,
    cluster: Option<private_postgres::Cluster>,
    simulator: Option<payments::Running>,
    stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
    worker: Option<JoinHandle<()>>,
    others: [JoinHandle<()>; 6],
}

async fn start(config: Config, sources: &Sources) -> anyhow::Result<Running> {
    // The port first: it is what most often is wrong, and it is known at once.
    let address = config.http.address;
    let listener = listen(address).await?;
    let metrics = http::metrics::install()?;
    let site = listener.local_addr().unwrap_or(address);
    let (config, simulator) = payments::ensure(config, site).await?;
    let (config, cluster) = postgres::ensure(config).await?;
    let ctx = Context::open(config, Clock::System, Random::System).await?;
    if let Err(error) = wait_for_database(&ctx).await {
        postgres::stop(cluster).await;
        return Err(error);
    }
    prepare_database(&ctx).await?;
    bring_articles(&ctx).await?;
    if let Err(error) = signing::prepare(&ctx).await {
        tracing::error!(%error, "there is not a key for everything that is signed");
    }
    if ctx.config.mode == Mode::Development && sources.get("DEVFORGE_SEED") == Some("demo") {
        seed::demo(&ctx, sources.get("DEVFORGE_DEMO_PASSWORD")).await?;
    }
    let (stop, stopped) = watch::channel(false);
    let indexing = tokio::spawn(search::follow(ctx.clone(), openapi::document()));
    let counting = tokio::spawn(search::asked::keep(ctx.clone()));
    let worker =
        if ctx.config.jobs.in_process { Some(spawn_worker(&ctx, stopped.clone()).await?) } else { None };
    let site = http::site(&ctx, metrics)?;
    let following = tokio::spawn(follow_outbox(ctx.clone(), site.cache.clone()));
    let housekeeping = tokio::spawn(site.housekeeping());
    let licenses = tokio::spawn(license::check::follow(ctx.clone()));
    let cache = site.cache.clone();
    let written = tokio::spawn(Content::follow(ctx.clone(), move || cache.clear()));
    announce(&ctx, listener.local_addr().unwrap_or(address));

    let mut stopping = stopped.clone();
    let serving = tokio::spawn(http::accept::serve(listener, site.router, async move {
        let _ = stopping.wait_for(|stop| *stop).await;
    }));
    Ok(Running {
        ctx,
        cluster,
        simulator,
        stop,
        serving,
        worker,
        others: [indexing, counting, following, housekeeping, licenses, written],
    })
}

impl Running {
    /// Serves until a signal comes, then lets what is under way finish.
    async fn until(self, mut signals: Signals) -> anyhow::Result<()> {
        signals.next().await;
        tracing::info!("stopping: requests and jobs under way may finish");
        let _ = self.stop.send(true);
        let drain = self.ctx.config.http.drain_timeout;
        if tokio::time::timeout(drain, self.serving).await.is_err() {
            tracing::warn!("some requests did not finish in time and were cut off");
        }
        if let Some(worker) = self.worker
            && tokio::time::timeout(drain + Duration::from_secs(1), worker).await.is_err()
        {
            tracing::warn!("some jobs did not finish in time; they will run again");
        }
        for task in self.others {
            task.abort();
        }
        keep_counts(&self.ctx).await;
        close(&self.ctx).await;
        payments::stop(self.simulator).await;
        postgres::stop(self.cluster).await;
        Ok(())
    }
}

/// Writes down what was counted since the last time, unless the database does not answer.
async fn keep_counts(ctx: &Context) {
    match tokio::time::timeout(Duration::from_secs(2), search::asked::flush(ctx)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "what was looked for last is not counted"),
        Err(_) => tracing::warn!("what was looked for last is not counted: the database does not answer"),
    }
}

/// Closes the pool, but does not wait for a database that has fallen silent.
async fn close(ctx: &Context) {
    let _ = tokio::time::timeout(Duration::from_secs(5), ctx.db.close()).await;
}

/// Runs jobs and nothing else.
pub async fn worker(config: Config) -> anyhow::Result<()> {
    let mut signals = Signals::listen()?;
    let site = config.http.address;
    let (config, simulator) = payments::ensure(config, site).await?;
    let (config, cluster) = postgres::ensure(config).await?;
    let ctx = Context::open(config, Clock::System, Random::System).await?;
    wait_for_database(&ctx).await?;
    prepare_database(&ctx).await?;
    bring_articles(&ctx).await?;
    let (stop, stopped) = watch::channel(false);
    let worker = spawn_worker(&ctx, stopped).await?;
    tracing::info!("working");
    signals.next().await;
    let _ = stop.send(true);
    let _ = tokio::time::timeout(ctx.config.http.drain_timeout + Duration::from_secs(1), worker).await;
    close(&ctx).await;
    payments::stop(simulator).await;
    postgres::stop(cluster).await;
    Ok(())
}

/// Our tables and the queue's, both up to date.
pub async fn prepare_database(ctx: &Context) -> anyhow::Result<()> {
    let pool = db::upkeep(&ctx.db).await.context("the database cannot be reached")?;
    db::migrate(&pool).await.context("the database could not be brought up to date")?;
    jobs::prepare_schema(&pool).await?;
    audit::ensure_partitions(&pool).await?;
    catalogue::seed(ctx).await?;
    pool.close().await;
    Ok(())
}

/// The knowledge base as this program begins it. Not part of every command: an older one that is run for something
/// else has no say in what readers see.
pub async fn bring_articles(ctx: &Context) -> anyhow::Result<()> {
    knowledge::seed(ctx).await.context("the starting articles could not be written")?;
    Ok(())
}

/// The demo people, where this installation has them.
pub fn print_demo(config: &Config) {
    let Some(password) = seed::demo_password(config) else {
        return;
    };
    println!("\n  Demo sign-ins, all with the password {password}");
    for (email, _, role) in seed::PEOPLE {
        println!("    {email:<24} {}", role.as_str());
    }
}

async fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => anyhow::anyhow!(
            "port {} is taken by another program; stop it, or choose another with DEVFORGE_HTTP_ADDRESS={}:{}",
            address.port(),
            address.ip(),
            address.port().checked_add(1).unwrap_or(3000),
        ),
        _ => anyhow::anyhow!("cannot listen on {address}: {error}; set DEVFORGE_HTTP_ADDRESS"),
    })
}

/// A database that is starting gets a while; one that is not there gets a clear line.
async fn wait_for_database(ctx: &Context) -> anyhow::Result<()> {
    const TRIES: u32 = 10;
    let mut last = None;
    for attempt in 0..TRIES {
        match ctx.db.acquire().await {
            Ok(_) => return Ok(()),
            Err(error) => {
                if attempt == 0 {
                    tracing::warn!("the database does not answer yet; waiting for it");
                }
                last = Some(error);
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }
    let reason = last.map(|error| error.to_string()).unwrap_or_default();
    anyhow::bail!(
        "the database at DATABASE_URL does not answer ({reason}); check the address and that it runs"
    )
}

async fn spawn_worker(ctx: &Context, mut stopped: watch::Receiver<bool>) -> anyhow::Result<JoinHandle<()>> {
    // The first start says what is wrong; later ones are retried, because a database that goes away comes back.
    let mut on_stop = stopped.clone();
    let first = jobs::Worker::start(ctx, async move {
        let _ = on_stop.wait_for(|stop| *stop).await;
    })
    .await?;
    let ctx = ctx.clone();
    Ok(tokio::spawn(async move {
        // What happened becomes work where work is done.
        let relaying = AbortOnDrop(tokio::spawn(outbox::relay::run(ctx.clone())));
        let mut next = Some(first);
        while !*stopped.borrow() {
            if let Some(worker) = next.take()
                && let Err(error) = worker.run().await
            {
                tracing::warn!(error = %error, "the worker stopped; starting it again");
            }
            if *stopped.borrow() {
                break;
            }
            tokio::select! {
                () = tokio::time::sleep(Duration::from_secs(2)) => {}
                _ = stopped.wait_for(|stop| *stop) => break,
            }
            let mut on_stop = stopped.clone();
            let started = jobs::Worker::start(&ctx, async move {
                let _ = on_stop.wait_for(|stop| *stop).await;
            });
            match started.await {
                Ok(worker) => next = Some(worker),
                Err(error) => tracing::warn!(error = %error, "the worker cannot start yet"),
            }
        }
        drop(relaying);
    }))
}

/// A task that ends with whoever began it.
struct AbortOnDrop(JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Pages that may have changed leave the cache.
async fn follow_outbox(ctx: Context, cache: http::PageCache) {
    let start = loop {
        match outbox::end(&ctx.db).await {
            Ok(cursor) => break cursor,
            Err(_) => tokio::time::sleep(Duration::from_secs(2)).await,
        }
    };
    // Pages were served before that place was known, and what happened meanwhile may lie before it.
    cache.clear();
    let mut follower = outbox::Follower::from(ctx.db.clone(), start);
    let mut again: Option<Instant> = None;
    loop {
        let heard = match again {
            Some(at) => tokio::time::timeout_at(at, follower.next()).await.ok(),
            None => Some(follower.next().await),
        };
        let Some(events) = heard else {
            // Articles name related ones, and which those are is asked of the index, which was a moment behind.
            cache.clear();
            again = None;
            continue;
        };
        // Pages show none of an account's data yet, so only what is written for pages clears them.
        if events.iter().any(|event| event.topic.starts_with("content.")) {
            cache.clear();
            ctx.search.nudge();
            again = Some(Instant::now() + FOUND_BY_THEN);
        }
    }
}

/// SIGINT and SIGTERM, heard from the first moment.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn listen() -> anyhow::Result<Self> {
        let heard = |kind| signal(kind).context("signals cannot be heard");
        Ok(Self { interrupt: heard(SignalKind::interrupt())?, terminate: heard(SignalKind::terminate())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

fn announce(ctx: &Context, address: SocketAddr) {
    let url = &ctx.config.http.public_url;
    tracing::info!(%address, url, "serving");
    if ctx.config.mode == Mode::Production {
        return;
    }
    println!("\n  Dev Forge is at {url}");
    println!("    {url}/docs/api     the API reference");
    println!("    {url}/dev          components, mail and jobs of this installation");
    if ctx.config.payments.simulated {
        println!("    {}   the simulated Stripe: test cards, time, trouble", ctx.config.payments.stripe_url);
    }
    print_demo(&ctx.config);
    println!("\n  Ctrl-C stops everything.\n");
}
