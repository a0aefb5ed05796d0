//! What a new price changes, before it does: the old beside the new, whom it does not touch, and how it will read.

use devforge::{
    billing::catalogue::PricePreview,
    contract::payment::{Interval, Price},
};
use leptos::prelude::*;

use super::{
    prices::{PriceForm, head},
    view::running,
};
use crate::pages::pricing::{
    reading::{Country, Reading},
    reading_view,
};

/// `month` is the monthly price in force of the same tier and currency, which a yearly one is compared with.
pub fn preview(found: PricePreview, month: Option<&Price>, form: PriceForm) -> AnyView {
    let PricePreview { tier, old, new, keep_the_old } = found;
    let before = old.as_ref().map_or_else(|| "Not sold".to_owned(), price_words);
    let keeps = running(keep_the_old).unwrap_or_else(|| "No subscription".to_owned());
    let replaces = old.as_ref().map(|old| old.id.to_string()).unwrap_or_default();
    let sold_as = format!("{}, {}", tier.name, new.interval.label().to_lowercase());
    let save = format!("Set the price to {}", new.currency.of(new.amount));
    let reads = if tier.by_quote {
        let text = "This tier is sold by quote. The pricing page shows no price of it.";
        view! { <p class="quiet small">{text}</p> }.into_any()
    } else {
        let month = if new.interval == Interval::Month { Some(&new) } else { month };
        let reading = Reading::of(&new, month, Country::usual(new.currency));
        view! {
            <div class="pricing inset">
                <div class="plan">
                    <h3 class="panel-title">{tier.name.clone()}</h3>
                    <div>{reading_view(reading)}</div>
                    <p class="plan-about">{tier.description.clone()}</p>
                </div>
            </div>
        }
        .into_any()
    };

    view! {
        {head("A new price")}
        <p class="quiet small">"Nothing has changed yet."</p>
        <dl class="facts">
            <div><dt>"Sold as"</dt><dd>{sold_as}</dd></div>
            <div><dt>"Now"</dt><dd>{before}</dd></div>
            <div><dt>"Then"</dt><dd>{price_words(&new)}</dd></div>
            <div><dt>"Goes on at the old price"</dt><dd>{keeps}</dd></div>
        </dl>
        <section class="admin-panel" aria-labelledby="reads">
            <h2 class="panel-title" id="reads">"As the pricing page will say it"</h2>
            {reads}
        </section>
        {sent_again(form, replaces, save)}
    }
    .into_any()
}

fn sent_again(form: PriceForm, replaces: String, save: String) -> AnyView {
    let kept = [
        ("tier", form.tier),
        ("interval", form.interval),
        ("currency", form.currency),
        ("amount", form.amount),
        ("trialDays", form.trial_days),
        ("replaces", replaces),
    ]
    .map(|(name, value)| view! { <input type="hidden" name=name value=value/> })
    .into_iter()
    .collect_view();
    view! {
        <form method="post" action="/admin/catalogue/prices">
            {kept}
            <div class="button-row">
                <button class="button primary" type="submit" name="step" value="save">{save}</button>
                <button class="button secondary" type="submit" name="step" value="edit">"Change what is typed"</button>
            </div>
        </form>
    }
    .into_any()
}

/// `$19.00 monthly, first 14 days free`.
pub fn price_words(price: &Price) -> String {
    let trial = match price.trial_days {
        0 => String::new(),
        days => format!(", first {days} days free"),
    };
    format!("{} {}{trial}", price.currency.of(price.amount), price.interval.label().to_lowercase())
}
