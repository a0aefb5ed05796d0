//! How an account begins, and how its address is proven.
//!
//! What always holds: an address has one account, whatever the case it is typed in, and the database decides who
//! was first; an account that somebody made themselves is unproven until a mail to its address was read.

use serde_json::json;
use sqlx::PgConnection;

use super::{
    Caller, Client, Error, Permission, email_change,
    limits::{self, Of},
    mails, note, password, rules, store,
    ticket::{self, Kind},
};
use crate::{
    audit::Actor,
    billing,
    context::Context,
    contract::{
        account::{Registration, Role, User},
        id::{RequestId, UserId},
        problem::FieldProblem,
    },
    db, license, mail, outbox,
};

/// An account that the program makes: its first administrator, demo data.
#[derive(Debug)]
pub struct NewAccount<'a> {
    pub email: &'a str,
    pub name: &'a str,
    pub role: Role,
    pub password: &'a str,
}

/// What is stored of somebody, in the form in which it is stored.
struct Particulars {
    email: String,
    name: String,
    password: String,
}

/// How an account came to be.
#[derive(Clone, Copy)]
enum Origin {
    /// Its owner made it, and has yet to prove the address.
    Registered(RequestId),
    /// The program made it, at the word of whoever runs it.
    Given,
}

/// Makes an account for whoever asks, and mails them a link that proves the address.
pub async fn register(ctx: &Context, registration: &Registration, client: &Client) -> Result<User, Error> {
    let Registration { email, password, name } = registration;
    // Before anything is computed.
    limits::take(ctx, limits::REGISTRATION_TRIES, Of::Network(&client.network)).await?;
    let particulars = particulars(email, name, password, password::check_briefly(password))?;
    let about = [particulars.name.as_str(), particulars.email.as_str()];
    // Only what is good as far as a glance can tell is worth an estimate.
    if let Some(problem) = password::check_aside(&particulars.password, &about, false).await? {
        return Err(Error::Invalid(vec![problem]));
    }
    // Counted once nothing is wrong with them: a mistyped address is no account.
    for limit in [limits::REGISTRATIONS_AN_HOUR, limits::REGISTRATIONS_A_DAY] {
        limits::take(ctx, limit, Of::Network(&client.network)).await?;
    }
    insert(ctx, particulars, Role::Customer, Origin::Registered(client.request)).await
}

/// Makes an account whose address counts as proven.
pub async fn create(ctx: &Context, new: NewAccount<'_>) -> Result<User, Error> {
    let problem = password::check_briefly(new.password);
    insert(ctx, particulars(new.email, new.name, new.password, problem)?, new.role, Origin::Given).await
}

/// Whose account a purchase by a guest is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Buyer {
    /// The address is proven, so what is bought with it is its owner's.
    Known(UserId),
    /// Made now, without a password: its owner sets one by a link that goes to the address.
    New(UserId),
    /// Somebody made an account with the address and never proved it. Who that was is not known.
    Unproven,
}

/// The account of somebody who has paid as a guest, in the transaction of the payment. `order` is the address at which
/// they see what they bought.
///
/// What they typed as a name stays on their invoice and goes no further: whose the address is, nobody has shown, and a
/// stranger's words must not greet its owner.
pub async fn for_buyer(
    conn: &mut PgConnection,
    ctx: &Context,
    email: &str,
    order: &str,
) -> Result<Buyer, Error> {
    // Held until the payment is written down, so that a proof of the address meets it before or after, never amid.
    if let Some(known) = known_buyer(&mut *conn, email).await? {
        return Ok(known);
    }
    let now = ctx.clock.now();
    let columns = store::AccountColumns {
        id: ctx.random.uuid_v7(now),
        email: email.to_owned(),
        name: rules::name_from(email),
        role: Role::Customer.as_str().to_owned(),
        email_verified_at: None,
        two_factor_since: None,
        created_at: now,
    };
    let user = columns.into_user();
    if !store::insert_without_password(&mut *conn, &user).await? {
        // Somebody registered the address, or bought with it, in this very moment.
        return Ok(known_buyer(conn, email).await?.unwrap_or(Buyer::Unproven));
    }
    let detail = json!({ "role": Role::Customer, "by": "purchase" });
    note(&mut *conn, ctx, Actor::System, "account.created", user.id, detail, None).await?;
    outbox::publish(&mut *conn, ctx, "account.created", &user.id.to_string(), &json!({})).await?;
    let message = mails::welcome_buyer(&format!("{}/forgot", ctx.config.http.public_url), order);
    let to = mail::Recipient::nameless(user.email.as_str());
    mail::send_to_account(conn, ctx, user.id, &to, "welcome_buyer", &message).await?;
    Ok(Buyer::New(user.id))
}

async fn known_buyer(conn: &mut PgConnection, email: &str) -> Result<Option<Buyer>, Error> {
    let Some(account) = store::lock_by_email(conn, email).await? else { return Ok(None) };
    // One without a password was made by a purchase: only who reads the mail can open it.
    let is_theirs = account.user.email_verified || account.password_hash.is_none();
    Ok(Some(if is_theirs { Buyer::Known(account.user.id) } else { Buyer::Unproven }))
}

