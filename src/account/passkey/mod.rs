//! Passkeys: a key on somebody's device, which unlocks it with a finger, a face or a PIN, and so proves two
//! things at once.
//!
//! What always holds: every challenge is answered at most once and within minutes; what an answer is checked
//! against is the key as it is stored at that moment, so a counter counts for one answer only; a passkey
//! belongs to one account; nobody fills the table of challenges without having shown who they are.

mod store;

use std::time::Duration;

use serde_json::{Value, json};
use sqlx::PgConnection;
use url::Url;
use webauthn_rs::prelude::{
    DiscoverableAuthentication, Passkey as Key, PasskeyRegistration, PublicKeyCredential,
    RegisterPublicKeyCredential, Webauthn, WebauthnBuilder, WebauthnError,
};

use super::{
    Caller, Client, Error, Identity, Permission,
    limits::{self, Of},
    mails, note,
    ticket::{self, Kind, Ticket},
};
use crate::{
    audit::Actor,
    config::Mode,
    context::Context,
    contract::{
        account::Passkey,
        id::{PasskeyId, UserId},
    },
    rate_limit::Limit,
};

const SITE_NAME: &str = "Dev Forge";
const MOST: i64 = 20;
const NAME_CHARS: usize = 100;
/// Each open sign-in page asks anew every four minutes, and many people may sit behind one network.
const OPEN_CHALLENGES: Limit = Limit { name: "passkey_open", times: 300, per: Duration::from_secs(10 * 60) };

const NEEDS_HOST_NAME: Error = Error::Conflict(
    "Passkeys need a host name. Open this site under its name, such as localhost, instead of a number.",
);
const TOO_MANY: Error = Error::Conflict("There are twenty passkeys already. Remove one you no longer use.");
const NONE_HERE: Error = Error::Conflict("This account has no passkey. Choose another way.");
const KNOWN: Error = Error::Conflict("This passkey is in use already. Choose another device.");
const NOT_CONFIRMED: Error = Error::Conflict("The passkey could not be confirmed. Try again.");
const LIBRARY: Error = Error::Internal("a passkey challenge cannot be made");

/// What the browser is asked, and the ticket under which its answer is taken.
#[derive(Debug, Clone)]
pub struct Challenge {
    pub ticket: String,
    /// For `PublicKeyCredential.parseCreationOptionsFromJSON`, or `parseRequestOptionsFromJSON`.
    pub options: Value,
}

pub async fn list(ctx: &Context, caller: &Caller) -> Result<Vec<Passkey>, Error> {
    let identity = caller.require(ctx, Permission::AccountRead)?;
    Ok(store::list(&ctx.db, identity.user.id, MOST).await?)
}

pub async fn has_any(ctx: &Context, account: UserId) -> Result<bool, Error> {
    Ok(store::has_any(&ctx.db, account).await?)
}

pub async fn begin_registration(ctx: &Context, caller: &Caller) -> Result<Challenge, Error> {
    let identity = caller.require(ctx, Permission::AccountSecure)?;
    let user = &identity.user;
    let webauthn = webauthn(ctx)?;
    let keys = keys(ctx, user.id).await?;
    if keys.len() as i64 >= MOST {
        return Err(TOO_MANY);
    }
    let known = keys.iter().map(|key| key.cred_id().clone()).collect();
    let (asked, state) = webauthn
        .start_passkey_registration(user.id.uuid(), &user.email, &user.name, Some(known))
        .map_err(|_| LIBRARY)?;
    let mut options = serde_json::to_value(&asked.public_key)?;
    // The library discourages keys that can be found without an address. We ask at sign-in for no address.
    options["authenticatorSelection"]["residentKey"] = json!("preferred");
    challenge(ctx, Kind::PasskeyRegistration, Some(user.id), serde_json::to_value(&state)?, options).await
}

