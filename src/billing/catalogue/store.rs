//! SQL of tiers, features and prices.

use sqlx::{PgConnection, PgExecutor, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    PriceDetails, PriceHistory, TierWords,
    file::{FeatureEntry, PriceEntry, TierEntry},
};
use crate::{
    billing::Error,
    contract::{
        id::PriceId,
        money::Currency,
        payment::{Interval, Price, Tier},
    },
};

/// Key of the advisory lock under which an empty catalogue is filled.
const SEED_LOCK: i64 = 0x6465_7666_0003;

/// What of a feature a tier has; one row without a tier for a feature that none has.
pub struct FeatureOfTier {
    pub code: String,
    pub group: String,
    pub name: String,
    pub tier: Option<Tier>,
    pub words: Option<String>,
}

/// Waits for others who fill the catalogue; held until the transaction ends.
pub async fn lock_seeding(conn: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query!("select pg_advisory_xact_lock($1)", SEED_LOCK).execute(conn).await?;
    Ok(())
}

pub async fn has_tiers(conn: &mut PgConnection) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(r#"select exists (select from tier) as "exists!""#).fetch_one(conn).await
}

pub async fn insert_tier(
    conn: &mut PgConnection,
    entry: &TierEntry,
    position: i16,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into tier (code, name, description, position, by_quote) values ($1, $2, $3, $4, $5)",
        entry.tier.as_str(),
        entry.name,
        entry.description,
        position,
        entry.by_quote,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn insert_feature(
    conn: &mut PgConnection,
    entry: &FeatureEntry,
    position: i16,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into feature (code, group_name, name, position) values ($1, $2, $3, $4)",
        entry.code,
        entry.group,
        entry.name,
        position,
    )
    .execute(&mut *conn)
    .await?;
    for (tier, words) in &entry.tiers {
        sqlx::query!(
            "insert into tier_feature (tier, feature, words) values ($1, $2, $3)",
            tier.as_str(),
            entry.code,
            words.as_deref(),
        )
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

/// Prices are for one seat.
pub async fn insert_price(
    conn: &mut PgConnection,
    id: PriceId,
    entry: &PriceEntry,
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into price (id, tier, interval, currency, unit_amount, per_seat, trial_days, created_at)
         values ($1, $2, $3, $4, $5, true, $6, $7)",
        id.uuid(),
        entry.tier.as_str(),
        entry.interval.as_str(),
        entry.currency.as_str(),
        entry.amount,
        i16::try_from(entry.trial_days).unwrap_or(i16::MAX),
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn tiers(db: impl PgExecutor<'_>) -> Result<Vec<TierWords>, Error> {
    let rows = sqlx::query!("select code, name, description, by_quote from tier order by position, code")
        .fetch_all(db)
        .await?;
    rows.into_iter()
        .map(|row| {
            Ok(TierWords {
                tier: tier(&row.code)?,
                name: row.name,
                description: row.description,
                by_quote: row.by_quote,
            })
        })
        .collect()
}

/// In the order of the comparison.
pub async fn features(pool: &PgPool) -> Result<Vec<FeatureOfTier>, Error> {
    let rows = sqlx::query!(
        r#"select f.code, f.group_name, f.name, t.tier as "tier?", t.words as "words?"
           from feature f left join tier_feature t on t.feature = f.code
           order by f.position, f.code"#
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(FeatureOfTier {
                code: row.code,
                group: row.group_name,
                name: row.name,
                tier: row.tier.as_deref().map(tier).transpose()?,
                words: row.words,
            })
        })
        .collect()
}

struct PriceRow {
    id: Uuid,
    tier: String,
    interval: String,
    currency: String,
    unit_amount: i64,
    per_seat: bool,
    trial_days: i16,
    withdrawn: bool,
}

impl PriceRow {
    fn read(self) -> Result<PriceDetails, Error> {
        let stored = |word: &str| Error::Stored(format!("“{word}” of a price"));
        Ok(PriceDetails {
            tier: tier(&self.tier)?,
            withdrawn: self.withdrawn,
            price: Price {
                id: PriceId::from_uuid(self.id),
                interval: Interval::parse(&self.interval).ok_or_else(|| stored(&self.interval))?,
                amount: self.unit_amount,
                currency: Currency::parse(&self.currency).ok_or_else(|| stored(&self.currency))?,
                per_seat: self.per_seat,
                trial_days: self.trial_days.unsigned_abs(),
            },
        })
    }
}

/// What is sold in this currency without talking to us.
pub async fn offered_in(pool: &PgPool, currency: Currency) -> Result<Vec<PriceDetails>, Error> {
    let rows = sqlx::query_as!(
        PriceRow,
        r#"select p.id, p.tier, p.interval, p.currency, p.unit_amount, p.per_seat, p.trial_days,
               false as "withdrawn!"
           from price p join tier t on t.code = p.tier
           where p.withdrawn_at is null and not t.by_quote and p.currency = $1
           order by t.position, p.unit_amount, p.id"#,
        currency.as_str(),
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter().map(PriceRow::read).collect()
}

/// The currencies in which anything is sold without talking to us.
pub async fn currencies(pool: &PgPool) -> Result<Vec<Currency>, sqlx::Error> {
    let words = sqlx::query_scalar!(
        "select distinct p.currency from price p join tier t on t.code = p.tier
         where p.withdrawn_at is null and not t.by_quote"
    )
    .fetch_all(pool)
    .await?;
    Ok(Currency::ALL
        .into_iter()
        .filter(|currency| words.iter().any(|word| word == currency.as_str()))
        .collect())
}

pub async fn offered(
    pool: &PgPool,
    tier: Tier,
    interval: Interval,
    currency: Currency,
) -> Result<Option<PriceDetails>, Error> {
    let row = sqlx::query_as!(
        PriceRow,
        r#"select p.id, p.tier, p.interval, p.currency, p.unit_amount, p.per_seat, p.trial_days,
               false as "withdrawn!"
           from price p join tier t on t.code = p.tier
           where p.tier = $1 and p.interval = $2 and p.currency = $3
             and p.withdrawn_at is null and not t.by_quote"#,
        tier.as_str(),
        interval.as_str(),
        currency.as_str(),
    )
    .fetch_optional(pool)
    .await?;
    row.map(PriceRow::read).transpose()
}

/// The price in force, whether or not its tier is sold by quote. Its row is locked.
pub async fn lock_current(
    conn: &mut PgConnection,
    tier: Tier,
    interval: Interval,
    currency: Currency,
) -> Result<Option<PriceDetails>, Error> {
    let row = sqlx::query_as!(
        PriceRow,
        r#"select id, tier, interval, currency, unit_amount, per_seat, trial_days, false as "withdrawn!"
           from price where tier = $1 and interval = $2 and currency = $3 and withdrawn_at is null
           for update"#,
        tier.as_str(),
        interval.as_str(),
        currency.as_str(),
    )
    .fetch_optional(conn)
    .await?;
    row.map(PriceRow::read).transpose()
}

pub async fn price(db: impl PgExecutor<'_>, id: PriceId) -> Result<Option<PriceDetails>, Error> {
    let row = sqlx::query_as!(
        PriceRow,
        r#"select id, tier, interval, currency, unit_amount, per_seat, trial_days,
               withdrawn_at is not null as "withdrawn!"
           from price where id = $1"#,
        id.uuid(),
    )
    .fetch_optional(db)
    .await?;
    row.map(PriceRow::read).transpose()
}

/// Every price there ever was, up to `limit` of the newest, those in force first.
pub async fn price_history(pool: &PgPool, limit: i64) -> Result<Vec<PriceHistory>, Error> {
    let rows = sqlx::query!(
        r#"select p.id, p.tier, p.interval, p.currency, p.unit_amount, p.per_seat, p.trial_days,
               p.created_at, p.withdrawn_at,
               (select count(*) from subscription s where s.price_id = p.id and s.status <> 'ended')
                   as "subscriptions!"
           from price p order by p.withdrawn_at is not null, p.created_at desc, p.id desc limit $1"#,
        limit,
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|row| {
            let price = PriceRow {
                id: row.id,
                tier: row.tier,
                interval: row.interval,
                currency: row.currency,
                unit_amount: row.unit_amount,
                per_seat: row.per_seat,
                trial_days: row.trial_days,
                withdrawn: row.withdrawn_at.is_some(),
            };
            Ok(PriceHistory {
                details: price.read()?,
                created_at: row.created_at,
                withdrawn_at: row.withdrawn_at,
                subscriptions: row.subscriptions.unsigned_abs(),
            })
        })
        .collect()
}

/// How many subscriptions run at this price.
pub async fn subscriptions_at(pool: &PgPool, id: PriceId) -> Result<u64, sqlx::Error> {
    let count = sqlx::query_scalar!(
        r#"select count(*) as "count!" from subscription where price_id = $1 and status <> 'ended'"#,
        id.uuid(),
    )
    .fetch_one(pool)
    .await?;
    Ok(count.unsigned_abs())
}

/// False when it was withdrawn already, or never was.
pub async fn withdraw_price(
    conn: &mut PgConnection,
    id: PriceId,
    now: OffsetDateTime,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "update price set withdrawn_at = $2 where id = $1 and withdrawn_at is null",
        id.uuid(),
        now
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The row of a tier: of two who change its prices or words, one waits for the other.
pub async fn lock_tier(conn: &mut PgConnection, tier: Tier) -> Result<Option<TierWords>, sqlx::Error> {
    let row = sqlx::query!(
        "select name, description, by_quote from tier where code = $1 for update",
        tier.as_str()
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| TierWords {
        tier,
        name: row.name,
        description: row.description,
        by_quote: row.by_quote,
    }))
}

pub async fn set_words(
    conn: &mut PgConnection,
    tier: Tier,
    name: &str,
    description: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update tier set name = $2, description = $3 where code = $1",
        tier.as_str(),
        name,
        description,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) fn tier(word: &str) -> Result<Tier, Error> {
    Tier::parse(word).ok_or_else(|| Error::Stored(format!("the tier “{word}”")))
}
