//! People: who has an account, who is signed in, and what each role may do.
//!
//! What always holds: a caller is known only by a session that is still good; a wrong password and an unknown
//! address cannot be told apart, in words or in time.

pub mod rules;
mod store;

use std::{collections::HashMap, time::Duration};

use serde_json::json;
use sqlx::PgPool;
use time::OffsetDateTime;

use crate::{
    audit::{self, Actor},
    clock::Clock,
    context::Context,
    contract::{
        account::{Role, User},
        id::{RequestId, SessionId, UserId},
        problem::FieldProblem,
    },
    crypto::{PasswordError, Purpose},
    db::{Gather, Unavailable},
    outbox,
    rate_limit::{self, Limit, Verdict},
};

/// Tries for one address of mail, and from one place, before a wait.
const SIGN_IN_PER_ACCOUNT: Limit =
    Limit { name: "sign_in_account", times: 10, per: Duration::from_secs(15 * 60) };
const SIGN_IN_PER_ADDRESS: Limit =
    Limit { name: "sign_in_address", times: 200, per: Duration::from_secs(15 * 60) };

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("address or password is wrong")]
    InvalidCredentials,
    #[error("too many tries")]
    TooManyTries { retry_after: Duration },
    #[error("the account's particulars have mistakes")]
    Invalid(Vec<FieldProblem>),
    #[error("there is an account with this address")]
    EmailTaken,
    #[error("too many sign-ins at once")]
    Busy,
    #[error("the password could not be hashed")]
    Hashing,
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
    #[error("the audit log failed")]
    Audit(#[from] audit::Error),
}

impl From<PasswordError> for Error {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Busy => Self::Busy,
            PasswordError::Failed => Self::Hashing,
        }
    }
}

/// Who is asking: every verb that shows or changes something of somebody takes one.
#[derive(Debug, Clone)]
pub enum Caller {
    Anonymous,
    User { user: User, session: SessionId },
}

impl Caller {
    pub fn user(&self) -> Option<&User> {
        match self {
            Self::Anonymous => None,
            Self::User { user, .. } => Some(user),
        }
    }

    pub fn actor(&self) -> Actor {
        self.user().map_or(Actor::Anonymous, |user| Actor::User(user.id))
    }
}

/// Who is signed in with a session.
#[derive(Debug, Clone)]
pub struct SignedIn {
    pub user: User,
    pub session: SessionId,
    pub last_seen_at: OffsetDateTime,
    created_at: OffsetDateTime,
    expires_at: OffsetDateTime,
}

/// Finds people by their session, many at once in one query.
pub struct AccountReader {
    by_token: Gather<[u8; 32], SignedIn>,
    clock: Clock,
}

impl AccountReader {
    pub fn start(pool: PgPool, clock: Clock) -> Self {
        let by_token = Gather::start(move |hashes: Vec<[u8; 32]>| {
            let pool = pool.clone();
            async move {
                store::signed_in(&pool, &hashes).await.map(|rows| rows.into_iter().collect::<HashMap<_, _>>())
            }
        });
        Self { by_token, clock }
    }

    /// Who holds the session with this hash, if it is still good.
    pub async fn signed_in(
        &self,
        token_hash: [u8; 32],
        absolute: Duration,
    ) -> Result<Option<SignedIn>, Unavailable> {
        let now = self.clock.now();
        let found = self.by_token.find(token_hash).await?;
        Ok(found.filter(|found| found.expires_at > now && found.created_at > now - absolute))
    }
}

#[derive(Debug)]
pub struct NewAccount<'a> {
    pub email: &'a str,
    pub name: &'a str,
    pub role: Role,
    pub password: &'a str,
}

