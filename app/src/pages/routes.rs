//! Which address shows what.
//!
//! What always holds: every page route stands in [`ROUTES`] or [`DEV_ROUTES`]; the matrices of roles and origins
//! and the sitemap are checked against these lists.

use axum::{
    Router,
    extract::{Form, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use devforge::{
    account::rules,
    api::{
        error::ApiError,
        extract::{Path, Query},
        openapi,
    },
    config::Mode,
    content::Document,
    context::Context,
    contract::problem::{Problem, ProblemCode},
    search::MAX_RESULTS,
    session::PostgresSessions,
};
use serde::Deserialize;
use tower_sessions::SessionManagerLayer;

use super::{
    account, api_reference, dev, error, home,
    search::{self, SearchHit},
    shell::{Area, Page, Theme, Visit},
    site_files,
    text::{TextPage, text_page},
};

/// Method and path of every page and form of the site.
pub const ROUTES: &[(&str, &str)] = &[
    ("GET", "/"),
    ("GET", "/about"),
    ("GET", "/legal/{slug}"),
    ("GET", "/docs/api"),
    ("GET", "/search"),
    ("POST", "/theme"),
    ("GET", "/sign-in"),
    ("POST", "/sign-in"),
    ("POST", "/sign-out"),
    ("GET", "/account"),
    ("POST", "/account/sessions/{id}/end"),
    ("GET", "/robots.txt"),
    ("GET", "/sitemap.xml"),
    ("GET", "/.well-known/security.txt"),
];

/// Only there in development.
pub const DEV_ROUTES: &[(&str, &str)] = &[
    ("GET", "/dev"),
    ("GET", "/dev/gallery"),
    ("GET", "/dev/mail"),
    ("GET", "/dev/mail/{id}"),
    ("GET", "/dev/mail/{id}/html"),
    ("GET", "/dev/panic"),
];

/// `sessions` goes around the routes that begin and end sessions; all others only ask who is there.
pub fn router(ctx: &Context, sessions: SessionManagerLayer<PostgresSessions>) -> Router<Context> {
    let with_sessions = Router::new()
        .route("/sign-in", get(account::sign_in_page).post(account::sign_in))
        .route("/sign-out", post(account::sign_out))
        .layer(sessions);
    let site = Router::new()
        .merge(with_sessions)
        .route("/", get(home_page))
        .route("/about", get(about))
        .route("/legal/{slug}", get(legal))
        .route("/docs/api", get(api_docs))
        .route("/search", get(search_page))
        .route("/theme", post(set_theme))
        .route("/account", get(account::home_page))
        .route("/account/sessions/{id}/end", post(account::end_session))
        .route("/robots.txt", get(site_files::robots))
        .route("/sitemap.xml", get(site_files::sitemap))
        .route("/.well-known/security.txt", get(site_files::security));
    match ctx.config.mode {
        Mode::Production => site,
        Mode::Development => site
            .route("/dev", get(dev::index))
            .route("/dev/gallery", get(dev::gallery_page))
            .route("/dev/mail", get(dev::mail_list))
            .route("/dev/mail/{id}", get(dev::mail_page))
            .route("/dev/mail/{id}/html", get(dev::mail_html))
            .route("/dev/panic", get(dev::panic)),
    }
}

async fn home_page(visit: Visit) -> Response {
    Page::new(
        "Dev Forge: code with any model, or with none",
        "Dev Forge is a desktop code editor. Connect an AI provider, run a model on your own machine, or switch AI off.",
        home::home,
    )
    .area(Area::Features)
    .public("/")
    .render(&visit)
}

async fn about(State(ctx): State<Context>, visit: Visit) -> Result<Response, ApiError> {
    let document = ctx.content.find("site", "about").ok_or_else(ApiError::not_found)?;
    Ok(written_page(document).area(Area::About).render(&visit))
}

async fn legal(
    State(ctx): State<Context>,
    Path(slug): Path<String>,
    visit: Visit,
) -> Result<Response, ApiError> {
    let document = ctx.content.find("legal", &slug).ok_or_else(ApiError::not_found)?;
    Ok(written_page(document).render(&visit))
}

fn written_page(document: &Document) -> Page {
    let shown = document.clone();
    Page::new(document.title.clone(), document.description.clone(), move || {
        text_page(TextPage {
            title: &shown.title,
            description: &shown.description,
            updated: shown.updated.as_deref(),
            html: shown.html.clone(),
            contents: shown
                .headings
                .iter()
                .filter(|heading| heading.level == 2)
                .map(|heading| (heading.id.clone(), heading.text.clone()))
                .collect(),
        })
    })
    .public(document.path())
}

async fn api_docs(visit: Visit) -> Response {
    Page::new(
        "API reference",
        "Every endpoint of the Dev Forge API: what it takes, what it answers, and how it says no.",
        || api_reference::api_reference(openapi::document()),
    )
    .area(Area::Api)
    .public("/docs/api")
    .render(&visit)
}

#[derive(Debug, Deserialize)]
struct SearchQuery {
    #[serde(default)]
    q: String,
}

async fn search_page(
    State(ctx): State<Context>,
    Query(query): Query<SearchQuery>,
    visit: Visit,
) -> Result<Response, ApiError> {
    let text = query.q;
    let results = ctx.search.find(&text, MAX_RESULTS)?;
    let total = usize::try_from(results.total).unwrap_or(usize::MAX);
    let hits = results
        .items
        .into_iter()
        .map(|hit| SearchHit {
            title: hit.title,
            url: hit.url,
            kind: hit.kind.label().to_owned(),
            excerpt_html: hit.excerpt_html,
        })
        .collect();
    let shown: String = text.chars().take(devforge::search::MAX_QUERY_CHARS).collect();
    let title = if text.is_empty() { "Search".to_owned() } else { format!("{} · Search", shown.trim()) };
    let page =
        Page::new(title, "Search every page of this site.", move || search::search(&shown, hits, total));
    Ok(if text.is_empty() { page.public("/search").render(&visit) } else { page.render(&visit) })
}

#[derive(Debug, Deserialize)]
struct ThemeForm {
    theme: String,
    #[serde(default)]
    return_to: String,
}

async fn set_theme(State(ctx): State<Context>, Form(form): Form<ThemeForm>) -> Result<Response, ApiError> {
    let theme = Theme::parse(&form.theme)
        .ok_or_else(|| ApiError::new(ProblemCode::InvalidRequest, "A theme is system, light or dark."))?;
    // Following the system is the absence of a choice.
    let (value, max_age) = match theme {
        Theme::System => ("", 0),
        chosen => (chosen.as_str(), 60 * 60 * 24 * 365),
    };
    let secure = if ctx.config.http.is_https() { "; Secure" } else { "" };
    let cookie =
        format!("{}={value}; Path=/; Max-Age={max_age}; SameSite=Lax; HttpOnly{secure}", Theme::COOKIE);
    let back = if form.return_to.is_empty() { "/" } else { rules::safe_next(&form.return_to) };
    let mut response = Redirect::to(back).into_response();
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// The page for people in place of a problem's JSON.
pub fn error_page(ctx: &Context, visit: &Visit, problem: &Problem) -> Response {
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let request_id = visit.request_id.to_string();
    let (title, body): (&str, Box<dyn FnOnce() -> leptos::prelude::AnyView + Send>) = match problem.code {
        ProblemCode::NotFound => {
            let path = visit.path.split('?').next().unwrap_or_default().to_owned();
            let matches = close_matches(ctx, &path);
            ("Not found", Box::new(move || error::not_found(&path, matches)))
        }
        ProblemCode::Unavailable => ("Not available", Box::new(move || error::unavailable(&request_id))),
        ProblemCode::Internal => {
            let status = problem.status;
            ("Something failed", Box::new(move || error::failed(status, &request_id)))
        }
        _ => {
            let problem = problem.clone();
            let title = problem.code.title();
            (
                title,
                Box::new(move || {
                    error::problem(problem.status, &problem.title, &problem.detail, &request_id)
                }),
            )
        }
    };
    Page::new(title, problem.code.title(), body).status(status).render(visit)
}

/// Pages whose words are like those in an address that does not exist.
fn close_matches(ctx: &Context, path: &str) -> Vec<(String, String, String)> {
    let words: String = path.chars().map(|c| if c.is_alphanumeric() { c } else { ' ' }).collect();
    // An error page must come out even when the index cannot be read.
    let found = ctx.search.find(&words, 3).map(|results| results.items).unwrap_or_default();
    found.into_iter().map(|hit| (hit.title, hit.url, hit.kind.label().to_owned())).collect()
}
