//! Who is asking, and what they may do. The one table of permissions is here.
//!
//! What always holds: every verb that shows or changes something of somebody takes a [`Caller`] and asks
//! [`Caller::require`] before anything else. What an impersonating administrator, a personal token, or a sign-in
//! of long ago may not do is decided there and nowhere else.

use time::{Duration, OffsetDateTime};

use crate::{
    audit::Actor,
    context::Context,
    contract::{
        account::{Role, Scope, User},
        id::{RequestId, SessionId, TokenId, UserId},
    },
};

/// How long a proof of who one is counts as fresh.
pub const FRESH_FOR: Duration = Duration::minutes(15);

const EVERYONE: &[Role] = &Role::ALL;
const STAFF: &[Role] = &[Role::Support, Role::Admin];
const ADMIN: &[Role] = &[Role::Admin];

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Permission {
    /// See one's own account.
    AccountRead,
    /// Change what harms nobody: name, choices, sessions.
    AccountWrite,
    /// Change how one signs in, make tokens, take the data along, leave.
    AccountSecure,
    /// See one's licenses.
    LicensesRead,
    /// Name and remove one's machines, begin a trial.
    LicensesWrite,
    /// See a key, replace it, give a license away, take one to a machine without a connection.
    LicensesSecure,
    /// See anybody's licenses.
    LicensesFind,
    /// Hold back and reinstate licenses, replace keys, remove machines.
    LicensesManage,
    /// Give licenses, prolong them, and take them away.
    LicensesIssue,
    /// Publish extensions.
    ExtensionsPublish,
    /// Write to support.
    SupportWrite,
    /// Publish releases of the editor.
    ReleasesPublish,
    /// See people's accounts.
    UsersRead,
    /// Lock, unlock and sign out people.
    UsersManage,
    /// Give people another role.
    UsersRole,
    /// See the site as somebody else does.
    UsersImpersonate,
    /// Read the audit log and have it checked.
    AuditRead,
    /// See one's orders, invoices and subscription.
    BillingRead,
    /// Buy, and change what one is subscribed to.
    BillingWrite,
    /// See anybody's orders and payments, and what came from the payment provider.
    PaymentsRead,
    /// Give money back.
    PaymentsRefund,
    /// Work through what came from the payment provider again.
    PaymentsManage,
    /// Change what is sold, and for how much.
    CatalogueManage,
    /// See revenue and the ledger.
    FinanceRead,
    /// Write the knowledge base.
    KnowledgeWrite,
    /// See what people look for, and whether pages help them.
    InsightsRead,
}

/// What a permission asks for.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    pub name: &'static str,
    pub roles: &'static [Role],
    /// The scope with which a personal token has it; without one, tokens never do.
    pub scope: Option<Scope>,
    /// Changes nothing, so that it is there while impersonating.
    pub reads: bool,
    /// Needs a proof of who one is from the last few minutes.
    pub fresh: bool,
}

impl Permission {
    pub const ALL: [Self; 26] = [
        Self::AccountRead,
        Self::AccountWrite,
        Self::AccountSecure,
        Self::LicensesRead,
        Self::LicensesWrite,
        Self::LicensesSecure,
        Self::LicensesFind,
        Self::LicensesManage,
        Self::LicensesIssue,
        Self::ExtensionsPublish,
        Self::SupportWrite,
        Self::ReleasesPublish,
        Self::UsersRead,
        Self::UsersManage,
        Self::UsersRole,
        Self::UsersImpersonate,
        Self::AuditRead,
        Self::BillingRead,
        Self::BillingWrite,
        Self::PaymentsRead,
        Self::PaymentsRefund,
        Self::PaymentsManage,
        Self::CatalogueManage,
        Self::FinanceRead,
        Self::KnowledgeWrite,
        Self::InsightsRead,
    ];

