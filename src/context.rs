//! What every verb is given: configuration, database, clock, randomness, and the ways to the outside.

use std::{ops::Deref, sync::Arc};

use sqlx::PgPool;

use crate::{
    clock::Clock,
    config::Config,
    content::Content,
    crypto::Hashers,
    db,
    integration::{stripe::Stripe, tax::TaxCalculator},
    license,
    mail::Mailer,
    random::Random,
    search::Search,
    session, signing,
    storage::Storage,
};

/// Cheap to clone; one per process, or one per test.
#[derive(Clone)]
pub struct Context(Arc<Parts>);

pub struct Parts {
    pub config: Config,
    pub db: PgPool,
    pub clock: Clock,
    pub random: Random,
    pub storage: Storage,
    pub mail: Mailer,
    pub search: Search,
    pub content: Content,
    pub hashers: Hashers,
    /// The keys that sign, as this process last read them.
    pub signing: signing::Keys,
    /// Who is signed in with which session: looked up on most requests, so gathered into few queries.
    pub sessions: session::Reader,
    /// What the editor asks about: looked up more than anything else.
    pub licenses: license::Reader,
    /// The payment provider; none where nothing is sold.
    pub stripe: Option<Stripe>,
    pub tax: TaxCalculator,
}

impl Deref for Context {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the database cannot be reached")]
    Database(#[from] sqlx::Error),
    #[error("the object store cannot be opened")]
    Storage(#[from] crate::storage::Error),
    #[error("mail is not set up right")]
    Mail(#[from] crate::mail::Error),
    #[error("the search index cannot be opened")]
    Search(#[from] crate::search::Error),
    #[error("a written page has a mistake")]
    Content(#[from] crate::content::Error),
}

impl Context {
    /// Opens everything that `config` names. Nothing is migrated here.
    pub async fn open(config: Config, clock: Clock, random: Random) -> Result<Self, Error> {
        let pool = db::connect(&config.database).await?;
        Self::with_pool(config, pool, clock, random)
    }

    pub fn with_pool(config: Config, pool: PgPool, clock: Clock, random: Random) -> Result<Self, Error> {
        let storage = Storage::open(&config.storage)?;
        let mail = Mailer::from_config(&config.mail)?;
        let search = Search::open(&config.search.directory)?;
        let content = Content::load(&config.operator)?;
        let hashers = Hashers::new(&config.security);
        let sessions = session::Reader::start(&pool, clock.clone());
        let licenses = license::Reader::start(&pool, &config.licenses);
        let stripe = Stripe::new(&config.payments);
        let tax = TaxCalculator::from_config(&config.payments, stripe.as_ref(), &clock);
        Ok(Self(Arc::new(Parts {
            config,
            db: pool,
            clock,
            random,
            storage,
            mail,
            search,
            content,
            hashers,
            signing: signing::Keys::default(),
            sessions,
            licenses,
            stripe,
            tax,
        })))
    }
}
