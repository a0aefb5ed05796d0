//! `Idempotency-Key`: the first answer to a request that makes something is given again to the same request.
//!
//! What always holds: of requests with one key one is carried out at a time; the same key with another body is refused; a
//! request that died or failed in the middle can be sent again, and finds what it had begun by the key of its own that
//! [`once`] hands on; when a key has been forgotten, the same request is a new one. Mistakes and refusals are not kept:
//! the request may be put right and sent again.

mod store;

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::{
    account::{Caller, Client},
    api::error::ApiError,
    context::Context,
    contract::problem::ProblemCode,
    crypto::{self, Purpose, Sealed, sha256},
    db,
};

pub const HEADER: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
const MAX_KEY_CHARS: usize = 255;
const KEEP: Duration = Duration::hours(24);
/// A request that takes longer than this has died.
const DEAD_AFTER: Duration = Duration::minutes(1);
const PURGE_BATCH: i64 = 5_000;

/// A request with a key.
pub struct Keyed {
    who: String,
    operation: &'static str,
    key: String,
    request: [u8; 32],
}

impl Keyed {
    /// None without the header. A guest's keys are those of their network, so that nobody meets another's.
    pub fn from_headers<R: Serialize>(
        headers: &HeaderMap,
        operation: &'static str,
        caller: &Caller,
        client: &Client,
        request: &R,
    ) -> Result<Option<Self>, ApiError> {
        let Some(value) = headers.get(HEADER) else { return Ok(None) };
        let key =
            value.to_str().ok().map(str::trim).filter(|key| !key.is_empty() && key.len() <= MAX_KEY_CHARS);
        let Some(key) = key else {
            return Err(ApiError::new(
                ProblemCode::InvalidRequest,
                "An Idempotency-Key is 1 to 255 visible ASCII characters.",
            ));
        };
        let who = caller.user().map_or_else(|| client.network.clone(), |user| user.id.to_string());
        let body = serde_json::to_vec(request).map_err(|error| ApiError::internal(&error))?;
        Ok(Some(Self { who, operation, key: key.to_owned(), request: sha256(&body) }))
    }

    /// A text that is the same for the same request of the same caller as long as its key is kept, and for no other.
    fn own_key(&self, nonce: Uuid) -> String {
        let Self { who, operation, key, request } = self;
        let all = format!("{who}\n{operation}\n{key}\n{}\n{nonce}", crypto::to_hex(request));
        format!("api:{}", crypto::to_hex(&sha256(all.as_bytes())))
    }

    /// What a kept answer is sealed for.
    fn subject(&self, scope: &[u8; 32]) -> Vec<u8> {
        [scope.as_slice(), self.key.as_bytes()].concat()
    }

    fn scope(&self, ctx: &Context) -> [u8; 32] {
        let of = format!("{}\n{}", self.who, self.operation);
        ctx.hashers.keyed(Purpose::IdempotencyScope, of.as_bytes())
    }
}

