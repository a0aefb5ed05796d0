//! How licenses come to be: bought, given by staff, tried, split off another.
//!
//! What always holds: a paid line has one license, whatever is repeated or killed; a key is in a mail, in the answer to
//! who made it, and in its sealed copy, and nowhere else.

mod again;
mod generate;
pub(crate) mod mails;
mod split;
mod store;
mod trial;

use serde_json::json;
use sqlx::PgConnection;

pub use self::{
    generate::{Order as GenerateOrder, csv, generate},
    split::split,
    trial::{begin as begin_trial, can_begin as can_begin_trial},
};
use super::{
    By, Error, License, key, note,
    rules::{self, Cause, End},
    store as licenses,
};
use crate::{
    context::Context,
    contract::{
        id::{LicenseId, OrderId, OrderLineId, UserId},
        license::LicenseOrigin,
        license_key::LicenseKey,
        payment::Tier,
    },
    outbox,
};

/// A license that is about to be.
#[derive(Debug, Clone)]
pub(super) struct NewLicense {
    pub account: Option<UserId>,
    pub email: String,
    pub origin: LicenseOrigin,
    pub order: Option<OrderId>,
    pub order_line: Option<OrderLineId>,
    pub split_from: Option<LicenseId>,
    pub tier: Tier,
    pub seats: u32,
    pub end: End,
    pub overage: u16,
    pub node_locked: bool,
    pub fallback: bool,
    pub suspended_by: Vec<Cause>,
    pub revoked_by: Vec<Cause>,
}

/// A license that was just made, with its key.
#[derive(Debug, Clone)]
pub struct Issued {
    pub license: License,
    pub key: LicenseKey,
}

/// Makes a license, in the transaction of the reason for it. None when its paid line has one already.
pub(super) async fn issue(
    conn: &mut PgConnection,
    ctx: &Context,
    by: By,
    new: NewLicense,
    detail: serde_json::Value,
) -> Result<Option<Issued>, Error> {
    let now = ctx.clock.now();
    let id = LicenseId::from_uuid(ctx.random.uuid_v7(now));
    let key = key::make(ctx, id);
    let license = License {
        id,
        account: new.account,
        email: new.email,
        origin: new.origin,
        order: new.order,
        order_line: new.order_line,
        split_from: new.split_from,
        tier: new.tier,
        key_end: key.end.clone(),
        seats: new.seats,
        machines_per_seat: rules::machines_per_seat(new.tier),
        overage: new.overage,
        node_locked: new.node_locked,
        machines_used: 0,
        expires_at: new.end.expires_at,
        good_until: new.end.good_until,
        fallback: new.fallback,
        suspended_by: new.suspended_by,
        revoked_by: new.revoked_by,
        extra_features: Vec::new(),
        reminded: 0,
        reminded_for: None,
        created_at: now,
        updated_at: now,
    };
    if !licenses::insert(&mut *conn, &license, &key).await? {
        return Ok(None);
    }
    let told = json!({
        "origin": license.origin,
        "tier": license.tier,
        "seats": license.seats,
        "order": license.order,
        "expiresAt": license.expires_at.map(time::OffsetDateTime::unix_timestamp),
        "detail": detail,
    });
    note(&mut *conn, ctx, by, "license.issued", id, told.clone()).await?;
    outbox::publish(conn, ctx, "license.issued", &id.to_string(), &told).await?;
    metrics::counter!("devforge_licenses_issued_total", "origin" => license.origin.as_str()).increment(1);
    Ok(Some(Issued { license, key: key.key }))
}
