//! The document around every page: head, header, footer, and how a view becomes an answer.
//!
//! What always holds: a page is rendered at once from data that is already loaded, so its status, title and
//! headers are known before the first byte; a page without an island carries no wasm and no nonce, and so can
//! be cached with its compressed forms.

use std::sync::Arc;

use axum::{
    extract::{FromRequestParts, OptionalFromRequestParts},
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use devforge::{
    account::Caller,
    api::{error::ApiError, extract::CurrentRequest},
    context::Context,
    contract::id::RequestId,
};
use hydration_context::SsrSharedContext;
use leptos::{attr::custom::CustomAttribute, prelude::*};

use super::{admin::viewing_banner, checkout, chrome};
use crate::assets;

/// The part of the site a page belongs to, as the header marks it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Area {
    Features,
    Pricing,
    Docs,
    About,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Theme {
    #[default]
    System,
    Light,
    Dark,
}

impl Theme {
    pub const COOKIE: &'static str = "theme";

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::System, Self::Light, Self::Dark].into_iter().find(|theme| theme.as_str() == text)
    }

    pub fn from_headers(headers: &HeaderMap) -> Self {
        headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .find_map(|pair| Self::parse(pair.trim().strip_prefix(Self::COOKIE)?.strip_prefix('=')?))
            .unwrap_or_default()
    }
}

/// What a page knows of the request it answers.
#[derive(Debug, Clone)]
pub struct Visit {
    pub caller: Caller,
    pub theme: Theme,
    /// Path and query, to come back to after a form.
    pub path: String,
    pub request_id: RequestId,
    pub public_url: String,
    nonce: String,
}

impl Visit {
    /// For error pages, which must not ask the database who is there.
    pub fn anonymous(ctx: &Context, headers: &HeaderMap, path: &str, request_id: RequestId) -> Self {
        Self {
            caller: Caller::Anonymous,
            theme: Theme::from_headers(headers),
            path: path.to_owned(),
            request_id,
            public_url: ctx.config.http.public_url.clone(),
            nonce: devforge::crypto::to_hex(&ctx.random.bytes::<16>()),
        }
    }

    /// The forms of the frame do not come back to an address that is a secret.
    pub fn without_address(mut self) -> Self {
        "/".clone_into(&mut self.path);
        self
    }
}

impl FromRequestParts<Context> for Visit {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, ctx: &Context) -> Result<Self, ApiError> {
        let CurrentRequest(request_id) =
            <CurrentRequest as FromRequestParts<Context>>::from_request_parts(parts, ctx).await?;
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        let mut visit = Self::anonymous(ctx, &parts.headers, &path, request_id);
        visit.caller = Caller::from_request_parts(parts, ctx).await?;
        Ok(visit)
    }
}

impl OptionalFromRequestParts<Context> for Visit {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, ctx: &Context) -> Result<Option<Self>, ApiError> {
        <Self as FromRequestParts<Context>>::from_request_parts(parts, ctx).await.map(Some)
    }
}

/// What the security layer must allow this page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScriptPolicy {
    /// The site's one script, by its hash and place.
    SiteScript,
    /// The same, on a page whose form ends at the payment provider's.
    Paying,
    /// Scripts with this nonce and what they load, and WebAssembly.
    Islands { nonce: String },
    /// A mail as its reader sees it: styled inline, no script, shown in a frame of ours. Development only.
    MailPreview,
}

/// Set on answers that are the same for everyone without a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cacheable;

/// One page, before it is rendered.
pub struct Page {
    title: String,
    description: String,
    status: StatusCode,
    area: Option<Area>,
    canonical: Option<String>,
    islands: bool,
    script: Option<&'static str>,
    public: bool,
    paying: bool,
    bare: bool,
    body: Box<dyn FnOnce() -> AnyView + Send>,
}

impl Page {
    pub fn new(
        title: impl Into<String>,
        description: impl Into<String>,
        body: impl FnOnce() -> AnyView + Send + 'static,
    ) -> Self {
        Self {
            title: title.into(),
            description: description.into(),
            status: StatusCode::OK,
            area: None,
            canonical: None,
            islands: false,
            script: None,
            public: false,
            paying: false,
            bare: false,
            body: Box::new(body),
        }
    }

    pub fn area(mut self, area: Area) -> Self {
        self.area = Some(area);
        self
    }

    pub fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// The same for every visitor, found by search engines under `path`, and cached.
    pub fn public(mut self, path: impl Into<String>) -> Self {
        self.canonical = Some(path.into());
        self.public = true;
        self
    }

    /// The page has an island: it gets the loader, a nonce, and permission for WebAssembly.
    pub fn with_islands(mut self) -> Self {
        self.islands = true;
        self
    }

    /// The page has a script of its own beside the site's, one of `public/`.
    pub fn with_script(mut self, name: &'static str) -> Self {
        self.script = Some(name);
        self
    }

    /// A form of this page ends at the payment provider's, after our own answer to it.
    pub fn paying(mut self) -> Self {
        self.paying = true;
        self
    }

    /// The page has the header of the checkout, which leads nowhere else by accident.
    pub fn bare(mut self) -> Self {
        self.bare = true;
        self
    }

