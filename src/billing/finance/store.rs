//! SQL of the figures. All of it reads.

use sqlx::PgPool;
use time::{Date, OffsetDateTime};

use super::{
    SubscriptionList, SubscriptionRow,
    rules::{Figures, Period},
};
use crate::{
    billing::Error,
    contract::{
        id::{SubscriptionId, UserId},
        payment::{Interval, SubscriptionStatus, Tier},
    },
};

/// The figures of one day in one currency.
pub struct Day {
    pub day: Date,
    pub currency: String,
    pub figures: Figures,
}

/// What happened on each day on which something did, in order.
pub async fn days(pool: &PgPool, period: Period, currency: Option<&str>) -> Result<Vec<Day>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select date_trunc('day', t.occurred_at, 'UTC') as "day!", e.currency as "currency!",
                  coalesce(sum(e.amount) filter (where e.account = 'stripe_balance' and t.kind = 'charge'), 0)::bigint
                      as "gross!",
                  coalesce(-sum(e.amount) filter (
                      where e.account = 'stripe_balance' and t.kind in ('refund', 'refund_failed')), 0)::bigint
                      as "refunds!",
                  coalesce(-sum(e.amount) filter (
                      where e.account = 'tax_payable' and t.kind in ('charge', 'refund', 'refund_failed')), 0)::bigint
                      as "tax!",
                  coalesce(-sum(e.amount) filter (
                      where e.account = 'revenue' and t.kind in ('share', 'payout', 'correction')), 0)::bigint
                      as "other!",
                  coalesce(-sum(e.amount) filter (where e.account = 'revenue'), 0)::bigint as "net!",
                  coalesce(sum(e.amount) filter (where e.account = 'dispute_losses'), 0)::bigint as "disputes!",
                  coalesce(sum(e.amount) filter (where e.account = 'fees'), 0)::bigint as "fees!"
           from ledger_transaction t join ledger_entry e on e.transaction_id = t.id
           where t.occurred_at >= $1 and t.occurred_at < $2 and ($3::text is null or e.currency = $3)
           group by 1, 2 order by 1, 2"#,
        period.start(),
        period.end(),
        currency,
    )
    .fetch_all(pool)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Day {
            day: row.day.date(),
            currency: row.currency,
            figures: Figures {
                gross: row.gross,
                refunds: row.refunds,
                tax: row.tax,
                other: row.other,
                net: row.net,
                disputes: row.disputes,
                fees: row.fees,
            },
        })
        .collect())
}

/// Currencies that were used between two moments or are subscribed in, the one with the most payments first.
pub async fn currencies(
    pool: &PgPool,
    from: OffsetDateTime,
    to: OffsetDateTime,
) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select currency as "currency!" from (
               select e.currency, count(*) filter (where t.kind = 'charge') as used
               from ledger_transaction t join ledger_entry e on e.transaction_id = t.id
               where t.occurred_at >= $1 and t.occurred_at < $2
               group by e.currency
               union all
               select currency, 0 from subscription where status <> 'ended' group by currency
           ) found
           group by currency order by sum(used) desc, currency"#,
        from,
        to,
    )
    .fetch_all(pool)
    .await
}

/// The currency of the newest entry of all.
pub async fn newest_currency(pool: &PgPool) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select e.currency as "currency!"
           from ledger_transaction t join ledger_entry e on e.transaction_id = t.id
           order by t.occurred_at desc, t.id desc, e.position limit 1"#
    )
    .fetch_optional(pool)
    .await
}

/// Counts and sums of subscriptions, as they stand and as they came and went.
pub struct SubscriptionSums {
    pub running: i64,
    pub trials: i64,
    pub each_month: i64,
    pub each_year: i64,
    pub new: i64,
    pub at_start: i64,
    pub ended: i64,
    pub past_due: i64,
}

/// The conditions are those of [`subscriptions`], by their names there.
pub async fn subscription_sums(
    pool: &PgPool,
    currency: &str,
    period: Period,
) -> Result<SubscriptionSums, sqlx::Error> {
    sqlx::query_as!(
        SubscriptionSums,
        r#"select count(*) filter (where s.status in ('active', 'past_due')) as "running!",
                  count(*) filter (where s.status = 'trialing') as "trials!",
                  coalesce(sum(s.unit_amount * case when p.per_seat then s.seats else 1 end)
                      filter (where s.status in ('active', 'past_due') and s.interval = 'month'), 0)::bigint
                      as "each_month!",
                  coalesce(sum(s.unit_amount * case when p.per_seat then s.seats else 1 end)
                      filter (where s.status in ('active', 'past_due') and s.interval = 'year'), 0)::bigint
                      as "each_year!",
                  count(*) filter (where s.status <> 'incomplete' and s.created_at >= $2 and s.created_at < $3)
                      as "new!",
                  count(*) filter (where s.status <> 'incomplete' and s.created_at < $2
                      and (s.ended_at is null or s.ended_at >= $2)) as "at_start!",
                  count(*) filter (where s.created_at < $2 and s.ended_at >= $2 and s.ended_at < $3) as "ended!",
                  count(*) filter (where s.status = 'past_due') as "past_due!"
           from subscription s join price p on p.id = s.price_id
           where s.currency = $1"#,
        currency,
        period.start(),
        period.end(),
    )
    .fetch_one(pool)
    .await
}

