//! What people decide about their account that harms nobody: their name, and what they have agreed to.

use serde_json::json;
use time::OffsetDateTime;

use super::{
    Caller, Error, Permission,
    email_change::{self, PendingEmail},
    note, rules, store,
};
use crate::{context::Context, contract::account::User, outbox};

/// An account as its owner sees it.
#[derive(Debug, Clone)]
pub struct Profile {
    pub user: User,
    /// None while it is the first one.
    pub password_changed_at: Option<OffsetDateTime>,
    pub pending_email: Option<PendingEmail>,
    /// When the account ends, once its owner has asked for that.
    pub delete_after: Option<OffsetDateTime>,
    pub analytics_consent_at: Option<OffsetDateTime>,
    pub product_mail_since: Option<OffsetDateTime>,
}

/// What somebody agrees to. Without a yes, nothing is measured and no news are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choices {
    pub analytics: bool,
    pub product_mail: bool,
}

pub async fn profile(ctx: &Context, caller: &Caller) -> Result<Profile, Error> {
    let identity = caller.require(ctx, Permission::AccountRead)?;
    let account = store::by_id(&ctx.db, identity.user.id).await?.ok_or(Error::NotFound)?;
    let pending_email = email_change::pending(ctx, account.user.id).await?;
    Ok(Profile {
        user: account.user,
        password_changed_at: account.password_changed_at,
        pending_email,
        delete_after: account.delete_after,
        analytics_consent_at: account.analytics_consent_at,
        product_mail_since: account.product_mail_since,
    })
}

pub async fn rename(ctx: &Context, caller: &Caller, name: &str) -> Result<(), Error> {
    let identity = caller.require(ctx, Permission::AccountWrite)?;
    let id = identity.user.id;
    let Some(new) = rules::normalize_name(name) else {
        return Err(Error::Invalid(vec![rules::name_problem(name)]));
    };
    let mut tx = ctx.db.begin().await?;
    let account = store::lock(&mut tx, id).await?.ok_or(Error::NotFound)?;
    if account.user.name == new {
        return Ok(());
    }
    store::set_name(&mut tx, id, &new, ctx.clock.now()).await?;
    note(&mut tx, ctx, identity.actor(), "account.renamed", id, json!({}), Some(identity.request)).await?;
    outbox::publish(&mut tx, ctx, "account.changed", &id.to_string(), &json!({})).await?;
    tx.commit().await?;
    Ok(())
}

/// A yes that was given before keeps its date.
pub async fn set_choices(ctx: &Context, caller: &Caller, choices: Choices) -> Result<(), Error> {
    let identity = caller.require(ctx, Permission::AccountWrite)?;
    let id = identity.user.id;
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin().await?;
    let account = store::lock(&mut tx, id).await?.ok_or(Error::NotFound)?;
    let since = |yes: bool, before: Option<OffsetDateTime>| yes.then(|| before.unwrap_or(now));
    let analytics = since(choices.analytics, account.analytics_consent_at);
    let product_mail = since(choices.product_mail, account.product_mail_since);
    if (analytics, product_mail) == (account.analytics_consent_at, account.product_mail_since) {
        return Ok(());
    }
    store::set_choices(&mut tx, id, analytics, product_mail, now).await?;
    let detail = json!({ "analytics": choices.analytics, "product_mail": choices.product_mail });
    note(&mut tx, ctx, identity.actor(), "account.choices_set", id, detail, Some(identity.request)).await?;
    outbox::publish(&mut tx, ctx, "account.changed", &id.to_string(), &json!({})).await?;
    tx.commit().await?;
    Ok(())
}
