//! SQL of comparing the ledger with the rest. Each query finds what differs, and nothing where all is well.

use sqlx::PgConnection;

/// What differs: by the provider's id or our number, in minor units or in pieces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub subject: String,
    pub expected: i64,
    pub found: Option<i64>,
}

pub struct CurrencySum {
    pub currency: String,
    pub debits: i64,
    pub credits: i64,
}

pub async fn count(conn: &mut PgConnection) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(r#"select count(*) as "count!" from ledger_transaction"#).fetch_one(conn).await
}

pub async fn sums(conn: &mut PgConnection) -> Result<Vec<CurrencySum>, sqlx::Error> {
    sqlx::query_as!(
        CurrencySum,
        r#"select currency as "currency!",
                  coalesce(sum(amount) filter (where amount > 0), 0)::bigint as "debits!",
                  coalesce(-sum(amount) filter (where amount < 0), 0)::bigint as "credits!"
           from ledger_entry group by currency order by currency"#
    )
    .fetch_all(conn)
    .await
}

pub async fn unbalanced(conn: &mut PgConnection, limit: i64) -> Result<Vec<Found>, sqlx::Error> {
    sqlx::query_as!(
        Found,
        r#"select t.reference as "subject!", 0::bigint as "expected!", sum(e.amount)::bigint as "found?"
           from ledger_transaction t left join ledger_entry e on e.transaction_id = t.id
           group by t.id, e.currency
           having coalesce(sum(e.amount), 1) <> 0
           order by t.reference limit $1"#,
        limit,
    )
    .fetch_all(conn)
    .await
}

pub async fn payments(conn: &mut PgConnection, limit: i64) -> Result<Vec<Found>, sqlx::Error> {
    sqlx::query_as!(
        Found,
        r#"select 'charge:' || p.charge_id as "subject!", p.amount as "expected!", booked.amount as "found?"
           from payment p
           left join lateral (
               select sum(e.amount)::bigint as amount
               from ledger_transaction t join ledger_entry e on e.transaction_id = t.id
               where t.reference = 'charge:' || p.charge_id and t.kind = 'charge'
                 and e.account = 'stripe_balance' and e.currency = p.currency
           ) booked on true
           where booked.amount is distinct from p.amount
           order by p.charge_id limit $1"#,
        limit,
    )
    .fetch_all(conn)
    .await
}

pub async fn fees(conn: &mut PgConnection, limit: i64) -> Result<Vec<Found>, sqlx::Error> {
    sqlx::query_as!(
        Found,
        r#"select 'fee:' || p.charge_id as "subject!", p.fee as "expected!", booked.amount as "found?"
           from payment p
           left join lateral (
               select sum(e.amount)::bigint as amount
               from ledger_transaction t join ledger_entry e on e.transaction_id = t.id
               where t.reference = 'fee:' || p.charge_id and e.account = 'fees' and e.currency = p.fee_currency
           ) booked on true
           where coalesce(booked.amount, 0) <> p.fee
           order by p.charge_id limit $1"#,
        limit,
    )
    .fetch_all(conn)
    .await
}

/// A refund that is not to be, or failed, leaves nothing.
pub async fn refunds(conn: &mut PgConnection, limit: i64) -> Result<Vec<Found>, sqlx::Error> {
    sqlx::query_as!(
        Found,
        r#"select 'refund:' || coalesce(r.stripe_id, r.id::text) as "subject!", due.amount as "expected!",
                  booked.amount as "found?"
           from refund r
           cross join lateral (
               select case when r.status in ('pending', 'succeeded') then r.amount else 0 end as amount
           ) due
           cross join lateral (
               select coalesce(-sum(e.amount), 0)::bigint as amount
               from ledger_transaction t join ledger_entry e on e.transaction_id = t.id
               where t.reference in ('refund:' || r.stripe_id, 'refund_failed:' || r.stripe_id)
                 and e.account = 'stripe_balance' and e.currency = r.currency
           ) booked
           where booked.amount <> due.amount
           order by r.id limit $1"#,
        limit,
    )
    .fetch_all(conn)
    .await
}

