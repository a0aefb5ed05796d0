//! SQL of subscriptions.

use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    Details,
    rules::{Plan, Stage, State, Terms, Told},
};
use crate::{
    billing::Error,
    contract::{
        id::{CustomerId, OrderId, PriceId, SubscriptionId, UserId},
        money::{Currency, Rate},
        payment::{Interval, LineTax, SubscriptionStatus, Tier},
    },
};

struct Row {
    id: Uuid,
    stripe_id: String,
    order_id: Option<Uuid>,
    customer_id: Uuid,
    account_id: Option<Uuid>,
    status: String,
    tier: String,
    seats: i32,
    interval: String,
    currency: String,
    price_id: Uuid,
    unit_amount: i64,
    next_tier: Option<String>,
    next_seats: Option<i32>,
    current_period_start: OffsetDateTime,
    current_period_end: OffsetDateTime,
    trial_end: Option<OffsetDateTime>,
    cancel_at_period_end: bool,
    past_due_since: Option<OffsetDateTime>,
    grace_until: Option<OffsetDateTime>,
    dunning_invoice: Option<String>,
    dunning_stage: i16,
    created_at: OffsetDateTime,
    ended_at: Option<OffsetDateTime>,
    synced_at: OffsetDateTime,
}

/// Every query that reads whole rows reads the same columns.
macro_rules! rows {
    ($which:tt $(, $value:expr)*) => {
        sqlx::query_as!(
            Row,
            "select id, stripe_id, order_id, customer_id, account_id, status, tier, seats, interval, currency,
                    price_id, unit_amount, next_tier, next_seats, current_period_start, current_period_end,
                    trial_end, cancel_at_period_end, past_due_since, grace_until, dunning_invoice, dunning_stage,
                    created_at, ended_at, synced_at
             from subscription " + $which
            $(, $value)*
        )
    };
}

/// A word of the database that this version knows, or an error that says which it does not.
fn word<T>(text: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T, Error> {
    parse(text).ok_or_else(|| Error::Stored(text.to_owned()))
}

fn seats(stored: i32) -> Result<u32, Error> {
    u32::try_from(stored).map_err(|_| Error::Stored(stored.to_string()))
}

/// Seats are at most 10,000, which every integer holds.
fn stored(seats: u32) -> i32 {
    i32::try_from(seats).unwrap_or(i32::MAX)
}

impl Row {
    fn into_details(self) -> Result<Details, Error> {
        let next = match (self.next_tier, self.next_seats) {
            (Some(tier), Some(count)) => Some(Plan { tier: word(&tier, Tier::parse)?, seats: seats(count)? }),
            _ => None,
        };
        let terms = Terms {
            price: PriceId::from_uuid(self.price_id),
            tier: word(&self.tier, Tier::parse)?,
            interval: word(&self.interval, Interval::parse)?,
            currency: word(&self.currency, Currency::parse)?,
            unit_amount: self.unit_amount,
        };
        Ok(Details {
            id: SubscriptionId::from_uuid(self.id),
            stripe_id: self.stripe_id,
            order: self.order_id.map(OrderId::from_uuid),
            customer: CustomerId::from_uuid(self.customer_id),
            account: self.account_id.map(UserId::from_uuid),
            state: State {
                status: word(&self.status, SubscriptionStatus::parse)?,
                terms,
                seats: seats(self.seats)?,
                next,
                period_start: self.current_period_start,
                period_end: self.current_period_end,
                trial_end: self.trial_end,
                cancel_at_period_end: self.cancel_at_period_end,
                past_due_since: self.past_due_since,
                grace_until: self.grace_until,
                told: Told { about: self.dunning_invoice, stage: self.dunning_stage },
                ended_at: self.ended_at,
            },
            created_at: self.created_at,
            synced_at: self.synced_at,
        })
    }
}

pub async fn by_stripe(pool: &PgPool, stripe_id: &str) -> Result<Option<Details>, Error> {
    let row = rows!("where stripe_id = $1", stripe_id).fetch_optional(pool).await?;
    row.map(Row::into_details).transpose()
}

pub async fn by_id(pool: &PgPool, id: SubscriptionId) -> Result<Option<Details>, Error> {
    let row = rows!("where id = $1", id.uuid()).fetch_optional(pool).await?;
    row.map(Row::into_details).transpose()
}

/// The same, and nobody else changes it until the transaction ends.
pub async fn lock(conn: &mut PgConnection, stripe_id: &str) -> Result<Option<Details>, Error> {
    let row = rows!("where stripe_id = $1 for update", stripe_id).fetch_optional(conn).await?;
    row.map(Row::into_details).transpose()
}

/// The newest that runs; without one, the newest that never began or has ended.
pub async fn newest(pool: &PgPool, account: UserId) -> Result<Option<Details>, Error> {
    let row = rows!(
        "where account_id = $1
         order by status = 'ended', status = 'incomplete', created_at desc, id desc limit 1",
        account.uuid()
    )
    .fetch_optional(pool)
    .await?;
    row.map(Row::into_details).transpose()
}

/// Of those that began with an order, one that runs before one that does not, and then the one that goes on longest.
pub async fn of_order(conn: &mut PgConnection, order: OrderId) -> Result<Option<Details>, Error> {
    let row = rows!(
        "where order_id = $1
         order by status = 'ended', status = 'incomplete', current_period_end desc, id desc limit 1",
        order.uuid()
    )
    .fetch_optional(conn)
    .await?;
    row.map(Row::into_details).transpose()
}

/// All of somebody's that run.
pub async fn running_of(pool: &PgPool, account: UserId) -> Result<Vec<Details>, Error> {
    let rows = rows!("where account_id = $1 and status <> 'ended' order by id", account.uuid())
        .fetch_all(pool)
        .await?;
    rows.into_iter().map(Row::into_details).collect()
}

pub async fn running_of_order(
    conn: &mut PgConnection,
    order: OrderId,
) -> Result<Vec<SubscriptionId>, sqlx::Error> {
    let ids = sqlx::query_scalar!(
        "select id from subscription where order_id = $1 and status <> 'ended' order by id",
        order.uuid(),
    )
    .fetch_all(conn)
    .await?;
    Ok(ids.into_iter().map(SubscriptionId::from_uuid).collect())
}

pub async fn any_running(conn: &mut PgConnection, account: UserId) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select exists (select from subscription where account_id = $1 and status <> 'ended') as "any!""#,
        account.uuid(),
    )
    .fetch_one(conn)
    .await
}

