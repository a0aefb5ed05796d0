//! Licenses that staff gives: one, or many at once.
//!
//! What always holds: all of an order come to be, or none; each says in its history who gave it and why.

use csv::{Terminator, WriterBuilder};
use serde_json::{Value, json};
use time::{OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};

use super::{By, Error, Issued, NewLicense, again, issue, mails, store};
use crate::{
    account::{Caller, Permission, store as accounts},
    context::Context,
    contract::{id::UserId, license::LicenseOrigin, payment::Tier, problem::FieldProblem},
    license::{
        problem, reason,
        rules::{End, GRACE, months_later},
    },
};

const MAX_SEATS: u32 = 10_000;
const MAX_COUNT: u32 = 1_000;
const MAX_OVERAGE: u16 = 100;
/// Nobody means a day beyond this.
const MAX_MONTHS: u32 = 100 * 12;

const HEAD: [&str; 5] = ["key", "license", "tier", "seats", "expires_at"];

/// What staff gives, and to whom.
#[derive(Debug, Clone)]
pub struct Order {
    pub account: UserId,
    pub tier: Tier,
    /// Of each of them.
    pub seats: u32,
    pub count: u32,
    /// None: it does not end.
    pub expires_at: Option<OffsetDateTime>,
    /// Whether it goes on covering versions released before its end.
    pub fallback: bool,
    /// Whether it is good without being activated on a machine.
    pub floating: bool,
    /// In percent.
    pub overage: u16,
    pub reason: String,
    /// Whether their owner is told.
    pub mail: bool,
    /// The same for the same form or request: what it made already is given again to whoever sent it, for a day.
    pub request: Option<String>,
}

/// Gives licenses to an account. With one of them its key is in the mail; of several, the mail says where they are.
pub async fn generate(ctx: &Context, caller: &Caller, order: &Order) -> Result<Vec<Issued>, Error> {
    let identity = caller.require(ctx, Permission::LicensesIssue)?;
    let reason = checked(order, ctx.clock.now()).map_err(Error::Invalid)?;
    let by = By::from(identity);
    let mut tx = ctx.db.begin().await?;
    // Held, so that it is not emptied in this moment.
    let account = accounts::lock(&mut tx, order.account).await?;
    let Some(account) = account.filter(|account| account.deleted_at.is_none()) else {
        return Err(Error::Invalid(vec![problem("userId", "unknown", "There is no such account.")]));
    };
    let request = order.request.as_deref();
    let request = request.map(|text| again::request_key(identity.user.id, text, &said(order, &reason)));
    if let Some(request) = &request {
        // The account is locked, so it does not come twice at once.
        let made = again::made_before(&mut tx, ctx, request, account.user.id, None).await?;
        if !made.is_empty() {
            return Ok(made);
        }
    }
    let new = NewLicense {
        account: Some(account.user.id),
        email: account.user.email,
        origin: LicenseOrigin::Staff,
        order: None,
        order_line: None,
        split_from: None,
        tier: order.tier,
        seats: order.seats,
        end: order.expires_at.map_or(End::NEVER, |end| End::at(end, GRACE)),
        overage: order.overage,
        node_locked: !order.floating,
        fallback: order.fallback,
        suspended_by: Vec::new(),
        revoked_by: Vec::new(),
    };
    let detail = json!({ "reason": reason, "count": order.count });
    let mut all = Vec::new();
    for _ in 0..order.count {
        all.extend(issue(&mut tx, ctx, by, new.clone(), detail.clone()).await?);
    }
    if let Some(request) = &request {
        let ids: Vec<_> = all.iter().map(|issued| issued.license.id).collect();
        store::note_request(&mut tx, &ids, request).await?;
    }
    if order.mail {
        match all.as_slice() {
            [] => {}
            [only] => mails::issued(&mut tx, ctx, &only.license, &only.key).await?,
            [first, ..] => mails::several_issued(&mut tx, ctx, &first.license, all.len()).await?,
        }
    }
    tx.commit().await?;
    Ok(all)
}

/// All that an order says.
fn said(order: &Order, reason: &str) -> Value {
    json!([
        "generate",
        order.account,
        order.tier,
        order.seats,
        order.count,
        order.expires_at.map(|end| end.unix_timestamp_nanos().to_string()),
        order.fallback,
        order.floating,
        order.overage,
        reason,
        order.mail,
    ])
}

/// The reason on one line, when nothing is wrong.
fn checked(order: &Order, now: OffsetDateTime) -> Result<String, Vec<FieldProblem>> {
    let mut wrong = Vec::new();
    if order.tier == Tier::Free {
        wrong.push(problem("tier", "invalid", "Choose Pro or Enterprise: the free tier needs no license."));
    }
    if !(1..=MAX_SEATS).contains(&order.seats) {
        wrong.push(problem("seats", "out_of_range", "Choose 1 to 10,000 seats."));
    }
    if !(1..=MAX_COUNT).contains(&order.count) {
        wrong.push(problem("count", "out_of_range", "Choose 1 to 1,000 keys."));
    }
    if order.overage > MAX_OVERAGE {
        wrong.push(problem("overage", "out_of_range", "Choose 0 to 100 percent."));
    }
    match order.expires_at {
        Some(end) if end <= now => {
            wrong.push(problem("expiresAt", "past", "Choose a day that is still to come."));
        }
        Some(end) if end > months_later(now, MAX_MONTHS) => {
            wrong.push(problem("expiresAt", "too_far", "Choose a day within 100 years, or none."));
        }
        _ => {}
    }
    let line = match reason(&order.reason) {
        Ok(Some(line)) => line,
        Ok(None) => {
            wrong.push(problem("reason", "required", "Write why, for the license's history."));
            String::new()
        }
        Err(mistake) => {
            wrong.push(mistake);
            String::new()
        }
    };
    if wrong.is_empty() { Ok(line) } else { Err(wrong) }
}