/// The credit note decides how much of a refund is tax.
pub async fn refund_taxes(conn: &mut PgConnection, limit: i64) -> Result<Vec<Found>, sqlx::Error> {
    sqlx::query_as!(
        Found,
        r#"select 'refund:' || coalesce(r.stripe_id, r.id::text) as "subject!", written.amount as "expected!",
                  booked.amount as "found?"
           from refund r
           cross join lateral (
               select coalesce(sum(case d.kind when 'credit_note' then abs(d.tax) else -abs(d.tax) end), 0)::bigint
                      as amount
               from document d where d.refund_id = r.id
           ) written
           cross join lateral (
               select coalesce(sum(e.amount), 0)::bigint as amount
               from ledger_transaction t join ledger_entry e on e.transaction_id = t.id
               where t.reference in ('refund:' || r.stripe_id, 'refund_failed:' || r.stripe_id)
                 and e.account = 'tax_payable' and e.currency = r.currency
           ) booked
           where booked.amount <> written.amount
           order by r.id limit $1"#,
        limit,
    )
    .fetch_all(conn)
    .await
}

pub async fn refunded(conn: &mut PgConnection, limit: i64) -> Result<Vec<Found>, sqlx::Error> {
    sqlx::query_as!(
        Found,
        r#"select p.charge_id as "subject!", p.refunded as "expected!", given.amount as "found?"
           from payment p
           cross join lateral (
               select coalesce(sum(r.amount), 0)::bigint as amount from refund r
               where r.payment_id = p.id and r.status in ('requested', 'pending', 'succeeded')
           ) given
           where given.amount <> p.refunded
           order by p.charge_id limit $1"#,
        limit,
    )
    .fetch_all(conn)
    .await
}

/// One that was won leaves nothing, one that was lost its amount. While it is open the bank may not have taken it yet.
pub async fn disputes(conn: &mut PgConnection, limit: i64) -> Result<Vec<Found>, sqlx::Error> {
    sqlx::query_as!(
        Found,
        r#"select 'dispute:' || d.stripe_id as "subject!", due.amount as "expected!", booked.amount as "found?"
           from dispute d
           cross join lateral (select case when d.status = 'won' then 0 else d.amount end as amount) due
           cross join lateral (
               select coalesce(sum(e.amount), 0)::bigint as amount
               from ledger_transaction t join ledger_entry e on e.transaction_id = t.id
               where t.reference in ('dispute:' || d.stripe_id, 'dispute_won:' || d.stripe_id)
                 and e.account = 'dispute_losses' and e.currency = d.currency
           ) booked
           where booked.amount <> due.amount and not (d.status not in ('won', 'lost') and booked.amount = 0)
           order by d.stripe_id limit $1"#,
        limit,
    )
    .fetch_all(conn)
    .await
}

pub async fn dispute_fees(conn: &mut PgConnection, limit: i64) -> Result<Vec<Found>, sqlx::Error> {
    sqlx::query_as!(
        Found,
        r#"select 'dispute_fee:' || d.stripe_id as "subject!", d.fee as "expected!", booked.amount as "found?"
           from dispute d
           cross join lateral (
               select coalesce(sum(e.amount), 0)::bigint as amount
               from ledger_transaction t join ledger_entry e on e.transaction_id = t.id
               where t.reference = 'dispute_fee:' || d.stripe_id and e.account = 'fees'
           ) booked
           where booked.amount <> d.fee
           order by d.stripe_id limit $1"#,
        limit,
    )
    .fetch_all(conn)
    .await
}

