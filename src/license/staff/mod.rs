//! Licenses as staff find them: by address, by id, by order, by the end of a key or by a whole one.
//!
//! What always holds: nobody but staff asks; a whole key is looked up by its hash and is never given back in an error,
//! an address or a log; what is typed into a search stands for itself, letter by letter.

mod store;

use std::collections::HashMap;

use super::{Error, License, MAX_LIST, issue::Issued, key, problem, store as licenses};
use crate::{
    account::{Caller, Permission, rules, store as accounts},
    audit::{self, AuditItem},
    context::Context,
    contract::{
        account::User,
        id::{LicenseId, OrderId, UserId},
        license::{LicenseOrigin, LicenseStatus},
        license_key::{KeyError, LicenseKey, contains_key},
    },
};

/// The most characters of a search that are looked at.
pub const MAX_SEARCH_CHARS: usize = 254;
/// The most entries of a license's history.
pub const MAX_HISTORY: i64 = 500;
/// The most keys that are read at once: as many as are made at once.
pub const MAX_KEYS: usize = 1_000;
/// The letters of a key's last group.
const GROUP: usize = 5;

/// Which licenses a list holds.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// An address or a part of one, the id of a license or of an order, the last group of a key, or a whole key.
    pub search: String,
    pub status: Option<LicenseStatus>,
    pub origin: Option<LicenseOrigin>,
    /// Those older than this one.
    pub before: Option<LicenseId>,
}

/// Whose key it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    pub license: LicenseId,
    /// The license has another key by now.
    pub replaced: bool,
}

/// Everybody's licenses, newest first.
pub async fn list(ctx: &Context, caller: &Caller, filter: &Filter) -> Result<Vec<License>, Error> {
    caller.require(ctx, Permission::LicensesFind)?;
    let search = Search::of(&filter.search);
    let hash = match &search {
        Search::Key(key) => Some(key::hash(ctx, key)),
        _ => None,
    };
    let wanted = store::Wanted {
        license: search.license(),
        order: search.order(),
        key_hash: hash.as_ref().map(<[u8; 32]>::as_slice),
        key_end: search.key_end(),
        pattern: search.pattern(),
        address: search.address(),
        status: filter.status.map(LicenseStatus::as_str),
        origin: filter.origin.map(LicenseOrigin::as_str),
        before: filter.before.map(LicenseId::uuid),
        now: ctx.clock.now(),
        limit: MAX_LIST,
    };
    store::list(&ctx.db, &wanted).await
}

/// All that was done to a license, newest first.
pub async fn history(ctx: &Context, caller: &Caller, id: LicenseId) -> Result<Vec<AuditItem>, Error> {
    caller.require(ctx, Permission::LicensesFind)?;
    licenses::find(&ctx.db, id).await?.ok_or(Error::NotFound)?;
    let items =
        audit::of_thing(ctx, caller, Permission::LicensesFind, "license", &id.to_string(), MAX_HISTORY)
            .await?;
    Ok(items)
}

/// The licenses of an account, newest first.
pub async fn of_account(ctx: &Context, caller: &Caller, account: UserId) -> Result<Vec<License>, Error> {
    caller.require(ctx, Permission::LicensesFind)?;
    licenses::of_account(&ctx.db, account, None, MAX_LIST).await
}

/// Which license a whole key is of, or was of.
pub async fn by_key(ctx: &Context, caller: &Caller, key: &str) -> Result<Found, Error> {
    caller.require(ctx, Permission::LicensesFind)?;
    let key = LicenseKey::parse(key).map_err(|error| {
        let (code, message) = match error {
            KeyError::OtherProduct => ("other_product", "This is the key of another product."),
            KeyError::Malformed => ("invalid", "This is not a license key. Compare it group by group."),
        };
        Error::Invalid(vec![problem("key", code, message)])
    })?;
    store::by_key(&ctx.db, &key::hash(ctx, &key)).await?.ok_or(Error::NotFound)
}

