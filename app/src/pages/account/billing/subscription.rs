//! Somebody's subscription: how it stands, changing it after seeing what that costs, ending it, another card.

use axum::{
    Form,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use devforge::{
    api::{error::ApiError, extract::Query},
    billing::{Error, catalogue, subscription},
    context::Context,
    contract::payment::{
        ChangePreview, Interval, Subscription, SubscriptionChange, SubscriptionStatus, Tier,
    },
};
use serde::Deserialize;

use super::subscription_view::{Offers, Shown, subscription_view};
use crate::pages::{
    account::layout::{Done, DoneQuery, Section, back_at, page_below},
    forms::{Mistakes, billing_mistakes},
    shell::{Page, Visit},
};

pub const PATH: &str = "/account/billing/subscription";

/// All as text: what is no number of seats is no number that can be had.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Typed {
    pub tier: String,
    pub interval: String,
    pub seats: String,
    /// `apply`, once it was shown what it costs.
    pub step: String,
    /// What was shown to be due, in minor units.
    pub due: String,
}

impl Typed {
    /// What the form shows before anything was typed: how it is to go on.
    fn of(subscription: &Subscription) -> Self {
        let (tier, seats) = match subscription.next {
            Some(next) => (next.tier, next.seats),
            None => (subscription.tier, subscription.seats),
        };
        Self {
            tier: tier.as_str().to_owned(),
            interval: subscription.interval.as_str().to_owned(),
            seats: seats.to_string(),
            ..Self::default()
        }
    }

    fn wanted(&self) -> SubscriptionChange {
        let seats = self.seats.trim().replace(',', "");
        SubscriptionChange {
            tier: Tier::parse(&self.tier),
            interval: Interval::parse(&self.interval),
            seats: (!seats.is_empty()).then(|| seats.parse().unwrap_or(0)),
            preview: true,
        }
    }

    /// Whether what is due now was shown to be so, or more: the rest of a period is worth less with every minute.
    fn agrees_to(&self, preview: &ChangePreview) -> bool {
        self.step == "apply" && self.due.parse::<i64>().is_ok_and(|shown| preview.due_now.amount <= shown)
    }
}

/// What a redirect says was done. The word itself is never shown.
fn done(word: &str) -> Option<Done> {
    Some(match word {
        "changed" => ("The subscription is changed", "It counts from now on."),
        "later" => ("The change is set", "It comes with the next period. Until then you keep what you have."),
        "cancelled" => ("The subscription is cancelled", "Everything works until its period ends."),
        "kept" => ("The subscription goes on", "It renews as before."),
        _ => return None,
    })
}

pub async fn subscription_page(
    State(ctx): State<Context>,
    Query(query): Query<DoneQuery>,
    visit: Visit,
) -> Result<Response, ApiError> {
    let answer = Answer { done: done(&query.done), ..Answer::default() };
    show(&ctx, &visit, answer, StatusCode::OK).await
}

/// First what it costs, then, from the page that says so, the change itself.
pub async fn change_subscription(
    State(ctx): State<Context>,
    visit: Visit,
    Form(typed): Form<Typed>,
) -> Result<Response, ApiError> {
    let wanted = typed.wanted();
    let preview = match subscription::change(&ctx, &visit.caller, &wanted).await {
        Ok(answer) => answer.preview,
        Err(error) => return refused(&ctx, &visit, error, Some(typed)).await,
    };
    if !typed.agrees_to(&preview) {
        let answer = Answer { typed: Some(typed), preview: Some(preview), ..Answer::default() };
        return show(&ctx, &visit, answer, StatusCode::OK).await;
    }
    let change = SubscriptionChange { preview: false, ..wanted };
    match subscription::change(&ctx, &visit.caller, &change).await {
        Ok(answer) => {
            let word = if answer.preview.effective_at > ctx.clock.now() { "later" } else { "changed" };
            Ok(Redirect::to(&format!("{PATH}?done={word}")).into_response())
        }
        Err(error) => refused(&ctx, &visit, error, Some(typed)).await,
    }
}

pub async fn cancel_subscription(State(ctx): State<Context>, visit: Visit) -> Result<Response, ApiError> {
    match subscription::cancel(&ctx, &visit.caller).await {
        Ok(_) => Ok(Redirect::to(&format!("{PATH}?done=cancelled")).into_response()),
        Err(error) => refused(&ctx, &visit, error, None).await,
    }
}

