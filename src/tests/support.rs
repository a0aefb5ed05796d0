//! The domain as a test sees it: a context on a database of its own, with a clock that stands still.

use devforge::{
    account::{self, NewAccount},
    clock::Clock,
    config::Config,
    context::Context,
    contract::account::{Role, User},
    jobs,
    random::Random,
};
use tempfile::TempDir;
use time::macros::datetime;

use crate::database_support::TestDatabase;

pub const PASSWORD: &str = "correct-horse-battery";

pub struct TestApp {
    pub ctx: Context,
    // Kept for what they do when they are dropped, after the context.
    _database: TestDatabase,
    _data: TempDir,
}

impl TestApp {
    pub async fn start() -> Self {
        Self::start_with(|_| ()).await
    }

    pub async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let database = Box::pin(TestDatabase::create()).await;
        let data = tempfile::tempdir().expect("a folder");
        let mut config = database.config(data.path());
        change(&mut config);
        let clock = Clock::fixed(datetime!(2026-11-20 10:00 UTC));
        let ctx = Context::open(config, clock, Random::seeded(1)).await.expect("a context");
        Self { ctx, _database: database, _data: data }
    }

    /// A second process on the same database and data: its own connections and randomness, the same time.
    pub async fn second(&self) -> Context {
        Context::open(self.ctx.config.clone(), self.ctx.clock.clone(), Random::seeded(2))
            .await
            .expect("a context")
    }

    /// Runs what is queued now. Failures stay in the queue, as they do elsewhere.
    pub async fn run_jobs(&self) {
        Box::pin(jobs::run_all_queued(&self.ctx)).await.expect("the queue can be worked on");
    }

    pub async fn person(&self, email: &str, role: Role) -> User {
        let new = NewAccount { email, name: "Ada Lovelace", role, password: PASSWORD };
        account::create(&self.ctx, new).await.expect("an account")
    }
}
