//! The frame around every page: header, folded menu, footer and the mark.
//! It links only to pages that exist, and all of it works without script.

use devforge::{
    account::{Permission, rules},
    contract::account::User,
};
use leptos::prelude::*;

use super::shell::{Area, Theme};
use crate::components::Icon;

/// The main navigation, in the order it is read. The area says which entry is current. With these five the header has
/// room at 60rem, where it unfolds, for whoever is not of the staff; the field of the search gives way for those.
const NAVIGATION: [(&str, &str); 5] = [
    ("Features", "/features"),
    ("Docs", "/docs"),
    ("Pricing", "/pricing"),
    ("Enterprise", "/enterprise"),
    ("Blog", "/blog"),
];

/// What the folded menu has room for beside it.
const MENU_MORE: [(&str, &str); 3] = [("Changelog", "/changelog"), ("Help", "/support"), ("About", "/about")];

const PRODUCT: [(&str, &str); 10] = [
    ("Features", "/features"),
    ("AI models", "/features/ai-models"),
    ("Extensions", "/features/extensions"),
    ("Teams", "/features/teams"),
    ("Local-first", "/features/local-first"),
    ("Download", "/download"),
    ("Pricing", "/pricing"),
    ("Enterprise", "/enterprise"),
    ("Compare", "/compare"),
    ("Activate", "/activate"),
];
const LEARN: [(&str, &str); 5] = [
    ("Docs", "/docs"),
    ("API reference", "/docs/api"),
    ("Help", "/support"),
    ("Blog", "/blog"),
    ("Changelog", "/changelog"),
];
const COMPANY: [(&str, &str); 11] = [
    ("About", "/about"),
    ("Contact", "/contact"),
    ("Press", "/press"),
    ("Roadmap", "/roadmap"),
    ("Status", "/status"),
    ("Terms", "/legal/terms"),
    ("Privacy", "/legal/privacy"),
    ("Refunds", "/legal/refunds"),
    ("Data processing", "/legal/dpa"),
    ("Imprint", "/legal/imprint"),
    ("Security", "/.well-known/security.txt"),
];

fn is_current(label: &str, current: Option<&Area>) -> bool {
    match current {
        Some(Area::Features) => label == "Features",
        Some(Area::Pricing) => label == "Pricing",
        Some(Area::Docs) => label == "Docs",
        Some(Area::Enterprise) => label == "Enterprise",
        Some(Area::Blog) => label == "Blog",
        Some(Area::About) => label == "About",
        None => false,
    }
}

/// The skip link, the header and the menu it folds into below 60rem.
pub fn header(current: Option<Area>, user: Option<&User>) -> impl IntoView + use<> {
    let is_staff = user.is_some_and(|user| Permission::UsersRead.of_role(user.role));
    let account = match user.map(|user| rules::initials(&user.name)) {
        Some(initials) => {
            let label = format!("Your account, {initials}");
            let staff = is_staff.then(|| {
                view! { <a class="header-link wide-only" href="/admin/users">"Admin"</a> }
            });
            view! { {staff}<a class="avatar" href="/account" aria-label=label>{initials}</a> }.into_any()
        }
        None => view! { <a class="header-link wide-only" href="/sign-in">"Sign in"</a> }.into_any(),
    };

    view! {
        <a class="skip-link" href="#main">"Skip to the content"</a>
        <header class="site-header">
            <div class="page">
                <a class="brand" href="/">{mark(22)}"Dev Forge"</a>
                <nav class="site-nav" aria-label="Main">
                    <ul>{links(&NAVIGATION, current.as_ref())}</ul>
                </nav>
                <form class="site-search" role="search" method="get" action="/search">
                    <label class="visually-hidden" for="site-search">"Search this site"</label>
                    <Icon name="search"/>
                    <input id="site-search" type="search" name="q" placeholder="Search" autocomplete="off" maxlength="200"/>
                    <kbd class="kbd" data-mac="⌘ K" aria-hidden="true">"Ctrl K"</kbd>
                </form>
                {account}
                <a class="button strong small wide-only" href="/download">"Download"</a>
                <a class="button ghost icon-only narrow-only" href="/search" aria-label="Search">
                    <Icon name="search" size=20/>
                </a>
                <button class="button ghost icon-only narrow-only" type="button" popovertarget="site-menu" aria-label="Menu">
                    <Icon name="menu" size=20/>
                </button>
            </div>
            {menu(current.as_ref(), user.is_some(), is_staff)}
        </header>
    }
}

