//! The page of prices: the plans beside each other, and under them what each includes.

use devforge::{
    billing::{
        catalogue::{Cell, FeatureGroup, FeatureRow},
        order::MAX_SEATS,
    },
    contract::{
        money::Currency,
        payment::{Interval, Price, Pricing, Tier, TierOffer},
    },
};
use leptos::prelude::*;

use super::{
    Choice, PATH, questions,
    reading::{Country, Reading, sum},
};
use crate::components::Icon;

pub struct Shown {
    pub choice: Choice,
    pub pricing: Pricing,
    pub groups: Vec<FeatureGroup>,
    /// Whether payments are set up here.
    pub can_buy: bool,
    /// Of whoever runs the site; empty where it is not set.
    pub email: String,
}

pub fn pricing(shown: Shown) -> AnyView {
    let Shown { choice, pricing, groups, can_buy, email } = shown;
    let names: Vec<String> = pricing.tiers.iter().map(|offer| offer.name.clone()).collect();
    let plans = pricing.tiers.iter().map(|offer| plan(offer, choice, can_buy, &email)).collect_view();
    let trial = longest_trial(&pricing.tiers);

    view! {
        <div class="pricing">
            <div class="page">
                <header class="pricing-head">
                    <div>
                        <h1 class="page-title">"One editor, three licenses"</h1>
                        <p class="lead">
                            "Every tier is the same program. A license turns features on. It never locks your files."
                        </p>
                    </div>
                    {switches(choice, &pricing)}
                </header>
                <div class="plans">{note(choice)}{plans}</div>
                {comparison(groups, &names)}
            </div>
            {questions::questions(&email, trial)}
        </div>
    }
    .into_any()
}

fn longest_trial(offers: &[TierOffer]) -> u16 {
    offers.iter().flat_map(|offer| &offer.prices).map(|price| price.trial_days).max().unwrap_or(0)
}

/// Links in two groups, so that each choice has an address.
fn switches(choice: Choice, pricing: &Pricing) -> AnyView {
    let sold = |interval: Interval| {
        pricing.tiers.iter().flat_map(|offer| &offer.prices).any(|price| price.interval == interval)
    };
    let intervals = Interval::ALL
        .iter()
        .copied()
        .filter(|interval| sold(*interval) || *interval == choice.interval)
        .map(|interval| {
            let here = interval == choice.interval;
            switch(choice.with_interval(interval), interval.label(), here)
        })
        .collect_view();
    let currencies = pricing
        .currencies
        .iter()
        .map(|currency| {
            let here = *currency == choice.currency;
            switch(choice.with_currency(*currency), currency.code(), here)
        })
        .collect_view();
    view! {
        <div class="pricing-switches">
            <div class="segment" role="group" aria-label="How often you pay">{intervals}</div>
            <div class="segment" role="group" aria-label="Currency">{currencies}</div>
        </div>
    }
    .into_any()
}

fn switch(to: Choice, label: &'static str, here: bool) -> AnyView {
    view! { <a href=to.address() aria-current=here.then_some("true")>{label}</a> }.into_any()
}

/// What the prices hold of tax; where they hold some, of which country.
fn note(choice: Choice) -> AnyView {
    let Some(chosen) = choice.country else {
        return view! {
            <p class="plans-note meta">
                "Prices exclude tax. Checkout adds the right rate for your country and takes a tax ID."
            </p>
        }
        .into_any();
    };
    let countries = Country::all()
        .map(|country| {
            let here = country == chosen;
            view! { <option value=country.code selected=here>{country.name}</option> }
        })
        .collect_view();
    view! {
        <form class="plans-note" method="get" action=PATH>
            <p class="meta">
                {format!("Prices include {} VAT. Checkout goes by your address and takes a tax ID.", chosen.rate)}
            </p>
            {hidden("interval", choice.interval.as_str().to_owned())}
            {hidden("currency", choice.currency.as_str().to_owned())}
            {hidden("seats", choice.seats.to_string())}
            <div class="field">
                <label for="country">"Your country"</label>
                <select class="select small" id="country" name="country">{countries}</select>
            </div>
            <button class="button secondary small" type="submit">"Show its prices"</button>
        </form>
    }
    .into_any()
}

fn hidden(name: &'static str, value: String) -> AnyView {
    view! { <input type="hidden" name=name value=value/> }.into_any()
}

fn plan(offer: &TierOffer, choice: Choice, can_buy: bool, email: &str) -> AnyView {
    let price = offer.prices.iter().find(|price| price.interval == choice.interval);
    let (amount, action) = match price {
        _ if offer.tier == Tier::Free => (free(choice.currency), download()),
        Some(price) => (cost(price, offer, choice.country), buy(offer, price, choice, can_buy)),
        None if offer.prices.is_empty() => (by_quote(), ask(&offer.name, email)),
        None => (not_so(), elsewhere(offer, choice)),
    };
    let id = format!("plan-{}", offer.tier.as_str());
    let class = if offer.tier == Tier::Pro { "plan hot" } else { "plan" };
    let labelled_by = id.clone();

    view! {
        <section class=class aria-labelledby=labelled_by>
            <h2 class="panel-title" id=id>{offer.name.clone()}</h2>
            <div>{amount}</div>
            <p class="plan-about">{offer.description.clone()}</p>
            <div>{action}</div>
        </section>
    }
    .into_any()
}

/// The amount, and what is said about it.
fn cost(price: &Price, offer: &TierOffer, country: Option<Country>) -> AnyView {
    let month = offer.prices.iter().find(|price| price.interval == Interval::Month);
    reading(Reading::of(price, month, country))
}