    pub fn render(self, visit: &Visit) -> Response {
        let policy = if self.islands {
            ScriptPolicy::Islands { nonce: visit.nonce.clone() }
        } else if self.paying {
            ScriptPolicy::Paying
        } else {
            ScriptPolicy::SiteScript
        };
        let status = self.status;
        let cacheable =
            self.public && !self.islands && visit.caller.user().is_none() && status == StatusCode::OK;
        let html = self.document(visit);
        let mut response =
            (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response();
        response.extensions_mut().insert(policy);
        if cacheable {
            response.extensions_mut().insert(Cacheable);
        } else {
            let headers = response.headers_mut();
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
        }
        response
    }

    fn document(self, visit: &Visit) -> String {
        let owner = Owner::new_root(Some(Arc::new(SsrSharedContext::new_islands())));
        let mut html = String::from("<!DOCTYPE html>");
        owner.with(|| html.push_str(&self.view(visit).to_html()));
        html
    }

    fn view(self, visit: &Visit) -> impl IntoView + use<> {
        let theme = visit.theme;
        let header = if self.bare {
            checkout::bare_header().into_any()
        } else {
            chrome::header(self.area, visit.caller.user()).into_any()
        };
        let looking = visit.caller.identity().filter(|identity| identity.impersonator().is_some());
        let banner = looking.map(|identity| viewing_banner(&identity.user.name, &identity.user.email));
        let head = head(&self, visit);
        // Nothing here may be sent: once the looking has ended, it would be about the administrator's own account.
        let body = if looking.is_some() {
            view! { <fieldset class="only-looking" disabled=true aria-label="Nothing can be changed">{(self.body)()}</fieldset> }
                .into_any()
        } else {
            (self.body)()
        };
        let footer = chrome::footer(theme, &visit.path);
        let islands = self.islands;
        view! {
            <html
                lang="en"
                data-theme=(theme != Theme::System).then(|| theme.as_str())
                data-icons=islands.then(|| assets::url("icons.svg"))
            >
                {head}
                <body>
                    {header}
                    {banner}
                    <main id="main" tabindex="-1">{body}</main>
                    {footer}
                </body>
            </html>
        }
    }
}

fn head(page: &Page, visit: &Visit) -> impl IntoView + use<> {
    let title = if page.canonical.as_deref() == Some("/") {
        page.title.clone()
    } else {
        format!("{} · Dev Forge", page.title)
    };
    let canonical = page.canonical.as_ref().map(|path| format!("{}{path}", visit.public_url));
    let open_graph = canonical.clone().map(|url| {
        let image = format!("{}{}", visit.public_url, assets::url("og-default.png"));
        view! {
            <link rel="canonical" href=url.clone()/>
            {open_graph_tag("type", "website".to_owned())}
            {open_graph_tag("site_name", "Dev Forge".to_owned())}
            {open_graph_tag("title", page.title.clone())}
            {open_graph_tag("description", page.description.clone())}
            {open_graph_tag("url", url)}
            {open_graph_tag("image", image)}
            {open_graph_tag("image:width", "1200".to_owned())}
            {open_graph_tag("image:height", "630".to_owned())}
            <meta name="twitter:card" content="summary_large_image"/>
        }
    });
    // Pages for one person, and errors, are nobody else's to find.
    let hidden = page.canonical.is_none().then(|| view! { <meta name="robots" content="noindex"/> });
    let nonce = page.islands.then(|| visit.nonce.clone());
    let site_script = assets::find("site.js").map(|asset| asset.integrity.clone());
    let own_script = page.script.map(|name| {
        let integrity = assets::find(name).map(|asset| asset.integrity.clone());
        view! { <script type="module" src=assets::url(name) integrity=integrity nonce=nonce.clone()></script> }
    });
    let islands = nonce.clone().map(|nonce| {
        view! {
            <link rel="modulepreload" href=assets::url("app.js") nonce=nonce.clone()/>
            <script type="module" src=assets::url("islands.js") nonce=nonce></script>
        }
    });
    view! {
        <head>
            <meta charset="utf-8"/>
            <meta name="viewport" content="width=device-width, initial-scale=1"/>
            // As text it would be followed by a marker, which a title would show.
            <title inner_html=escape(&title)></title>
            <meta name="description" content=page.description.clone()/>
            {open_graph}
            {hidden}
            <link rel="preload" href=assets::url("fonts/archivo.woff2") r#as="font" type="font/woff2" crossorigin=""/>
            <link rel="stylesheet" href=assets::url("site.css")/>
            <link rel="icon" href="/favicon.ico" sizes="32x32"/>
            <link rel="icon" href="/favicon.svg" type="image/svg+xml"/>
            <link rel="apple-touch-icon" href="/apple-touch-icon.png"/>
            <link rel="manifest" href="/site.webmanifest"/>
            <meta name="theme-color" media="(prefers-color-scheme: light)" content="#f4f6f8"/>
            <meta name="theme-color" media="(prefers-color-scheme: dark)" content="#0d1014"/>
            <script type="module" src=assets::url("site.js") integrity=site_script nonce=nonce></script>
            {own_script}
            {islands}
        </head>
    }
}

/// `property` is not an attribute that HTML knows, so `view!` does not either.
fn open_graph_tag(name: &str, content: String) -> impl IntoView + use<> {
    leptos::html::meta().attr("property", format!("og:{name}")).content(content)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
