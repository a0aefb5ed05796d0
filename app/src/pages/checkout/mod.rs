//! The checkout: one form, what it costs, and the way to Stripe's page. And the page of an order, before and after.
//!
//! What always holds: every amount shown and charged is computed here from what was chosen, and none is taken from the
//! form; a form sent twice is one order; a mistake brings the same page back with all that was typed.

pub mod countries;
mod estimate;
mod form;
mod frame;
mod order;
pub(super) mod order_parts;
pub(super) mod order_view;
pub(super) mod summary;
mod typed;

use axum::{
    Form,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Redirect, Response},
};
use devforge::{
    account::Client,
    api::{error::ApiError, extract::Query},
    billing::{
        Error, catalogue, limits,
        order::{self as orders, Quote},
    },
    context::Context,
    contract::payment::Tier,
    integration::tax,
};

use self::{
    estimate::estimate,
    form::{Offers, Shown},
    typed::{Buyer, Choice, Chosen, Typed, in_order},
};
use super::{
    forms::{Mistakes, billing_mistakes},
    shell::{Page, Visit},
};

pub use self::{
    frame::bare_header,
    order::{order_page, pay},
};

const DESCRIPTION: &str = "What you buy, what it costs with tax, and the way to pay.";
/// What a price can be asked for again without, when that was wrong: coupon, tax id, seats.
const MOST_TRIES: usize = 4;
/// What computes the tax where nobody outside does.
const OWN_TABLE: &str = "table";

pub async fn checkout_page(
    State(ctx): State<Context>,
    Query(choice): Query<Choice>,
    client: Client,
    headers: HeaderMap,
    visit: Visit,
) -> Result<Response, ApiError> {
    if choice.tier.is_empty() {
        return Ok(Redirect::to("/pricing").into_response());
    }
    // Nobody is asked for a card for what costs nothing.
    if choice.tier == Tier::Free.as_str() {
        return Ok(Redirect::to("/download").into_response());
    }
    let buyer = Buyer::of(visit.caller.user());
    let mut typed = Typed::from_link(choice, &buyer);
    let Some(chosen) = typed.chosen() else { return Ok(not_sold(StatusCode::NOT_FOUND, &visit)) };
    if !countries::is_country(&typed.country) {
        let home = &ctx.config.payments.home_country;
        typed.country = countries::likely(client.country.as_deref(), chosen.currency, home);
    }
    typed.renew_token(&ctx.random);
    let mut wrong = Mistakes::default();
    typed.check_choice(&mut wrong);
    let asks = asks_of_a_link(&ctx, &client, &headers).await?;
    let sheet = Sheet { typed, chosen, buyer, wrong, status: Status::Asked, asks, sum: Sum::Exact };
    sheet.show(&ctx, &client, &visit).await
}

/// Another site's page can have anybody's browser follow a link, any number of times: that only fills in the form.
async fn asks_of_a_link(ctx: &Context, client: &Client, headers: &HeaderMap) -> Result<Asks, ApiError> {
    if headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site") {
        return Ok(Asks::Nobody);
    }
    if ctx.tax.maker() == OWN_TABLE {
        return Ok(Asks::Everybody);
    }
    match limits::take(ctx, limits::QUOTES, &client.network).await {
        Ok(()) => Ok(Asks::Everybody),
        Err(Error::TooManyTries { .. }) => Ok(Asks::Nobody),
        Err(error) => Err(error.into()),
    }
}

pub async fn checkout(
    State(ctx): State<Context>,
    client: Client,
    visit: Visit,
    Form(mut typed): Form<Typed>,
) -> Result<Response, ApiError> {
    let Some(chosen) = typed.chosen() else {
        return Ok(not_sold(StatusCode::UNPROCESSABLE_ENTITY, &visit));
    };
    if !typed.has_token() {
        typed.renew_token(&ctx.random);
    }
    let buyer = Buyer::of(visit.caller.user());
    let (wrong, status) = if typed.step == "update" {
        let mut wrong = Mistakes::default();
        typed.check_choice(&mut wrong);
        (wrong, Status::Updated)
    } else {
        (typed.check(&buyer), Status::Refused(StatusCode::UNPROCESSABLE_ENTITY))
    };
    let mut sheet = Sheet { typed, chosen, buyer, wrong, status, asks: Asks::Everybody, sum: Sum::Exact };
    if (status == Status::Updated || ctx.tax.maker() != OWN_TABLE)
        && let Err(error) = limits::take(&ctx, limits::QUOTES, &client.network).await
    {
        sheet.asks = Asks::Nobody;
        return sheet.refused(error, &ctx, &client, &visit).await;
    }
    if status != Status::Updated && sheet.wrong.is_empty() {
        sheet.buy(&ctx, &client, &visit).await
    } else {
        sheet.show(&ctx, &client, &visit).await
    }
}

