//! The books for administrators: revenue and what it is made of, entry by entry, tax by country, and what is subscribed
//! to. Every number is a link to what it is made of; everything is to be had as a file.

mod asked;
mod books;
mod ledger;
mod overview;
mod parts;
mod subscriptions;
mod tax;

use axum::{
    Form,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use devforge::{
    api::{
        error::ApiError,
        extract::{Path, Query},
    },
    billing::{
        finance::{self, Export, File, Period, SubscriptionList},
        ledger as entries,
    },
    context::Context,
    contract::{id::LedgerTransactionId, problem::FieldProblem},
};
use time::OffsetDateTime;

use self::asked::{LedgerQuery, PeriodQuery, last_month};
use super::frame::{Here, Section, Viewer, frame};
use crate::pages::{
    forms::Mistakes,
    shell::{Page, Visit},
};

pub async fn overview(
    State(ctx): State<Context>,
    Query(query): Query<PeriodQuery>,
    visit: Visit,
) -> Result<Response, ApiError> {
    let now = ctx.clock.now();
    let (asked, wrong) = query.read(last_month(now));
    let found = finance::overview(&ctx, &visit.caller, asked.period, asked.currency.as_deref()).await?;
    let viewer = Viewer::of(&ctx, &visit.caller)?;
    let status = status(&wrong);
    let page = Page::new("Finance", "Revenue, and the entries it is made of.", move || {
        frame(Here::Page(Section::Finance), viewer, overview::view(found, &asked, &wrong, now))
    });
    Ok(page.status(status).render(&visit))
}

pub async fn ledger(
    State(ctx): State<Context>,
    Query(query): Query<LedgerQuery>,
    visit: Visit,
) -> Result<Response, ApiError> {
    let (filter, wrong) = query.filter();
    let page = query.page.parse().unwrap_or(1);
    let found = entries::list(&ctx, &visit.caller, &filter, page).await?;
    let viewer = Viewer::of(&ctx, &visit.caller)?;
    let now = ctx.clock.now();
    let status = status(&wrong);
    let page = Page::new("Ledger", "The books, entry by entry.", move || {
        frame(Here::Below(Section::Finance), viewer, ledger::view(found, &filter, &query, &wrong, now))
    });
    Ok(page.status(status).render(&visit))
}

pub async fn transaction(
    State(ctx): State<Context>,
    Path(id): Path<LedgerTransactionId>,
    visit: Visit,
) -> Result<Response, ApiError> {
    let found = entries::find(&ctx, &visit.caller, id).await?;
    let viewer = Viewer::of(&ctx, &visit.caller)?;
    let title = format!("{} {}", found.movement.kind.label(), found.movement.reference);
    let page = Page::new(title, "One transaction of the ledger.", move || {
        frame(Here::Below(Section::Finance), viewer, ledger::transaction(found))
    });
    Ok(page.render(&visit))
}

pub async fn tax(
    State(ctx): State<Context>,
    Query(query): Query<PeriodQuery>,
    visit: Visit,
) -> Result<Response, ApiError> {
    let now = ctx.clock.now();
    let (asked, wrong) = query.read(this_quarter(now));
    let rows = finance::tax(&ctx, &visit.caller, asked.period, asked.currency.as_deref()).await?;
    let viewer = Viewer::of(&ctx, &visit.caller)?;
    let status = status(&wrong);
    let page = Page::new("Tax", "What was sold into each country, and the tax on it.", move || {
        frame(Here::Below(Section::Finance), viewer, tax::view(&rows, &asked, &wrong, now))
    });
    Ok(page.status(status).render(&visit))
}

pub async fn subscriptions(
    State(ctx): State<Context>,
    Query(query): Query<PeriodQuery>,
    visit: Visit,
) -> Result<Response, ApiError> {
    let now = ctx.clock.now();
    let (asked, wrong) = query.read(last_month(now));
    let list = SubscriptionList::parse(&query.list).unwrap_or_default();
    let page = query.page.parse().unwrap_or(1);
    let currency = asked.currency.as_deref();
    let found = finance::subscriptions(&ctx, &visit.caller, list, asked.period, currency, page).await?;
    let viewer = Viewer::of(&ctx, &visit.caller)?;
    let status = status(&wrong);
    let page = Page::new("Subscriptions", "What is paid for again and again.", move || {
        frame(Here::Below(Section::Finance), viewer, subscriptions::view(found, list, &asked, &wrong, now))
    });
    Ok(page.status(status).render(&visit))
}

/// Looks through all the books and says what it found. Nothing is changed.
pub async fn check(State(ctx): State<Context>, visit: Visit) -> Result<Response, ApiError> {
    let found = finance::check(&ctx, &visit.caller).await?;
    let viewer = Viewer::of(&ctx, &visit.caller)?;
    let now = ctx.clock.now();
    let page = Page::new("The books were checked", "Whether everything agrees with everything.", move || {
        frame(Here::Below(Section::Finance), viewer, books::view(found, now))
    });
    Ok(page.render(&visit))
}

pub async fn ledger_csv(
    State(ctx): State<Context>,
    visit: Visit,
    Form(query): Form<LedgerQuery>,
) -> Result<Response, ApiError> {
    let (filter, wrong) = query.filter();
    understood(wrong)?;
    Ok(download(finance::export(&ctx, &visit.caller, &Export::Ledger(filter)).await?))
}

pub async fn tax_csv(
    State(ctx): State<Context>,
    visit: Visit,
    Form(query): Form<PeriodQuery>,
) -> Result<Response, ApiError> {
    let (asked, wrong) = query.read(this_quarter(ctx.clock.now()));
    understood(wrong)?;
    let what = Export::Tax { period: asked.period, currency: asked.currency };
    Ok(download(finance::export(&ctx, &visit.caller, &what).await?))
}

pub async fn revenue_csv(
    State(ctx): State<Context>,
    visit: Visit,
    Form(query): Form<PeriodQuery>,
) -> Result<Response, ApiError> {
    let (asked, wrong) = query.read(last_month(ctx.clock.now()));
    understood(wrong)?;
    let what = Export::Revenue { period: asked.period, currency: asked.currency };
    Ok(download(finance::export(&ctx, &visit.caller, &what).await?))
}

fn download(file: File) -> Response {
    let disposition = format!("attachment; filename=\"devforge-{}\"", file.name);
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, disposition),
        (header::CACHE_CONTROL, "private, no-store".to_owned()),
    ];
    (headers, file.text).into_response()
}

fn status(wrong: &Mistakes) -> StatusCode {
    if wrong.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY }
}

/// A file has no place for what was misunderstood.
fn understood(wrong: Mistakes) -> Result<(), ApiError> {
    if wrong.is_empty() {
        return Ok(());
    }
    let problem = |(field, message)| FieldProblem { field, code: "invalid".to_owned(), message };
    Err(ApiError::invalid(wrong.fields.into_iter().map(problem).collect()))
}

/// What is filed next.
fn this_quarter(now: OffsetDateTime) -> Period {
    let day = now.date();
    let quarter = (u8::from(day.month()) - 1) / 3 + 1;
    Period::parse(&format!("{:04}-Q{quarter}", day.year())).unwrap_or_else(|| last_month(now))
}

#[cfg(test)]
mod tests {
    use time::macros::{date, datetime};

    use super::*;

    #[test]
    fn a_quarter_has_its_three_months() {
        let quarter = this_quarter(datetime!(2026-11-20 10:00 UTC));
        assert_eq!((quarter.first(), quarter.last()), (date!(2026 - 10 - 01), date!(2026 - 12 - 31)));
        assert_eq!(this_quarter(datetime!(2026-03-31 23:59 UTC)).first(), date!(2026 - 01 - 01));
    }
}
