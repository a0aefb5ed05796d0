//! A new password for somebody who has forgotten theirs, by a link in a mail.
//!
//! What always holds: nobody learns from it which addresses have an account, in words or in time; the link works
//! once, and a password that is refused does not use it up. Where the address was proven before, what else opens the
//! account stays as it is. Where it was not, somebody else may have set that up, and it goes, with all they said of
//! themselves.

use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::PgConnection;

use super::{check_aside, normalize, replace};
use crate::{
    account::{
        Client, Error, closing, email_change,
        limits::{self, Of},
        mails, note, rules, sign_in,
        store::{self, Account},
        ticket::{self, Kind, Ticket},
    },
    audit::Actor,
    billing,
    context::Context,
    contract::{account::User, id::RequestId},
    jobs::{self, Job},
    license, outbox, session,
};

/// Has a link mailed to this address, if it is somebody's. The answer comes before anybody has looked.
pub async fn start_reset(ctx: &Context, email: &str, client: &Client) -> Result<(), Error> {
    limits::take(ctx, limits::RESETS_FROM_A_NETWORK, Of::Network(&client.network)).await?;
    let email =
        rules::normalize_email(email).ok_or_else(|| Error::Invalid(vec![rules::email_problem("email")]))?;
    let here = Of::AddressFrom { address: &email, network: &client.network };
    for (limit, of) in [
        (limits::RESETS_OF_AN_ADDRESS_FROM_A_NETWORK, here),
        (limits::RESETS_OF_AN_ADDRESS, Of::Address(&email)),
    ] {
        match limits::take(ctx, limit, of).await {
            Ok(()) => {}
            // Who asks is told nothing: it would say that somebody asked for this address before.
            Err(Error::TooManyTries { .. }) => return Ok(()),
            Err(error) => return Err(error),
        }
    }
    let mut tx = ctx.db.begin().await?;
    jobs::enqueue(&mut tx, &StartReset { email, request: Some(client.request) }).await?;
    tx.commit().await?;
    Ok(())
}

/// Looks whose address it is, and mails the link. Links from before stay good: whoever asks again and again must not
/// be able to spoil the one its owner is about to use. It holds the address and not an id, because finding the id is
/// what must not be waited for.
#[derive(Debug, Serialize, Deserialize)]
pub struct StartReset {
    pub email: String,
    #[serde(default)]
    pub request: Option<RequestId>,
}

impl Job for StartReset {
    const NAME: &'static str = "start_reset";

    async fn run(self, ctx: Context) -> anyhow::Result<()> {
        let found = store::by_email(&ctx.db, &self.email).await?;
        let Some(account) = found.filter(|found| found.locked_at.is_none() && found.deleted_at.is_none())
        else {
            return Ok(());
        };
        let user = account.user;
        let mut tx = ctx.db.begin().await?;
        let data = json!({ "email": user.email });
        let token = ticket::issue(&mut tx, &ctx, Kind::ResetPassword, Some(user.id), data).await?;
        let message = mails::reset(&format!("{}/reset/{token}", ctx.config.http.public_url));
        mails::send_to(&mut tx, &ctx, &user, "reset_password", &message).await?;
        note(&mut tx, &ctx, Actor::Anonymous, "account.reset_started", user.id, json!({}), self.request)
            .await?;
        tx.commit().await?;
        Ok(())
    }
}

/// Whether a link is still good.
pub async fn check_reset(ctx: &Context, token: &str) -> Result<(), Error> {
    ticket::look(ctx, Kind::ResetPassword, token).await?.map(drop).ok_or(Error::InvalidToken)
}

/// Sets the password that came with a link. Whoever has read the mail owns the address, so it is proven as well.
pub async fn finish_reset(
    ctx: &Context,
    token: &str,
    password: &str,
    client: &Client,
) -> Result<User, Error> {
    let ticket = ticket::look(ctx, Kind::ResetPassword, token).await?.ok_or(Error::InvalidToken)?;
    let owner = ticket.account.ok_or(Error::InvalidToken)?;
    let user = store::by_id(&ctx.db, owner).await?.ok_or(Error::InvalidToken)?.user;
    limits::take(ctx, limits::RESET_TRIES, Of::Account(owner)).await?;
    let password = normalize(password);
    // With the first proof a second factor goes: the password will stand alone.
    let two_factor = user.two_factor_enabled && user.email_verified;
    if let Some(problem) = check_aside(&password, &[&user.name, &user.email], two_factor).await? {
        return Err(Error::Invalid(vec![problem]));
    }
    let password_hash = ctx.hashers.passwords.hash(&password, &ctx.random).await?;
    let mut tx = ctx.db.begin().await?;
    let (ticket, mut account) = ticket::take_with_owner(&mut tx, ctx, Kind::ResetPassword, token).await?;
    if account.locked_at.is_some() {
        return Err(Error::Locked);
    }
    if !is_for(&ticket, &account.user) {
        return Err(Error::InvalidToken);
    }
    replace(&mut tx, ctx, owner, &password_hash, None).await?;
    session::forget_devices(&mut tx, owner).await?;
    let (actor, request) = (Actor::User(owner), client.request);
    email_change::stop(&mut tx, ctx, actor, owner, request).await?;
    let (now, place) = (ctx.clock.now(), client.place());
    let message = if account.user.email_verified {
        mails::password_reset(ctx, now, &place)
    } else {
        prove(&mut tx, ctx, &mut account, request).await?;
        mails::first_proven_by_reset(now, &place)
    };
    let user = account.user;
    mails::send_to(&mut tx, ctx, &user, "password_changed", &message).await?;
    note(&mut tx, ctx, actor, "account.password_reset", user.id, json!({}), Some(request)).await?;
    tx.commit().await?;
    // The password is set, whatever comes of this.
    if let Err(error) = sign_in::forgive(ctx, &user.email, user.id, client).await {
        tracing::warn!(%error, "the guesses at an account could not be forgiven after its reset");
    }
    Ok(user)
}

/// The first proof that the account is its owner's. Whoever registered the address may have been somebody else, who
/// left a way in for later: nothing of that stays.
async fn prove(
    conn: &mut PgConnection,
    ctx: &Context,
    account: &mut Account,
    request: RequestId,
) -> Result<(), Error> {
    let user = &mut account.user;
    let now = ctx.clock.now();
    closing::delete_keys(&mut *conn, user.id).await?;
    closing::delete_archives(&mut *conn, user.id).await?;
    store::set_verified(&mut *conn, user.id, now).await?;
    billing::order::claim(&mut *conn, user.id, &user.email).await.map_err(Error::from_billing)?;
    license::claim(&mut *conn, user.id, &user.email).await.map_err(Error::from_license)?;
    // A yes of theirs is none of the owner's, nor is the wish that the account should end.
    store::set_choices(&mut *conn, user.id, None, None, now).await?;
    if account.delete_after.is_some() {
        closing::call_off(&mut *conn, ctx, Actor::User(user.id), user.id, request).await?;
    }
    // Their words would greet the owner in every mail from now on. The address is all that is known of the owner.
    user.name = rules::name_from(&user.email);
    store::set_name(&mut *conn, user.id, &user.name, now).await?;
    outbox::publish(conn, ctx, "account.changed", &user.id.to_string(), &json!({})).await?;
    user.email_verified = true;
    user.two_factor_enabled = false;
    Ok(())
}

/// A link that went to an address the account has not any more opens nothing.
fn is_for(ticket: &Ticket, user: &User) -> bool {
    ticket.data["email"].as_str() == Some(user.email.as_str())
}
