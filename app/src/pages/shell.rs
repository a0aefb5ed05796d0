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
use leptos::prelude::*;
use serde_json::Value;

use super::{admin::viewing_banner, checkout, chrome};
use crate::assets;

mod head;
mod structured;

pub use structured::breadcrumbs;

/// The part of the site a page belongs to, as the header marks it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Area {
    Features,
    Pricing,
    Docs,
    Enterprise,
    Blog,
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
    /// What the page is to those who show links to it: `website` or `article`.
    kind: &'static str,
    picture: Option<String>,
    /// First published, last changed.
    dates: (Option<String>, Option<String>),
    /// Where the same page is as Markdown.
    markdown: Option<String>,
    structured: Vec<Value>,
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
            kind: "website",
            picture: None,
            dates: (None, None),
            markdown: None,
            structured: Vec::new(),
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

    /// Facts for programs, as schema.org has them. Addresses in it may begin with a slash: they are made whole. May
    /// be called again for another block. Only public pages say them.
    pub fn structured(mut self, facts: Value) -> Self {
        self.structured.push(facts);
        self
    }

    /// The way from the front page to this one, as (name, path), the last being this page.
    pub fn breadcrumbs(self, trail: &[(&str, &str)]) -> Self {
        self.structured(breadcrumbs(trail))
    }

    /// The picture that stands beside a link to the page: a path of this site, 1200 by 630.
    pub fn picture(mut self, path: impl Into<String>) -> Self {
        self.picture = Some(path.into());
        self
    }

    /// `article` for what has an author or a date; pages are `website` otherwise.
    pub fn kind(mut self, kind: &'static str) -> Self {
        self.kind = kind;
        self
    }

    /// When an article was first published and last changed, as `2026-11-21`.
    pub fn dates(mut self, published: Option<&str>, modified: Option<&str>) -> Self {
        self.dates = (published.map(str::to_owned), modified.map(str::to_owned));
        self
    }

    /// The same page as Markdown, under this path.
    pub fn alternate_markdown(mut self, path: impl Into<String>) -> Self {
        self.markdown = Some(path.into());
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
        // Islands find their places by marks that the standard calls a mistake when they are written as `<!>`. Nobody
        // looks for them on a page without islands.
        let mark = if self.islands { "<!---->" } else { "" };
        let mut html = String::from("<!DOCTYPE html>");
        owner.with(|| html.push_str(&self.view(visit).to_html().replace("<!>", mark)));
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
        let head = head::head(&self, visit);
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