    #[rustfmt::skip]
    pub const fn rule(self) -> Rule {
        let (name, roles, scope, reads, fresh) = match self {
            //                          name                   roles     scope                           reads  fresh
            Self::AccountRead       => ("account:read",       EVERYONE, Some(Scope::AccountRead),       true,  false),
            Self::AccountWrite      => ("account:write",      EVERYONE, None,                           false, false),
            Self::AccountSecure     => ("account:secure",     EVERYONE, None,                           false, true),
            Self::LicensesRead      => ("licenses:read",      EVERYONE, Some(Scope::LicensesRead),      true,  false),
            Self::LicensesWrite     => ("licenses:write",     EVERYONE, None,                           false, false),
            Self::LicensesSecure    => ("licenses:secure",    EVERYONE, None,                           false, true),
            Self::LicensesFind      => ("licenses:find",      STAFF,    None,                           true,  false),
            Self::LicensesManage    => ("licenses:manage",    STAFF,    None,                           false, true),
            Self::LicensesIssue     => ("licenses:issue",     ADMIN,    None,                           false, true),
            Self::ExtensionsPublish => ("extensions:publish", EVERYONE, Some(Scope::ExtensionsPublish), false, false),
            Self::SupportWrite      => ("support:write",      EVERYONE, Some(Scope::SupportWrite),      false, false),
            Self::ReleasesPublish   => ("releases:publish",   ADMIN,    Some(Scope::ReleasesPublish),   false, false),
            Self::UsersRead         => ("users:read",         STAFF,    None,                           true,  false),
            Self::UsersManage       => ("users:manage",       ADMIN,    None,                           false, true),
            Self::UsersRole         => ("users:role",         ADMIN,    None,                           false, true),
            Self::UsersImpersonate  => ("users:impersonate",  ADMIN,    None,                           false, true),
            Self::AuditRead         => ("audit:read",         ADMIN,    None,                           true,  false),
            Self::BillingRead       => ("billing:read",       EVERYONE, Some(Scope::AccountRead),       true,  false),
            Self::BillingWrite      => ("billing:write",      EVERYONE, None,                           false, false),
            Self::PaymentsRead      => ("payments:read",      STAFF,    None,                           true,  false),
            Self::PaymentsRefund    => ("payments:refund",    STAFF,    None,                           false, true),
            Self::PaymentsManage    => ("payments:manage",    ADMIN,    None,                           false, true),
            Self::CatalogueManage   => ("catalogue:manage",   ADMIN,    None,                           false, true),
            Self::FinanceRead       => ("finance:read",       ADMIN,    None,                           true,  false),
            Self::KnowledgeWrite    => ("knowledge:write",    STAFF,    None,                           false, false),
            Self::InsightsRead      => ("insights:read",      STAFF,    None,                           true,  false),
        };
        Rule { name, roles, scope, reads, fresh }
    }

    pub fn of_role(self, role: Role) -> bool {
        self.rule().roles.contains(&role)
    }
}

/// Why a caller may not do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    #[error("nobody is signed in")]
    Unauthenticated,
    #[error("the role does not allow it")]
    Forbidden,
    #[error("the personal token has no such scope")]
    Scope(Option<Scope>),
    #[error("an impersonating administrator only looks")]
    ReadOnly,
    #[error("the sign-in is too long ago")]
    NotFresh,
}

/// Who is asking: every verb that shows or changes something of somebody takes one.
#[derive(Debug, Clone)]
pub enum Caller {
    Anonymous,
    User(Identity),
}

/// A caller who is known.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Whose eyes are looked through: the impersonated person while impersonating.
    pub user: User,
    pub via: Via,
    pub request: RequestId,
}

/// How a caller made themselves known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Via {
    Session {
        id: SessionId,
        authenticated_at: Option<OffsetDateTime>,
        /// The administrator who is really there.
        impersonator: Option<UserId>,
    },
    Token {
        id: TokenId,
        scopes: Vec<Scope>,
    },
}

impl Caller {
    pub fn user(&self) -> Option<&User> {
        self.identity().map(|identity| &identity.user)
    }

    pub fn identity(&self) -> Option<&Identity> {
        match self {
            Self::Anonymous => None,
            Self::User(identity) => Some(identity),
        }
    }

    pub fn actor(&self) -> Actor {
        self.identity().map_or(Actor::Anonymous, Identity::actor)
    }

    /// The caller, when they may do this now.
    pub fn require(&self, ctx: &Context, permission: Permission) -> Result<&Identity, Denied> {
        let identity = self.identity().ok_or(Denied::Unauthenticated)?;
        identity.may(permission, ctx.clock.now())?;
        Ok(identity)
    }
}

impl Identity {
    pub fn session(&self) -> Option<SessionId> {
        match &self.via {
            Via::Session { id, .. } => Some(*id),
            Via::Token { .. } => None,
        }
    }

    pub fn impersonator(&self) -> Option<UserId> {
        match &self.via {
            Via::Session { impersonator, .. } => *impersonator,
            Via::Token { .. } => None,
        }
    }

