//! Small files that programs look for: robots, the sitemap, the address for security reports, the keys that sign.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use devforge::{api::error::ApiError, config::Mode, context::Context, crypto, signing};
use time::{Duration, format_description::well_known::Rfc3339};

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

pub async fn sitemap(State(ctx): State<Context>) -> Response {
    let base = &ctx.config.http.public_url;
    let mut xml = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">\n",
    );
    for path in ["/", "/pricing", "/download", "/docs", "/docs/api", "/search"] {
        xml.push_str(&format!("  <url><loc>{base}{path}</loc></url>\n"));
    }
    for page in ctx.content.all() {
        let changed =
            page.updated.as_ref().map(|day| format!("<lastmod>{day}</lastmod>")).unwrap_or_default();
        xml.push_str(&format!("  <url><loc>{base}{}</loc>{changed}</url>\n", page.path()));
    }
    xml.push_str("</urlset>\n");
    plain("application/xml", xml)
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
