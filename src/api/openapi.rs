//! The OpenAPI document, made from the routes themselves.

use std::sync::LazyLock;

use axum::{
    body::Bytes,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::Value;
use utoipa::openapi::{
    Components, ComponentsBuilder, InfoBuilder, OpenApi, OpenApiBuilder, ServerBuilder,
    security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
    tag::TagBuilder,
};

use crate::crypto;

const DESCRIPTION: &str = "The API that the Dev Forge editor, this site and your own tools use. Requests and answers are JSON in \
camelCase, times are RFC 3339 in UTC, money is an amount in minor units with its currency.";

pub(super) fn base() -> OpenApi {
    let tag =
        |name: &str, description: &str| TagBuilder::new().name(name).description(Some(description)).build();
    OpenApiBuilder::new()
        .info(InfoBuilder::new().title("Dev Forge API").version("1").description(Some(DESCRIPTION)).build())
        .servers(Some([ServerBuilder::new().url("/api").build()]))
        .tags(Some([
            tag("Account", "Making an account, signing in and out, and staying signed in."),
            tag("Two-factor sign-in", "A code of an authenticator app, asked for after the password."),
            tag("Sessions", "Where the caller is signed in."),
            tag("Personal tokens", "Tokens for the caller's own programs."),
            tag("Payments", "Prices, buying, invoices, subscriptions and refunds."),
            tag("Licenses", "What one may use, on which machines, and until when."),
            tag("Support", "Help articles, and whether they helped."),
            tag("Search", "Search over everything one can read on this site."),
        ]))
        .components(Some(ways_to_say_who_is_calling()))
        .build()
}

/// Each operation names those that it takes. One that names none is for everybody.
fn ways_to_say_who_is_calling() -> Components {
    let bearer = |format: &str, description: &str| {
        SecurityScheme::Http(
            HttpBuilder::new()
                .scheme(HttpAuthScheme::Bearer)
                .bearer_format(format)
                .description(Some(description))
                .build(),
        )
    };
    let cookie = "What a browser is signed in with on this site. Over plain http, in development, it is called \
                  `session`. With it, only pages of this site change anything.";
    ComponentsBuilder::new()
        .security_scheme(
            "accessToken",
            bearer("JWT", "From registering, signing in or refreshing. Good for 15 minutes."),
        )
        .security_scheme(
            "personalToken",
            bearer("dfp_…", "A token that its owner made, with the scopes that an operation names."),
        )
        .security_scheme(
            "sessionCookie",
            SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::with_description("__Host-session", cookie))),
        )
        .build()
}

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let (_, document) = super::documented().split_for_parts();
    serde_json::to_value(document).expect("the document is plain data")
});

static BYTES: LazyLock<(Bytes, String)> = LazyLock::new(|| {
    let text = serde_json::to_string_pretty(&*DOCUMENT).expect("a JSON value always prints");
    let etag = format!("\"{}\"", &crypto::to_hex(&crypto::sha256(text.as_bytes()))[..16]);
    (Bytes::from(text), etag)
});

pub fn document() -> &'static Value {
    &DOCUMENT
}

/// As committed in `openapi.json`: with a newline at its end.
pub fn pretty() -> String {
    format!("{}\n", serde_json::to_string_pretty(&*DOCUMENT).expect("a JSON value always prints"))
}

pub(super) async fn serve(headers: HeaderMap) -> Response {
    let (bytes, etag) = &*BYTES;
    let shared = [
        (header::ETAG, etag.as_str()),
        (header::CACHE_CONTROL, "public, max-age=300"),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    ];
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    if known.is_some_and(|known| known.split(',').any(|tag| tag.trim().trim_start_matches("W/") == etag)) {
        return (StatusCode::NOT_MODIFIED, shared).into_response();
    }
    (shared, [(header::CONTENT_TYPE, "application/json")], bytes.clone()).into_response()
}