fn menu(current: Option<&Area>, signed_in: bool, is_staff: bool) -> impl IntoView + use<> {
    let (account, address) = if signed_in { ("Your account", "/account") } else { ("Sign in", "/sign-in") };

    view! {
        <nav class="site-menu" id="site-menu" popover="auto" aria-label="Menu">
            <ul>{links(&NAVIGATION, current)}{links(&MENU_MORE, current)}</ul>
            <div class="actions">
                {is_staff.then(|| {
                    view! { <a class="button secondary large" href="/admin/users">"Administration"</a> }
                })}
                <a class="button secondary large" href=address>{account}</a>
                <a class="button primary large" href="/download">"Download"</a>
            </div>
        </nav>
    }
}

fn links(entries: &'static [(&'static str, &'static str)], current: Option<&Area>) -> impl IntoView + use<> {
    entries
        .iter()
        .map(|&(label, address)| {
            let here = is_current(label, current).then_some("true");
            view! { <li><a href=address aria-current=here>{label}</a></li> }
        })
        .collect_view()
}

/// The footer with the theme's control. `return_to` is the address the theme's form comes back to without script.
pub fn footer(theme: Theme, return_to: &str) -> impl IntoView + use<> {
    view! {
        <footer class="site-footer">
            <div class="page">
                <div class="columns">
                    <div>
                        <a class="brand" href="/">{mark(22)}"Dev Forge"</a>
                        <p>"A code editor that is whole with any model, or with none."</p>
                        {theme_control(theme.as_str(), return_to)}
                    </div>
                    {column("Product", &PRODUCT)}
                    {column("Learn", &LEARN)}
                    {column("Company", &COMPANY)}
                </div>
                <div class="base">
                    <p>"© 2026 Dev Forge"</p>
                    <div>
                        <a href="/sitemap.xml">"Sitemap"</a>
                        <a href="/feed.xml">"Feed"</a>
                        <a href="/llms.txt">"llms.txt"</a>
                    </div>
                </div>
            </div>
        </footer>
    }
}

fn column(title: &'static str, entries: &'static [(&'static str, &'static str)]) -> impl IntoView {
    view! {
        <nav aria-label=title>
            <h2>{title}</h2>
            <ul>{links(entries, None)}</ul>
        </nav>
    }
}

/// Three submit buttons of one form: the server sets the cookie and sends the reader back.
fn theme_control(chosen: &str, return_to: &str) -> impl IntoView + use<> {
    let buttons = [("system", "System", "system"), ("light", "Light", "sun"), ("dark", "Dark", "moon")]
        .into_iter()
        .map(|(value, label, icon)| {
            let pressed = if value == chosen { "true" } else { "false" };
            view! {
                <button type="submit" name="theme" value=value aria-pressed=pressed>
                    <Icon name=icon size=16/>
                    {label}
                </button>
            }
        })
        .collect_view();

    view! {
        <form method="post" action="/theme" data-theme-form="">
            <input type="hidden" name="return_to" value=return_to.to_owned()/>
            <div class="segment quiet" role="group" aria-label="Theme">{buttons}</div>
        </form>
    }
}

/// The anvil with a block cursor on it. Below 16 px the waist is straight, because a curve would blur.
pub fn mark(size: u32) -> impl IntoView + use<> {
    let anvil = if size < 16 {
        "M1 11.25h22v3.5h-8v3.75h3v3.5H6.5v-3.5h3v-3.75H5.5C3 14.75 1.4 13.4 1 11.25z"
    } else {
        "M1 11.25h22v3.5h-4.5c-2.5 0-3.5 1-3.5 3v.75h3v3.5H6.5v-3.5h3v-.75c0-1.9-1.4-2.75-3.75-2.95C3 14.55 1.4 13.4 1 11.25z"
    };

    view! {
        <svg class="mark" width=size height=size viewBox="0 0 24 24" aria-hidden="true">
            <path d=anvil fill="currentColor"></path>
            <path class="mark-cursor" d="M10.25 2H14v6.75h-3.75z"></path>
        </svg>
    }
}
