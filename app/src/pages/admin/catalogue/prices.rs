//! Setting a price: a form, then a look at what comes of it, and only then the change.

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
    billing::catalogue::{self, NewPrice, PriceHistory},
    context::Context,
    contract::{
        id::PriceId,
        money::{Currency, decimal, parse_amount},
        payment::{Interval, Tier},
    },
};
use leptos::prelude::*;
use serde::Deserialize;

use super::{
    PATH,
    preview::{preview, price_words},
    view::running,
};
use crate::{
    components::{Breadcrumb, Field, Icon},
    pages::{
        admin::frame::{Here, Section, Viewer, choice, frame},
        forms::{Mistakes, billing_mistakes},
        moments::day,
        shell::{Page, Visit},
    },
};

/// A price as it was typed. Which step it is for, its button says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PriceForm {
    pub tier: String,
    pub interval: String,
    pub currency: String,
    pub amount: String,
    pub trial_days: String,
    /// The price in force when it was looked at.
    pub replaces: String,
    pub step: String,
}

impl PriceForm {
    fn read(&self) -> Result<NewPrice, Mistakes> {
        let mut wrong = Mistakes::default();
        let tier = Tier::parse(&self.tier);
        if tier.is_none() {
            wrong.add("tier", "Choose one of the tiers.");
        }
        let interval = Interval::parse(&self.interval);
        if interval.is_none() {
            wrong.add("interval", "Choose how often it is paid.");
        }
        let currency = Currency::parse(&self.currency);
        if currency.is_none() {
            wrong.add("currency", "Choose one of the currencies.");
        }
        let amount = currency.and_then(|currency| parse_amount(&self.amount, currency));
        if let (Some(currency), None) = (currency, amount) {
            let example = match currency.digits() {
                0 => "Write an amount like 2,900, without anything behind a point.",
                _ => "Write an amount like 19 or 19.50.",
            };
            wrong.add("amount", example);
        }
        let days = self.trial_days.trim();
        let trial_days = if days.is_empty() { Some(0) } else { days.parse::<u16>().ok() };
        if trial_days.is_none() {
            wrong.add("trialDays", "Write how many days, or 0 for none.");
        }
        match (tier, interval, currency, amount, trial_days) {
            (Some(tier), Some(interval), Some(currency), Some(amount), Some(trial_days)) => Ok(NewPrice {
                tier,
                interval,
                currency,
                amount,
                trial_days,
                replaces: self.replaces.parse().ok(),
            }),
            _ => Err(wrong),
        }
    }

    /// The price in force that this one is about.
    fn current<'a>(&self, prices: &'a [PriceHistory]) -> Option<&'a PriceHistory> {
        prices.iter().find(|price| {
            let details = &price.details;
            price.withdrawn_at.is_none()
                && details.tier.as_str() == self.tier
                && details.price.interval.as_str() == self.interval
                && details.price.currency.as_str() == self.currency
        })
    }
}

pub async fn price_page(
    State(ctx): State<Context>,
    Query(mut form): Query<PriceForm>,
    visit: Visit,
) -> Result<Response, ApiError> {
    let prices = catalogue::overview(&ctx, &visit.caller).await?.prices;
    // What is in force is what a change begins with.
    if let Some(current) = form.current(&prices)
        && form.amount.is_empty()
    {
        let price = &current.details.price;
        form.amount = decimal(price.currency.of(price.amount));
        form.trial_days = price.trial_days.to_string();
    }
    show_form(&ctx, &visit, form, Mistakes::default(), StatusCode::OK).await
}

pub async fn set_price(
    State(ctx): State<Context>,
    visit: Visit,
    Form(form): Form<PriceForm>,
) -> Result<Response, ApiError> {
    if form.step == "edit" {
        return show_form(&ctx, &visit, form, Mistakes::default(), StatusCode::OK).await;
    }
    let new = match form.read() {
        Ok(new) => new,
        Err(wrong) => return show_form(&ctx, &visit, form, wrong, StatusCode::UNPROCESSABLE_ENTITY).await,
    };
    let outcome = if form.step == "save" {
        match catalogue::set_price(&ctx, &visit.caller, &new).await {
            Ok(_) => return Ok(Redirect::to("/admin/catalogue?done=price").into_response()),
            Err(error) => Err(error),
        }
    } else {
        catalogue::preview_price(&ctx, &visit.caller, &new).await
    };
    match outcome {
        Ok(found) => {
            let month = catalogue::offered(&ctx, new.tier, Interval::Month, new.currency).await?;
            let viewer = Viewer::of(&ctx, &visit.caller)?;
            let page = Page::new("A new price", "What a new price changes.", move || {
                let month = month.map(|details| details.price);
                frame(Here::Below(Section::Catalogue), viewer, preview(found, month.as_ref(), form))
            });
            Ok(page.render(&visit))
        }
        Err(error) => {
            let (status, wrong) = billing_mistakes(error)?;
            show_form(&ctx, &visit, form, wrong, status).await
        }
    }
}

pub async fn withdraw_price(
    State(ctx): State<Context>,
    Path(id): Path<PriceId>,
    visit: Visit,
) -> Result<Response, ApiError> {
    catalogue::withdraw_price(&ctx, &visit.caller, id).await?;
    Ok(Redirect::to("/admin/catalogue?done=price-withdrawn").into_response())
}

