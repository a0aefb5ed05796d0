//! Devices an account is known on: a sign-in from another one is told to its owner, and guesses from elsewhere do not
//! make these wait.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sqlx::PgConnection;
use uuid::Uuid;

use super::store;
use crate::{
    account::{self, Client, Error},
    context::Context,
    contract::{account::User, id::UserId},
    crypto::Purpose,
};

/// What a client is known again by. The two sorts never hash alike: a cookie cannot pretend to be a program.
pub(super) enum Device {
    /// The cookie's value.
    Browser(String),
    /// Programs keep no cookie: the same program from the same network is the same device.
    Program(String),
}

impl Device {
    pub(super) fn program(client: &Client) -> Self {
        Self::Program(format!("{}\n{}", client.device, client.network))
    }

    fn of(client: &Client) -> Self {
        client.known_device.clone().map_or_else(|| Self::program(client), Self::Browser)
    }

    fn hash(&self, ctx: &Context, account: Uuid) -> [u8; 32] {
        let (sort, value) = match self {
            Self::Browser(value) => (b'b', value),
            Self::Program(value) => (b'p', value),
        };
        let mut bytes = account.as_bytes().to_vec();
        bytes.push(sort);
        bytes.extend(value.as_bytes());
        ctx.hashers.keyed(Purpose::KnownDevice, &bytes)
    }
}

/// Whether this could be a device cookie of ours. Anything else is no cookie at all.
pub fn is_device_cookie(value: &str) -> bool {
    URL_SAFE_NO_PAD.decode(value).is_ok_and(|bytes| bytes.len() == 32)
}

/// What this client is counted under, when the account was signed in from it before. Asked for unknown addresses
/// as well, with the nil id, so that both take as long.
pub(crate) async fn known_device(
    ctx: &Context,
    account: Option<UserId>,
    client: &Client,
) -> Result<Option<[u8; 32]>, Error> {
    let hash = Device::of(client).hash(ctx, account.map_or(Uuid::nil(), UserId::uuid));
    Ok(store::is_known_device(&ctx.db, &hash).await?.then_some(hash))
}

/// Notes the device, and tells the owner when it is one more than they had.
pub(super) async fn meet(
    conn: &mut PgConnection,
    ctx: &Context,
    user: &User,
    client: &Client,
    device: &Device,
) -> Result<(), Error> {
    let now = ctx.clock.now();
    let had_others = store::has_known_devices(conn, user.id.uuid()).await?;
    let hash = device.hash(ctx, user.id.uuid());
    let is_new = store::remember_device(conn, &hash, user.id.uuid(), now).await?;
    if is_new && had_others {
        let security = format!("{}/account/security", ctx.config.http.public_url);
        let message = account::mails::new_device(&client.device, &client.place(), now, &security);
        account::mails::send_to(conn, ctx, user, "new_device", &message).await?;
    }
    Ok(())
}

/// After a new password nobody's earlier devices count.
pub(crate) async fn forget_devices(conn: &mut PgConnection, account: UserId) -> Result<(), sqlx::Error> {
    store::forget_devices(conn, account.uuid()).await
}

/// After a new password only the device it was set on counts, when it was known before.
pub(crate) async fn keep_only_device(
    conn: &mut PgConnection,
    ctx: &Context,
    account: UserId,
    client: &Client,
) -> Result<(), sqlx::Error> {
    store::forget_devices(conn, account.uuid()).await?;
    if client.known_device.is_some() {
        let hash = Device::of(client).hash(ctx, account.uuid());
        store::remember_device(conn, &hash, account.uuid(), ctx.clock.now()).await?;
    }
    Ok(())
}
