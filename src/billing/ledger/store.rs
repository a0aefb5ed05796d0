//! SQL of the ledger: transactions and entries are only ever inserted and read.

use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Account, Entry, Kind, ListedEntry, ListedTransaction, Movement, Sum, Transaction};
use crate::{
    billing::Error,
    contract::id::{LedgerTransactionId, OrderId, PaymentId, SubscriptionId, UserId},
};

/// False when the reference is there already.
pub async fn insert(
    conn: &mut PgConnection,
    id: LedgerTransactionId,
    movement: &Movement,
    now: OffsetDateTime,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "insert into ledger_transaction
             (id, kind, reference, description, occurred_at, recorded_at, account_id, order_id, payment_id,
              subscription_id)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         on conflict (reference) do nothing",
        id.uuid(),
        movement.kind.as_str(),
        movement.reference,
        movement.description,
        movement.occurred_at,
        now,
        movement.account.map(UserId::uuid),
        movement.order.map(OrderId::uuid),
        movement.payment.map(PaymentId::uuid),
        movement.subscription.map(SubscriptionId::uuid),
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub async fn insert_entries(
    conn: &mut PgConnection,
    id: LedgerTransactionId,
    entries: &[&Entry],
) -> Result<(), sqlx::Error> {
    let accounts: Vec<String> = entries.iter().map(|entry| entry.account.as_str().to_owned()).collect();
    let amounts: Vec<i64> = entries.iter().map(|entry| entry.amount).collect();
    let currencies: Vec<String> = entries.iter().map(|entry| entry.currency.clone()).collect();
    let countries: Vec<Option<String>> = entries.iter().map(|entry| entry.country.clone()).collect();
    let owners: Vec<Option<Uuid>> = entries.iter().map(|entry| entry.owner.map(UserId::uuid)).collect();
    sqlx::query!(
        "insert into ledger_entry (transaction_id, position, account, amount, currency, country, owner_id)
         select $1, (place - 1)::smallint, account, amount, currency, country, owner
         from unnest($2::text[], $3::bigint[], $4::text[], $5::text[], $6::uuid[])
              with ordinality as given (account, amount, currency, country, owner, place)",
        id.uuid(),
        &accounts,
        &amounts,
        &currencies,
        &countries as &[Option<String>],
        &owners as &[Option<Uuid>],
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What is asked of the entries; what is absent leaves nothing out.
#[derive(Debug, Default)]
pub struct Asked<'a> {
    pub account: Option<&'a str>,
    /// Empty for all.
    pub kinds: &'a [String],
    pub currency: Option<&'a str>,
    pub country: Option<&'a str>,
    pub taxed: Option<bool>,
    pub from: Option<OffsetDateTime>,
    pub to: Option<OffsetDateTime>,
    /// Of the transaction, or of the order, payment or subscription it belongs to.
    pub id: Option<Uuid>,
    /// The whole reference, or the provider's id in it.
    pub reference: Option<&'a str>,
}

/// Newest first. Where a sale went is said by the tax of its payment; without tax, by where the buyer is.
pub async fn list(
    pool: &PgPool,
    asked: &Asked<'_>,
    limit: i64,
    before: i64,
) -> Result<Vec<ListedEntry>, Error> {
    let rows = sqlx::query!(
        r#"select t.id as "id!", t.kind as "kind!", t.reference as "reference!", t.description as "description!",
                  t.occurred_at as "occurred_at!", t.account_id as "account_id?", t.order_id as "order_id?",
                  t.payment_id as "payment_id?", t.subscription_id as "subscription_id?",
                  e.account as "account!", e.amount as "amount!", e.currency as "currency!",
                  coalesce(e.country, tax.country, c.address ->> 'country') as "country?"
           from ledger_entry e
           join ledger_transaction t on t.id = e.transaction_id
           left join payment p on p.id = t.payment_id
           left join billing_customer c on c.id = p.customer_id
           left join lateral (
               select min(x.country) as country
               from ledger_transaction s join ledger_entry x on x.transaction_id = s.id
               where (s.id = t.id or s.payment_id = t.payment_id) and x.account = 'tax_payable'
           ) tax on true
           where ($1::text is null or e.account = $1)
             and (cardinality($2::text[]) = 0 or t.kind = any($2))
             and ($3::text is null or e.currency = $3)
             and ($4::text is null or coalesce(e.country, tax.country, c.address ->> 'country', '') = $4)
             and ($5::boolean is null or (tax.country is not null) = $5)
             and ($6::timestamptz is null or t.occurred_at >= $6)
             and ($7::timestamptz is null or t.occurred_at < $7)
             and ($8::uuid is null or $8 in (t.id, t.order_id, t.payment_id, t.subscription_id))
             and ($9::text is null or t.reference = $9 or split_part(t.reference, ':', 2) = $9)
           order by t.occurred_at desc, t.id desc, e.position limit $10 offset $11"#,
        asked.account,
        asked.kinds,
        asked.currency,
        asked.country,
        asked.taxed,
        asked.from,
        asked.to,
        asked.id,
        asked.reference,
        limit,
        before,
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(ListedEntry {
                transaction: LedgerTransactionId::from_uuid(row.id),
                kind: kind(&row.kind)?,
                reference: row.reference,
                description: row.description,
                occurred_at: row.occurred_at,
                person: row.account_id.map(UserId::from_uuid),
                order: row.order_id.map(OrderId::from_uuid),
                payment: row.payment_id.map(PaymentId::from_uuid),
                subscription: row.subscription_id.map(SubscriptionId::from_uuid),
                account: account(&row.account)?,
                amount: row.amount,
                currency: row.currency,
                country: row.country,
            })
        })
        .collect()
}

/// How many entries [`list`] finds in each currency, and what they add up to.
pub async fn sums(pool: &PgPool, asked: &Asked<'_>) -> Result<Vec<Sum>, sqlx::Error> {
    sqlx::query_as!(
        Sum,
        r#"select e.currency as "currency!", count(*) as "entries!",
                  coalesce(sum(e.amount) filter (where e.amount > 0), 0)::bigint as "debits!",
                  coalesce(-sum(e.amount) filter (where e.amount < 0), 0)::bigint as "credits!"
           from ledger_entry e
           join ledger_transaction t on t.id = e.transaction_id
           left join payment p on p.id = t.payment_id
           left join billing_customer c on c.id = p.customer_id
           left join lateral (
               select min(x.country) as country
               from ledger_transaction s join ledger_entry x on x.transaction_id = s.id
               where (s.id = t.id or s.payment_id = t.payment_id) and x.account = 'tax_payable'
           ) tax on true
           where ($1::text is null or e.account = $1)
             and (cardinality($2::text[]) = 0 or t.kind = any($2))
             and ($3::text is null or e.currency = $3)
             and ($4::text is null or coalesce(e.country, tax.country, c.address ->> 'country', '') = $4)
             and ($5::boolean is null or (tax.country is not null) = $5)
             and ($6::timestamptz is null or t.occurred_at >= $6)
             and ($7::timestamptz is null or t.occurred_at < $7)
             and ($8::uuid is null or $8 in (t.id, t.order_id, t.payment_id, t.subscription_id))
             and ($9::text is null or t.reference = $9 or split_part(t.reference, ':', 2) = $9)
           group by e.currency order by count(*) desc, e.currency"#,
        asked.account,
        asked.kinds,
        asked.currency,
        asked.country,
        asked.taxed,
        asked.from,
        asked.to,
        asked.id,
        asked.reference,
    )
    .fetch_all(pool)
    .await
}

/// The newest transactions that touch a currency, with what each did to the money we have.
pub async fn newest(pool: &PgPool, currency: &str, limit: i64) -> Result<Vec<ListedTransaction>, Error> {
    let rows = sqlx::query!(
        r#"select t.id as "id!", t.kind as "kind!", t.reference as "reference!", t.description as "description!",
                  t.occurred_at as "occurred_at!", coalesce(nullif(c.name, ''), c.email) as "customer?",
                  (select coalesce(sum(e.amount), 0) from ledger_entry e
                   where e.transaction_id = t.id and e.currency = $1
                     and e.account in ('stripe_balance', 'bank'))::bigint as "amount!"
           from ledger_transaction t
           left join payment p on p.id = t.payment_id
           left join billing_customer c on c.id = p.customer_id
           where exists (select from ledger_entry e where e.transaction_id = t.id and e.currency = $1)
           order by t.occurred_at desc, t.id desc limit $2"#,
        currency,
        limit,
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(ListedTransaction {
                id: LedgerTransactionId::from_uuid(row.id),
                kind: kind(&row.kind)?,
                reference: row.reference,
                description: row.description,
                occurred_at: row.occurred_at,
                customer: row.customer,
                amount: row.amount,
            })
        })
        .collect()
}

