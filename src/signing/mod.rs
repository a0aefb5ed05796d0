//! The keys that sign what others verify: Ed25519, kept in PostgreSQL with the private half sealed.
//!
//! What always holds: a key is published before it signs and stays published until nothing that it signed is still
//! good, so changing keys signs nobody out. Only a key whose private half opens under our own secret is used or
//! published: whoever can write the table cannot make us accept a key of theirs. The key of machine files, which the
//! editor brings along, endorses those that change.

mod store;

use std::sync::{
    Arc, PoisonError, RwLock,
    atomic::{AtomicU64, Ordering},
};

use ed25519_dalek::SigningKey;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use sqlx::{PgConnection, PgExecutor};
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};

use crate::{
    audit,
    context::Context,
    crypto::{Sealed, jwt},
    jobs::Job,
};

/// While the database is away the list may be as old as this: no key begins to sign sooner after it is published.
const OLDEST_LIST: Duration = Duration::hours(1);
/// How long others may go by what we say of a key.
const ENDORSED_FOR: Duration = Duration::days(60);
/// Who is to read an endorsement.
const ENDORSEMENT_AUDIENCE: &str = "devforge-keys";
/// Far more than a day of changing keys by hand leaves.
const MOST_KEYS: i64 = 100;

/// How old the list of keys in this process may be.
const KEEP: Duration = Duration::seconds(60);
/// The same when a key is asked for that is not in it. Anybody can ask for keys that do not exist.
const KEEP_WHEN_MISSED: Duration = Duration::seconds(10);

/// What a key signs. A key of one purpose is worthless for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyPurpose {
    /// The short-lived tokens of the API.
    Access,
    /// What the editor keeps for when it is offline.
    Offline,
    /// Files for machines that are always offline. These machines cannot fetch our list of keys, so the editor brings
    /// the key along, and it changes only by hand.
    MachineFile,
}

