//! The frame of every page of an account: the navigation beside the content, and the parts that the pages share.

use devforge::context::Context;
use leptos::prelude::*;
use serde::Deserialize;

use crate::components::{Breadcrumb, Icon, Notice};
use crate::pages::shell::Visit;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    Overview,
    Licenses,
    Billing,
    Profile,
    Security,
    Tokens,
    Privacy,
}

impl Section {
    const ALL: [Self; 7] = [
        Self::Overview,
        Self::Licenses,
        Self::Billing,
        Self::Profile,
        Self::Security,
        Self::Tokens,
        Self::Privacy,
    ];

    /// The word in the navigation.
    const fn label(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Licenses => "Licenses",
            Self::Billing => "Billing",
            Self::Profile => "Profile",
            Self::Security => "Security",
            Self::Tokens => "Tokens",
            Self::Privacy => "Privacy",
        }
    }

    /// The first heading of its own page.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Overview => "Your account",
            Self::Licenses => "Licenses",
            Self::Billing => "Billing",
            Self::Profile => "Profile",
            Self::Security => "Sign-in and security",
            Self::Tokens => "Personal tokens",
            Self::Privacy => "Your privacy",
        }
    }

    pub const fn path(self) -> &'static str {
        match self {
            Self::Overview => "/account",
            Self::Licenses => "/account/licenses",
            Self::Billing => "/account/billing",
            Self::Profile => "/account/profile",
            Self::Security => "/account/security",
            Self::Tokens => "/account/security/tokens",
            Self::Privacy => "/account/privacy",
        }
    }

    const fn icon(self) -> &'static str {
        match self {
            Self::Overview => "sliders",
            Self::Licenses => "key",
            Self::Billing => "card",
            Self::Profile => "user",
            Self::Security => "shield",
            Self::Tokens => "terminal",
            Self::Privacy => "lock",
        }
    }
}

/// A section's own page. `beside` stands right of the heading.
pub fn section_page(section: Section, beside: Option<AnyView>, content: AnyView) -> AnyView {
    let head = view! {
        <header class="account-head">
            <h1 class="page-title">{section.title()}</h1>
            {beside}
        </header>
    };
    frame(section, "page", head.into_any(), content)
}

/// A page below a section.
pub fn page_below(section: Section, title: &'static str, content: AnyView) -> AnyView {
    page_about(section, title, None, None, content)
}

/// A page below a section about one thing: how it stands beside its name, and what can be done at the right.
pub fn page_about(
    section: Section,
    title: &'static str,
    state: Option<AnyView>,
    beside: Option<AnyView>,
    content: AnyView,
) -> AnyView {
    let trail = vec![(section.title().to_owned(), section.path().to_owned())];
    let head = view! {
        <header class="account-head">
            <Breadcrumb trail=trail here=title/>
            <div class="with-badge"><h1 class="page-title">{title}</h1>{state}</div>
            {beside}
        </header>
    };
    frame(section, "true", head.into_any(), content)
}

fn frame(here: Section, current: &'static str, head: AnyView, content: AnyView) -> AnyView {
    let entries = Section::ALL
        .into_iter()
        .map(|section| {
            let current = (section == here).then_some(current);
            view! {
                <li>
                    <a href=section.path() aria-current=current><Icon name=section.icon()/>{section.label()}</a>
                </li>
            }
        })
        .collect_view();

    view! {
        <div class="account page">
            <nav class="side-nav app" aria-label="Account"><ul>{entries}</ul></nav>
            <div class="account-main">{head}{content}</div>
        </div>
    }
    .into_any()
}

/// One part of a page under its own heading.
pub fn part(id: &'static str, title: &'static str, about: Option<&'static str>, content: AnyView) -> AnyView {
    view! {
        <section class="account-part" aria-labelledby=id>
            <h2 class="panel-title" id=id>{title}</h2>
            {about.map(|about| view! { <p class="quiet small">{about}</p> })}
            {content}
        </section>
    }
    .into_any()
}

/// The visit as if it had asked for `path`: a form's own address cannot be come back to.
pub fn back_at(visit: &Visit, path: &str) -> Visit {
    let mut visit = visit.clone();
    visit.path = path.to_owned();
    visit
}

/// What a redirect says was done. The word is looked up in a table of the page, never shown.
#[derive(Debug, Deserialize)]
pub struct DoneQuery {
    #[serde(default)]
    pub done: String,
}

/// What was done, and what follows from it.
pub type Done = (&'static str, &'static str);

pub fn done_notice(done: Option<Done>) -> Option<AnyView> {
    done.map(|(title, text)| {
        view! { <Notice tone="ok" title=title live=true><p>{text}</p></Notice> }.into_any()
    })
}

/// A form here asks for a proof of who is there. Said before anything is typed, because a form is lost on the way
/// to it.
#[derive(Debug, Clone)]
pub struct ProofFirst {
    /// The page to come back to.
    back: String,
}

impl ProofFirst {
    /// None while the last proof is recent enough, and for somebody who only looks.
    pub fn asked(ctx: &Context, visit: &Visit, back: impl Into<String>) -> Option<Self> {
        let identity = visit.caller.identity()?;
        let enough = identity.impersonator().is_some() || identity.is_fresh(ctx.clock.now());
        (!enough).then(|| Self { back: back.into() })
    }

    pub fn view(self) -> AnyView {
        let address = format!("/account/confirm?next={}", self.back);
        let confirm = move || view! { <a class="button secondary small" href=address>"Confirm"</a> };
        view! {
            <Notice tone="info" icon="lock" title="Confirm that it is you" actions=confirm>
                <p>"Changes here ask for your password or a passkey. It is enough for 15 minutes."</p>
            </Notice>
        }
        .into_any()
    }
}

/// A button that says what will happen before it does it. It opens without script.
pub struct Confirm {
    /// On the button that opens it: "Remove".
    pub open: &'static str,
    /// What it is about, for those who hear the button and do not see what it stands beside.
    pub about: String,
    pub consequence: &'static str,
    pub action: String,
    /// The exact verb, on the button that does it.
    pub verb: &'static str,
    /// Whether the page has one for each of several things, so that the verb alone does not say which.
    pub one_of_several: bool,
}

impl Confirm {
    pub fn view(self) -> AnyView {
        let Self { open, about, consequence, action, verb, one_of_several } = self;
        let heard = format!(" {about}");
        let which = one_of_several.then(|| {
            let heard = heard.clone();
            view! { <span class="visually-hidden">{heard}</span> }
        });
        view! {
            <details class="confirm">
                <summary class="button secondary small">
                    <span>{open}<span class="visually-hidden">{heard}</span></span>
                </summary>
                <form method="post" action=action>
                    <p>{consequence}</p>
                    <button class="button bad-solid small" type="submit"><span>{verb}{which}</span></button>
                </form>
            </details>
        }
        .into_any()
    }
}

/// One setting: its name, how it stands, and what can be done about it.
pub fn setting(title: &'static str, badge: Option<AnyView>, state: AnyView, control: AnyView) -> AnyView {
    view! {
        <li class="row">
            <div>
                <h3 class="with-badge">{title}{badge}</h3>
                <p>{state}</p>
            </div>
            {control}
        </li>
    }
    .into_any()
}
