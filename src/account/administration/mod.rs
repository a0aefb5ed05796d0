//! What staff see of other people's accounts, and what administrators do with them.
//!
//! What always holds: nobody locks or demotes themselves; of the administrators who can act one is always left,
//! decided while all of their rows are locked; whatever is done stands in the audit log with who did it.

mod actions;
mod store;

use time::OffsetDateTime;

pub use self::actions::{keeps_an_administrator, lock, set_role, sign_out_everywhere, unlock};
use super::{Caller, Error, Permission, store as accounts};
use crate::{
    audit::{self, AuditItem},
    context::Context,
    contract::{
        account::{PersonalToken, Role, Session, User},
        id::UserId,
    },
    mail::MailSummary,
    session,
};

pub const PER_PAGE: u32 = 25;
/// Who is further down is found by a narrower search.
pub const LAST_PAGE: u32 = 400;
pub const MAX_SEARCH_CHARS: usize = 100;
pub const MAX_REASON_CHARS: usize = 500;

const MAX_TOKENS: i64 = 100;
const RECENT_MAILS: i64 = 20;
const RECENT_AUDIT: i64 = 20;

/// Where an account stands. The first that applies: who is locked and leaving is `Locked`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountState {
    /// Anonymized for good.
    Deleted,
    Locked,
    /// Its owner asked for its end and can still keep it.
    Leaving,
    /// The address is not confirmed yet.
    Unverified,
    Active,
}

impl AccountState {
    pub const ALL: [Self; 5] = [Self::Active, Self::Unverified, Self::Locked, Self::Leaving, Self::Deleted];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deleted => "deleted",
            Self::Locked => "locked",
            Self::Leaving => "leaving",
            Self::Unverified => "unverified",
            Self::Active => "active",
        }
    }

    /// As people read it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Deleted => "Deleted",
            Self::Locked => "Locked",
            Self::Leaving => "Leaving",
            Self::Unverified => "Not confirmed",
            Self::Active => "Active",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// What the list is narrowed to.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// A part of a name or an address, or a whole `usr_…` id.
    pub q: String,
    pub role: Option<Role>,
    pub state: Option<AccountState>,
    /// Counted from one; anything outside the list becomes its nearest page.
    pub page: u32,
}

#[derive(Debug, Clone)]
pub struct PersonRow {
    pub user: User,
    pub state: AccountState,
    /// The last use of a session that is still there.
    pub last_seen: Option<OffsetDateTime>,
}

/// One page of the list.
#[derive(Debug, Clone)]
pub struct People {
    pub items: Vec<PersonRow>,
    pub total: u64,
    pub page: u32,
    pub per_page: u32,
}

impl People {
    /// The last page that can be asked for.
    pub fn last_page(&self) -> u32 {
        last_page(self.total)
    }
}

/// Why and since when somebody is locked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Locked {
    pub at: OffsetDateTime,
    pub reason: String,
}

/// Everything that staff see of one person.
#[derive(Debug, Clone)]
pub struct Person {
    pub user: User,
    pub state: AccountState,
    pub locked: Option<Locked>,
    pub delete_after: Option<OffsetDateTime>,
    pub password_changed_at: Option<OffsetDateTime>,
    pub two_factor_since: Option<OffsetDateTime>,
    pub recovery_codes_left: u32,
    pub passkeys: u32,
    /// Last used first.
    pub sessions: Vec<Session>,
    pub tokens: Vec<PersonalToken>,
    /// The newest about their account, whatever address they went to, and to the address of today.
    pub mails: Vec<MailSummary>,
    /// The newest entries of the audit log about them.
    pub audit: Vec<AuditItem>,
}

/// People, newest first.
pub async fn list(ctx: &Context, caller: &Caller, filter: &Filter) -> Result<People, Error> {
    caller.require(ctx, Permission::UsersRead)?;
    let search = Search::of(&filter.q);
    let wanted = store::Wanted {
        id: search.id(),
        pattern: search.pattern(),
        role: filter.role.map(Role::as_str),
        state: filter.state.map(AccountState::as_str),
    };
    let total = u64::try_from(store::count(&ctx.db, &wanted).await?).unwrap_or_default();
    let page = filter.page.clamp(1, last_page(total));
    let before = i64::from(page - 1) * i64::from(PER_PAGE);
    let items = store::list(&ctx.db, &wanted, i64::from(PER_PAGE), before).await?;
    Ok(People { items, total, page, per_page: PER_PAGE })
}