/// Keeps the passkey that the browser has made. `credential` is its answer as JSON.
pub async fn finish_registration(
    ctx: &Context,
    caller: &Caller,
    ticket: &str,
    credential: &str,
    name: &str,
) -> Result<Passkey, Error> {
    let identity = caller.require(ctx, Permission::AccountSecure)?;
    let user = &identity.user;
    let webauthn = webauthn(ctx)?;
    let ticket = take(ctx, Kind::PasskeyRegistration, ticket).await?;
    if ticket.account != Some(user.id) {
        return Err(Error::InvalidToken);
    }
    let state: PasskeyRegistration = serde_json::from_value(ticket.data)?;
    let answer: RegisterPublicKeyCredential = serde_json::from_str(credential).map_err(|_| NOT_CONFIRMED)?;
    let key = webauthn.finish_passkey_registration(&answer, &state).map_err(|error| {
        tracing::debug!(%error, "a new passkey was refused");
        NOT_CONFIRMED
    })?;

    let now = ctx.clock.now();
    let id = PasskeyId::from_uuid(ctx.random.uuid_v7(now));
    let name = name_of(name);
    let credential = serde_json::to_value(&key)?;
    let new = store::NewPasskey {
        id,
        account: user.id,
        credential_id: key.cred_id(),
        name: &name,
        credential: &credential,
        created_at: now,
    };
    let mut tx = ctx.db.begin().await?;
    // Counted again where nobody else adds one meanwhile.
    super::store::lock(&mut tx, user.id).await?.ok_or(Error::NotFound)?;
    if store::count(&mut tx, user.id).await? >= MOST {
        return Err(TOO_MANY);
    }
    if !store::insert(&mut tx, &new).await? {
        return Err(KNOWN);
    }
    mails::send_to(&mut tx, ctx, user, "passkey_added", &mails::passkey_added(ctx, &name)).await?;
    record(&mut tx, ctx, identity, "account.passkey_added", id).await?;
    tx.commit().await?;
    Ok(Passkey { id, name, created_at: now, last_used_at: None })
}

/// False when it is not theirs or not there: the two look the same.
pub async fn remove(ctx: &Context, caller: &Caller, id: PasskeyId) -> Result<bool, Error> {
    let identity = caller.require(ctx, Permission::AccountSecure)?;
    let user = &identity.user;
    let mut tx = ctx.db.begin().await?;
    let Some(name) = store::delete(&mut tx, user.id, id).await? else {
        return Ok(false);
    };
    mails::send_to(&mut tx, ctx, user, "passkey_removed", &mails::passkey_removed(ctx, &name)).await?;
    record(&mut tx, ctx, identity, "account.passkey_removed", id).await?;
    tx.commit().await?;
    Ok(true)
}

/// A challenge for whichever passkey of this site somebody has. Anybody may ask, so it is counted who does.
pub async fn begin_open_sign_in(ctx: &Context, client: &Client) -> Result<Challenge, Error> {
    limits::take(ctx, OPEN_CHALLENGES, Of::Network(&client.network)).await?;
    begin(ctx, None).await
}

/// A challenge for the passkeys of one account.
pub async fn begin_sign_in(ctx: &Context, account: UserId) -> Result<Challenge, Error> {
    begin(ctx, Some(account)).await
}

async fn begin(ctx: &Context, account: Option<UserId>) -> Result<Challenge, Error> {
    let webauthn = webauthn(ctx)?;
    let (mut asked, state) = webauthn.start_discoverable_authentication().map_err(|_| LIBRARY)?;
    if let Some(account) = account {
        let keys = keys(ctx, account).await?;
        if keys.is_empty() {
            return Err(NONE_HERE);
        }
        // Only the list of keys is wanted. The state beside it would check an answer against the keys as they
        // are now, and not as they are when it comes.
        let (theirs, _) = webauthn.start_passkey_authentication(&keys).map_err(|_| LIBRARY)?;
        asked.public_key.allow_credentials = theirs.public_key.allow_credentials;
    }
    let options = serde_json::to_value(&asked.public_key)?;
    challenge(ctx, Kind::PasskeySignIn, account, serde_json::to_value(&state)?, options).await
}

/// Whose passkey answered. Whether they may come in, locked or not, is for the caller to say.
pub async fn finish_sign_in(
    ctx: &Context,
    ticket: &str,
    credential: &str,
    expected: Option<UserId>,
) -> Result<UserId, Error> {
    let webauthn = webauthn(ctx)?;
    let ticket = take(ctx, Kind::PasskeySignIn, ticket).await?;
    let answer: PublicKeyCredential =
        serde_json::from_str(credential).map_err(|_| Error::InvalidCredentials)?;
    let mut tx = ctx.db.begin().await?;
    let stored = store::lock(&mut tx, answer.get_credential_id()).await?.ok_or(Error::InvalidCredentials)?;
    let owner = UserId::from_uuid(stored.account_id);
    let wanted = [ticket.account, expected].into_iter().flatten().all(|account| account == owner);
    if !wanted || !names(&answer, owner, ticket.account.is_some()) {
        return Err(Error::InvalidCredentials);
    }

    let state: DiscoverableAuthentication = serde_json::from_value(ticket.data)?;
    let mut key: Key = serde_json::from_value(stored.credential)?;
    let checked = webauthn.finish_discoverable_authentication_v2(&answer, state, &key);
    let result = match checked.map_err(|error| refusal(&error)) {
        Ok(result) => result,
        Err(Refusal::Copied) => {
            let detail = json!({ "passkey": PasskeyId::from_uuid(stored.id) });
            note(&mut tx, ctx, Actor::Anonymous, "account.passkey_copied", owner, detail, None).await?;
            tx.commit().await?;
            return Err(Error::InvalidCredentials);
        }
        Err(Refusal::Wrong) => return Err(Error::InvalidCredentials),
    };
    key.update_credential(&result);
    store::set_used(&mut tx, stored.id, &serde_json::to_value(&key)?, ctx.clock.now()).await?;
    tx.commit().await?;
    Ok(owner)
}

