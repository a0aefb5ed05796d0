//! The catalogue as administrators see it: prices in one table, what they were, and the words of the tiers.

use devforge::{
    billing::catalogue::{
        MAX_TIER_DESCRIPTION_CHARS, MAX_TIER_NAME_CHARS, Overview, PriceHistory, TierWords,
    },
    contract::{
        money::Currency,
        payment::{Interval, Tier},
    },
};
use leptos::prelude::*;

use super::PATH;
use crate::{
    components::{Field, Icon, Notice},
    pages::{forms::Mistakes, moments::day},
};

/// Words of a tier that were sent and did not fit.
pub struct Described {
    pub tier: Tier,
    pub name: String,
    pub description: String,
    pub wrong: Mistakes,
}

pub fn catalogue_view(
    found: Overview,
    done: Option<(&'static str, &'static str)>,
    tried: Option<&Described>,
) -> AnyView {
    let Overview { tiers, prices, coupons } = found;
    let in_force: Vec<&PriceHistory> = prices.iter().filter(|price| price.withdrawn_at.is_none()).collect();
    let earlier: Vec<&PriceHistory> = prices.iter().filter(|price| price.withdrawn_at.is_some()).collect();
    let offered = coupons.iter().filter(|coupon| coupon.withdrawn_at.is_none()).count();
    let coupons = match offered {
        0 => "No coupon is offered.".to_owned(),
        1 => "One coupon is offered.".to_owned(),
        several => format!("{several} coupons are offered."),
    };
    let notice = done.map(|(title, text)| {
        view! { <Notice tone="ok" title=title live=true><p>{text}</p></Notice> }
    });
    let summary = tried.and_then(|tried| tried.wrong.summary());
    let words = tiers.iter().map(|tier| words(tier, tried)).collect_view();

    view! {
        <div class="admin-head">
            <h1 class="app-title">"Catalogue"</h1>
            <a class="button secondary small" href="/pricing">"Pricing page"</a>
        </div>
        {summary}
        {notice}
        <section class="admin-panel" aria-labelledby="prices">
            <h2 class="panel-title" id="prices">"Prices for one seat, before tax"</h2>
            <p class="quiet small">"Choose a price to change it. You see what comes of it before it counts."</p>
            {prices_table(&tiers, &in_force)}
            {history(&earlier)}
        </section>
        <section class="admin-panel" aria-labelledby="words">
            <h2 class="panel-title" id="words">"Words"</h2>
            <div class="admin-actions">{words}</div>
        </section>
        <section class="admin-panel" aria-labelledby="coupons">
            <h2 class="panel-title" id="coupons">"Coupons"</h2>
            <p class="quiet small">{coupons}" "<a href="/admin/catalogue/coupons">"See and make coupons"</a></p>
        </section>
    }
    .into_any()
}