/// Those with a payment due about which there is another mail to write, in the order of their ids.
pub async fn past_due(
    pool: &PgPool,
    after: Option<SubscriptionId>,
    limit: i64,
) -> Result<Vec<Details>, Error> {
    let rows = rows!(
        "where past_due_since is not null and status = 'past_due' and dunning_stage < $1
             and ($2::uuid is null or id > $2)
         order by id limit $3",
        Stage::Over.number(),
        after.map(SubscriptionId::uuid),
        limit
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter().map(Row::into_details).collect()
}

/// False when there is one with this id of Stripe's already.
pub async fn insert(conn: &mut PgConnection, new: &Details) -> Result<bool, sqlx::Error> {
    let state = &new.state;
    let done = sqlx::query!(
        "insert into subscription (id, stripe_id, order_id, customer_id, account_id, status, tier, seats, interval,
             currency, price_id, unit_amount, next_tier, next_seats, current_period_start, current_period_end,
             trial_end, cancel_at_period_end, past_due_since, grace_until, dunning_invoice, dunning_stage, created_at,
             ended_at, synced_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, null, null, $13, $14, $15, $16, $17, $18, null, 0,
             $19, $20, $21)
         on conflict (stripe_id) do nothing",
        new.id.uuid(),
        new.stripe_id,
        new.order.map(OrderId::uuid),
        new.customer.uuid(),
        new.account.map(UserId::uuid),
        state.status.as_str(),
        state.terms.tier.as_str(),
        stored(state.seats),
        state.terms.interval.as_str(),
        state.terms.currency.as_str(),
        state.terms.price.uuid(),
        state.terms.unit_amount,
        state.period_start,
        state.period_end,
        state.trial_end,
        state.cancel_at_period_end,
        state.past_due_since,
        state.grace_until,
        new.created_at,
        state.ended_at,
        new.synced_at,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// How it stands now, and when Stripe was asked for it. The account only where none was known.
pub async fn update(
    conn: &mut PgConnection,
    id: SubscriptionId,
    state: &State,
    account: Option<UserId>,
    asked_at: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update subscription set status = $2, tier = $3, seats = $4, interval = $5, currency = $6, price_id = $7,
             unit_amount = $8, next_tier = $9, next_seats = $10, current_period_start = $11, current_period_end = $12,
             trial_end = $13, cancel_at_period_end = $14, past_due_since = $15, grace_until = $16,
             dunning_invoice = $17, dunning_stage = $18, ended_at = $19, account_id = coalesce(account_id, $20),
             synced_at = $21
         where id = $1",
        id.uuid(),
        state.status.as_str(),
        state.terms.tier.as_str(),
        stored(state.seats),
        state.terms.interval.as_str(),
        state.terms.currency.as_str(),
        state.terms.price.uuid(),
        state.terms.unit_amount,
        state.next.map(|next| next.tier.as_str()),
        state.next.map(|next| stored(next.seats)),
        state.period_start,
        state.period_end,
        state.trial_end,
        state.cancel_at_period_end,
        state.past_due_since,
        state.grace_until,
        state.told.about,
        state.told.stage,
        state.ended_at,
        account.map(UserId::uuid),
        asked_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn set_told(conn: &mut PgConnection, id: SubscriptionId, told: &Told) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update subscription set dunning_invoice = $2, dunning_stage = $3 where id = $1",
        id.uuid(),
        told.about,
        told.stage,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Whom a mail about a subscription goes to.
pub struct Reader {
    pub account: Option<UserId>,
    pub email: String,
    /// Only where the address is proven. Else the name may be a stranger's words.
    pub name: Option<String>,
}

/// Whoever has the account, at the address it has today; without one, whoever bought. Nobody, once the account is gone:
/// what was typed at the checkout is no longer where its owner is to be found.
pub async fn reader(conn: &mut PgConnection, id: SubscriptionId) -> Result<Option<Reader>, sqlx::Error> {
    let row = sqlx::query!(
        r#"select a.id as "account?", coalesce(a.email, c.email) as "email!",
                  case when a.email_verified_at is not null then a.name end as "name?"
           from subscription s
           join billing_customer c on c.id = s.customer_id
           left join account a on a.id = s.account_id
           where s.id = $1 and a.deleted_at is null"#,
        id.uuid(),
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| Reader {
        account: row.account.map(UserId::from_uuid),
        email: row.email,
        name: row.name,
    }))
}

/// How many changes there have been, and wishes that failed: a number that tells a wish from the same wish later.
pub async fn changes(pool: &PgPool, id: SubscriptionId) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select count(*) as "count!" from audit_event
           where subject_kind = 'subscription' and subject_id = $1
               and action in ('subscription.changed', 'subscription.change_failed')"#,
        id.to_string(),
    )
    .fetch_one(pool)
    .await
}

/// How its order was taxed, which is how its later invoices are. The amount is the caller's to fill in.
pub async fn tax(pool: &PgPool, order: OrderId) -> Result<Option<LineTax>, sqlx::Error> {
    let row = sqlx::query!(
        "select tax_rate, tax_country, tax_reason from order_line where order_id = $1 order by position limit 1",
        order.uuid(),
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.map(|row| LineTax {
        rate: Rate(u32::try_from(row.tax_rate).unwrap_or(0)),
        amount: 0,
        country: row.tax_country,
        reason: row.tax_reason,
    }))
}

/// Whose card is changed: the one of the newest subscription that runs, or of what was bought last.
pub async fn paying_customer(pool: &PgPool, account: UserId) -> Result<Option<CustomerId>, sqlx::Error> {
    let id = sqlx::query_scalar!(
        r#"select coalesce(
               (select customer_id from subscription where account_id = $1 and status <> 'ended'
                order by created_at desc, id desc limit 1),
               (select id from billing_customer where account_id = $1 order by created_at desc, id desc limit 1))
               as "id?""#,
        account.uuid(),
    )
    .fetch_one(pool)
    .await?;
    Ok(id.map(CustomerId::from_uuid))
}