/// Makes an account. Only the program itself calls this so far: its first administrator, and demo data.
pub async fn create(ctx: &Context, new: NewAccount<'_>) -> Result<User, Error> {
    let problems = rules::check_new(new.email, new.name, new.password);
    if !problems.is_empty() {
        return Err(Error::Invalid(problems));
    }
    let email = rules::normalize_email(new.email).ok_or(Error::InvalidCredentials)?;
    let password_hash = ctx.hashers.passwords.hash(new.password, &ctx.random).await?;
    let now = ctx.clock.now();
    let user = User {
        id: UserId::from_uuid(ctx.random.uuid_v7(now)),
        email,
        name: new.name.trim().to_owned(),
        role: new.role,
        created_at: now,
    };
    let mut tx = ctx.db.begin().await?;
    store::insert(&mut tx, &user, &password_hash).await.map_err(|error| {
        if crate::db::violated_constraint(&error) == Some("account_email") {
            Error::EmailTaken
        } else {
            error.into()
        }
    })?;
    let id = user.id.to_string();
    audit::record(
        &mut tx,
        ctx,
        audit::Entry {
            actor: Actor::System,
            action: "account.created",
            subject_kind: "account",
            subject_id: &id,
            detail: json!({ "role": user.role }),
            request_id: None,
        },
    )
    .await?;
    outbox::publish(&mut tx, ctx, "account.created", &id, &json!({})).await?;
    tx.commit().await?;
    Ok(user)
}

/// Where a sign-in comes from.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    pub address: &'a str,
    pub request_id: RequestId,
}

/// Checks an address and a password. The session is the caller's business.
pub async fn authenticate(
    ctx: &Context,
    email: &str,
    password: &str,
    origin: Origin<'_>,
) -> Result<User, Error> {
    let email = rules::normalize_email(email).unwrap_or_default();
    // Limits are kept under keyed hashes: the ledger holds no addresses of people.
    let account_key = ctx.hashers.keyed(Purpose::RateLimitKey, email.to_lowercase().as_bytes());
    let address_key = ctx.hashers.keyed(Purpose::RateLimitKey, origin.address.as_bytes());
    for (limit, key) in [(SIGN_IN_PER_ADDRESS, address_key), (SIGN_IN_PER_ACCOUNT, account_key)] {
        if let Verdict::Wait(retry_after) = rate_limit::take(ctx, limit, &key).await? {
            return Err(Error::TooManyTries { retry_after });
        }
    }
    let too_long = password.chars().count() > rules::MAX_PASSWORD_CHARS;
    let found = if too_long { None } else { store::by_email(&ctx.db, &email).await? };
    let stored = found.as_ref().map(|(_, hash)| hash.as_str());
    let matches = ctx.hashers.passwords.verify(if too_long { "" } else { password }, stored).await?;
    let mut tx = ctx.db.begin().await?;
    let (action, user) = match found {
        Some((user, _)) if matches => ("account.signed_in", Some(user)),
        Some((user, _)) => {
            record_sign_in(&mut tx, ctx, "account.sign_in_failed", Some(&user), origin).await?;
            tx.commit().await?;
            return Err(Error::InvalidCredentials);
        }
        None => ("account.sign_in_failed", None),
    };
    record_sign_in(&mut tx, ctx, action, user.as_ref(), origin).await?;
    tx.commit().await?;
    let user = user.ok_or(Error::InvalidCredentials)?;
    // Who knows the password is not the one guessing it.
    rate_limit::forget(ctx, SIGN_IN_PER_ACCOUNT, &account_key).await?;
    Ok(user)
}

async fn record_sign_in(
    tx: &mut sqlx::PgConnection,
    ctx: &Context,
    action: &'static str,
    user: Option<&User>,
    origin: Origin<'_>,
) -> Result<(), Error> {
    let id = user.map_or_else(|| "unknown".to_owned(), |user| user.id.to_string());
    let signed_in = action == "account.signed_in";
    let actor = match user {
        Some(user) if signed_in => Actor::User(user.id),
        _ => Actor::Anonymous,
    };
    audit::record(
        tx,
        ctx,
        audit::Entry {
            actor,
            action,
            subject_kind: "account",
            subject_id: &id,
            detail: json!({}),
            request_id: Some(origin.request_id),
        },
    )
    .await?;
    Ok(())
}

/// How many accounts there are: zero tells that a database is new.
pub async fn count(ctx: &Context) -> Result<i64, Error> {
    store::count(&ctx.db).await.map_err(Error::from)
}
