//! SQL of licenses.

use sqlx::{PgConnection, PgExecutor, PgPool, types::Json};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Error, ExtraFeature, License, key::NewKey, rules::Cause};
use crate::contract::{
    id::{LicenseId, OrderId, OrderLineId, UserId},
    license::LicenseOrigin,
    payment::Tier,
};

/// A license as it stands in the table.
pub(super) struct LicenseRow {
    pub id: Uuid,
    pub account_id: Option<Uuid>,
    pub email: String,
    pub origin: String,
    pub order_id: Option<Uuid>,
    pub order_line_id: Option<Uuid>,
    pub split_from: Option<Uuid>,
    pub tier: String,
    pub key_end: String,
    pub seats: i32,
    pub machines_per_seat: i16,
    pub overage: i16,
    pub node_locked: bool,
    pub machines_used: i32,
    pub expires_at: Option<OffsetDateTime>,
    pub good_until: Option<OffsetDateTime>,
    pub fallback: bool,
    pub suspended_by: Vec<String>,
    pub revoked_by: Vec<String>,
    pub extra_features: Json<Vec<ExtraFeature>>,
    pub reminded: i16,
    pub reminded_for: Option<OffsetDateTime>,
    pub created_at: OffsetDateTime,
    pub updated_at: OffsetDateTime,
}

