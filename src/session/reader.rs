//! Who holds a session: looked up on most requests, so gathered into few queries.

use std::{collections::HashMap, time::Duration as StdDuration};

use sqlx::PgPool;
use time::{Duration, OffsetDateTime};

use super::{end_of, store};
use crate::{
    account::Client,
    clock::Clock,
    context::Context,
    contract::{
        account::User,
        id::{SessionId, UserId},
    },
    db::{Gather, Unavailable},
};

/// How stale `last_seen_at` may be: a write per request would cost more than the reads.
const SEEN_EVERY: Duration = Duration::minutes(5);

/// Who is signed in with a session.
#[derive(Debug, Clone)]
pub struct SignedIn {
    pub user: User,
    /// The administrator who looks through this user's eyes.
    pub impersonator: Option<UserId>,
    pub session: SessionId,
    pub authenticated_at: Option<OffsetDateTime>,
    pub(super) last_seen_at: OffsetDateTime,
    pub(super) remembered: bool,
    pub(super) created_at: OffsetDateTime,
    pub(super) expires_at: OffsetDateTime,
}

pub struct Reader {
    by_token: Gather<[u8; 32], SignedIn>,
    clock: Clock,
}

impl Reader {
    pub fn start(pool: &PgPool, clock: Clock) -> Self {
        let now = clock.clone();
        let by_token = Gather::start(pool, move |line, hashes: Vec<[u8; 32]>| {
            let now = now.now();
            Box::pin(async move {
                let rows = store::signed_in(line.connection().await?, &hashes, now).await?;
                Ok(rows.into_iter().collect::<HashMap<_, _>>())
            })
        });
        Self { by_token, clock }
    }

    /// Who holds the session with this hash, if it is still good.
    pub async fn signed_in(
        &self,
        token_hash: [u8; 32],
        absolute: StdDuration,
    ) -> Result<Option<SignedIn>, Unavailable> {
        let now = self.clock.now();
        let found = self.by_token.find(token_hash).await?;
        Ok(found.filter(|found| found.expires_at > now && found.created_at > now - absolute))
    }
}

impl SignedIn {
    /// Whether the last note of its use is old enough for a new one.
    pub fn is_due(&self, now: OffsetDateTime) -> bool {
        now - self.last_seen_at >= SEEN_EVERY
    }
}

/// Notes that a session was used, and from where.
pub async fn touch(ctx: &Context, found: &SignedIn, client: &Client) -> Result<(), sqlx::Error> {
    let now = ctx.clock.now();
    let end = end_of(ctx, found.remembered, found.created_at, now);
    let country = client.country.as_deref();
    store::touch(&ctx.db, found.session.uuid(), now, end, &client.address, country).await
}