impl KeyPurpose {
    pub const ALL: [Self; 3] = [Self::Access, Self::Offline, Self::MachineFile];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Offline => "offline",
            Self::MachineFile => "machine_file",
        }
    }

    /// Whether there is a new key every so often without anybody asking for one.
    pub const fn changes_by_itself(self) -> bool {
        self.new_key_after().is_some()
    }

    /// Between the publishing of a key and its first signature: longer than anybody keeps the list of keys.
    const fn published_ahead(self) -> Duration {
        match self {
            Self::Access | Self::Offline => OLDEST_LIST,
            // It comes to the machines with a release of the editor.
            Self::MachineFile => Duration::days(90),
        }
    }

    /// Between a key's last signature and its end: longer than anything that it signs is good.
    const fn published_after(self) -> Duration {
        match self {
            Self::Access => Duration::days(1),
            Self::Offline => Duration::days(15),
            Self::MachineFile => Duration::days(400),
        }
    }

    /// How long a key signs before there is a new one; none where people decide.
    const fn new_key_after(self) -> Option<Duration> {
        match self {
            Self::Access | Self::Offline => Some(Duration::days(30)),
            Self::MachineFile => None,
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the signing keys cannot be read or written")]
    Database(#[from] sqlx::Error),
    #[error("the audit log cannot be written")]
    Audit(#[from] audit::Error),
    #[error("the claims cannot be written as JSON")]
    Claims(#[from] serde_json::Error),
    #[error(
        "the signing keys do not open under this DEVFORGE_SECRET: set the one they were made under, \
         or make a new key with `devforge keys rotate`"
    )]
    Sealed,
}

/// The published keys as this process last read them.
#[derive(Default)]
pub struct Keys {
    held: RwLock<Option<Arc<Held>>>,
    /// Of many who find the list too old, one reads it.
    reading: tokio::sync::Mutex<()>,
    /// How often that failed: those who waited meanwhile do not try again one after another.
    failures: AtomicU64,
}

struct Held {
    read_at: OffsetDateTime,
    /// Newest first.
    keys: Vec<Key>,
    /// Purposes with keys that do not open.
    sealed: Vec<String>,
}

struct Key {
    id: String,
    purpose: String,
    private: SigningKey,
    created_at: OffsetDateTime,
    signs_from: OffsetDateTime,
    published_until: Option<OffsetDateTime>,
}

/// A JWT over `claims`. The first one of all makes its key.
pub async fn sign(ctx: &Context, purpose: KeyPurpose, claims: &impl Serialize) -> Result<String, Error> {
    let mut held = recent(ctx, KEEP).await?;
    if held.signing(purpose, ctx.clock.now()).is_none() {
        if !ensure(ctx, purpose).await? {
            return Err(Error::Sealed);
        }
        held = read_anew(ctx).await?;
    }
    let key = held.signing(purpose, ctx.clock.now()).ok_or(Error::Sealed)?;
    Ok(jwt::sign(&key.id, &key.private, claims)?)
}

/// The claims, when a key of ours for this purpose has signed them. Their times are for the caller to check.
pub async fn verify<C: DeserializeOwned>(
    ctx: &Context,
    purpose: KeyPurpose,
    token: &str,
) -> Result<Option<C>, Error> {
    let Some(id) = jwt::kid(token) else {
        return Ok(None);
    };
    let now = ctx.clock.now();
    let mut held = recent(ctx, KEEP).await?;
    if held.find(purpose, &id, now).is_none() {
        held = recent(ctx, KEEP_WHEN_MISSED).await?;
    }
    let key = held.find(purpose, &id, now);
    Ok(key.and_then(|key| jwt::verify(token, &key.private.verifying_key())))
}

/// The published keys as a JSON Web Key Set (RFC 7517).
pub async fn jwks(ctx: &Context) -> Result<Value, Error> {
    let now = ctx.clock.now();
    let held = recent(ctx, KEEP).await?;
    let mut keys = Vec::new();
    for key in held.keys.iter().filter(|key| key.is_published(now)) {
        let mut jwk = jwt::jwk(&key.id, &key.private.verifying_key());
        if key.is_for(KeyPurpose::Offline)
            && let Some(root) = held.signing(KeyPurpose::MachineFile, now)
        {
            jwk["endorsement"] = Value::String(endorse(ctx, root, key, &jwk["x"], now)?);
        }
        keys.push(jwk);
    }
    Ok(json!({ "keys": keys }))
}

/// That a key which changes is ours, in the words of the one that does not: by this the editor believes a key that it
/// once fetched, and that is newer than its release, when it starts with no connection.
fn endorse(ctx: &Context, root: &Key, key: &Key, x: &Value, now: OffsetDateTime) -> Result<String, Error> {
    // The same for an hour, so that what was fetched twice is the same twice.
    let iat = now.unix_timestamp().div_euclid(3_600) * 3_600;
    let claims = json!({
        "iss": ctx.config.http.public_url,
        "aud": ENDORSEMENT_AUDIENCE,
        "sub": key.id,
        "x": x,
        "iat": iat,
        "exp": iat + ENDORSED_FOR.whole_seconds(),
    });
    Ok(jwt::sign(&root.id, &root.private, &claims)?)
}

/// Sees to it that there is a key for each purpose, so that each is published before anybody needs it.
pub async fn prepare(ctx: &Context) -> Result<(), Error> {
    for purpose in KeyPurpose::ALL {
        if !ensure(ctx, purpose).await? {
            return Err(Error::Sealed);
        }
    }
    Ok(())
}

/// Makes a new key and says its id. It signs in an hour, when everybody knows it; at once when no other can.
pub async fn rotate(ctx: &Context, purpose: KeyPurpose) -> Result<String, Error> {
    let mut tx = ctx.db.begin().await?;
    store::lock(&mut tx).await?;
    let held = read(&mut *tx, ctx).await?;
    let id = make(&mut tx, ctx, purpose, &held).await?;
    tx.commit().await?;
    read_anew(ctx).await?;
    Ok(id)
}

/// Makes the first key, unless another node just has. False when there are keys and none of them opens: then somebody
/// has to say which secret is right.
async fn ensure(ctx: &Context, purpose: KeyPurpose) -> Result<bool, Error> {
    let mut tx = ctx.db.begin().await?;
    store::lock(&mut tx).await?;
    let held = read(&mut *tx, ctx).await?;
    if held.signing(purpose, ctx.clock.now()).is_some() {
        return Ok(true);
    }
    if held.sealed.iter().any(|sealed| sealed == purpose.as_str()) {
        return Ok(false);
    }
    make(&mut tx, ctx, purpose, &held).await?;
    tx.commit().await?;
    Ok(true)
}

/// A new key beside those in `held`, which was read under the lock.
async fn make(
    conn: &mut PgConnection,
    ctx: &Context,
    purpose: KeyPurpose,
    held: &Held,
) -> Result<String, Error> {
    let now = ctx.clock.now();
    let signs_from = if held.signing(purpose, now).is_some() { now + purpose.published_ahead() } else { now };
    let private = SigningKey::from_bytes(&ctx.random.bytes());
    let public = private.verifying_key();
    let id = jwt::thumbprint(&public);
    let sealer = &ctx.hashers.sealer;
    let key = store::StoredKey {
        id: id.clone(),
        purpose: purpose.as_str().to_owned(),
        public_key: public.as_bytes().to_vec(),
        private_key_sealed: sealer.seal(Sealed::SigningKey, id.as_bytes(), private.as_bytes(), &ctx.random),
        created_at: now,
        signs_from,
        published_until: None,
    };
    store::retire(conn, purpose.as_str(), signs_from + purpose.published_after()).await?;
    store::insert(conn, &key).await?;
    let detail = json!({
        "purpose": purpose.as_str(),
        "signsFrom": signs_from.format(&Rfc3339).unwrap_or_default(),
    });
    note(conn, ctx, "signing_key.created", &id, detail).await?;
    Ok(id)
}

async fn note(
    conn: &mut PgConnection,
    ctx: &Context,
    action: &'static str,
    id: &str,
    detail: Value,
) -> Result<(), Error> {
    let entry = audit::Entry {
        actor: audit::Actor::System,
        action,
        subject_kind: "signing_key",
        subject_id: id,
        detail,
        request_id: None,
    };
    audit::record(conn, ctx, entry).await?;
    Ok(())
}

/// The list, no older than `keep`. While the database is away it may be as old as a key is published ahead.
async fn recent(ctx: &Context, keep: Duration) -> Result<Arc<Held>, Error> {
    let keys = &ctx.signing;
    if let Some(held) = keys.no_older_than(keep, ctx.clock.now()) {
        return Ok(held);
    }
    let failures = keys.failures.load(Ordering::Relaxed);
    let _reading = keys.reading.lock().await;
    if let Some(held) = keys.no_older_than(keep, ctx.clock.now()) {
        return Ok(held);
    }
    let failed_meanwhile = keys.failures.load(Ordering::Relaxed) != failures;
    let read = if failed_meanwhile { Err(sqlx::Error::PoolTimedOut.into()) } else { keep_anew(ctx).await };
    read.or_else(|error| keys.no_older_than(OLDEST_LIST, ctx.clock.now()).ok_or(error))
}

/// For one who knows that the list has changed.
async fn read_anew(ctx: &Context) -> Result<Arc<Held>, Error> {
    let _reading = ctx.signing.reading.lock().await;
    keep_anew(ctx).await
}

async fn keep_anew(ctx: &Context) -> Result<Arc<Held>, Error> {
    let held = match read(&ctx.db, ctx).await {
        Ok(held) => Arc::new(held),
        Err(error) => {
            ctx.signing.failures.fetch_add(1, Ordering::Relaxed);
            tracing::warn!(%error, "the signing keys could not be read");
            return Err(error);
        }
    };
    *ctx.signing.held.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&held));
    Ok(held)
}