pub async fn resume_subscription(State(ctx): State<Context>, visit: Visit) -> Result<Response, ApiError> {
    match subscription::resume(&ctx, &visit.caller).await {
        Ok(_) => Ok(Redirect::to(&format!("{PATH}?done=kept")).into_response()),
        Err(error) => refused(&ctx, &visit, error, None).await,
    }
}

/// To the payment provider's page, where the card is changed.
pub async fn open_portal(State(ctx): State<Context>, visit: Visit) -> Result<Response, ApiError> {
    match subscription::portal(&ctx, &visit.caller).await {
        Ok(portal) => Ok(Redirect::to(&portal.url).into_response()),
        Err(error) => refused(&ctx, &visit, error, None).await,
    }
}

async fn refused(
    ctx: &Context,
    visit: &Visit,
    error: Error,
    typed: Option<Typed>,
) -> Result<Response, ApiError> {
    let (status, wrong) = billing_mistakes(error)?;
    show(ctx, visit, Answer { wrong, typed, ..Answer::default() }, status).await
}

/// What a request adds to the page.
#[derive(Default)]
struct Answer {
    done: Option<Done>,
    wrong: Mistakes,
    typed: Option<Typed>,
    preview: Option<ChangePreview>,
}

async fn show(
    ctx: &Context,
    visit: &Visit,
    answer: Answer,
    status: StatusCode,
) -> Result<Response, ApiError> {
    let subscription = subscription::current(ctx, &visit.caller).await?;
    let offers = match &subscription {
        Some(subscription) => offers(ctx, subscription).await?,
        None => Offers::default(),
    };
    let Answer { done, wrong, typed, preview } = answer;
    let typed = typed.or_else(|| subscription.as_ref().map(Typed::of)).unwrap_or_default();
    let shown = Shown { done, wrong, typed, preview, subscription, offers, now: ctx.clock.now() };
    let page = Page::new("Subscription", "Your plan, its seats and its payment.", move || {
        page_below(Section::Billing, "Subscription", subscription_view(shown))
    });
    Ok(page.status(status).paying().render(&back_at(visit, PATH)))
}

/// What it can become. What it is stays in the list, also when it is no longer sold.
async fn offers(ctx: &Context, subscription: &Subscription) -> Result<Offers, ApiError> {
    let running = matches!(subscription.status, SubscriptionStatus::Active | SubscriptionStatus::Trialing);
    if !running || subscription.cancel_at_period_end {
        return Ok(Offers::default());
    }
    let pricing = catalogue::pricing(ctx, subscription.unit_amount.currency).await?;
    let sold = |tier: Tier, interval: Interval| {
        pricing
            .tiers
            .iter()
            .filter(|offer| offer.tier == tier)
            .any(|offer| offer.prices.iter().any(|price| price.interval == interval))
    };
    let tiers = [Tier::Pro, Tier::Enterprise]
        .into_iter()
        .filter(|tier| *tier == subscription.tier || sold(*tier, subscription.interval))
        .collect();
    let intervals = [Interval::Month, Interval::Year]
        .into_iter()
        .filter(|interval| {
            // A yearly one becomes monthly only by ending.
            *interval == subscription.interval
                || (subscription.interval == Interval::Month && sold(subscription.tier, *interval))
        })
        .collect();
    Ok(Offers { tiers, intervals })
}

#[cfg(test)]
mod tests {
    use devforge::contract::money::Currency;
    use time::macros::datetime;

    use super::*;

    #[test]
    fn what_is_no_number_is_not_taken_for_one_seat() {
        let typed = |seats: &str| Typed { seats: seats.to_owned(), ..Typed::default() };
        assert_eq!(typed(" 12 ").wanted().seats, Some(12));
        assert_eq!(typed("1,200").wanted().seats, Some(1200));
        assert_eq!(typed("many").wanted().seats, Some(0));
        assert_eq!(typed("-3").wanted().seats, Some(0));
        assert_eq!(typed("").wanted().seats, None);
    }

    #[test]
    fn nobody_pays_more_than_the_button_said() {
        let typed =
            |step: &str, due: &str| Typed { step: step.to_owned(), due: due.to_owned(), ..Typed::default() };
        let preview = ChangePreview {
            lines: Vec::new(),
            due_now: Currency::Usd.of(1234),
            effective_at: datetime!(2026-11-20 10:00 UTC),
            renewal: Currency::Usd.of(5700),
        };
        assert!(typed("apply", "1234").agrees_to(&preview));
        assert!(typed("apply", "1235").agrees_to(&preview));
        assert!(!typed("apply", "1233").agrees_to(&preview));
        assert!(!typed("apply", "").agrees_to(&preview));
        assert!(!typed("preview", "1234").agrees_to(&preview));
    }
}