/// How it came to the page that is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    /// Followed a link.
    Asked,
    /// Wanted to know what it costs.
    Updated,
    /// Wanted to buy.
    Refused(StatusCode),
    /// Wanted to buy, for another sum than it comes to.
    Changed,
}

/// Who is asked for what the sum is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asks {
    /// Whoever computes the tax, and whether the coupon is one.
    Everybody,
    /// Nobody outside, and no coupon is tried.
    Nobody,
}

/// How well the sum is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sum {
    Exact,
    /// The tax is not known yet.
    Estimate,
}

/// The form as it was sent, and what is wrong with it.
struct Sheet {
    typed: Typed,
    chosen: Chosen,
    buyer: Buyer,
    wrong: Mistakes,
    status: Status,
    asks: Asks,
    sum: Sum,
}

impl Sheet {
    /// Makes the order. Nobody is sent on for another sum than the one that stood on their button.
    async fn buy(mut self, ctx: &Context, client: &Client, visit: &Visit) -> Result<Response, ApiError> {
        if ctx.stripe.is_none() {
            return Ok(closed(visit));
        }
        if !self.typed.seen.is_empty() {
            let Some(quote) = self.priced(ctx, client).await? else {
                return Ok(not_sold(StatusCode::UNPROCESSABLE_ENTITY, visit));
            };
            if self.wrong.is_empty() && summary::promise(&quote) != self.typed.seen {
                self.status = Status::Changed;
            }
            if !self.wrong.is_empty() || self.status == Status::Changed {
                return self.show_priced(ctx, quote, visit).await;
            }
        }
        let request = self.typed.request(self.chosen, &self.buyer);
        let key = self.typed.request_key();
        let bought = orders::checkout(ctx, &visit.caller, client, &request, Some(&key));
        match Box::pin(bought).await {
            Ok(answer) => Ok(Redirect::to(&answer.url).into_response()),
            Err(error) => self.refused(error, ctx, client, visit).await,
        }
    }

    async fn refused(
        mut self,
        error: Error,
        ctx: &Context,
        client: &Client,
        visit: &Visit,
    ) -> Result<Response, ApiError> {
        let (status, wrong) = match error {
            Error::PriceUnavailable => return Ok(not_sold(StatusCode::UNPROCESSABLE_ENTITY, visit)),
            Error::PaymentsUnavailable => return Ok(closed(visit)),
            // When Stripe was away the order may be written down already: the same form, sent again, finds it.
            other => billing_mistakes(other)?,
        };
        self.wrong = wrong;
        self.status = Status::Refused(status);
        self.show(ctx, client, visit).await
    }

    async fn show(mut self, ctx: &Context, client: &Client, visit: &Visit) -> Result<Response, ApiError> {
        if ctx.stripe.is_none() {
            return Ok(closed(visit));
        }
        match self.priced(ctx, client).await? {
            Some(quote) => self.show_priced(ctx, quote, visit).await,
            None => {
                let asked = self.status == Status::Asked;
                let status = if asked { StatusCode::NOT_FOUND } else { StatusCode::UNPROCESSABLE_ENTITY };
                Ok(not_sold(status, visit))
            }
        }
    }