async fn show_form(
    ctx: &Context,
    visit: &Visit,
    form: PriceForm,
    wrong: Mistakes,
    status: StatusCode,
) -> Result<Response, ApiError> {
    let prices = catalogue::overview(ctx, &visit.caller).await?.prices;
    let viewer = Viewer::of(ctx, &visit.caller)?;
    let page = Page::new("Set a price", "What something costs from now on.", move || {
        let current = form.current(&prices).cloned();
        frame(Here::Below(Section::Catalogue), viewer, form_view(&form, current.as_ref(), &wrong))
    });
    Ok(page.status(status).render(visit))
}

pub fn head(title: &'static str) -> AnyView {
    let trail = vec![("Catalogue".to_owned(), PATH.to_owned())];
    view! {
        <div class="admin-head">
            <Breadcrumb trail=trail here=title/>
            <h1 class="app-title">{title}</h1>
        </div>
    }
    .into_any()
}

fn form_view(form: &PriceForm, current: Option<&PriceHistory>, wrong: &Mistakes) -> AnyView {
    let tiers = [Tier::Pro, Tier::Enterprise]
        .map(|tier| choice(tier.as_str(), tier.label(), &form.tier))
        .into_iter()
        .collect_view()
        .into_any();
    let intervals = Interval::ALL
        .iter()
        .map(|interval| choice(interval.as_str(), interval.label(), &form.interval))
        .collect_view()
        .into_any();
    let currencies = Currency::ALL
        .map(|currency| choice(currency.as_str(), currency.code(), &form.currency))
        .into_iter()
        .collect_view()
        .into_any();
    view! {
        {head("Set a price")}
        {wrong.summary()}
        {current.map(in_force)}
        <form class="measure" method="post" action="/admin/catalogue/prices" novalidate=true>
            <div class="field-row">
                {select("tier", "Tier", tiers, wrong)}
                {select("interval", "Paid", intervals, wrong)}
                {select("currency", "Currency", currencies, wrong)}
            </div>
            <div class="field-row">
                <Field name="amount" label="Price for one seat, before tax" value=form.amount.clone()
                    inputmode="decimal" autocomplete="off" maxlength=20 error=wrong.of("amount")/>
                <Field name="trialDays" label="Days free at the start" value=form.trial_days.clone()
                    inputmode="numeric" autocomplete="off" maxlength=4 error=wrong.of("trialDays")
                    hint="0 for none. What is paid once has none."/>
            </div>
            <div class="form-actions">
                <button class="button primary" type="submit" name="step" value="preview">"Look at what changes"</button>
                <a class="button ghost" href=PATH>"Back"</a>
            </div>
        </form>
        {current.map(withdraw)}
    }
    .into_any()
}

pub fn select(name: &'static str, label: &'static str, options: AnyView, wrong: &Mistakes) -> AnyView {
    let error = wrong.of(name);
    let error_id = format!("{name}-error");
    let invalid = error.is_some().then_some("true");
    let described_by = error.is_some().then(|| error_id.clone());
    view! {
        <div class="field">
            <label for=name>{label}</label>
            <select class="select" id=name name=name aria-invalid=invalid aria-describedby=described_by>
                {options}
            </select>
            {error.map(|error| view! {
                <p class="field-error" id=error_id><Icon name="bad" size=16/><span>{error}</span></p>
            })}
        </div>
    }
    .into_any()
}

fn in_force(price: &PriceHistory) -> AnyView {
    let words = price_words(&price.details.price);
    let runs = running(price.subscriptions).unwrap_or_else(|| "no subscription".to_owned());
    view! {
        <p class="quiet small">
            {format!("In force since {}: {words}, with {runs}.", day(price.created_at))}
        </p>
    }
    .into_any()
}

fn withdraw(price: &PriceHistory) -> AnyView {
    let action = format!("{PATH}/prices/{}/withdraw", price.details.price.id);
    view! {
        <div class="admin-actions">
            <details>
                <summary><Icon name="right" size=16/>"Withdraw the price in force"</summary>
                <form method="post" action=action>
                    <p>
                        "Nobody can buy at it any more, and the pricing page no longer shows it. Whoever has bought at it "
                        "keeps it. Orders that wait for their payment can still be paid."
                    </p>
                    <div class="button-row">
                        <button class="button bad-solid" type="submit">"Withdraw the price"</button>
                    </div>
                </form>
            </details>
        </div>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(currency: &str, amount: &str, trial_days: &str) -> PriceForm {
        PriceForm {
            tier: "pro".to_owned(),
            interval: "month".to_owned(),
            currency: currency.to_owned(),
            amount: amount.to_owned(),
            trial_days: trial_days.to_owned(),
            ..PriceForm::default()
        }
    }

    #[test]
    fn amounts_are_read_as_people_write_them() {
        for (currency, amount, minor) in [
            ("usd", "19", 1900),
            ("eur", "€18.50", 1850),
            ("jpy", "2,900", 2900),
            ("gbp", " 1,600.00 ", 160_000),
        ] {
            let new = typed(currency, amount, "14").read().expect("it fits");
            assert_eq!((new.amount, new.trial_days, new.replaces), (minor, 14, None));
        }
        assert_eq!(typed("usd", "19", "").read().expect("it fits").trial_days, 0);
    }

    #[test]
    fn mistakes_stand_at_their_fields() {
        let wrong = PriceForm::default().read().expect_err("it is empty");
        let fields: Vec<&str> = wrong.fields.iter().map(|(field, _)| field.as_str()).collect();
        assert_eq!(fields, ["tier", "interval", "currency"]);
        let wrong = typed("jpy", "19.50", "-1").read().expect_err("it has mistakes");
        assert!(wrong.of("amount").is_some_and(|words| words.contains("2,900")));
        assert!(wrong.of("trialDays").is_some());
    }
}