    /// Who really acts, as the audit log says it.
    pub fn actor(&self) -> Actor {
        Actor::User(self.impersonator().unwrap_or(self.user.id))
    }

    /// Whether the last proof of who they are is recent enough for what needs one.
    pub fn is_fresh(&self, now: OffsetDateTime) -> bool {
        match &self.via {
            Via::Session { authenticated_at, .. } => authenticated_at.is_some_and(|at| now - at < FRESH_FOR),
            Via::Token { .. } => false,
        }
    }

    fn may(&self, permission: Permission, now: OffsetDateTime) -> Result<(), Denied> {
        let rule = permission.rule();
        let has = permission.of_role(self.user.role);
        if self.impersonator().is_some() && !(has && rule.reads) {
            // Whoever is really there may well be allowed to, once they stop looking.
            return Err(Denied::ReadOnly);
        }
        if !has {
            return Err(Denied::Forbidden);
        }
        match &self.via {
            Via::Token { scopes, .. } => match rule.scope {
                Some(scope) if scopes.contains(&scope) => Ok(()),
                missing => Err(Denied::Scope(missing)),
            },
            Via::Session { .. } if rule.fresh && !self.is_fresh(now) => Err(Denied::NotFresh),
            Via::Session { .. } => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;
    use uuid::Uuid;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-11-20 10:00 UTC);

    fn identity(role: Role, via: Via) -> Identity {
        let id = UserId::from_uuid(Uuid::from_u128(1));
        let user = User {
            id,
            email: "ada@example.com".to_owned(),
            name: "Ada".to_owned(),
            role,
            email_verified: true,
            two_factor_enabled: false,
            avatar_url: String::new(),
            created_at: NOW,
        };
        Identity { user, via, request: RequestId::from_uuid(Uuid::nil()) }
    }

    fn session(authenticated_at: Option<OffsetDateTime>, impersonator: Option<UserId>) -> Via {
        Via::Session { id: SessionId::from_uuid(Uuid::from_u128(2)), authenticated_at, impersonator }
    }

    #[test]
    fn names_and_order_of_the_table_are_unambiguous() {
        let mut names: Vec<_> = Permission::ALL.iter().map(|permission| permission.rule().name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Permission::ALL.len());
    }

    #[test]
    fn customers_have_no_power_over_others() {
        let ada = identity(Role::Customer, session(Some(NOW), None));
        for permission in
            [Permission::UsersRead, Permission::UsersManage, Permission::UsersRole, Permission::AuditRead]
        {
            assert_eq!(ada.may(permission, NOW), Err(Denied::Forbidden), "{permission:?}");
        }
        assert_eq!(ada.may(Permission::AccountSecure, NOW), Ok(()));
    }

    #[test]
    fn an_impersonating_administrator_only_reads() {
        let admin = UserId::from_uuid(Uuid::from_u128(9));
        let seen_as = identity(Role::Customer, session(Some(NOW), Some(admin)));
        for permission in Permission::ALL.into_iter().filter(|permission| permission.of_role(Role::Customer))
        {
            let expected = if permission.rule().reads { Ok(()) } else { Err(Denied::ReadOnly) };
            assert_eq!(seen_as.may(permission, NOW), expected, "{permission:?}");
        }
        assert_eq!(seen_as.actor(), Actor::User(admin));
    }

    #[test]
    fn a_token_does_what_its_scopes_say_and_nothing_that_has_none() {
        let id = TokenId::from_uuid(Uuid::from_u128(3));
        let token = identity(Role::Admin, Via::Token { id, scopes: vec![Scope::AccountRead] });
        for permission in Permission::ALL {
            let allowed = token.may(permission, NOW).is_ok();
            let expected = matches!(permission, Permission::AccountRead | Permission::BillingRead);
            assert_eq!(allowed, expected, "{permission:?}");
        }
    }

    #[test]
    fn freshness_ends_to_the_second() {
        let ada = |at| identity(Role::Customer, session(at, None));
        assert!(ada(Some(NOW - FRESH_FOR + Duration::SECOND)).may(Permission::AccountSecure, NOW).is_ok());
        for at in [Some(NOW - FRESH_FOR), None] {
            assert_eq!(ada(at).may(Permission::AccountSecure, NOW), Err(Denied::NotFresh));
        }
    }
}