pub fn reading(reading: Reading) -> AnyView {
    let Reading { amount, per, tax, saving, trial } = reading;
    let notes = [tax, saving, trial]
        .into_iter()
        .flatten()
        .map(|text| view! { <p class="meta">{text}</p> })
        .collect_view();
    view! {
        <p class="plan-price"><b>{amount}</b>" "<span class="meta">{per}</span></p>
        {notes}
    }
    .into_any()
}

fn free(currency: Currency) -> AnyView {
    let nothing = super::reading::short(currency.of(0));
    view! { <p class="plan-price"><b>{nothing}</b></p> }.into_any()
}

fn by_quote() -> AnyView {
    view! { <p class="plan-price words"><b>"By quote"</b>" "<span class="meta">"per seat and year"</span></p> }
        .into_any()
}

fn not_so() -> AnyView {
    view! { <p class="plan-price words"><b>"Not sold like this"</b></p> }.into_any()
}

fn download() -> AnyView {
    view! { <a class="button secondary full" href="/download"><Icon name="download" size=16/>"Download"</a> }
        .into_any()
}

fn ask(name: &str, email: &str) -> AnyView {
    // Without an address the imprint says how whoever runs the site is reached.
    let address = if email.is_empty() {
        "/legal/imprint".to_owned()
    } else {
        format!("mailto:{email}?subject=Dev%20Forge%20{}", name.replace(' ', "%20"))
    };
    view! { <a class="button secondary full" href=address>"Ask for a quote"</a> }.into_any()
}

/// A way to pay for this tier that there is.
fn elsewhere(offer: &TierOffer, choice: Choice) -> AnyView {
    let sold = offer.prices.first().map(|price| price.interval).unwrap_or(choice.interval);
    let label = format!("See {} prices", sold.label().to_lowercase());
    view! { <a class="button secondary full" href=choice.with_interval(sold).address()>{label}</a> }
        .into_any()
}

/// The seats go on to the checkout; the second button only computes what they come to.
fn buy(offer: &TierOffer, price: &Price, choice: Choice, can_buy: bool) -> AnyView {
    if !can_buy {
        return view! { <p class="meta">"Buying is switched off on this installation."</p> }.into_any();
    }
    let id = format!("seats-{}", offer.tier.as_str());
    let seats = price.per_seat.then(|| {
        view! {
            <div class="field">
                <label for=id.clone()>"Seats"</label>
                <input
                    class="input small tabular"
                    id=id.clone()
                    name="seats"
                    type="number"
                    inputmode="numeric"
                    min="1"
                    max=MAX_SEATS.to_string()
                    required=true
                    value=choice.seats.to_string()
                />
            </div>
        }
    });
    let compute = price.per_seat.then(|| {
        view! { <button class="button ghost small" type="submit" formaction=PATH>"Compute the sum"</button> }
    });
    let several =
        (choice.seats > 1 && price.per_seat).then(|| sum(price, choice.seats, choice.country)).flatten();
    let country = choice.country.map(|country| hidden("country", country.code.to_owned()));
    let label = format!("Buy {}", offer.name);

    view! {
        <form class="plan-buy" method="get" action="/checkout">
            {hidden("tier", offer.tier.as_str().to_owned())}
            {hidden("interval", price.interval.as_str().to_owned())}
            {hidden("currency", price.currency.as_str().to_owned())}
            {country}
            {seats}
            <button class="button primary" type="submit">{label}</button>
            {compute}
            {several.map(|several| view! { <p class="meta">{several}</p> })}
        </form>
    }
    .into_any()
}

/// A quarter of the width for each column. On phones the names of the tiers stand in every group, and each row's cells
/// under its name.
fn comparison(groups: Vec<FeatureGroup>, names: &[String]) -> AnyView {
    let heads = names.iter().map(|name| view! { <th scope="col">{name.clone()}</th> }).collect_view();
    let groups = groups.into_iter().map(|group| feature_group(group, names)).collect_view();
    view! {
        <h2 class="visually-hidden" id="includes">"What each tier includes"</h2>
        <table class="comparison" aria-labelledby="includes">
            <thead class="visually-hidden"><tr><th scope="col">"Feature"</th>{heads}</tr></thead>
            {groups}
        </table>
    }
    .into_any()
}

fn feature_group(group: FeatureGroup, names: &[String]) -> AnyView {
    let again = names
        .iter()
        .map(|name| view! { <td><span aria-hidden="true">{name.clone()}</span></td> })
        .collect_view();
    let rows = group.rows.into_iter().map(feature).collect_view();
    view! {
        <tbody>
            <tr class="group"><th scope="rowgroup">{group.name}</th>{again}</tr>
            {rows}
        </tbody>
    }
    .into_any()
}

fn feature(row: FeatureRow) -> AnyView {
    let cells = row.tiers.into_iter().map(|cell| view! { <td>{has(cell)}</td> }).collect_view();
    view! { <tr><th scope="row">{row.name}</th>{cells}</tr> }.into_any()
}

fn has(cell: Cell) -> AnyView {
    match cell {
        Cell::Yes => view! { <Icon name="check"/><span class="visually-hidden">"Yes"</span> }.into_any(),
        Cell::No => {
            view! { <span class="none"><Icon name="minus"/></span><span class="visually-hidden">"No"</span> }
                .into_any()
        }
        Cell::Words(words) => words.into_any(),
    }
}