pub async fn subscriptions(
    pool: &PgPool,
    list: SubscriptionList,
    currency: &str,
    period: Period,
    limit: i64,
    before: i64,
) -> Result<Vec<SubscriptionRow>, Error> {
    let rows = sqlx::query!(
        r#"select s.id as "id!", s.account_id as "account_id?", coalesce(nullif(c.name, ''), c.email) as "customer!",
                  s.status as "status!", s.tier as "tier!", s.interval as "interval!", s.seats as "seats!",
                  s.unit_amount * case when p.per_seat then s.seats else 1 end as "amount!",
                  s.created_at as "created_at!", s.ended_at as "ended_at?", s.past_due_since as "past_due_since?"
           from subscription s
           join price p on p.id = s.price_id
           join billing_customer c on c.id = s.customer_id
           where s.currency = $1
             and case $4::text
                     when 'running' then s.status in ('active', 'past_due')
                     when 'trials' then s.status = 'trialing'
                     when 'new' then s.status <> 'incomplete' and s.created_at >= $2 and s.created_at < $3
                     when 'at_start' then s.status <> 'incomplete' and s.created_at < $2
                         and (s.ended_at is null or s.ended_at >= $2)
                     when 'ended' then s.created_at < $2 and s.ended_at >= $2 and s.ended_at < $3
                     when 'past_due' then s.status = 'past_due'
                     else false
                 end
           order by s.created_at desc, s.id desc limit $5 offset $6"#,
        currency,
        period.start(),
        period.end(),
        list.as_str(),
        limit,
        before,
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|row| {
            let stored = |what: &str| Error::Stored(format!("subscription {what}"));
            Ok(SubscriptionRow {
                id: SubscriptionId::from_uuid(row.id),
                person: row.account_id.map(UserId::from_uuid),
                customer: row.customer,
                status: SubscriptionStatus::parse(&row.status).ok_or_else(|| stored(&row.status))?,
                tier: Tier::parse(&row.tier).ok_or_else(|| stored(&row.tier))?,
                interval: Interval::parse(&row.interval).ok_or_else(|| stored(&row.interval))?,
                seats: row.seats,
                amount: row.amount,
                created_at: row.created_at,
                ended_at: row.ended_at,
                past_due_since: row.past_due_since,
            })
        })
        .collect()
}

/// What was sold into a country, before tax, and what tax was taken. What was given back is taken off.
pub struct CountrySums {
    pub country: String,
    pub currency: String,
    pub taxed: i64,
    pub untaxed: i64,
    pub tax: i64,
}

/// Where a sale went is said as in the ledger's list: by the tax of its payment; without tax, by where the buyer is.
pub async fn taxes(
    pool: &PgPool,
    period: Period,
    currency: Option<&str>,
) -> Result<Vec<CountrySums>, sqlx::Error> {
    sqlx::query_as!(
        CountrySums,
        r#"select coalesce(e.country, tax.country, c.address ->> 'country', '') as "country!",
                  e.currency as "currency!",
                  coalesce(-sum(e.amount) filter (where e.account = 'revenue' and tax.country is not null), 0)::bigint
                      as "taxed!",
                  coalesce(-sum(e.amount) filter (where e.account = 'revenue' and tax.country is null), 0)::bigint
                      as "untaxed!",
                  coalesce(-sum(e.amount) filter (where e.account = 'tax_payable'), 0)::bigint as "tax!"
           from ledger_transaction t
           join ledger_entry e on e.transaction_id = t.id
           left join payment p on p.id = t.payment_id
           left join billing_customer c on c.id = p.customer_id
           left join lateral (
               select min(x.country) as country
               from ledger_transaction s join ledger_entry x on x.transaction_id = s.id
               where (s.id = t.id or s.payment_id = t.payment_id) and x.account = 'tax_payable'
           ) tax on true
           where t.kind in ('charge', 'refund', 'refund_failed') and e.account in ('revenue', 'tax_payable')
             and t.occurred_at >= $1 and t.occurred_at < $2 and ($3::text is null or e.currency = $3)
           group by 1, 2 order by 2, 1"#,
        period.start(),
        period.end(),
        currency,
    )
    .fetch_all(pool)
    .await
}

pub struct CountryDocuments {
    pub country: String,
    pub currency: String,
    pub documents: i64,
}

/// How many invoices, credit notes and reversals were issued to a country.
pub async fn documents(
    pool: &PgPool,
    period: Period,
    currency: Option<&str>,
) -> Result<Vec<CountryDocuments>, sqlx::Error> {
    sqlx::query_as!(
        CountryDocuments,
        r#"select coalesce(tax.country, c.address ->> 'country', '') as "country!", d.currency as "currency!",
                  count(*) as "documents!"
           from document d
           join billing_customer c on c.id = d.customer_id
           left join refund r on r.id = d.refund_id
           left join lateral (
               select min(x.country) as country
               from ledger_transaction s join ledger_entry x on x.transaction_id = s.id
               where s.payment_id = coalesce(d.payment_id, r.payment_id) and x.account = 'tax_payable'
           ) tax on true
           where d.issued_at >= $1 and d.issued_at < $2 and ($3::text is null or d.currency = $3)
           group by 1, 2 order by 2, 1"#,
        period.start(),
        period.end(),
        currency,
    )
    .fetch_all(pool)
    .await
}