/// The licenses of these keys, in their order, for whoever has the keys. What is nobody's key is left out.
pub async fn of_keys(ctx: &Context, caller: &Caller, keys: &[LicenseKey]) -> Result<Vec<Issued>, Error> {
    caller.require(ctx, Permission::LicensesFind)?;
    let keys = &keys[..keys.len().min(MAX_KEYS)];
    let hashes: Vec<[u8; 32]> = keys.iter().map(|key| key::hash(ctx, key)).collect();
    let found = store::of_keys(&ctx.db, &hashes).await?;
    let by_hash: HashMap<Vec<u8>, License> = found.into_iter().collect();
    let issued = keys.iter().zip(&hashes).filter_map(|(key, hash)| {
        let license = by_hash.get(hash.as_slice())?.clone();
        Some(Issued { license, key: key.clone() })
    });
    Ok(issued.collect())
}

/// Whom a license can be given to: the person who has this address.
pub async fn recipient(ctx: &Context, caller: &Caller, email: &str) -> Result<User, Error> {
    caller.require(ctx, Permission::LicensesIssue)?;
    let Some(email) = rules::normalize_email(email) else {
        return Err(Error::Invalid(vec![rules::email_problem("email")]));
    };
    match accounts::by_email(&ctx.db, &email).await? {
        Some(account) if account.deleted_at.is_none() => Ok(account.user),
        _ => {
            let message = "Nobody has an account with this address.";
            Err(Error::Invalid(vec![problem("email", "unknown", message)]))
        }
    }
}

/// Whether a text may be a key or hold one, or one with a slip in it: such a text does not go into an address or onto a
/// page.
pub fn may_be_key(text: &str) -> bool {
    if LicenseKey::parse(text).is_ok() || contains_key(text) {
        return true;
    }
    let text = text.trim();
    if text.contains('@') || text.parse::<LicenseId>().is_ok() || text.parse::<OrderId>().is_ok() {
        return false;
    }
    let letters = text.chars().filter(char::is_ascii_alphanumeric).count();
    let others =
        text.chars().filter(|c| !c.is_alphanumeric() && !c.is_whitespace() && !is_hyphen(*c)).count();
    // Two letters too few of a key are still most of it.
    letters >= 22 && others == 0
}

