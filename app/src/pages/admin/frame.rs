//! The frame of every page of the administration, and the parts that its pages share.

use devforge::{
    account::{Caller, Permission},
    api::error::ApiError,
    context::Context,
    contract::{account::Role, id::UserId},
};
use leptos::prelude::*;

use crate::components::Icon;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    People,
    Orders,
    Refunds,
    Licenses,
    Finance,
    Catalogue,
    Webhooks,
    Reconcile,
    Knowledge,
    Search,
    AuditLog,
}

impl Section {
    const ALL: [Self; 11] = [
        Self::People,
        Self::Orders,
        Self::Refunds,
        Self::Licenses,
        Self::Finance,
        Self::Catalogue,
        Self::Webhooks,
        Self::Reconcile,
        Self::Knowledge,
        Self::Search,
        Self::AuditLog,
    ];

    const fn label(self) -> &'static str {
        match self {
            Self::People => "People",
            Self::Orders => "Orders",
            Self::Refunds => "Refunds",
            Self::Licenses => "Licenses",
            Self::Finance => "Finance",
            Self::Catalogue => "Catalogue",
            Self::Webhooks => "Webhooks",
            Self::Reconcile => "Reconciling",
            Self::Knowledge => "Knowledge base",
            Self::Search => "Search",
            Self::AuditLog => "Audit log",
        }
    }

    const fn path(self) -> &'static str {
        match self {
            Self::People => "/admin/users",
            Self::Orders => "/admin/orders",
            Self::Refunds => "/admin/refunds",
            Self::Licenses => "/admin/licenses",
            Self::Finance => "/admin/finance",
            Self::Catalogue => "/admin/catalogue",
            Self::Webhooks => "/admin/webhooks",
            Self::Reconcile => "/admin/reconcile",
            Self::Knowledge => "/admin/knowledge",
            Self::Search => "/admin/search",
            Self::AuditLog => "/admin/audit",
        }
    }

    const fn icon(self) -> &'static str {
        match self {
            Self::People => "users",
            Self::Orders => "box",
            Self::Refunds => "back",
            Self::Licenses => "key",
            Self::Finance => "chart",
            Self::Catalogue => "tag",
            Self::Webhooks => "plug",
            Self::Reconcile => "refresh",
            Self::Knowledge => "book",
            Self::Search => "search",
            Self::AuditLog => "shield",
        }
    }

    /// What its pages ask for.
    const fn needs(self) -> Permission {
        match self {
            Self::People => Permission::UsersRead,
            Self::Orders | Self::Refunds | Self::Webhooks | Self::Reconcile => Permission::PaymentsRead,
            Self::Licenses => Permission::LicensesFind,
            Self::Finance => Permission::FinanceRead,
            Self::Catalogue => Permission::CatalogueManage,
            Self::Knowledge => Permission::KnowledgeWrite,
            Self::Search => Permission::InsightsRead,
            Self::AuditLog => Permission::AuditRead,
        }
    }
}

/// Whether the link to a section leads to the page it stands on, or to one above it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Here {
    Page(Section),
    Below(Section),
}

impl Here {
    fn current(self, section: Section) -> Option<&'static str> {
        match self {
            Self::Page(here) if here == section => Some("page"),
            Self::Below(here) if here == section => Some("true"),
            Self::Page(_) | Self::Below(_) => None,
        }
    }
}

/// Who looks at a page of the administration. What they may do decides what is offered; the verbs decide again.
#[derive(Debug, Clone, Copy)]
pub struct Viewer {
    pub id: UserId,
    pub role: Role,
    /// Whether they proved recently who they are, as every change asks.
    pub is_fresh: bool,
}

impl Viewer {
    pub fn of(ctx: &Context, caller: &Caller) -> Result<Self, ApiError> {
        let identity = caller.identity().ok_or_else(ApiError::unauthenticated)?;
        let is_fresh = identity.is_fresh(ctx.clock.now());
        Ok(Self { id: identity.user.id, role: identity.user.role, is_fresh })
    }

    pub fn may(self, permission: Permission) -> bool {
        permission.of_role(self.role)
    }
}

/// The sections beside a page. Only what the viewer may open is named.
pub fn frame(here: Here, viewer: Viewer, content: AnyView) -> AnyView {
    let entries = Section::ALL
        .into_iter()
        .filter(|section| viewer.may(section.needs()))
        .map(|section| {
            view! {
                <li>
                    <a href=section.path() aria-current=here.current(section)>
                        <Icon name=section.icon()/>
                        {section.label()}
                    </a>
                </li>
            }
        })
        .collect_view();

    view! {
        <div class="admin page wide">
            <nav class="side-nav app" aria-label="Administration"><ul>{entries}</ul></nav>
            <div class="admin-main">{content}</div>
        </div>
    }
    .into_any()
}

/// One entry of a `<select>`.
pub fn choice(value: &'static str, label: &'static str, chosen: &str) -> AnyView {
    let selected = value == chosen;
    view! { <option value=value selected=selected>{label}</option> }.into_any()
}
