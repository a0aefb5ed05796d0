//! The catalogue: what is sold and for how much, and changing it with a look at what will come of it.

mod coupons;
mod preview;
mod prices;
mod view;

use axum::{
    Form,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use devforge::{
    api::{
        error::ApiError,
        extract::{Path, Query},
    },
    billing::catalogue,
    context::Context,
    contract::payment::Tier,
};
use serde::Deserialize;

use self::view::{Described, catalogue_view};
pub use self::{
    coupons::{coupons_page, make_coupon, withdraw_coupon},
    prices::{price_page, set_price, withdraw_price},
};
use super::frame::{Here, Section, Viewer, frame};
use crate::pages::{
    forms::billing_mistakes,
    shell::{Page, Visit},
};

const PATH: &str = "/admin/catalogue";

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct DoneQuery {
    done: String,
}

/// What a redirect says was done, and what follows from it. The word itself is never shown.
fn done(word: &str) -> Option<(&'static str, &'static str)> {
    Some(match word {
        "price" => {
            ("The price is set", "The pricing page shows it now. Whoever has bought keeps their price.")
        }
        "price-withdrawn" => {
            ("The price is withdrawn", "Nobody can buy at it any more. Whoever has bought keeps it.")
        }
        "tier" => ("The words are changed", "The pricing page shows them now."),
        "coupon" => ("The coupon is made", "It can be used from now on."),
        "coupon-withdrawn" => {
            ("The coupon is withdrawn", "Nobody can use it any more. Whoever has used it keeps what it gave.")
        }
        _ => return None,
    })
}

pub async fn catalogue_page(
    State(ctx): State<Context>,
    Query(query): Query<DoneQuery>,
    visit: Visit,
) -> Result<Response, ApiError> {
    show(&ctx, &visit, done(&query.done), None, StatusCode::OK).await
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct TierForm {
    name: String,
    description: String,
}

pub async fn describe_tier(
    State(ctx): State<Context>,
    Path(code): Path<String>,
    visit: Visit,
    Form(form): Form<TierForm>,
) -> Result<Response, ApiError> {
    let tier = Tier::parse(&code).ok_or_else(ApiError::not_found)?;
    let TierForm { name, description } = form;
    match catalogue::describe_tier(&ctx, &visit.caller, tier, &name, &description).await {
        Ok(()) => Ok(Redirect::to("/admin/catalogue?done=tier").into_response()),
        Err(error) => {
            let (status, wrong) = billing_mistakes(error)?;
            show(&ctx, &visit, None, Some(Described { tier, name, description, wrong }), status).await
        }
    }
}

async fn show(
    ctx: &Context,
    visit: &Visit,
    done: Option<(&'static str, &'static str)>,
    tried: Option<Described>,
    status: StatusCode,
) -> Result<Response, ApiError> {
    let found = catalogue::overview(ctx, &visit.caller).await?;
    let viewer = Viewer::of(ctx, &visit.caller)?;
    let page = Page::new("Catalogue", "What is sold, and for how much.", move || {
        frame(Here::Page(Section::Catalogue), viewer, catalogue_view(found, done, tried.as_ref()))
    });
    Ok(page.status(status).render(visit))
}

#[cfg(test)]
mod tests {
    use super::done;

    #[test]
    fn only_words_of_our_own_are_answered() {
        assert!(done("price").is_some());
        assert_eq!(done("<script>"), None);
        assert_eq!(done(""), None);
    }
}
