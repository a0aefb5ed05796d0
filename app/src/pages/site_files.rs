//! Small files that programs look for: robots, the sitemap, the list for programs that read for people, the address for
//! security reports, the keys that sign.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use devforge::{
    api::error::ApiError,
    config::Mode,
    content::{DOC_GROUPS, Document},
    context::Context,
    crypto, signing,
    support::knowledge,
};
use time::{Duration, format_description::well_known::Rfc3339};

use super::{blog, features::PILLARS};

fn plain(content_type: &'static str, body: String) -> Response {
    ([(header::CONTENT_TYPE, content_type), (header::CACHE_CONTROL, "public, max-age=3600")], body)
        .into_response()
}

pub async fn robots(State(ctx): State<Context>) -> Response {
    let rules = match ctx.config.mode {
        Mode::Production => {
            "User-agent: *\nDisallow: /account\nDisallow: /search?\nDisallow: /checkout\nDisallow: /invoices\n"
        }
        // A development installation that can be reached from outside is not for search engines.
        Mode::Development => {
            "User-agent: *\nDisallow: /account\nDisallow: /search?\nDisallow: /checkout\nDisallow: /invoices\nDisallow: /dev\n"
        }
    };
    plain(
        "text/plain; charset=utf-8",
        format!("{rules}\nSitemap: {}/sitemap.xml\n", ctx.config.http.public_url),
    )
}

/// Public pages that are programmed rather than written, which change when the program does.
const PROGRAMMED: [&str; 16] = [
    "/",
    "/features",
    "/enterprise",
    "/compare",
    "/pricing",
    "/download",
    "/docs",
    "/docs/api",
    "/support",
    "/blog",
    "/changelog",
    "/contact",
    "/press",
    "/roadmap",
    "/status",
    "/search",
];

/// Every public page, with the day of its last change where one is known.
async fn pages(ctx: &Context) -> Result<Vec<(String, Option<String>)>, ApiError> {
    let content = ctx.content.now();
    let newest = |pages: &[&Document]| pages.iter().filter_map(|page| changed(page)).max();
    let mut pages: Vec<(String, Option<String>)> = Vec::new();
    for path in PROGRAMMED {
        let day = match path {
            "/blog" => newest(&content.posts()),
            "/changelog" => newest(&content.releases()),
            "/docs" => newest(&content.docs()),
            // Some of these have their words in a file all the same.
            path => content.find("site", path.trim_start_matches('/')).and_then(changed),
        };
        pages.push((path.to_owned(), day));
    }
    pages.extend(PILLARS.iter().map(|pillar| (pillar.path(), None)));
    let written = content.all().map(|page| (page.path(), changed(page)));
    pages.extend(written.filter(|(path, _)| !PROGRAMMED.contains(&path.as_str())));
    pages.extend(blog::tags(&content).into_iter().map(|tag| (format!("/blog/tags/{tag}"), None)));
    for article in knowledge::list(ctx).await? {
        let path = format!("/support/articles/{}", article.slug);
        pages.push((path, Some(article.updated_at.date().to_string())));
    }
    Ok(pages)
}

fn changed(page: &Document) -> Option<String> {
    page.updated.clone().max(page.date.clone())
}

pub async fn sitemap(State(ctx): State<Context>) -> Result<Response, ApiError> {
    let base = &ctx.config.http.public_url;
    let mut xml = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">\n",
    );
    for (path, day) in pages(&ctx).await? {
        let changed = day.map(|day| format!("<lastmod>{day}</lastmod>")).unwrap_or_default();
        xml.push_str(&format!("  <url><loc>{base}{path}</loc>{changed}</url>\n"));
    }
    xml.push_str("</urlset>\n");
    Ok(plain("application/xml", xml))
}

/// What programs that read for people begin with (llmstxt.org): what this is, and where each page is as Markdown.
pub async fn llms(State(ctx): State<Context>) -> Response {
    let base = &ctx.config.http.public_url;
    let content = ctx.content.now();
    let mut text = String::from(
        "# Dev Forge\n\n\
         > Dev Forge is a desktop code editor that is whole with any AI model, or with none. This site sells its licenses, \
         documents it, and serves the JSON API that the editor calls.\n\n\
         The editor works without this site: every call to it is optional. Prices are on the pricing page and nowhere else. \
         Each page of the docs is there as Markdown, under its address with `.md` at the end.\n",
    );
    for group in DOC_GROUPS {
        let pages: Vec<&Document> = content.docs().into_iter().filter(|page| page.group == group).collect();
        if pages.is_empty() {
            continue;
        }
        text.push_str(&format!("\n## {group}\n\n"));
        for page in pages {
            text.push_str(&format!("- [{}]({base}{}.md): {}\n", page.title, page.path(), page.description));
        }
    }
    text.push_str(&format!(
        "\n## API\n\n\
         - [OpenAPI document]({base}/api/openapi.json): every endpoint, what it takes and what it answers.\n\
         - [API reference]({base}/docs/api.md): every call with what it is for.\n\
         - [Keys that sign]({base}/.well-known/jwks.json): with them the tokens of the API are verified offline.\n\
         \n## Optional\n\n\
         - [Help]({base}/support): answers to common questions.\n\
         - [Pricing]({base}/pricing): what Free, Pro and Enterprise cost and have.\n\
         - [Changelog]({base}/changelog/feed.json): what changed, as a JSON feed.\n\
         - [Blog]({base}/feed.json): blog and changelog together, as a JSON feed.\n\
         - [Sitemap]({base}/sitemap.xml): every public page with the day of its last change.\n"
    ));
    plain("text/plain; charset=utf-8", text)
}

/// RFC 9116. The file must not be older than its `Expires`, so that one is always a while ahead.
pub async fn security(State(ctx): State<Context>) -> Response {
    let expires = ctx.clock.now().replace_time(time::Time::MIDNIGHT) + Duration::days(180);
    let expires = expires.format(&Rfc3339).unwrap_or_default();
    let base = &ctx.config.http.public_url;
    let email = &ctx.config.operator.email;
    plain(
        "text/plain; charset=utf-8",
        format!(
            "Contact: mailto:{email}\nExpires: {expires}\nPreferred-Languages: en\nCanonical: {base}/.well-known/security.txt\n"
        ),
    )
}

/// RFC 7517: the public halves of the keys that sign the tokens of the API. Another site's page may read them.
pub async fn jwks(State(ctx): State<Context>, headers: HeaderMap) -> Result<Response, ApiError> {
    let text = signing::jwks(&ctx).await?.to_string();
    let etag = format!("\"{}\"", &crypto::to_hex(&crypto::sha256(text.as_bytes()))[..16]);
    let shared = [
        (header::ETAG, etag.as_str()),
        (header::CACHE_CONTROL, "public, max-age=300"),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    ];
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    if known.is_some_and(|known| known.split(',').any(|tag| tag.trim().trim_start_matches("W/") == etag)) {
        return Ok((StatusCode::NOT_MODIFIED, shared).into_response());
    }
    Ok((shared, [(header::CONTENT_TYPE, "application/jwk-set+json")], text).into_response())
}
