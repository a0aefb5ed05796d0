//! The log as staff read it: newest first, by kind of action, by who did it, by what it was done to.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    str::FromStr,
};

use serde_json::Value;
use time::OffsetDateTime;
use uuid::Uuid;

use super::store::{self, Asked, ListedEvent};
use crate::{
    account::{self, Caller, Permission},
    context::Context,
    contract::id::{AuditId, RequestId, UserId},
};

const MOST_LISTED: i64 = 100;

/// What is looked for; what is absent leaves nothing out.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// How the action begins: `account.` finds all of them.
    pub action: Option<String>,
    pub actor: Option<UserId>,
    /// The id of what it was done to, as it is written everywhere.
    pub subject: Option<String>,
    pub from: Option<OffsetDateTime>,
    /// Not including this moment.
    pub to: Option<OffsetDateTime>,
    /// What the page before gave as `next`.
    pub cursor: Option<String>,
    /// At most 100.
    pub limit: i64,
}

#[derive(Debug, Clone)]
pub struct AuditPage {
    pub items: Vec<AuditItem>,
    /// Where the next page begins; nothing when this is the last.
    pub next: Option<String>,
}

#[derive(Debug, Clone)]
pub struct AuditItem {
    pub id: AuditId,
    pub at: OffsetDateTime,
    /// `anonymous`, `user` or `system`.
    pub actor_kind: String,
    pub actor: Option<UserId>,
    pub actor_name: Option<String>,
    pub action: String,
    pub subject_kind: String,
    pub subject_id: String,
    /// When it is a person.
    pub subject_name: Option<String>,
    pub detail: Value,
    pub request: Option<RequestId>,
    /// Its number in the chain; none until the sealer has come by.
    pub sealed: Option<i64>,
}

/// A page of the log.
pub async fn list(ctx: &Context, caller: &Caller, filter: &Filter) -> Result<AuditPage, account::Error> {
    caller.require(ctx, Permission::AuditRead)?;
    let before = filter.cursor.as_deref().map(str::parse::<Cursor>).transpose().map_err(|_| {
        let message = "This place in the log is not known. Start again from its first page.";
        account::Error::Invalid(vec![account::problem("page", "invalid_cursor", message)])
    })?;
    let limit = filter.limit.clamp(1, MOST_LISTED);
    let subject = filter.subject.as_deref().map(str::trim).filter(|subject| !subject.is_empty());
    let asked = Asked {
        action_prefix: filter.action.as_deref().map(str::trim).filter(|action| !action.is_empty()),
        actor: filter.actor.map(UserId::uuid),
        // The index begins with the kind, and what a person's id names is known.
        subject_kind: subject.and_then(|subject| subject.parse::<UserId>().ok()).map(|_| "account"),
        subject_id: subject,
        from: filter.from,
        to: filter.to,
        before: before.map(|cursor| (cursor.at, cursor.id)),
        // One more than is given tells whether there is a next page.
        limit: limit + 1,
    };
    let mut events = store::list(&ctx.db, &asked).await?;
    let more = events.len() > usize::try_from(limit).unwrap_or(usize::MAX);
    if more {
        events.pop();
    }
    let next = events
        .last()
        .filter(|_| more)
        .map(|event| Cursor { at: event.recorded_at, id: event.id }.to_string());
    Ok(AuditPage { items: with_names(ctx, events).await?, next })
}

/// What was done to one person's account, newest first.
pub async fn of_subject(
    ctx: &Context,
    caller: &Caller,
    subject: UserId,
    limit: i64,
) -> Result<Vec<AuditItem>, account::Error> {
    caller.require(ctx, Permission::UsersRead)?;
    let subject_id = subject.to_string();
    let asked = Asked {
        subject_kind: Some("account"),
        subject_id: Some(&subject_id),
        limit: limit.clamp(1, MOST_LISTED),
        ..Asked::default()
    };
    let events = store::list(&ctx.db, &asked).await?;
    Ok(with_names(ctx, events).await?)
}

/// What was done to one thing, newest first, for whoever may see such things: `permission` is that of the feature the
/// thing belongs to. The rest of the log stays closed to them.
pub(crate) async fn of_thing(
    ctx: &Context,
    caller: &Caller,
    permission: Permission,
    kind: &str,
    id: &str,
    limit: i64,
) -> Result<Vec<AuditItem>, account::Error> {
    caller.require(ctx, permission)?;
    let asked =
        Asked { subject_kind: Some(kind), subject_id: Some(id), limit: limit.max(1), ..Asked::default() };
    let events = store::list(&ctx.db, &asked).await?;
    Ok(with_names(ctx, events).await?)
}

async fn with_names(ctx: &Context, events: Vec<ListedEvent>) -> Result<Vec<AuditItem>, sqlx::Error> {
    let people: HashSet<Uuid> =
        events.iter().flat_map(|event| [event.actor_id, person(event).map(UserId::uuid)]).flatten().collect();
    let people: Vec<Uuid> = people.into_iter().collect();
    let names: HashMap<Uuid, String> = store::names(&ctx.db, &people).await?.into_iter().collect();
    let name_of = |id: Option<Uuid>| id.and_then(|id| names.get(&id).cloned());
    Ok(events
        .into_iter()
        .map(|event| AuditItem {
            id: AuditId::from_uuid(event.id),
            at: event.recorded_at,
            actor_name: name_of(event.actor_id),
            subject_name: name_of(person(&event).map(UserId::uuid)),
            actor_kind: event.actor_kind,
            actor: event.actor_id.map(UserId::from_uuid),
            action: event.action,
            subject_kind: event.subject_kind,
            subject_id: event.subject_id,
            detail: event.detail,
            request: event.request_id.map(RequestId::from_uuid),
            sealed: event.sequence,
        })
        .collect())
}

/// Whom the entry is about, when it is about a person.
fn person(event: &ListedEvent) -> Option<UserId> {
    event.subject_id.parse().ok()
}

/// A place in the log; opaque to whoever carries it from page to page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cursor {
    at: OffsetDateTime,
    id: Uuid,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // PostgreSQL keeps microseconds.
        let micros = self.at.unix_timestamp_nanos() / 1_000;
        write!(f, "{micros}.{}", self.id.simple())
    }
}

impl FromStr for Cursor {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (micros, id) = text.split_once('.').ok_or(())?;
        // Unsigned: PostgreSQL knows no moments as early as the earliest that we could read.
        let micros = micros.parse::<u64>().map_err(|_| ())?;
        let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1_000).map_err(|_| ())?;
        Ok(Self { at, id: id.parse().map_err(|_| ())? })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::macros::datetime;

    use super::*;

    #[test]
    fn a_place_survives_its_text_to_the_microsecond() {
        let place = Cursor { at: datetime!(2026-11-20 10:00:00.123456 UTC), id: Uuid::from_u128(7) };
        assert_eq!(place.to_string().parse(), Ok(place));
    }

    proptest! {
        #[test]
        fn reading_a_place_never_panics(text in ".{0,60}", micros: u64) {
            let _ = text.parse::<Cursor>();
            let _ = format!("{micros}.{}", Uuid::nil().simple()).parse::<Cursor>();
        }
    }
}