/// A row for each tier and interval, a column for each currency.
fn prices_table(tiers: &[TierWords], in_force: &[&PriceHistory]) -> AnyView {
    let heads = Currency::ALL.map(|currency| view! { <th scope="col" class="num">{currency.code()}</th> });
    let sold = tiers.iter().filter(|words| words.tier != Tier::Free);
    let rows = sold
        .flat_map(|words| Interval::ALL.iter().map(move |interval| (words, *interval)))
        .map(|(words, interval)| price_row(words, interval, in_force))
        .collect_view();
    view! {
        <div class="table-wrap" tabindex="0" role="region" aria-label="Prices">
            <table class="table stack">
                <thead><tr><th scope="col">"Sold as"</th>{heads.into_iter().collect_view()}</tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}

fn price_row(words: &TierWords, interval: Interval, in_force: &[&PriceHistory]) -> AnyView {
    let cells = Currency::ALL
        .map(|currency| {
            let price = in_force.iter().find(|price| {
                let details = &price.details;
                (details.tier, details.price.interval, details.price.currency)
                    == (words.tier, interval, currency)
            });
            price_cell(words, interval, currency, price.copied())
        })
        .into_iter()
        .collect_view();
    let quote = words.by_quote.then_some(", by quote");
    view! { <tr><th scope="row">{words.name.clone()}", "{interval.label().to_lowercase()}{quote}</th>{cells}</tr> }
        .into_any()
}

fn price_cell(
    words: &TierWords,
    interval: Interval,
    currency: Currency,
    price: Option<&PriceHistory>,
) -> AnyView {
    let address = format!(
        "{PATH}/prices?tier={}&interval={}&currency={}",
        words.tier.as_str(),
        interval.as_str(),
        currency.as_str()
    );
    let what = format!(" {}, {}, {}", words.name, interval.label().to_lowercase(), currency.code());
    let content = match price {
        Some(price) => {
            let amount = currency.of(price.details.price.amount).to_string();
            let trial = match price.details.price.trial_days {
                0 => None,
                days => Some(view! { <span class="meta">{format!("{days} days free")}</span> }),
            };
            let runs = running(price.subscriptions).map(|words| view! { <span class="meta">{words}</span> });
            view! { <span class="admin-ends"><a href=address>{amount}</a>{trial}{runs}</span> }.into_any()
        }
        None => view! { <a href=address>"Set"<span class="visually-hidden">{what}</span></a> }.into_any(),
    };
    view! { <td class="num" data-label=currency.code()>{content}</td> }.into_any()
}

/// How many pay it again and again.
pub fn running(subscriptions: u64) -> Option<String> {
    match subscriptions {
        0 => None,
        1 => Some("1 subscription".to_owned()),
        several => Some(format!("{several} subscriptions")),
    }
}

fn history(earlier: &[&PriceHistory]) -> Option<AnyView> {
    let rows = earlier
        .iter()
        .map(|price| {
            let details = &price.details;
            let amount = details.price.currency.of(details.price.amount).to_string();
            let until = price.withdrawn_at.map(day).unwrap_or_default();
            view! {
                <tr>
                    <th scope="row">{details.tier.label()}", "{details.price.interval.label().to_lowercase()}</th>
                    <td class="num" data-label="Price">{amount}</td>
                    <td data-label="Sold from">{day(price.created_at)}</td>
                    <td data-label="Until">{until}</td>
                    <td class="num" data-label="Subscriptions">{price.subscriptions}</td>
                </tr>
            }
        })
        .collect_view();
    let table = view! {
        <div class="admin-actions">
            <details>
                <summary><Icon name="right" size=16/>"Earlier prices"</summary>
                <div class="table-wrap" tabindex="0" role="region" aria-label="Earlier prices">
                    <table class="table stack">
                        <thead>
                            <tr>
                                <th scope="col">"Sold as"</th>
                                <th scope="col" class="num">"Price"</th>
                                <th scope="col">"Sold from"</th>
                                <th scope="col">"Until"</th>
                                <th scope="col" class="num">"Subscriptions"</th>
                            </tr>
                        </thead>
                        <tbody>{rows}</tbody>
                    </table>
                </div>
            </details>
        </div>
    };
    (!earlier.is_empty()).then(|| table.into_any())
}

/// The name and the sentence of a tier. What did not fit comes back open, with what was typed.
fn words(words: &TierWords, tried: Option<&Described>) -> AnyView {
    let tried = tried.filter(|tried| tried.tier == words.tier);
    let (name, description) = match tried {
        Some(tried) => (tried.name.clone(), tried.description.clone()),
        None => (words.name.clone(), words.description.clone()),
    };
    let wrong = tried.map(|tried| tried.wrong.clone()).unwrap_or_default();
    // The ids that the list of mistakes leads to; the other tiers' fields have ids of their own.
    let id = |field: &str| match tried {
        Some(_) => field.to_owned(),
        None => format!("{}-{field}", words.tier.as_str()),
    };
    let action = format!("{PATH}/tiers/{}", words.tier.as_str());
    view! {
        <details open=tried.is_some()>
            <summary><Icon name="right" size=16/>{words.name.clone()}</summary>
            <form method="post" action=action novalidate=true>
                <Field name="name" id=id("name") label="Name" value=name error=wrong.of("name")
                    maxlength=MAX_TIER_NAME_CHARS as u32 autocomplete="off"/>
                <Field name="description" id=id("description") label="One sentence about it" value=description
                    error=wrong.of("description") maxlength=MAX_TIER_DESCRIPTION_CHARS as u32 autocomplete="off"/>
                <div class="button-row">
                    <button class="button secondary" type="submit">
                        "Change the words"<span class="visually-hidden">{format!(" of {}", words.name)}</span>
                    </button>
                </div>
            </form>
        </details>
    }
    .into_any()
}