/// Carries a request out, once for its key, and answers with `status` and what came of it. `run` is given the request's
/// own key when it has one: what it begins it names by that, and looks for first.
pub async fn once<T, F>(
    ctx: &Context,
    keyed: Option<&Keyed>,
    status: StatusCode,
    run: F,
) -> Result<Response, ApiError>
where
    T: Serialize,
    F: AsyncFnOnce(Option<String>) -> Result<T, ApiError>,
{
    let Some(keyed) = keyed else {
        return Ok((status, axum::Json(run(None).await?)).into_response());
    };
    let scope = keyed.scope(ctx);
    let now = ctx.clock.now();
    let fresh = store::Hold { scope: &scope, key: &keyed.key, nonce: ctx.random.uuid_v7(now), since: now };
    let begun = store::begin(&ctx.db, &fresh, &keyed.request, now - DEAD_AFTER, now - KEEP).await?;
    let Some(nonce) = begun else { return known(ctx, &scope, keyed).await };
    let held = store::Hold { nonce, ..fresh };
    let mut hung_up = HungUp { ctx, scope, key: &keyed.key, nonce, since: now, over: false };
    let done = run(Some(keyed.own_key(nonce))).await;
    hung_up.over = true;
    match done {
        Ok(answer) => {
            let body = serde_json::to_vec(&answer).map_err(|error| ApiError::internal(&error))?;
            let subject = keyed.subject(&scope);
            let sealed = ctx.hashers.sealer.seal(Sealed::KeptAnswer, &subject, &body, &ctx.random);
            let kept_status = i16::try_from(status.as_u16()).unwrap_or(200);
            store::finish(&ctx.db, &held, kept_status, &sealed).await?;
            Ok(json(status, body))
        }
        // Refused at the first try: nothing was begun.
        Err(error) if nonce == fresh.nonce && error.code().status() < 500 => {
            store::forget(&ctx.db, &held).await?;
            Err(error)
        }
        // Something may have been begun, by this try or an earlier one. The next goes on with it, and need not wait.
        Err(error) => {
            store::give_up(&ctx.db, &held, now - DEAD_AFTER - Duration::SECOND).await?;
            Err(error)
        }
    }
}

/// A request whose caller hung up is dropped wherever it is. Its key is given up at once: whoever hangs up comes again,
/// and would otherwise wait until the key counts as dead.
struct HungUp<'a> {
    ctx: &'a Context,
    scope: [u8; 32],
    key: &'a str,
    nonce: Uuid,
    since: OffsetDateTime,
    over: bool,
}

impl Drop for HungUp<'_> {
    fn drop(&mut self) {
        if self.over {
            return;
        }
        // Without a runtime the process is ending, and the key will count as dead.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let (ctx, scope, key) = (self.ctx.clone(), self.scope, self.key.to_owned());
        let (nonce, since) = (self.nonce, self.since);
        runtime.spawn(async move {
            let held = store::Hold { scope: &scope, key: &key, nonce, since };
            if let Err(error) = store::give_up(&ctx.db, &held, since - DEAD_AFTER - Duration::SECOND).await {
                tracing::warn!(%error, "the key of a request that was dropped could not be given up");
            }
        });
    }
}

/// The answer that is kept under a key, or why there is none.
async fn known(ctx: &Context, scope: &[u8; 32], keyed: &Keyed) -> Result<Response, ApiError> {
    let Some(kept) = store::find(&ctx.db, scope, &keyed.key).await? else {
        // It failed in this very moment.
        return Err(in_progress());
    };
    if kept.request != keyed.request {
        return Err(ApiError::new(
            ProblemCode::IdempotencyKeyReused,
            "Send this request with a key of its own. The one it came with belongs to another request.",
        ));
    }
    let Some((status, sealed)) = kept.answer else { return Err(in_progress()) };
    let opened = ctx.hashers.sealer.open(Sealed::KeptAnswer, &keyed.subject(scope), &sealed);
    // Sealed under a secret that was changed since: it cannot be read, and must not be done again.
    let body = opened.ok_or_else(in_progress)?;
    let status = u16::try_from(status).ok().and_then(|status| StatusCode::from_u16(status).ok());
    let mut answer = json(status.unwrap_or(StatusCode::OK), body);
    answer.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    Ok(answer)
}

fn in_progress() -> ApiError {
    ApiError::new(
        ProblemCode::IdempotencyInProgress,
        "Wait for the answer to the first request with this key, or send it again in a few seconds.",
    )
}

fn json(status: StatusCode, body: Vec<u8>) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], Body::from(body)).into_response()
}

/// Forgets keys whose time is over.
pub async fn purge(ctx: &Context) -> Result<u64, sqlx::Error> {
    let before = ctx.clock.now() - KEEP;
    db::in_batches(PURGE_BATCH, |limit| store::purge(&ctx.db, before, limit)).await
}