/// New licenses with their keys, as a file for a spreadsheet (RFC 4180). No cell holds anything that somebody typed, and
/// none begins as a formula does.
pub fn csv(issued: &[Issued]) -> Result<Vec<u8>, Error> {
    let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new());
    let failed = |error: csv::Error| Error::Stored(error.to_string());
    writer.write_record(HEAD).map_err(failed)?;
    for Issued { license, key } in issued {
        let end = license.expires_at.and_then(|end| end.to_offset(UtcOffset::UTC).format(&Rfc3339).ok());
        let cells = [
            key.expose(),
            license.id.to_string(),
            license.tier.as_str().to_owned(),
            license.seats.to_string(),
            end.unwrap_or_default(),
        ];
        writer.write_record(&cells).map_err(failed)?;
    }
    writer.into_inner().map_err(|error| Error::Stored(error.to_string()))
}

#[cfg(test)]
mod tests {
    use time::{Duration, macros::datetime};
    use uuid::Uuid;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-11-20 10:00 UTC);

    fn order() -> Order {
        Order {
            account: UserId::from_uuid(Uuid::from_u128(1)),
            tier: Tier::Pro,
            seats: 1,
            count: 1,
            expires_at: None,
            fallback: false,
            floating: false,
            overage: 0,
            reason: "A prize".to_owned(),
            mail: true,
            request: None,
        }
    }

    fn fields(order: &Order) -> Vec<String> {
        checked(order, NOW).err().unwrap_or_default().into_iter().map(|wrong| wrong.field).collect()
    }

    #[test]
    fn what_stands_on_a_limit_passes_and_what_is_beyond_does_not() {
        let last = months_later(NOW, MAX_MONTHS);
        let most = Order {
            seats: 10_000,
            count: 1_000,
            overage: 100,
            expires_at: Some(last),
            reason: "x".repeat(500),
            ..order()
        };
        assert_eq!(fields(&most), Vec::<String>::new());
        assert_eq!(
            fields(&Order { expires_at: Some(NOW + Duration::SECOND), ..order() }),
            Vec::<String>::new()
        );
        let beyond = Order {
            tier: Tier::Free,
            seats: 10_001,
            count: 1_001,
            overage: 101,
            expires_at: Some(last + Duration::SECOND),
            reason: "x".repeat(501),
            ..order()
        };
        let all = ["tier", "seats", "count", "overage", "expiresAt", "reason"];
        assert_eq!(fields(&beyond), all);
        let nothing =
            Order { seats: 0, count: 0, expires_at: Some(NOW), reason: " \n".to_owned(), ..order() };
        assert_eq!(fields(&nothing), ["seats", "count", "expiresAt", "reason"]);
    }

    #[test]
    fn a_reason_stands_on_one_line() {
        let typed = Order { reason: "  A prize\r\n\tof the\u{7} fair ".to_owned(), ..order() };
        assert_eq!(checked(&typed, NOW).as_deref(), Ok("A prize of the fair"));
    }

    #[test]
    fn a_reason_with_a_key_beside_a_stop_is_refused() {
        let key = "DF-07ENW-3AHRZ-6DMV2-9GQY5-CKT1H";
        for text in
            [format!("It leaked: {key}."), format!("key:{key}"), format!("({})", key.replace('-', " "))]
        {
            assert_eq!(fields(&Order { reason: text.clone(), ..order() }), ["reason"], "{text}");
        }
    }

    #[test]
    fn each_word_of_an_order_makes_it_another() {
        let said = |order: &Order| said(order, &order.reason).to_string();
        let first = order();
        for other in [
            Order { account: UserId::from_uuid(Uuid::from_u128(2)), ..order() },
            Order { tier: Tier::Enterprise, ..order() },
            Order { seats: 2, ..order() },
            Order { count: 2, ..order() },
            Order { expires_at: Some(NOW), ..order() },
            Order { fallback: true, ..order() },
            Order { floating: true, ..order() },
            Order { overage: 1, ..order() },
            Order { reason: "Another prize".to_owned(), ..order() },
            Order { mail: false, ..order() },
        ] {
            assert_ne!(said(&first), said(&other), "{other:?}");
        }
    }

    #[test]
    fn no_end_that_is_let_in_is_too_far_for_its_grace() {
        let latest = months_later(NOW, MAX_MONTHS);
        assert!(End::at(latest, GRACE).good_until > Some(latest));
    }
}