pub async fn find(pool: &PgPool, id: LedgerTransactionId) -> Result<Option<Transaction>, Error> {
    let row = sqlx::query!(
        r#"select t.kind as "kind!", t.reference as "reference!", t.description as "description!",
                  t.occurred_at as "occurred_at!", t.recorded_at as "recorded_at!", t.account_id as "account_id?",
                  t.order_id as "order_id?", t.payment_id as "payment_id?", t.subscription_id as "subscription_id?",
                  coalesce(nullif(c.name, ''), c.email) as "customer?"
           from ledger_transaction t
           left join payment p on p.id = t.payment_id
           left join billing_customer c on c.id = p.customer_id
           where t.id = $1"#,
        id.uuid(),
    )
    .fetch_optional(pool)
    .await?;
    let Some(row) = row else {
        return Ok(None);
    };
    let entries = sqlx::query!(
        "select account, amount, currency, country, owner_id from ledger_entry
         where transaction_id = $1 order by position",
        id.uuid(),
    )
    .fetch_all(pool)
    .await?;
    let entries = entries
        .into_iter()
        .map(|entry| {
            Ok(Entry {
                account: account(&entry.account)?,
                amount: entry.amount,
                currency: entry.currency,
                country: entry.country,
                owner: entry.owner_id.map(UserId::from_uuid),
            })
        })
        .collect::<Result<Vec<Entry>, Error>>()?;
    let movement = Movement {
        kind: kind(&row.kind)?,
        reference: row.reference,
        description: row.description,
        occurred_at: row.occurred_at,
        account: row.account_id.map(UserId::from_uuid),
        order: row.order_id.map(OrderId::from_uuid),
        payment: row.payment_id.map(PaymentId::from_uuid),
        subscription: row.subscription_id.map(SubscriptionId::from_uuid),
        entries,
    };
    Ok(Some(Transaction { id, movement, recorded_at: row.recorded_at, customer: row.customer }))
}

/// The table takes no other word than those we know.
fn kind(text: &str) -> Result<Kind, Error> {
    Kind::parse(text).ok_or_else(|| Error::Stored(format!("ledger_transaction.kind {text}")))
}

fn account(text: &str) -> Result<Account, Error> {
    Account::parse(text).ok_or_else(|| Error::Stored(format!("ledger_entry.account {text}")))
}
