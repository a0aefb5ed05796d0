//! A document as a page and as a PDF, for whoever is signed in and for whoever has its link.

mod view;

use axum::{
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use devforge::{
    api::{
        error::ApiError,
        extract::{Path, Query},
    },
    billing::{
        self,
        document::{self, Document},
    },
    context::Context,
    contract::id::InvoiceId,
};
use serde::Deserialize;
use tokio::sync::Semaphore;

use self::view::{Shown, invoice_view};
use crate::pages::shell::{Page, Visit};

/// Printing takes a core for as long as it lasts: so many at once, and the others wait.
static PRINTERS: Semaphore = Semaphore::const_new(2);

#[derive(Debug, Deserialize)]
pub struct LinkQuery {
    key: Option<String>,
}

pub async fn invoice_page(
    State(ctx): State<Context>,
    Path(id): Path<InvoiceId>,
    Query(query): Query<LinkQuery>,
    visit: Visit,
) -> Result<Response, ApiError> {
    let key = query.key.as_deref();
    let document = found(&ctx, &visit, id, key).await?;
    let beside = document::beside(&ctx, &document).await?;
    let pdf = if key.is_some() { document::pdf_path(&ctx, id) } else { format!("/invoices/{id}/pdf") };
    let signed_in = visit.caller.user().is_some();
    let title = format!("{} {}", document.content.kind.label(), document.content.number);
    let about = "What was bought, what it cost, and the tax in it.";
    let page = Page::new(title, about, move || invoice_view(&Shown { document, beside, pdf, signed_in }));
    let visit = if query.key.is_some() { visit.without_address() } else { visit };
    Ok(to_oneself(page.render(&visit)))
}

pub async fn invoice_pdf(
    State(ctx): State<Context>,
    Path(id): Path<InvoiceId>,
    Query(query): Query<LinkQuery>,
    visit: Visit,
) -> Result<Response, ApiError> {
    let document = found(&ctx, &visit, id, query.key.as_deref()).await?;
    let name = format!("inline; filename=\"{}\"", document.file_name());
    let file = printed(document).await?;
    let headers = [
        (header::CONTENT_TYPE, "application/pdf"),
        (header::CONTENT_DISPOSITION, name.as_str()),
        (header::CACHE_CONTROL, "private, no-store"),
    ];
    Ok(to_oneself((headers, file).into_response()))
}

/// Away from the threads that answer everybody.
async fn printed(document: Document) -> Result<Vec<u8>, ApiError> {
    let _printer = PRINTERS.acquire().await.map_err(|error| ApiError::internal(&error))?;
    let printed = tokio::task::spawn_blocking(move || document::pdf(&document)).await;
    let printed = printed.map_err(|error| ApiError::internal(&error))?;
    Ok(printed.map_err(billing::Error::from)?)
}

/// Whoever has a key is asked for nothing else, and a wrong one opens nothing.
async fn found(ctx: &Context, visit: &Visit, id: InvoiceId, key: Option<&str>) -> Result<Document, ApiError> {
    match key {
        Some(key) => Ok(document::by_link(ctx, id, key).await?),
        None => Ok(document::open(ctx, &visit.caller, id).await?),
    }
}

/// The address may open the document: other sites are not told it. Our own learn it, or the forms of the page would
/// be refused.
fn to_oneself(mut response: Response) -> Response {
    response.headers_mut().insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    response
}