/// Everything about one person that staff may know.
pub async fn person(ctx: &Context, caller: &Caller, id: UserId) -> Result<Person, Error> {
    caller.require(ctx, Permission::UsersRead)?;
    let account = accounts::by_id(&ctx.db, id).await?.ok_or(Error::NotFound)?;
    let facts = store::facts(&ctx.db, id.uuid()).await?.ok_or(Error::NotFound)?;
    let sessions = session::of_account(ctx, id, None).await?;
    let tokens = store::tokens(&ctx.db, id.uuid(), MAX_TOKENS).await?;
    let mails = store::mails(&ctx.db, id.uuid(), &account.user.email, RECENT_MAILS).await?;
    let audit = audit::of_subject(ctx, caller, id, RECENT_AUDIT).await?;
    Ok(Person {
        state: facts.state,
        locked: account.locked_at.zip(account.locked_reason).map(|(at, reason)| Locked { at, reason }),
        delete_after: account.delete_after,
        password_changed_at: account.password_changed_at,
        two_factor_since: facts.two_factor_since,
        recovery_codes_left: facts.recovery_codes_left,
        passkeys: facts.passkeys,
        sessions,
        tokens,
        mails,
        audit,
        user: account.user,
    })
}

fn last_page(total: u64) -> u32 {
    let pages = u32::try_from(total.div_ceil(u64::from(PER_PAGE))).unwrap_or(LAST_PAGE);
    pages.clamp(1, LAST_PAGE)
}

/// What somebody typed into the search.
#[derive(Debug, PartialEq, Eq)]
enum Search {
    All,
    Id(UserId),
    /// For `ilike`: their own `%`, `_` and `\` are letters like any other.
    Pattern(String),
}

impl Search {
    fn of(text: &str) -> Self {
        // PostgreSQL takes no NUL, and no name or address holds another control character.
        let text: String = text.chars().filter(|c| !c.is_control()).take(MAX_SEARCH_CHARS).collect();
        let text = text.trim();
        if text.is_empty() {
            return Self::All;
        }
        if let Ok(id) = text.parse() {
            return Self::Id(id);
        }
        let mut pattern = String::from("%");
        for c in text.chars() {
            if matches!(c, '%' | '_' | '\\') {
                pattern.push('\\');
            }
            pattern.push(c);
        }
        pattern.push('%');
        Self::Pattern(pattern)
    }

    fn id(&self) -> Option<uuid::Uuid> {
        match self {
            Self::Id(id) => Some(id.uuid()),
            Self::All | Self::Pattern(_) => None,
        }
    }

    fn pattern(&self) -> Option<&str> {
        match self {
            Self::Pattern(pattern) => Some(pattern),
            Self::All | Self::Id(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn what_is_typed_is_searched_for_letter_by_letter() {
        assert_eq!(Search::of(" Ada "), Search::Pattern("%Ada%".to_owned()));
        assert_eq!(Search::of(r"50%_\"), Search::Pattern(r"%50\%\_\\%".to_owned()));
        assert_eq!(Search::of(" \0\n "), Search::All);
    }

    #[test]
    fn a_whole_id_finds_that_person_and_a_part_of_one_is_text() {
        let id = UserId::from_uuid(Uuid::from_u128(7));
        assert_eq!(Search::of(&format!(" {id} ")), Search::Id(id));
        assert!(matches!(Search::of("usr_01h2"), Search::Pattern(_)));
    }

    #[test]
    fn a_search_is_cut_by_characters() {
        let Search::Pattern(pattern) = Search::of(&"ü".repeat(300)) else { panic!("it is text") };
        assert_eq!(pattern.chars().count(), MAX_SEARCH_CHARS + 2);
    }

    #[test]
    fn there_is_always_a_page_and_never_one_past_the_last() {
        assert_eq!([0, 1, 25, 26, 1_000_000].map(last_page), [1, 1, 1, 2, LAST_PAGE]);
    }
}
