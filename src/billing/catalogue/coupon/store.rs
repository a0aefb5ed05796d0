//! SQL of coupons.

use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use super::rules::{Coupon, CouponDuration, Off};
use crate::{
    billing::{Error, catalogue::store::tier},
    contract::{
        id::CouponId,
        money::{Currency, Rate},
    },
};

pub async fn insert(conn: &mut PgConnection, coupon: &Coupon) -> Result<(), sqlx::Error> {
    let (rate, amount, currency) = match coupon.off {
        Off::Share(rate) => (Some(i32::try_from(rate.0).unwrap_or(i32::MAX)), None, None),
        Off::Amount(money) => (None, Some(money.amount), Some(money.currency.as_str())),
    };
    let (duration, months) = match coupon.duration {
        CouponDuration::Once => ("once", None),
        CouponDuration::Repeating(months) => ("repeating", Some(i16::try_from(months).unwrap_or(i16::MAX))),
        CouponDuration::Forever => ("forever", None),
    };
    let tiers: Vec<String> = coupon.tiers.iter().map(|tier| tier.as_str().to_owned()).collect();
    sqlx::query!(
        "insert into coupon (id, code, rate, amount, currency, duration, months, tiers, max_redemptions,
             redeemed, expires_at, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        coupon.id.uuid(),
        coupon.code,
        rate,
        amount,
        currency,
        duration,
        months,
        &tiers,
        coupon.max_redemptions.map(|most| i32::try_from(most).unwrap_or(i32::MAX)),
        i32::try_from(coupon.redeemed).unwrap_or(i32::MAX),
        coupon.expires_at,
        coupon.created_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

struct CouponRow {
    id: Uuid,
    code: String,
    rate: Option<i32>,
    amount: Option<i64>,
    currency: Option<String>,
    duration: String,
    months: Option<i16>,
    tiers: Vec<String>,
    max_redemptions: Option<i32>,
    redeemed: i32,
    expires_at: Option<OffsetDateTime>,
    created_at: OffsetDateTime,
    withdrawn_at: Option<OffsetDateTime>,
}

impl CouponRow {
    fn read(self) -> Result<Coupon, Error> {
        let stored = || Error::Stored(format!("the coupon {}", self.code));
        let currency = self.currency.as_deref().and_then(Currency::parse);
        let off = match (self.rate, self.amount, currency) {
            (Some(rate), None, None) => Off::Share(Rate(rate.unsigned_abs())),
            (None, Some(amount), Some(currency)) => Off::Amount(currency.of(amount)),
            _ => return Err(stored()),
        };
        let duration = match (self.duration.as_str(), self.months) {
            ("once", None) => CouponDuration::Once,
            ("repeating", Some(months)) => CouponDuration::Repeating(months.unsigned_abs()),
            ("forever", None) => CouponDuration::Forever,
            _ => return Err(stored()),
        };
        let tiers = self.tiers.iter().map(|word| tier(word)).collect::<Result<_, _>>()?;
        Ok(Coupon {
            id: CouponId::from_uuid(self.id),
            code: self.code,
            off,
            duration,
            tiers,
            max_redemptions: self.max_redemptions.map(i32::unsigned_abs),
            redeemed: self.redeemed.unsigned_abs(),
            expires_at: self.expires_at,
            created_at: self.created_at,
            withdrawn_at: self.withdrawn_at,
        })
    }
}

pub async fn find(pool: &PgPool, id: CouponId) -> Result<Option<Coupon>, Error> {
    let row = sqlx::query_as!(
        CouponRow,
        "select id, code, rate, amount, currency, duration, months, tiers, max_redemptions, redeemed,
             expires_at, created_at, withdrawn_at
         from coupon where id = $1",
        id.uuid(),
    )
    .fetch_optional(pool)
    .await?;
    row.map(CouponRow::read).transpose()
}

pub async fn by_code(pool: &PgPool, code: &str) -> Result<Option<Coupon>, Error> {
    let row = sqlx::query_as!(
        CouponRow,
        "select id, code, rate, amount, currency, duration, months, tiers, max_redemptions, redeemed,
             expires_at, created_at, withdrawn_at
         from coupon where code = $1",
        code,
    )
    .fetch_optional(pool)
    .await?;
    row.map(CouponRow::read).transpose()
}

/// Newest first.
pub async fn list(pool: &PgPool, limit: i64) -> Result<Vec<Coupon>, Error> {
    let rows = sqlx::query_as!(
        CouponRow,
        "select id, code, rate, amount, currency, duration, months, tiers, max_redemptions, redeemed,
             expires_at, created_at, withdrawn_at
         from coupon order by created_at desc, id desc limit $1",
        limit,
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter().map(CouponRow::read).collect()
}

/// False when there is no use left.
pub async fn count_redemption(conn: &mut PgConnection, id: CouponId) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "update coupon set redeemed = redeemed + 1
         where id = $1 and (max_redemptions is null or redeemed < max_redemptions)",
        id.uuid(),
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// How often a coupon can be used, and was.
pub struct Uses {
    pub most: Option<i64>,
    pub redeemed: i64,
}

/// The same, and nobody else counts until the transaction ends. Orders with it may be written meanwhile.
pub async fn lock_uses(conn: &mut PgConnection, id: CouponId) -> Result<Option<Uses>, sqlx::Error> {
    let row = sqlx::query!(
        "select max_redemptions, redeemed from coupon where id = $1 for no key update",
        id.uuid(),
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| Uses { most: row.max_redemptions.map(i64::from), redeemed: row.redeemed.into() }))
}

/// How many orders with it may yet be paid.
pub async fn begun_with(
    conn: &mut PgConnection,
    id: CouponId,
    now: OffsetDateTime,
) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select count(*) as "count!" from billing_order
           where coupon_id = $1 and (status = 'processing' or (status = 'open' and expires_at > $2))"#,
        id.uuid(),
        now,
    )
    .fetch_one(conn)
    .await
}

/// The code of the coupon. None when it was withdrawn already.
pub async fn withdraw(
    conn: &mut PgConnection,
    id: CouponId,
    now: OffsetDateTime,
) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar!(
        "update coupon set withdrawn_at = $2 where id = $1 and withdrawn_at is null returning code",
        id.uuid(),
        now,
    )
    .fetch_optional(conn)
    .await
}
