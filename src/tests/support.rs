//! The domain as a test sees it: a context on a database of its own, with a clock that stands still.

use devforge::{
    account::{
        self, Caller, Client, Identity, NewAccount, Via,
        sign_in::{self, Step},
    },
    clock::Clock,
    config::Config,
    context::Context,
    contract::{
        account::{Role, User},
        id::RequestId,
    },
    jobs,
    outbox::relay,
    random::Random,
    session::{self, Opened},
};
use tempfile::TempDir;
use time::macros::datetime;

use crate::{database_support::TestDatabase, eventually::eventually};

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
        Self::start_at(Clock::fixed(datetime!(2026-11-20 10:00 UTC)), change).await
    }

    pub async fn start_at(clock: Clock, change: impl FnOnce(&mut Config)) -> Self {
        let database = Box::pin(TestDatabase::create()).await;
        let data = tempfile::tempdir().expect("a folder");
        let mut config = database.config(data.path());
        change(&mut config);
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
        loop {
            Box::pin(jobs::run_all_queued(&self.ctx)).await.expect("the queue can be worked on");
            // What happened becomes work, once every transaction of this moment is over: other tests' too.
            let relayed = eventually("the outbox is read", async || {
                let relayed = relay::step(&self.ctx).await.expect("the outbox can be read");
                let more = relayed == 0 && relay::is_behind(&self.ctx).await.expect("the outbox can be read");
                (!more).then_some(relayed)
            });
            if relayed.await == 0 {
                return;
            }
        }
    }

    pub async fn person(&self, email: &str, role: Role) -> User {
        let new = NewAccount { email, name: "Ada Lovelace", role, password: PASSWORD };
        account::create(&self.ctx, new).await.expect("an account")
    }

    /// Signs `user` in from a browser nobody has seen before.
    pub async fn sign_in(&self, user: &User) -> Opened {
        self.sign_in_from(user, &client()).await
    }

    pub async fn sign_in_from(&self, user: &User, client: &Client) -> Opened {
        match sign_in::with_password(&self.ctx, &user.email, PASSWORD, true, client).await {
            Ok(Step::Done(opened)) => opened,
            other => panic!("{} is signed in: {other:?}", user.email),
        }
    }

    /// Who the holder of this cookie is, now.
    pub async fn caller(&self, opened: &Opened) -> Caller {
        self.caller_with(&opened.cookie).await
    }

    pub async fn caller_with(&self, cookie: &str) -> Caller {
        let hash = session::token_hash(&self.ctx, cookie);
        let absolute = self.ctx.config.security.session_absolute;
        let found = self.ctx.sessions.signed_in(hash, absolute).await.expect("asked");
        found.map_or(Caller::Anonymous, |found| {
            let via = Via::Session {
                id: found.session,
                authenticated_at: found.authenticated_at,
                impersonator: found.impersonator,
            };
            Caller::User(Identity { user: found.user, via, request: request() })
        })
    }

    /// Somebody of this role, signed in a moment ago.
    pub async fn signed_in(&self, email: &str, role: Role) -> Caller {
        self.person(email, role).await;
        self.signed_in_again(email).await
    }

    /// Somebody who has an account, signed in a moment ago.
    pub async fn signed_in_again(&self, email: &str) -> Caller {
        match sign_in::with_password(&self.ctx, email, PASSWORD, true, &client()).await {
            Ok(Step::Done(opened)) => self.caller(&opened).await,
            other => panic!("{email} is signed in: {other:?}"),
        }
    }
}

/// A browser at home that keeps no cookies.
pub fn client() -> Client {
    Client {
        address: "192.0.2.10".to_owned(),
        network: "192.0.2.10".to_owned(),
        country: None,
        device: "Firefox on Linux".to_owned(),
        known_device: None,
        request: request(),
    }
}

fn request() -> RequestId {
    RequestId::from_uuid(uuid::Uuid::nil())
}