async fn read(db: impl PgExecutor<'_>, ctx: &Context) -> Result<Held, Error> {
    let now = ctx.clock.now();
    let mut held = Held { read_at: now, keys: Vec::new(), sealed: Vec::new() };
    for stored in store::published(db, now, MOST_KEYS).await? {
        match open(ctx, &stored) {
            Some(private) => held.keys.push(Key {
                id: stored.id,
                purpose: stored.purpose,
                private,
                created_at: stored.created_at,
                signs_from: stored.signs_from,
                published_until: stored.published_until,
            }),
            None => {
                tracing::error!(
                    key = stored.id,
                    "a signing key does not open under our secret; it is not used"
                );
                held.sealed.push(stored.purpose);
            }
        }
    }
    Ok(held)
}

/// The private half, when it is under our secret, under its own name, and the public half belongs to it.
fn open(ctx: &Context, stored: &store::StoredKey) -> Option<SigningKey> {
    let sealer = &ctx.hashers.sealer;
    let bytes = sealer.open(Sealed::SigningKey, stored.id.as_bytes(), &stored.private_key_sealed)?;
    let private = SigningKey::from_bytes(&bytes.try_into().ok()?);
    (private.verifying_key().as_bytes().as_slice() == stored.public_key).then_some(private)
}

impl Keys {
    fn no_older_than(&self, keep: Duration, now: OffsetDateTime) -> Option<Arc<Held>> {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        // A list from the future was read before the clock was set back: nobody knows how old it is.
        held.as_ref().filter(|held| (Duration::ZERO..keep).contains(&(now - held.read_at))).cloned()
    }
}

