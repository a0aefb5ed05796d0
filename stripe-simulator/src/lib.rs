//! A stateful stand-in for Stripe's API, for development and tests: the endpoints that our client calls, a page to pay
//! with test cards on, signed webhooks, and weather.
//!
//! What always holds: it is on loopback only and marked as a test on every page; it takes no real card and moves no
//! money; it checks what it is sent as strictly as Stripe does where we know how strict that is. It depends on nothing
//! of ours: the server starts it when no key for the real Stripe is set, and tests start it with their own weather.

mod balance;
mod cards;
mod catalogue;
pub mod checkout;
mod clock;
mod customers;
mod delivery;
mod disputes;
mod events;
pub mod fault;
mod fields;
mod http;
mod intents;
mod invoices;
mod pages;
pub mod params;
pub mod payments;
mod portal;
mod refunds;
mod subscriptions;
mod sums;
mod tax;
pub mod world;

use std::{
    io,
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware,
    routing::{any, get},
};
use serde_json::Value;
use tokio::{
    sync::{Notify, oneshot},
    task::JoinHandle,
};

pub use crate::{delivery::sign, disputes::Verdict, fault::Fault, payments::Card, world::World};

/// How often what became due by itself is looked for.
const TICK: Duration = Duration::from_secs(1);
/// How long requests under way may take to end.
const STOP_WITHIN: Duration = Duration::from_secs(2);

#[derive(Clone)]
pub struct Settings {
    /// On loopback. Port 0 takes a free one.
    pub address: SocketAddr,
    /// Whom to tell of events. Without it they are kept until [`Simulator::take_events`].
    pub webhook: Option<Webhook>,
    /// Where the world is written down. Without it, it ends with the process.
    pub journal: Option<PathBuf>,
    /// The same seed makes the same ids and the same weather. A world that is not written down, beside a database that
    /// is, needs a new one each time.
    pub seed: u64,
    pub weather: Weather,
}

#[derive(Clone)]
pub struct Webhook {
    pub url: String,
    /// `whsec_…`
    pub secret: String,
}

/// What goes wrong on purpose. The default is a sunny day.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Weather {
    /// How probable it is that a request is carried out and answered with 500.
    pub lose_answer: f64,
    /// How long answers take, from and to, in milliseconds.
    pub slow_ms: (u64, u64),
    /// How probable it is that an event is delivered twice.
    pub duplicate: f64,
    /// How probable it is that an attempt to deliver does not arrive.
    pub drop: f64,
    /// How long deliveries wait, from and to, in milliseconds.
    pub delay_ms: (u64, u64),
    /// Whether deliveries overtake each other.
    pub shuffle: bool,
}

/// What all requests share.
struct Shared {
    world: Mutex<World>,
    weather: Mutex<Weather>,
    base: String,
    /// Rung when there may be something to deliver.
    news: Notify,
}

impl Shared {
    /// Does something to the world and writes it down before anybody is told. What a handler that panicked has done
    /// stays: the next one finds a world that works.
    fn with<T>(&self, act: impl FnOnce(&mut World) -> T) -> io::Result<T> {
        let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        let result = act(&mut world);
        let written = world.write_down();
        let news = !world.undelivered.is_empty();
        drop(world);
        if news {
            self.news.notify_one();
        }
        written.map(|()| result)
    }

    fn advance(&self, seconds: i64) -> io::Result<()> {
        let advanced = self.with(|world| {
            world.advance(seconds)?;
            run_due(world);
            Ok(())
        });
        advanced?
    }

    fn weather(&self) -> Weather {
        *self.lock_weather()
    }

    fn lock_weather(&self) -> MutexGuard<'_, Weather> {
        self.weather.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A running simulator. It ends when it is dropped; [`Simulator::stop`] waits for the end.
pub struct Simulator {
    shared: Arc<Shared>,
    /// Dropped or used, it ends the server.
    end: Option<oneshot::Sender<()>>,
    server: Option<JoinHandle<()>>,
    others: Vec<JoinHandle<()>>,
}

/// Starts within the runtime that it is called in.
pub fn start(settings: Settings) -> io::Result<Simulator> {
    if !settings.address.ip().is_loopback() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "the simulator of Stripe is for loopback only",
        ));
    }
    let listener = std::net::TcpListener::bind(settings.address)?;
    listener.set_nonblocking(true)?;
    let base = format!("http://{}", listener.local_addr()?);
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let mut world = World::open(settings.journal.as_deref(), settings.seed)?;
    world.base.clone_from(&base);
    let shared = Arc::new(Shared {
        world: Mutex::new(world),
        weather: Mutex::new(settings.weather),
        base,
        news: Notify::new(),
    });
    let mut others = vec![tokio::spawn(tick(Arc::clone(&shared)))];
    if let Some(webhook) = settings.webhook {
        others.push(tokio::spawn(delivery::run(Arc::clone(&shared), webhook, delivery::client()?)));
    }
    let (end, ended) = oneshot::channel::<()>();
    let router = router(Arc::clone(&shared));
    let server = tokio::spawn(async move {
        let served = axum::serve(listener, router).with_graceful_shutdown(async move {
            // An error is the other end dropped: that ends it too.
            let _ = ended.await;
        });
        if let Err(error) = served.await {
            tracing::error!(%error, "the simulator of Stripe ended");
        }
    });
    Ok(Simulator { shared, end: Some(end), server: Some(server), others })
}

fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/v1/{*path}", any(http::v1))
        .route("/style.css", get(pages::style))
        .merge(pages::router())
        .fallback(http::nothing_here)
        .layer(DefaultBodyLimit::max(http::MAX_BODY))
        .layer(middleware::from_fn_with_state(Arc::clone(&shared), http::by_own_name))
        .with_state(shared)
}

async fn tick(shared: Arc<Shared>) {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = shared.with(run_due) {
            tracing::error!(%error, "what became due cannot be written down");
        }
    }
}

/// Does all that the world's time has made due.
fn run_due(world: &mut World) {
    clock::run_due(world);
    checkout::settle_due(world);
    disputes::open_due(world);
    refunds::fail_due(world);
}

impl Simulator {
    /// With no slash at the end.
    pub fn url(&self) -> &str {
        &self.shared.base
    }

    /// Looks into the world, or changes it.
    pub fn world<T>(&self, act: impl FnOnce(&mut World) -> T) -> T {
        self.shared.with(act).expect("the journal of the simulator can be written")
    }

    fn whole<T>(&self, act: impl FnOnce(&mut World) -> Result<T, Fault>) -> Result<T, Fault> {
        self.world(|world| world.whole(act))
    }

    /// Pays a session as its page does. [`Card::NeedsAuthentication`] is approved.
    pub fn pay(&self, session: &str, card: Card) -> Result<Value, Fault> {
        self.whole(|world| checkout::complete(world, session, card))
    }

    /// Ends the wait for a payment by [`Card::Slow`], well or badly.
    pub fn settle_slow(&self, session: &str, succeeded: bool) -> Result<Value, Fault> {
        self.whole(|world| checkout::settle_slow(world, session, succeeded))
    }

    /// The events that nobody was told of yet, oldest first. They count as told by this.
    pub fn take_events(&self) -> Vec<Value> {
        self.world(|world| {
            let ids = world.take_undelivered();
            ids.iter()
                .filter_map(|id| {
                    let event = world.get(id).cloned();
                    world.delivered(id);
                    event
                })
                .collect()
        })
    }

    pub fn weather(&self) -> Weather {
        self.shared.weather()
    }

    pub fn set_weather(&self, weather: Weather) {
        *self.shared.lock_weather() = weather;
    }

    /// Moves the world's time ahead and does what becomes due by it.
    pub fn advance(&self, seconds: i64) -> io::Result<()> {
        self.shared.advance(seconds)
    }

    /// Gives back a charge, or a part of it, as somebody at Stripe's own site does.
    pub fn refund(&self, charge: &str, amount: Option<i64>) -> Result<Value, Fault> {
        self.whole(|world| {
            let charge = world.find("charge", charge)?;
            refunds::refund(world, &charge, amount, None, &serde_json::json!({}))
        })
    }

    /// Makes a refund that succeeded fail after all.
    pub fn fail_refund(&self, refund: &str) -> Result<Value, Fault> {
        self.whole(|world| refunds::fail(world, refund))
    }

    pub fn open_dispute(&self, charge: &str) -> Result<Value, Fault> {
        self.whole(|world| disputes::open(world, charge))
    }

    pub fn close_dispute(&self, dispute: &str, verdict: Verdict) -> Result<Value, Fault> {
        self.whole(|world| disputes::close(world, dispute, verdict))
    }

    /// Ends it and frees its port. What is under way is let finish.
    pub async fn stop(mut self) {
        self.end.take();
        if let Some(mut server) = self.server.take()
            && tokio::time::timeout(STOP_WITHIN, &mut server).await.is_err()
        {
            server.abort();
        }
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        for task in &self.others {
            task.abort();
        }
    }
}

#[cfg(test)]
mod tests;
