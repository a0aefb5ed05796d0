//! A new password for somebody who has forgotten theirs, by a link in a mail.
//!
//! What always holds: nobody learns from it which addresses have an account, in words or in time; the link works
//! once, and a password that is refused does not use it up; a second factor stays as it is.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{check_aside, normalize, replace};
use crate::{
    account::{
        Client, Error,
        limits::{self, Of},
        mails, note, rules, store,
        ticket::{self, Kind, Ticket},
    },
    audit::Actor,
    context::Context,
    contract::{account::User, id::RequestId},
    jobs::{self, Job},
    session,
};

/// Has a link mailed to this address, if it is somebody's. The answer comes before anybody has looked.
pub async fn start_reset(ctx: &Context, email: &str, client: &Client) -> Result<(), Error> {
    limits::take(ctx, limits::RESETS_FROM_A_NETWORK, Of::Network(&client.network)).await?;
    let email =
        rules::normalize_email(email).ok_or_else(|| Error::Invalid(vec![rules::email_problem("email")]))?;
    match limits::take(ctx, limits::RESETS_OF_AN_ADDRESS, Of::Address(&email)).await {
        Ok(()) => {}
        // Who asks is told nothing: it would say that somebody asked for this address before.
        Err(Error::TooManyTries { .. }) => return Ok(()),
        Err(error) => return Err(error),
    }
    let mut tx = ctx.db.begin().await?;
    jobs::enqueue(&mut tx, &StartReset { email, request: Some(client.request) }).await?;
    tx.commit().await?;
    Ok(())
}

/// Looks whose address it is, and mails the link. It holds the address and not an id, because finding the id is
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
        ticket::void(&mut tx, Kind::ResetPassword, user.id).await?;
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
    let password = normalize(password);
    if let Some(problem) = check_aside(&password, &[&user.name, &user.email], user.two_factor_enabled).await?
    {
        return Err(Error::Invalid(vec![problem]));
    }
    let password_hash = ctx.hashers.passwords.hash(&password, &ctx.random).await?;
    let mut tx = ctx.db.begin().await?;
    let (ticket, account) = ticket::take_with_owner(&mut tx, ctx, Kind::ResetPassword, token).await?;
    if account.locked_at.is_some() {
        return Err(Error::Locked);
    }
    let mut user = account.user;
    if !is_for(&ticket, &user) {
        return Err(Error::InvalidToken);
    }
    let now = ctx.clock.now();
    replace(&mut tx, ctx, user.id, &password_hash, None).await?;
    session::forget_devices(&mut tx, user.id).await?;
    if !user.email_verified {
        store::set_verified(&mut tx, user.id, now).await?;
        ticket::void(&mut tx, Kind::VerifyEmail, user.id).await?;
        user.email_verified = true;
    }
    let place = client.place();
    let message = mails::password_changed(now, Some(&place));
    mails::send_to(&mut tx, ctx, &user, "password_changed", &message).await?;
    let (actor, request) = (Actor::User(user.id), Some(client.request));
    note(&mut tx, ctx, actor, "account.password_reset", user.id, json!({}), request).await?;
    tx.commit().await?;
    Ok(user)
}

/// A link that went to an address the account has not any more opens nothing.
fn is_for(ticket: &Ticket, user: &User) -> bool {
    ticket.data["email"].as_str() == Some(user.email.as_str())
}
