//! SQL of what licenses follow of orders.

use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;

use super::{Followed, FollowedLine, Missed};
use crate::{
    billing::Error,
    contract::{
        id::{OrderId, OrderLineId, UserId},
        payment::{OrderStatus, Tier},
    },
};

pub async fn lock(conn: &mut PgConnection, id: OrderId) -> Result<Option<Followed>, Error> {
    let order = sqlx::query!(
        r#"select o.status, o.account_id, o.email, o.interval <> 'once' as "is_recurring!",
                  o.fulfilled_at is not null as "is_fulfilled!",
                  exists (select from account a where a.id = o.account_id and a.deleted_at is not null)
                      as "is_of_the_gone!"
           from billing_order o where o.id = $1 for update of o"#,
        id.uuid(),
    )
    .fetch_optional(&mut *conn)
    .await?;
    let Some(order) = order else { return Ok(None) };
    let lines = sqlx::query!(
        "select id, tier, quantity from order_line where order_id = $1 order by position",
        id.uuid(),
    )
    .fetch_all(conn)
    .await?;
    let lines = lines.into_iter().map(|line| {
        Ok(FollowedLine {
            id: OrderLineId::from_uuid(line.id),
            tier: Tier::parse(&line.tier).ok_or_else(|| Error::Stored(line.tier.clone()))?,
            seats: u32::try_from(line.quantity).map_err(|_| Error::Stored(line.quantity.to_string()))?,
        })
    });
    Ok(Some(Followed {
        id,
        status: OrderStatus::parse(&order.status).ok_or_else(|| Error::Stored(order.status.clone()))?,
        account: order.account_id.map(UserId::from_uuid),
        email: order.email,
        is_recurring: order.is_recurring,
        is_fulfilled: order.is_fulfilled,
        is_of_the_gone: order.is_of_the_gone,
        lines: lines.collect::<Result<_, Error>>()?,
    }))
}

pub async fn set_fulfilled(
    conn: &mut PgConnection,
    id: OrderId,
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update billing_order set fulfilled_at = $2, updated_at = $2 where id = $1 and fulfilled_at is null",
        id.uuid(),
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A renewal has no order of its own: what happens to it is the matter of the order that its subscription began with.
pub async fn missed(
    pool: &PgPool,
    missed: Missed,
    after: Option<OrderId>,
    limit: i64,
) -> Result<Vec<OrderId>, sqlx::Error> {
    let ids = sqlx::query_scalar!(
        r#"select id as "id!" from (
               select o.id from billing_order o
               where o.paid_at is not null and (o.fulfilled_at is null and o.paid_at < $1 and o.paid_at >= $5 or o.updated_at >= $2)
               union
               select s.order_id from subscription s where s.synced_at >= $2
               union
               select coalesce(p.order_id, s.order_id)
               from refund r join payment p on p.id = r.payment_id left join subscription s on s.id = p.subscription_id
               where r.updated_at >= $2
               union
               select coalesce(p.order_id, s.order_id)
               from dispute d join payment p on p.id = d.payment_id left join subscription s on s.id = p.subscription_id
               where d.updated_at >= $2
           ) missed
           where id is not null and ($3::uuid is null or id > $3)
           order by id limit $4"#,
        missed.paid_before,
        missed.changed_since,
        after.map(OrderId::uuid),
        limit,
        missed.paid_since,
    )
    .fetch_all(pool)
    .await?;
    Ok(ids.into_iter().map(OrderId::from_uuid).collect())
}