fn is_hyphen(c: char) -> bool {
    matches!(c, '-' | '_' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{00ad}' | '\u{200b}')
}

/// What somebody typed into the search.
#[derive(Debug, PartialEq, Eq)]
enum Search {
    All,
    License(LicenseId),
    Order(OrderId),
    Key(LicenseKey),
    /// The last group of a key, as it stands on our pages.
    KeyEnd(String),
    /// A whole address.
    Address(String),
    /// A part of an address, for `like`: its own `%`, `_` and `\` are letters like any other. Five letters may also be
    /// the last group of a key.
    Part {
        pattern: String,
        key_end: Option<String>,
    },
}

impl Search {
    fn of(text: &str) -> Self {
        // PostgreSQL takes no NUL, and no address holds a control character.
        let text: String = text.chars().filter(|c| !c.is_control()).take(MAX_SEARCH_CHARS).collect();
        let text = text.trim();
        if text.is_empty() {
            return Self::All;
        }
        if let Ok(id) = text.parse() {
            return Self::License(id);
        }
        if let Ok(id) = text.parse() {
            return Self::Order(id);
        }
        if let Ok(key) = LicenseKey::parse(text) {
            return Self::Key(key);
        }
        // A key as our pages mask it, or its end with what stands before it there.
        let masked = text.contains('•') || text.starts_with(['-', '…']);
        let last = text.rsplit(['-', '•', '…']).next().unwrap_or_default();
        if let Some(end) = key_end(last).filter(|_| masked) {
            return Self::KeyEnd(end);
        }
        if is_whole_address(text) {
            return Self::Address(text.to_lowercase());
        }
        let mut pattern = String::from("%");
        for c in text.to_lowercase().chars() {
            if matches!(c, '%' | '_' | '\\') {
                pattern.push('\\');
            }
            pattern.push(c);
        }
        pattern.push('%');
        Self::Part { pattern, key_end: key_end(text) }
    }

    fn license(&self) -> Option<uuid::Uuid> {
        match self {
            Self::License(id) => Some(id.uuid()),
            _ => None,
        }
    }

    fn order(&self) -> Option<uuid::Uuid> {
        match self {
            Self::Order(id) => Some(id.uuid()),
            _ => None,
        }
    }

    fn key_end(&self) -> Option<&str> {
        match self {
            Self::KeyEnd(end) => Some(end),
            Self::Part { key_end, .. } => key_end.as_deref(),
            _ => None,
        }
    }

    fn pattern(&self) -> Option<&str> {
        match self {
            Self::Part { pattern, .. } => Some(pattern),
            _ => None,
        }
    }

    fn address(&self) -> Option<&str> {
        match self {
            Self::Address(address) => Some(address),
            _ => None,
        }
    }
}

/// Whether something stands on both sides of the @, and the domain has an end.
fn is_whole_address(text: &str) -> bool {
    text.rsplit_once('@').is_some_and(|(local, domain)| {
        let ending = domain.rsplit_once('.').map_or("", |(_, ending)| ending);
        !local.is_empty() && ending.chars().count() >= 2
    })
}

/// Five letters as they stand at the end of a key, look-alikes included.
fn key_end(text: &str) -> Option<String> {
    let letters: Option<String> = text
        .chars()
        .map(|letter| match letter.to_ascii_uppercase() {
            'I' | 'L' => Some('1'),
            'O' => Some('0'),
            'U' => None,
            other => other.is_ascii_alphanumeric().then_some(other),
        })
        .collect();
    letters.filter(|letters| letters.len() == GROUP)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn key() -> LicenseKey {
        LicenseKey::from_random([7; 24])
    }

    fn part(pattern: &str, key_end: Option<&str>) -> Search {
        Search::Part { pattern: pattern.to_owned(), key_end: key_end.map(str::to_owned) }
    }

    #[test]
    fn what_is_typed_is_searched_for_letter_by_letter() {
        assert_eq!(Search::of(" Grace "), part("%grace%", Some("GRACE")));
        assert_eq!(Search::of(r"50%_\"), part(r"%50\%\_\\%", None));
        assert_eq!(Search::of("ada@example"), part("%ada@example%", None));
        assert_eq!(Search::of("Ada@Example.com"), Search::Address("ada@example.com".to_owned()));
        assert_eq!(Search::of(" \0\n "), Search::All);
    }

    #[test]
    fn ids_and_keys_are_known_for_what_they_are() {
        let license = LicenseId::from_uuid(Uuid::from_u128(7));
        let order = OrderId::from_uuid(Uuid::from_u128(7));
        assert_eq!(Search::of(&format!(" {license} ")), Search::License(license));
        assert_eq!(Search::of(&order.to_string()), Search::Order(order));
        assert_eq!(Search::of(&key().expose().to_lowercase()), Search::Key(key()));
        assert!(matches!(Search::of("lic_01h2"), Search::Part { .. }));
    }

    #[test]
    fn the_last_group_of_a_key_is_read_with_its_look_alikes_and_as_it_is_masked() {
        assert_eq!(Search::of("7q2zk").key_end(), Some("7Q2ZK"));
        assert_eq!(Search::of("lO2Zk").key_end(), Some("102ZK"));
        assert_eq!(Search::of("7U2ZK").key_end(), None);
        assert_eq!(Search::of("-7Q2ZK"), Search::KeyEnd("7Q2ZK".to_owned()));
        assert_eq!(Search::of("DF-•••••-•••••-•••••-•••••-7Q2ZK"), Search::KeyEnd("7Q2ZK".to_owned()));
    }

    #[test]
    fn a_key_with_a_slip_in_it_is_still_a_secret() {
        let text = key().expose();
        for secret in [
            text.clone(),
            text.to_lowercase(),
            text[..text.len() - 1].to_owned(),
            text.replace('-', " "),
            format!("key:{text}"),
            format!("ada@example.com ({text})"),
        ] {
            assert!(may_be_key(&secret), "{secret}");
        }
        let license = LicenseId::from_uuid(Uuid::from_u128(7)).to_string();
        for open in ["", "7Q2ZK", "ada@example.com", "mail.example-company.org", license.as_str()] {
            assert!(!may_be_key(open), "{open}");
        }
        assert!(!may_be_key("DF-•••••-•••••-•••••-•••••-7Q2ZK"));
    }

    proptest! {
        #[test]
        fn no_search_makes_it_stumble(text in ".{0,300}") {
            let _ = (Search::of(&text), may_be_key(&text));
        }
    }
}