    async fn show_priced(self, ctx: &Context, quote: Quote, visit: &Visit) -> Result<Response, ApiError> {
        let Self { mut typed, chosen, buyer, wrong, status, sum, .. } = self;
        let pricing = catalogue::pricing(ctx, chosen.currency).await?;
        let offer = pricing.tiers.into_iter().find(|offer| offer.tier == chosen.tier);
        let offers = Offers {
            prices: offer.map(|offer| offer.prices).unwrap_or_default(),
            currencies: pricing.currencies,
        };
        let code = match status {
            Status::Asked => StatusCode::OK,
            Status::Updated if wrong.is_empty() => StatusCode::OK,
            Status::Updated | Status::Changed => StatusCode::UNPROCESSABLE_ENTITY,
            Status::Refused(status) => status,
        };
        typed.seen = summary::promise(&quote);
        let shown = Shown {
            typed,
            chosen,
            buyer,
            wrong: in_order(wrong),
            changed: status == Status::Changed,
            quote,
            sum,
            offers,
            environment: ctx.stripe.as_ref().map_or("", |stripe| stripe.environment()),
            now: ctx.clock.now(),
        };
        let page = Page::new("Checkout", DESCRIPTION, move || form::view(&shown)).paying().bare();
        Ok(page.status(code).render(visit))
    }

    /// What it costs. Where a coupon or a tax id is wrong, what it costs without: the page says both. Where the tax
    /// cannot be told, about what it costs. None when it is not sold.
    async fn priced(&mut self, ctx: &Context, client: &Client) -> Result<Option<Quote>, ApiError> {
        let mut want = self.typed.want(self.chosen, &self.buyer);
        if self.asks == Asks::Nobody {
            want.coupon = None;
            if ctx.tax.maker() != OWN_TABLE {
                self.sum = Sum::Estimate;
                return Ok(Box::pin(estimate(ctx, &want)).await?);
            }
        }
        for _ in 0..MOST_TRIES {
            match Box::pin(orders::quote(ctx, &want)).await {
                Ok(quote) => return Ok(Some(quote)),
                Err(Error::PriceUnavailable) => return Ok(None),
                Err(Error::InvalidCoupon(why)) if want.coupon.is_some() => {
                    // Guessing coupons is as slow here as it is when one buys.
                    let who = self.buyer.id().map_or_else(|| client.network.clone(), |id| id.to_string());
                    limits::take(ctx, limits::WRONG_COUPONS, &who).await?;
                    self.wrong.add("coupon", why);
                    want.coupon = None;
                }
                Err(Error::InvalidTaxId(why)) if want.tax_id.is_some() => {
                    self.wrong.add("taxId", why);
                    want.tax_id = None;
                }
                Err(Error::Invalid(problems)) if want.seats > 1 => {
                    for problem in problems {
                        self.wrong.add(&problem.field, problem.message);
                    }
                    want.seats = 1;
                }
                Err(Error::Tax(error)) => {
                    self.without_tax(error)?;
                    return Ok(Box::pin(estimate(ctx, &want)).await?);
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(None)
    }

    /// Says why the tax is not known, unless whoever looks has typed nothing yet that could be wrong. What does not pass
    /// by itself, and nobody who buys can put right, fails.
    fn without_tax(&mut self, error: tax::Error) -> Result<(), ApiError> {
        self.sum = Sum::Estimate;
        let asked = self.status == Status::Asked;
        match error {
            tax::Error::Address(_) if asked => {}
            tax::Error::Address(words) => self.wrong.add("postalCode", words),
            error => {
                let (status, wrong) = billing_mistakes(Error::Tax(error))?;
                self.wrong.general = wrong.general;
                if !asked {
                    self.status = Status::Refused(status);
                }
            }
        }
        Ok(())
    }
}

/// A price that there is not, or not any more.
fn not_sold(status: StatusCode, visit: &Visit) -> Response {
    let page = Page::new("This is not sold here", "What can be bought stands on the page of prices.", || {
        let text = "There is no such price, or it is not offered any more. Nothing was charged. The prices \
                    page says what can be bought at once, and how to ask for what is sold by quote.";
        frame::message("This is not sold here", text)
    });
    page.status(status).render(visit)
}

/// Nobody can pay here as it is set up.
fn closed(visit: &Visit) -> Response {
    let page = Page::new("Payments are closed", "Nothing can be bought for the moment.", || {
        let text = "This site cannot take payments for the moment. Nothing was charged. What you have bought \
                    keeps working, and the Free tier needs no payment.";
        frame::message("Payments are closed for the moment", text)
    });
    page.status(StatusCode::SERVICE_UNAVAILABLE).render(visit)
}