/// Transactions that record what is not there.
pub async fn strays(conn: &mut PgConnection, limit: i64) -> Result<Vec<Found>, sqlx::Error> {
    sqlx::query_as!(
        Found,
        r#"select t.reference as "subject!", 1::bigint as "expected!", null::bigint as "found?"
           from ledger_transaction t
           where (t.kind in ('charge', 'fee')
                  and not exists (select from payment p where p.charge_id = split_part(t.reference, ':', 2)))
              or (t.kind in ('refund', 'refund_failed')
                  and not exists (select from refund r where r.stripe_id = split_part(t.reference, ':', 2)))
              or (t.kind in ('dispute', 'dispute_fee', 'dispute_won')
                  and not exists (select from dispute d where d.stripe_id = split_part(t.reference, ':', 2)))
           order by t.reference limit $1"#,
        limit,
    )
    .fetch_all(conn)
    .await
}

pub async fn invoices(conn: &mut PgConnection, limit: i64) -> Result<Vec<Found>, sqlx::Error> {
    sqlx::query_as!(
        Found,
        r#"select coalesce(d.number, p.charge_id) as "subject!", p.amount as "expected!", d.total as "found?"
           from payment p left join document d on d.payment_id = p.id and d.kind = 'invoice'
           where d.total is distinct from p.amount or d.currency <> p.currency
           order by p.charge_id limit $1"#,
        limit,
    )
    .fetch_all(conn)
    .await
}

pub async fn invoice_taxes(conn: &mut PgConnection, limit: i64) -> Result<Vec<Found>, sqlx::Error> {
    sqlx::query_as!(
        Found,
        r#"select d.number as "subject!", d.tax as "expected!", booked.amount as "found?"
           from document d join payment p on p.id = d.payment_id
           cross join lateral (
               select coalesce(-sum(e.amount), 0)::bigint as amount
               from ledger_transaction t join ledger_entry e on e.transaction_id = t.id
               where t.reference = 'charge:' || p.charge_id
                 and e.account = 'tax_payable' and e.currency = p.currency
           ) booked
           where d.kind = 'invoice' and booked.amount <> d.tax
           order by d.number limit $1"#,
        limit,
    )
    .fetch_all(conn)
    .await
}

/// Whichever sign a credit note carries. One of a refund that failed is taken back by its reversal.
pub async fn credit_notes(conn: &mut PgConnection, limit: i64) -> Result<Vec<Found>, sqlx::Error> {
    sqlx::query_as!(
        Found,
        r#"select 'refund:' || coalesce(r.stripe_id, r.id::text) as "subject!", due.amount as "expected!",
                  written.amount as "found?"
           from refund r
           cross join lateral (
               select case when r.status in ('pending', 'succeeded') then r.amount else 0 end as amount
           ) due
           cross join lateral (
               select coalesce(sum(case d.kind when 'credit_note' then abs(d.total) else -abs(d.total) end), 0)::bigint
                      as amount
               from document d where d.refund_id = r.id
           ) written
           where written.amount <> due.amount
           order by r.id limit $1"#,
        limit,
    )
    .fetch_all(conn)
    .await
}

pub async fn invoices_without_payment(
    conn: &mut PgConnection,
    limit: i64,
) -> Result<Vec<Found>, sqlx::Error> {
    sqlx::query_as!(
        Found,
        r#"select number as "subject!", 0::bigint as "expected!", total as "found?" from document
           where kind = 'invoice' and payment_id is null and total <> 0
           order by number limit $1"#,
        limit,
    )
    .fetch_all(conn)
    .await
}

/// A number cannot be there twice, so as many as the highest, beginning with one, leave no gap.
pub async fn series(conn: &mut PgConnection, limit: i64) -> Result<Vec<Found>, sqlx::Error> {
    sqlx::query_as!(
        Found,
        r#"select s.code as "subject!", s.next_number - 1 as "expected!", count(d.id) as "found?"
           from document_series s left join document d on d.series = s.code
           group by s.code, s.next_number
           having count(d.id) <> s.next_number - 1
               or coalesce(max(d.number_in_series), 0) <> s.next_number - 1
               or coalesce(min(d.number_in_series), 1) <> 1
           order by s.code limit $1"#,
        limit,
    )
    .fetch_all(conn)
    .await
}