impl Held {
    /// The key that signs now: the newest whose time has come.
    fn signing(&self, purpose: KeyPurpose, now: OffsetDateTime) -> Option<&Key> {
        let ready = |key: &&Key| key.is_for(purpose) && key.is_published(now) && key.signs_from <= now;
        self.keys.iter().filter(ready).max_by_key(|key| key.signs_from)
    }

    fn find(&self, purpose: KeyPurpose, id: &str, now: OffsetDateTime) -> Option<&Key> {
        self.keys.iter().find(|key| key.id == id && key.is_for(purpose) && key.is_published(now))
    }

    fn newest(&self, purpose: KeyPurpose) -> Option<&Key> {
        self.keys.iter().filter(|key| key.is_for(purpose)).max_by_key(|key| key.created_at)
    }
}

impl Key {
    fn is_for(&self, purpose: KeyPurpose) -> bool {
        self.purpose == purpose.as_str()
    }

    fn is_published(&self, now: OffsetDateTime) -> bool {
        self.published_until.is_none_or(|until| until > now)
    }
}

/// Makes a new key when the newest has signed long enough, and removes those past their end.
#[derive(Debug, Serialize, Deserialize)]
pub struct RotateKeys {}

impl Job for RotateKeys {
    const NAME: &'static str = "rotate_keys";

    async fn run(self, ctx: Context) -> anyhow::Result<()> {
        let mut tx = ctx.db.begin().await?;
        store::lock(&mut tx).await?;
        let now = ctx.clock.now();
        let held = read(&mut *tx, &ctx).await?;
        for purpose in KeyPurpose::ALL {
            // The first key of all is made by its first use, and after another secret by hand.
            let Some(after) = purpose.new_key_after() else { continue };
            if held.newest(purpose).is_some_and(|newest| now - newest.created_at >= after) {
                let key = make(&mut tx, &ctx, purpose, &held).await?;
                tracing::info!(key, purpose = purpose.as_str(), "a new signing key is published");
            }
        }
        for key in store::delete_ended(&mut tx, now).await? {
            note(&mut tx, &ctx, "signing_key.removed", &key, json!({})).await?;
        }
        tx.commit().await?;
        read_anew(&ctx).await?;
        Ok(())
    }
}