/// A word of the database that this version knows, or an error that says which it does not.
pub(super) fn word<T>(text: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T, Error> {
    parse(text).ok_or_else(|| Error::Stored(text.to_owned()))
}

pub(super) fn count<T: TryFrom<i64>>(number: impl Into<i64>) -> Result<T, Error> {
    let number = number.into();
    T::try_from(number).map_err(|_| Error::Stored(number.to_string()))
}

fn causes(words: &[String]) -> Result<Vec<Cause>, Error> {
    words.iter().map(|text| word(text, Cause::parse)).collect()
}

fn words(causes: &[Cause]) -> Vec<String> {
    causes.iter().map(|cause| cause.as_str().to_owned()).collect()
}

impl LicenseRow {
    pub fn into_license(self) -> Result<License, Error> {
        Ok(License {
            id: LicenseId::from_uuid(self.id),
            account: self.account_id.map(UserId::from_uuid),
            email: self.email,
            origin: word(&self.origin, LicenseOrigin::parse)?,
            order: self.order_id.map(OrderId::from_uuid),
            order_line: self.order_line_id.map(OrderLineId::from_uuid),
            split_from: self.split_from.map(LicenseId::from_uuid),
            tier: word(&self.tier, Tier::parse)?,
            key_end: self.key_end,
            seats: count(self.seats)?,
            machines_per_seat: count(self.machines_per_seat)?,
            overage: count(self.overage)?,
            node_locked: self.node_locked,
            machines_used: count(self.machines_used)?,
            expires_at: self.expires_at,
            good_until: self.good_until,
            fallback: self.fallback,
            suspended_by: causes(&self.suspended_by)?,
            revoked_by: causes(&self.revoked_by)?,
            extra_features: self.extra_features.0,
            reminded: self.reminded,
            reminded_for: self.reminded_for,
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }
}

/// The columns of [`LicenseRow`], for every query that reads one.
macro_rules! select_licenses {
    ($rest:literal $(, $arg:expr)* $(,)?) => {
        sqlx::query_as!(
            $crate::license::store::LicenseRow,
            r#"select id, account_id, email, origin, order_id, order_line_id, split_from, tier, key_end, seats,
                      machines_per_seat, overage, node_locked, machines_used, expires_at, good_until, fallback,
                      suspended_by, revoked_by, extra_features as "extra_features: _", reminded, reminded_for, created_at, updated_at
               from license "# + $rest,
            $($arg),*
        )
    };
}
pub(super) use select_licenses;

fn all(rows: Vec<LicenseRow>) -> Result<Vec<License>, Error> {
    rows.into_iter().map(LicenseRow::into_license).collect()
}

pub(super) async fn find(db: impl PgExecutor<'_>, id: LicenseId) -> Result<Option<License>, Error> {
    let row = select_licenses!("where id = $1", id.uuid()).fetch_optional(db).await?;
    row.map(LicenseRow::into_license).transpose()
}

/// The license with its row locked: whatever changes it begins here.
pub(super) async fn lock(conn: &mut PgConnection, id: LicenseId) -> Result<Option<License>, Error> {
    let row = select_licenses!("where id = $1 for update", id.uuid()).fetch_optional(conn).await?;
    row.map(LicenseRow::into_license).transpose()
}

pub(super) async fn lock_by_key(conn: &mut PgConnection, hash: &[u8; 32]) -> Result<Option<License>, Error> {
    let row = select_licenses!("where key_hash = $1 for update", hash).fetch_optional(conn).await?;
    row.map(LicenseRow::into_license).transpose()
}

/// Those of an order, locked, in the order in which they were made.
pub(super) async fn lock_of_order(conn: &mut PgConnection, order: OrderId) -> Result<Vec<License>, Error> {
    all(select_licenses!("where order_id = $1 order by id for update", order.uuid()).fetch_all(conn).await?)
}

pub(super) async fn of_order(pool: &PgPool, order: OrderId, limit: i64) -> Result<Vec<License>, Error> {
    all(select_licenses!("where order_id = $1 order by id limit $2", order.uuid(), limit)
        .fetch_all(pool)
        .await?)
}

/// Newest first, those older than `before`. Where to go on is known of a license that has another owner by now, too.
pub(super) async fn of_account(
    pool: &PgPool,
    account: UserId,
    before: Option<LicenseId>,
    limit: i64,
) -> Result<Vec<License>, Error> {
    let rows = select_licenses!(
        "l where account_id = $1
             and ($2::uuid is null
                  or (created_at, id) < (select b.created_at, b.id from license b where b.id = $2))
         order by created_at desc, id desc limit $3",
        account.uuid(),
        before.map(LicenseId::uuid),
        limit,
    );
    all(rows.fetch_all(pool).await?)
}

pub(super) async fn count_of_account(pool: &PgPool, account: UserId) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(r#"select count(*) as "count!" from license where account_id = $1"#, account.uuid())
        .fetch_one(pool)
        .await
}

/// Which license a key is of.
pub(super) async fn id_of_key(
    db: impl PgExecutor<'_>,
    hash: &[u8; 32],
) -> Result<Option<LicenseId>, sqlx::Error> {
    let id =
        sqlx::query_scalar!("select id from license where key_hash = $1", hash).fetch_optional(db).await?;
    Ok(id.map(LicenseId::from_uuid))
}

/// Whether a key was replaced by another.
pub(super) async fn is_former_key(pool: &PgPool, hash: &[u8; 32]) -> Result<bool, sqlx::Error> {
    let found = sqlx::query_scalar!("select 1 as one from license_former_key where key_hash = $1", hash)
        .fetch_optional(pool);
    Ok(found.await?.is_some())
}

pub(super) async fn sealed_key(
    db: impl PgExecutor<'_>,
    id: LicenseId,
) -> Result<Option<Vec<u8>>, sqlx::Error> {
    sqlx::query_scalar!("select key_sealed from license where id = $1", id.uuid()).fetch_optional(db).await
}

/// Writes a new license down. False when its paid line has one already.
pub(super) async fn insert(conn: &mut PgConnection, license: &License, key: &NewKey) -> Result<bool, Error> {
    let done = sqlx::query!(
        "insert into license (id, account_id, email, origin, order_id, order_line_id, split_from, tier, key_hash,
                              key_end, key_sealed, seats, machines_per_seat, overage, node_locked, machines_used,
                              expires_at, good_until, fallback, suspended_by, revoked_by, extra_features, reminded,
                              reminded_for, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22,
                 $23, $24, $25, $26)
         on conflict on constraint license_order_line do nothing",
        license.id.uuid(),
        license.account.map(UserId::uuid),
        license.email,
        license.origin.as_str(),
        license.order.map(OrderId::uuid),
        license.order_line.map(OrderLineId::uuid),
        license.split_from.map(LicenseId::uuid),
        license.tier.as_str(),
        &key.hash,
        license.key_end,
        &key.sealed,
        i32::try_from(license.seats).unwrap_or(i32::MAX),
        i16::try_from(license.machines_per_seat).unwrap_or(i16::MAX),
        i16::try_from(license.overage).unwrap_or(i16::MAX),
        license.node_locked,
        i32::try_from(license.machines_used).unwrap_or(i32::MAX),
        license.expires_at,
        license.good_until,
        license.fallback,
        &words(&license.suspended_by),
        &words(&license.revoked_by),
        Json(&license.extra_features) as _,
        license.reminded,
        license.reminded_for,
        license.created_at,
        license.updated_at,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Writes back what can change of a license that is locked: all but its key and where it came from.
pub(super) async fn save(
    conn: &mut PgConnection,
    license: &License,
    now: OffsetDateTime,
) -> Result<(), Error> {
    sqlx::query!(
        "update license
         set account_id = $2, email = $3, tier = $4, seats = $5, machines_per_seat = $6, overage = $7,
             node_locked = $8, machines_used = $9, expires_at = $10, good_until = $11, fallback = $12,
             suspended_by = $13, revoked_by = $14, extra_features = $15, reminded = $16, reminded_for = $17,
             updated_at = $18
         where id = $1",
        license.id.uuid(),
        license.account.map(UserId::uuid),
        license.email,
        license.tier.as_str(),
        i32::try_from(license.seats).unwrap_or(i32::MAX),
        i16::try_from(license.machines_per_seat).unwrap_or(i16::MAX),
        i16::try_from(license.overage).unwrap_or(i16::MAX),
        license.node_locked,
        i32::try_from(license.machines_used).unwrap_or(i32::MAX),
        license.expires_at,
        license.good_until,
        license.fallback,
        &words(&license.suspended_by),
        &words(&license.revoked_by),
        Json(&license.extra_features) as _,
        license.reminded,
        license.reminded_for,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Gives the licenses that belong to an address to the account that has proven it. A second trial stays where it is.
pub(super) async fn claim(conn: &mut PgConnection, account: UserId, email: &str) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update license set account_id = $1
         where account_id is null and lower(email) = lower($2) and origin <> 'trial'",
        account.uuid(),
        email,
    )
    .execute(conn)
    .await?;
    Ok(())
}
