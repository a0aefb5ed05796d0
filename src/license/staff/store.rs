//! SQL of what staff finds.

use sqlx::PgPool;
use time::OffsetDateTime;
use uuid::Uuid;

use super::Found;
use crate::{
    contract::id::LicenseId,
    license::{
        Error, License,
        store::{LicenseRow, select_licenses},
    },
};

/// What licenses are narrowed to; what is absent narrows nothing.
pub struct Wanted<'a> {
    pub license: Option<Uuid>,
    pub order: Option<Uuid>,
    pub key_hash: Option<&'a [u8]>,
    pub key_end: Option<&'a str>,
    /// Of a part of an address, in lower case, for `like`.
    pub pattern: Option<&'a str>,
    /// In lower case.
    pub address: Option<&'a str>,
    pub status: Option<&'a str>,
    pub origin: Option<&'a str>,
    pub before: Option<Uuid>,
    pub now: OffsetDateTime,
    pub limit: i64,
}

/// Newest first. An address is that of the license, or the one its owner has today. The states are those of
/// `rules::Standing::status`.
pub async fn list(pool: &PgPool, wanted: &Wanted<'_>) -> Result<Vec<License>, Error> {
    // Arrays rather than joins, so that each way of searching can go by its own index.
    let rows = select_licenses!(
        "l
         where ($1::uuid is null or l.id = $1)
           and ($2::uuid is null or l.order_id = $2)
           and ($3::bytea is null or l.key_hash = $3
                or l.id = any(array(select f.license_id from license_former_key f where f.key_hash = $3)))
           and (($4::text is null and $5::text is null) or l.key_end = $4 or lower(l.email) like $5
                or l.account_id = any(array(select a.id from account a where lower(a.email) like $5)))
           and ($6::text is null
                or l.id = any(array(select e.id from license e where lower(e.email) = $6
                                    union
                                    select o.id from license o join account a on a.id = o.account_id
                                    where lower(a.email) = $6)))
           and ($7::text is null or $7 = case
                    when cardinality(l.revoked_by) > 0 then 'revoked'
                    when cardinality(l.suspended_by) > 0 then 'suspended'
                    when l.good_until <= $9 then 'expired'
                    when l.expires_at <= $9 then 'grace'
                    else 'active'
                end)
           and ($8::text is null or l.origin = $8)
           and ($10::uuid is null
                or (l.created_at, l.id) < (select b.created_at, b.id from license b where b.id = $10))
         order by l.created_at desc, l.id desc limit $11",
        wanted.license,
        wanted.order,
        wanted.key_hash,
        wanted.key_end,
        wanted.pattern,
        wanted.address,
        wanted.status,
        wanted.origin,
        wanted.now,
        wanted.before,
        wanted.limit,
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter().map(LicenseRow::into_license).collect()
}

/// Whose key it is, or was.
pub async fn by_key(pool: &PgPool, hash: &[u8; 32]) -> Result<Option<Found>, sqlx::Error> {
    let row = sqlx::query!(
        r#"select l.id as "id!", false as "replaced!" from license l where l.key_hash = $1
           union all
           select f.license_id, true from license_former_key f where f.key_hash = $1
           limit 1"#,
        hash.as_slice(),
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.map(|row| Found { license: LicenseId::from_uuid(row.id), replaced: row.replaced }))
}

/// The licenses of these keys, each with the hash it was found by.
pub async fn of_keys(pool: &PgPool, hashes: &[[u8; 32]]) -> Result<Vec<(Vec<u8>, License)>, Error> {
    let hashes: Vec<Vec<u8>> = hashes.iter().map(|hash| hash.to_vec()).collect();
    let known = sqlx::query!("select id, key_hash from license where key_hash = any($1)", &hashes)
        .fetch_all(pool)
        .await?;
    let ids: Vec<Uuid> = known.iter().map(|row| row.id).collect();
    let rows = select_licenses!("where id = any($1)", &ids).fetch_all(pool).await?;
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        if let Some(known) = known.iter().find(|known| known.id == row.id) {
            found.push((known.key_hash.clone(), row.into_license()?));
        }
    }
    Ok(found)
}