enum Refusal {
    /// Its counter stands where it was, or before: two devices hold the same key, and one of them should not.
    Copied,
    Wrong,
}

fn refusal(error: &WebauthnError) -> Refusal {
    tracing::debug!(%error, "a passkey's answer was refused");
    if matches!(error, WebauthnError::CredentialPossibleCompromise) {
        Refusal::Copied
    } else {
        Refusal::Wrong
    }
}

/// Whether the answer says that it is from `owner`'s passkey. It need not when their keys were asked for.
fn names(answer: &PublicKeyCredential, owner: UserId, asked_for: bool) -> bool {
    match answer.get_user_unique_id().filter(|handle| !handle.is_empty()) {
        Some(handle) => handle == owner.uuid().as_bytes(),
        None => asked_for,
    }
}

/// For the host of our public address. Its answers are bound to that name, and worthless at any other.
fn webauthn(ctx: &Context) -> Result<Webauthn, Error> {
    let url = Url::parse(&ctx.config.http.public_url)
        .map_err(|_| Error::Internal("the public address cannot be read"))?;
    let host = url.domain().ok_or(NEEDS_HOST_NAME)?;
    // While working on it, the site runs on one port after another.
    let development = ctx.config.mode == Mode::Development;
    WebauthnBuilder::new(host, &url)
        .and_then(|builder| {
            builder.rp_name(SITE_NAME).allow_any_port(development).allow_subdomains(development).build()
        })
        .map_err(|_| Error::Internal("passkeys cannot be set up for the public address"))
}

async fn keys(ctx: &Context, account: UserId) -> Result<Vec<Key>, Error> {
    let stored = store::credentials(&ctx.db, account, MOST).await?;
    Ok(stored.into_iter().map(serde_json::from_value).collect::<Result<_, _>>()?)
}

async fn challenge(
    ctx: &Context,
    kind: Kind,
    account: Option<UserId>,
    state: Value,
    options: Value,
) -> Result<Challenge, Error> {
    let mut tx = ctx.db.begin().await?;
    let ticket = ticket::issue(&mut tx, ctx, kind, account, state).await?;
    tx.commit().await?;
    Ok(Challenge { ticket, options })
}

/// Taken for good, whatever comes of the answer: a challenge is for one try.
async fn take(ctx: &Context, kind: Kind, ticket: &str) -> Result<Ticket, Error> {
    let mut tx = ctx.db.begin().await?;
    let taken = ticket::take(&mut tx, ctx, kind, ticket).await?;
    tx.commit().await?;
    taken.ok_or(Error::InvalidToken)
}

/// Never refused: the passkey is on the device by then, and would stay there without meaning anything.
fn name_of(typed: &str) -> String {
    let words: Vec<&str> =
        typed.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()).collect();
    let name: String = words.join(" ").chars().take(NAME_CHARS).collect();
    if name.is_empty() { "Passkey".to_owned() } else { name }
}

async fn record(
    conn: &mut PgConnection,
    ctx: &Context,
    identity: &Identity,
    action: &'static str,
    passkey: PasskeyId,
) -> Result<(), Error> {
    let detail = json!({ "passkey": passkey });
    note(conn, ctx, identity.actor(), action, identity.user.id, detail, Some(identity.request)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passkey_always_gets_a_name() {
        assert_eq!(name_of("  Ada's\tphone \n"), "Ada's phone");
        assert_eq!(name_of(""), "Passkey");
        assert_eq!(name_of(" \u{7} "), "Passkey");
        assert_eq!(name_of(&"é".repeat(300)).chars().count(), NAME_CHARS);
    }
}
