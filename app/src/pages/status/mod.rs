//! How the parts of this site are at this moment, in words for people.
//!
//! What always holds: the page comes, whatever of the site is away, and in a few seconds; it says what this process sees
//! and nothing of before.

mod look;
mod view;

use axum::{
    extract::{FromRequestParts, Request, State},
    http::{HeaderValue, header, request::Parts},
    response::Response,
};
use devforge::{
    api::{error::ApiError, extract::CurrentRequest},
    context::Context,
    contract::id::RequestId,
};

use self::{look::PATIENCE, view::status};
use super::shell::{Cacheable, Page, Visit};

pub async fn status_page(
    State(ctx): State<Context>,
    CurrentRequest(request_id): CurrentRequest,
    request: Request,
) -> Result<Response, ApiError> {
    let (mut parts, _) = request.into_parts();
    let (visit, seen) = tokio::join!(visit(&ctx, &mut parts, request_id), look::seen(&ctx));
    let seen = seen.map_err(|error| ApiError::internal(&error))?;
    let page = Page::new(
        "Status",
        "How the parts of the Dev Forge site are at this moment, and what each of them means for you.",
        move || status(&seen),
    );
    let page = page.public("/status").breadcrumbs(&[("Home", "/"), ("Status", "/status")]);
    let mut response = page.render(&visit);
    // A search engine may find it, but nobody is to be shown how it was a while ago.
    response.extensions_mut().remove::<Cacheable>();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    Ok(response)
}

/// Who is there, if the database says so in time. The page does not depend on it.
async fn visit(ctx: &Context, parts: &mut Parts, request_id: RequestId) -> Visit {
    let found = <Visit as FromRequestParts<Context>>::from_request_parts(parts, ctx);
    let found = tokio::time::timeout(PATIENCE, Box::pin(found)).await;
    match found {
        Ok(Ok(visit)) => visit,
        _ => Visit::anonymous(ctx, &parts.headers, parts.uri.path(), request_id),
    }
}