/// How many accounts there are: zero tells that a database is new.
pub async fn count(ctx: &Context) -> Result<i64, Error> {
    Ok(store::count(&ctx.db).await?)
}

/// Proves an address with the token that was mailed to it. Proven already, it stays so and nothing happens.
///
/// What opens the account stays: who registered and who reads the mail are most likely one. But a change of address
/// that was begun without this proof needed no yes from here, so it is called off.
pub async fn verify_email(ctx: &Context, token: &str, client: &Client) -> Result<User, Error> {
    let mut tx = ctx.db.begin().await?;
    let (ticket, account) = ticket::take_with_owner(&mut tx, ctx, Kind::VerifyEmail, token).await?;
    let mut user = account.user;
    // Mailed to an address that the account has not any more, it proves nothing.
    if ticket.data["email"].as_str() != Some(user.email.as_str()) {
        return Err(Error::InvalidToken);
    }
    if !user.email_verified {
        store::set_verified(&mut tx, user.id, ctx.clock.now()).await?;
        user.email_verified = true;
        let (actor, request) = (Actor::User(user.id), client.request);
        note(&mut tx, ctx, actor, "account.email_verified", user.id, json!({}), Some(request)).await?;
        email_change::stop(&mut tx, ctx, actor, user.id, request).await?;
        // What was bought with the address as a guest is its owner's.
        billing::order::claim(&mut tx, user.id, &user.email).await.map_err(Error::from_billing)?;
        license::claim(&mut tx, user.id, &user.email).await.map_err(Error::from_license)?;
        outbox::publish(&mut tx, ctx, "account.changed", &user.id.to_string(), &json!({})).await?;
    }
    tx.commit().await?;
    Ok(user)
}

/// Mails the link that proves the address again; those from before end.
pub async fn send_verification(ctx: &Context, caller: &Caller) -> Result<(), Error> {
    let identity = caller.require(ctx, Permission::AccountWrite)?;
    limits::take(ctx, limits::VERIFICATION_MAILS, Of::Account(identity.user.id)).await?;
    let mut tx = ctx.db.begin().await?;
    let account = store::lock(&mut tx, identity.user.id).await?.ok_or(Error::NotFound)?;
    if account.user.email_verified {
        return Err(Error::Conflict("Your address is confirmed already. There is nothing left to do."));
    }
    mail_link(&mut tx, ctx, &account.user).await?;
    let (actor, request) = (identity.actor(), Some(identity.request));
    note(&mut tx, ctx, actor, "account.verification_sent", account.user.id, json!({}), request).await?;
    tx.commit().await?;
    Ok(())
}

/// All that is wrong at once, or what to store.
fn particulars(
    email: &str,
    name: &str,
    password: &str,
    password_problem: Option<FieldProblem>,
) -> Result<Particulars, Error> {
    match (rules::normalize_email(email), rules::normalize_name(name), password_problem) {
        (Some(email), Some(name), None) => {
            Ok(Particulars { email, name, password: password::normalize(password) })
        }
        (good_email, good_name, password_problem) => {
            let email_problem = good_email.is_none().then(|| rules::email_problem("email"));
            let name_problem = good_name.is_none().then(|| rules::name_problem(name));
            Err(Error::Invalid(
                [email_problem, name_problem, password_problem].into_iter().flatten().collect(),
            ))
        }
    }
}

async fn insert(ctx: &Context, particulars: Particulars, role: Role, origin: Origin) -> Result<User, Error> {
    let Particulars { email, name, password } = particulars;
    let password_hash = ctx.hashers.passwords.hash(&password, &ctx.random).await?;
    let now = ctx.clock.now();
    let (verified_at, actor, request) = match origin {
        Origin::Registered(request) => (None, Actor::Anonymous, Some(request)),
        Origin::Given => (Some(now), Actor::System, None),
    };
    let columns = store::AccountColumns {
        id: ctx.random.uuid_v7(now),
        email,
        name,
        role: role.as_str().to_owned(),
        email_verified_at: verified_at,
        two_factor_since: None,
        created_at: now,
    };
    let user = columns.into_user();
    let mut tx = ctx.db.begin().await?;
    store::insert(&mut tx, &user, &password_hash, verified_at).await.map_err(taken)?;
    note(&mut tx, ctx, actor, "account.created", user.id, json!({ "role": role }), request).await?;
    outbox::publish(&mut tx, ctx, "account.created", &user.id.to_string(), &json!({})).await?;
    if !user.email_verified {
        mail_link(&mut tx, ctx, &user).await?;
    }
    tx.commit().await?;
    Ok(user)
}

async fn mail_link(conn: &mut PgConnection, ctx: &Context, user: &User) -> Result<(), Error> {
    ticket::void(&mut *conn, Kind::VerifyEmail, user.id).await?;
    let data = json!({ "email": user.email });
    let token = ticket::issue(&mut *conn, ctx, Kind::VerifyEmail, Some(user.id), data).await?;
    let message = mails::verify(&format!("{}/verify/{token}", ctx.config.http.public_url));
    mails::send_to(conn, ctx, user, "verify_email", &message).await
}

/// Of those who come at once with one address, the index lets one in.
pub(super) fn taken(error: sqlx::Error) -> Error {
    if db::violated_constraint(&error) == Some("account_email") { Error::EmailTaken } else { error.into() }
}
