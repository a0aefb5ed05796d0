//! Signing in: the password, what comes after it, and passkeys; and proving again who one is.
//!
//! What always holds: an unknown address costs the same work as a wrong password; guesses wait longer each time,
//! but not on a device its owner was signed in on before, so that nobody can keep them out by guessing; no proof
//! counts for an account that staff have locked.

mod guessing;

use std::time::Duration;

use serde_json::json;
use sqlx::PgConnection;

use self::guessing::{Tries, take_network};
use super::{
    Caller, Client, Denied, Error,
    limits::{self, Of},
    note, passkey, password, rules,
    store::{self, Account},
    ticket, two_factor,
};
use crate::{
    audit::{self, Actor},
    context::Context,
    contract::{
        account::{Login, TokenPair, User},
        id::UserId,
    },
    rate_limit::Limit,
    session::{self, Opened},
};

pub(crate) use self::guessing::forgive;

/// Challenges for a new proof: each is a row for some minutes.
const CHALLENGES: Limit = Limit { name: "confirm_challenge", times: 60, per: Duration::from_secs(10 * 60) };

/// What proves who one is.
#[derive(Debug, Clone, Copy)]
pub enum Proof<'a> {
    Password(&'a str),
    /// From the authenticator app, or a recovery code.
    Code(&'a str),
    Passkey {
        ticket: &'a str,
        credential: &'a str,
    },
}

/// Where a sign-in with a password has come.
#[derive(Debug)]
pub enum Step {
    Done(Opened),
    /// The password was right; this ticket and a second proof finish it.
    Second(String),
}

/// What the page of the second step needs to know.
#[derive(Debug, Clone, Copy)]
pub struct SecondStep {
    pub has_passkeys: bool,
}

/// Signs a browser in with address and password.
pub async fn with_password(
    ctx: &Context,
    email: &str,
    password: &str,
    remember: bool,
    client: &Client,
) -> Result<Step, Error> {
    let account = check_password(ctx, email, password, client).await?;
    let mut tx = ctx.db.begin().await?;
    hold(&mut tx, &account).await?;
    let step = if account.user.two_factor_enabled {
        let data = json!({ "remember": remember });
        Step::Second(
            ticket::issue(&mut tx, ctx, ticket::Kind::SecondStep, Some(account.user.id), data).await?,
        )
    } else {
        Step::Done(session::open_browser(&mut tx, ctx, &account.user, client, "password", remember).await?)
    };
    tx.commit().await?;
    Ok(step)
}

/// Whether the ticket of a second step is still good, and what may be offered.
pub async fn second_step_account(ctx: &Context, ticket: &str) -> Result<SecondStep, Error> {
    let account = begun(ctx, ticket).await?.0;
    Ok(SecondStep { has_passkeys: passkey::has_any(ctx, account.user.id).await? })
}

/// The challenge for a passkey as the second step.
pub async fn second_step_challenge(ctx: &Context, ticket: &str) -> Result<passkey::Challenge, Error> {
    let account = begun(ctx, ticket).await?.0;
    passkey::begin_sign_in(ctx, account.user.id).await
}

async fn begun(ctx: &Context, ticket: &str) -> Result<(Account, bool), Error> {
    let found = ticket::look(ctx, ticket::Kind::SecondStep, ticket).await?.ok_or(Error::InvalidToken)?;
    let remember = found.data["remember"].as_bool().unwrap_or(false);
    let account = found.account.ok_or(Error::InvalidToken)?;
    let account = store::by_id(&ctx.db, account).await?.ok_or(Error::InvalidToken)?;
    if account.locked_at.is_some() {
        return Err(Error::Locked);
    }
    Ok((account, remember))
}

/// Finishes what a right password began.
pub async fn second_step(
    ctx: &Context,
    ticket: &str,
    proof: Proof<'_>,
    client: &Client,
) -> Result<Opened, Error> {
    let (account, remember) = begun(ctx, ticket).await?;
    let user = &account.user;
    let tries = Tries::of_code(ctx, user, client).await?;
    // Checked before the transaction: the library's work is long, and its ticket is taken whatever comes of it.
    let method = match proof {
        Proof::Passkey { ticket, credential } => {
            check_passkey(ctx, ticket, credential, Some(user.id), client).await?;
            "password+passkey"
        }
        Proof::Code(_) => {
            tries.admit(ctx).await?;
            "password+code"
        }
        Proof::Password(_) => return Err(Error::InvalidCode),
    };
    let mut tx = ctx.db.begin().await?;
    hold(&mut tx, &account).await?;
    if let Proof::Code(code) = proof
        && two_factor::check(&mut tx, ctx, user.id, code).await?.is_none()
    {
        return Err(wrong_code(ctx, tx, user.id, client).await);
    }
    // Taken last: a wrong code must not send its owner back to the password.
    ticket::take(&mut tx, ctx, ticket::Kind::SecondStep, ticket).await?.ok_or(Error::InvalidToken)?;
    let opened = session::open_browser(&mut tx, ctx, user, client, method, remember).await?;
    tx.commit().await?;
    tries.forgive(ctx).await?;
    Ok(opened)
}

/// Signs a browser in with a passkey alone, which is two proofs in one: having it, and unlocking it.
pub async fn with_passkey(
    ctx: &Context,
    ticket: &str,
    credential: &str,
    remember: bool,
    client: &Client,
) -> Result<Opened, Error> {
    take_network(ctx, client).await?;
    let user = check_passkey(ctx, ticket, credential, None, client).await?;
    let account = store::by_id(&ctx.db, user).await?.ok_or(Error::InvalidCredentials)?;
    refuse_locked(ctx, &account, client).await?;
    let mut tx = ctx.db.begin().await?;
    hold(&mut tx, &account).await?;
    let opened = session::open_browser(&mut tx, ctx, &account.user, client, "passkey", remember).await?;
    tx.commit().await?;
    Ok(opened)
}

/// Signs a program in.
pub async fn login(ctx: &Context, login: &Login, client: &Client) -> Result<(User, TokenPair), Error> {
    let account = check_password(ctx, &login.email, &login.password, client).await?;
    let user = &account.user;
    let code = login.code.as_deref().map(str::trim).filter(|code| !code.is_empty());
    let (method, tries) = match (user.two_factor_enabled, code) {
        (false, _) => ("password", None),
        (true, None) => return Err(Error::TwoFactorRequired),
        (true, Some(_)) => {
            let tries = Tries::of_code(ctx, user, client).await?;
            tries.admit(ctx).await?;
            ("password+code", Some(tries))
        }
    };
    let mut tx = ctx.db.begin().await?;
    hold(&mut tx, &account).await?;
    if let Some(code) = code.filter(|_| user.two_factor_enabled)
        && two_factor::check(&mut tx, ctx, user.id, code).await?.is_none()
    {
        return Err(wrong_code(ctx, tx, user.id, client).await);
    }
    let opened = session::open_api(&mut tx, ctx, user, client, method).await?;
    tx.commit().await?;
    if let Some(tries) = tries {
        tries.forgive(ctx).await?;
    }
    let tokens = opened.tokens(ctx).await?;
    Ok((account.user, tokens))
}

/// Whoever has just registered is signed in: the browser,
pub async fn after_registration(ctx: &Context, user: &User, client: &Client) -> Result<Opened, Error> {
    let mut tx = ctx.db.begin().await?;
    let opened = session::open_browser(&mut tx, ctx, user, client, "password", true).await?;
    tx.commit().await?;
    Ok(opened)
}

/// or the program.
pub async fn tokens_after_registration(
    ctx: &Context,
    user: &User,
    client: &Client,
) -> Result<TokenPair, Error> {
    let mut tx = ctx.db.begin().await?;
    let opened = session::open_api(&mut tx, ctx, user, client, "password").await?;
    tx.commit().await?;
    opened.tokens(ctx).await
}

/// Proves again who is there, for the steps that ask for a recent proof. The cookie changes with it.
pub async fn confirm(
    ctx: &Context,
    caller: &Caller,
    proof: Proof<'_>,
    client: &Client,
) -> Result<Opened, Error> {
    let identity = caller.identity().ok_or(Denied::Unauthenticated)?;
    if identity.impersonator().is_some() {
        return Err(Denied::ReadOnly.into());
    }
    identity.session().ok_or(Denied::Forbidden)?;
    let user = &identity.user;
    match proof {
        Proof::Password(password) => {
            let tries = Tries::of_confirmation(ctx, user.id);
            tries.admit(ctx).await?;
            let stored = store::by_id(&ctx.db, user.id).await?.and_then(|account| account.password_hash);
            if !matches(ctx, password, stored.as_deref()).await? {
                record_failure(ctx, Some(user.id), "account.confirm_failed", client).await?;
                return Err(Error::InvalidCredentials);
            }
            tries.forgive(ctx).await?;
        }
        Proof::Passkey { ticket, credential } => {
            check_passkey(ctx, ticket, credential, Some(user.id), client).await?;
        }
        Proof::Code(_) => return Err(Error::InvalidCredentials),
    }
    let mut tx = ctx.db.begin().await?;
    let opened = session::renew(&mut tx, ctx, identity).await?;
    let (actor, request) = (identity.actor(), Some(client.request));
    note(&mut tx, ctx, actor, "account.confirmed", user.id, json!({}), request).await?;
    tx.commit().await?;
    Ok(opened)
}

/// The challenge for a passkey as the new proof.
pub async fn confirm_challenge(ctx: &Context, caller: &Caller) -> Result<passkey::Challenge, Error> {
    let identity = caller.identity().ok_or(Denied::Unauthenticated)?;
    if identity.impersonator().is_some() {
        return Err(Denied::ReadOnly.into());
    }
    identity.session().ok_or(Denied::Forbidden)?;
    limits::take(ctx, CHALLENGES, Of::Account(identity.user.id)).await?;
    passkey::begin_sign_in(ctx, identity.user.id).await
}

/// The account of an address, when the password is its own and nothing else speaks against it.
async fn check_password(
    ctx: &Context,
    email: &str,
    password: &str,
    client: &Client,
) -> Result<Account, Error> {
    take_network(ctx, client).await?;
    let email = rules::normalize_email(email).unwrap_or_default();
    let found = store::by_email(&ctx.db, &email).await?;
    let account_id = found.as_ref().map(|account| account.user.id);
    let tries = Tries::of_password(ctx, &email, account_id, client).await?;
    tries.admit(ctx).await?;
    let stored = found.as_ref().and_then(|account| account.password_hash.as_deref());
    let right = matches(ctx, password, stored).await?;
    let Some(account) = found.filter(|_| right) else {
        record_failure(ctx, account_id, "account.sign_in_failed", client).await?;
        return Err(Error::InvalidCredentials);
    };
    refuse_locked(ctx, &account, client).await?;
    tries.forgive(ctx).await?;
    Ok(account)
}

/// Holds the account until the transaction ends. What was proven counts only while it is what the account asks for:
/// a password, a factor or a lock may have come in between, and would not find the session being made.
async fn hold(conn: &mut PgConnection, proven: &Account) -> Result<(), Error> {
    let now = store::lock(conn, proven.user.id).await?.ok_or(Error::InvalidCredentials)?;
    if now.locked_at.is_some() {
        return Err(Error::Locked);
    }
    let same = now.deleted_at.is_none()
        && now.password_hash == proven.password_hash
        && now.user.two_factor_enabled == proven.user.two_factor_enabled;
    if same { Ok(()) } else { Err(Error::InvalidCredentials) }
}

/// Said only to those who proved that the account is theirs.
async fn refuse_locked(ctx: &Context, account: &Account, client: &Client) -> Result<(), Error> {
    if account.locked_at.is_none() {
        return Ok(());
    }
    record_failure(ctx, Some(account.user.id), "account.sign_in_refused", client).await?;
    Err(Error::Locked)
}

async fn matches(ctx: &Context, password: &str, stored: Option<&str>) -> Result<bool, Error> {
    let too_long = password.chars().count() > rules::MAX_PASSWORD_CHARS;
    let password = if too_long { String::new() } else { password::normalize(password) };
    Ok(ctx.hashers.passwords.verify(&password, stored.filter(|_| !too_long)).await?)
}

async fn record_failure(
    ctx: &Context,
    account: Option<UserId>,
    action: &'static str,
    client: &Client,
) -> Result<(), Error> {
    metrics::counter!("devforge_sign_ins_total", "outcome" => action, "method" => "").increment(1);
    let subject_id = account.map_or_else(|| "unknown".to_owned(), |id| id.to_string());
    let entry = audit::Entry {
        actor: Actor::Anonymous,
        action,
        subject_kind: "account",
        subject_id: &subject_id,
        detail: json!({}),
        request_id: Some(client.request),
    };
    let mut tx = ctx.db.begin().await?;
    audit::record(&mut tx, ctx, entry).await?;
    tx.commit().await?;
    Ok(())
}

/// Gives up what the check began, and records that it failed.
async fn wrong_code(
    ctx: &Context,
    tx: sqlx::Transaction<'_, sqlx::Postgres>,
    user: UserId,
    client: &Client,
) -> Error {
    let undone = tx.rollback().await.map_err(Error::from);
    let recorded = match undone {
        Ok(()) => record_failure(ctx, Some(user), "account.second_step_failed", client).await,
        Err(error) => Err(error),
    };
    recorded.err().unwrap_or(Error::InvalidCode)
}

/// Whose passkey answered. A refusal is recorded like that of a password.
async fn check_passkey(
    ctx: &Context,
    ticket: &str,
    credential: &str,
    expected: Option<UserId>,
    client: &Client,
) -> Result<UserId, Error> {
    let checked = Box::pin(passkey::finish_sign_in(ctx, ticket, credential, expected)).await;
    if matches!(checked, Err(Error::InvalidCredentials)) {
        record_failure(ctx, expected, "account.passkey_refused", client).await?;
    }
    checked
}
