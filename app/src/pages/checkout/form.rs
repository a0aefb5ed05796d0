//! The form of the checkout beside what it comes to.

use devforge::{
    billing::order::{MAX_SEATS, Quote},
    contract::{
        money::Currency,
        payment::{Interval, Price},
    },
};
use leptos::prelude::*;
use time::OffsetDateTime;

use super::{
    Sum,
    countries::COUNTRIES,
    summary::{Bill, button, in_words, renewal, sentences},
    typed::{Buyer, Chosen, Typed},
};
use crate::components::{Breadcrumb, Field, Icon, Notice};
use crate::pages::forms::Mistakes;

/// What else there is to choose.
pub struct Offers {
    /// Of this tier, in this currency.
    pub prices: Vec<Price>,
    pub currencies: Vec<Currency>,
}

pub struct Shown {
    pub typed: Typed,
    pub chosen: Chosen,
    pub buyer: Buyer,
    pub wrong: Mistakes,
    /// It costs something else than the button said that was pressed.
    pub changed: bool,
    pub quote: Quote,
    pub sum: Sum,
    pub offers: Offers,
    /// Which Stripe it is paid at: `live`, or one where no money moves.
    pub environment: &'static str,
    pub now: OffsetDateTime,
}

pub fn view(shown: &Shown) -> AnyView {
    let trail = vec![("Pricing".to_owned(), "/pricing".to_owned())];
    let changed = shown.changed.then(|| changed_notice(&shown.quote));
    view! {
        <div class="checkout">
            <header class="checkout-head">
                <Breadcrumb trail=trail here="Checkout"/>
                <h1 class="page-title">"Checkout"</h1>
                {shown.wrong.summary()}
                {changed}
            </header>
            {summary(shown)}
            <div class="checkout-main">{form(shown)}</div>
        </div>
    }
    .into_any()
}

fn changed_notice(quote: &Quote) -> AnyView {
    let later =
        quote.renewal.map(|renewal| format!(", and {renewal} each time after that")).unwrap_or_default();
    let text = format!("Today it is {}{later}. Look at it, then go on below.", quote.total);
    view! { <Notice tone="info" title="The sum has changed" live=true><p>{text}</p></Notice> }.into_any()
}

fn summary(shown: &Shown) -> AnyView {
    let quote = &shown.quote;
    let seats = quote.lines.iter().map(|line| line.quantity).sum();
    let mut follows = vec![
        ("key", "Your key comes by mail, and into your account.".to_owned()),
        ("calendar", renewal(quote, shown.now)),
    ];
    if !quote.total.is_zero() {
        follows.push(("receipt", "The invoice comes with it, tax and all.".to_owned()));
    }
    view! {
        <section class="checkout-bill" aria-labelledby="summary">
            <div>
                <div class="bill-head">
                    <h2 id="summary">{in_words(shown.chosen.tier.label(), seats)}</h2>
                    <a href="/pricing">"Change"<span class="visually-hidden">" the plan"</span></a>
                </div>
                {Bill::of_quote(quote).view()}
                {sentences(follows)}
            </div>
        </section>
    }
    .into_any()
}

/// The first button of a form is the one that Enter presses: here it computes the sum, and nothing is bought by accident.
fn form(shown: &Shown) -> AnyView {
    let Shown { typed, chosen, quote, .. } = shown;
    let per_seat = quote.price.price.per_seat;
    let seats = if per_seat { seats(shown) } else { hidden("seats", "1") };
    view! {
        <form method="post" action="/checkout" novalidate=true>
            {hidden("tier", chosen.tier.as_str())}
            {hidden("form", &typed.form)}
            {hidden("seen", &typed.seen)}
            <section aria-labelledby="part-what">
                <h2 class="panel-title" id="part-what">{format!("{} license", chosen.tier.label())}</h2>
                {intervals(shown)}
                <div class="field-row">{seats}{currencies(shown)}</div>
                {coupon(shown)}
            </section>
            <section aria-labelledby="part-who">
                <h2 class="panel-title" id="part-who">"Who the license is for"</h2>
                {email(shown)}
                <Field name="name" label="Name or company" value=typed.name.clone() error=shown.wrong.of("name")
                    autocomplete="billing name" maxlength=200 hint="As it is to stand on the invoice."/>
            </section>
            <section aria-labelledby="part-where">
                <h2 class="panel-title" id="part-where">"Invoice"</h2>
                {address(shown)}
            </section>
            {actions(shown)}
        </form>
    }
    .into_any()
}

fn hidden(name: &'static str, value: &str) -> AnyView {
    // Browsers keep what was in a field when one comes back; this is ours, and stays what was sent.
    view! { <input type="hidden" name=name value=value.to_owned() autocomplete="off"/> }.into_any()
}

fn intervals(shown: &Shown) -> AnyView {
    let chosen = shown.chosen.interval;
    let offered = |interval: Interval| shown.offers.prices.iter().find(|price| price.interval == interval);
    let choices = Interval::ALL
        .iter()
        .filter(|&&interval| interval == chosen || offered(interval).is_some())
        .enumerate()
        .map(|(index, &interval)| {
            let id = (index == 0).then_some("interval");
            let price = offered(interval).map(|price| format!(" {}", price.currency.of(price.amount)));
            view! {
                <label>
                    <input type="radio" name="interval" value=interval.as_str() id=id checked={interval == chosen}/>
                    {format!("{}{}", interval.label(), price.unwrap_or_default())}
                </label>
            }
        })
        .collect_view();
    view! {
        <fieldset class="field">
            <legend>"How often you pay"</legend>
            <div class="segment">{choices}</div>
            {field_error("interval", shown.wrong.of("interval"))}
        </fieldset>
    }
    .into_any()
}

fn seats(shown: &Shown) -> AnyView {
    let error = shown.wrong.of("seats");
    let invalid = error.is_some().then_some("true");
    let described_by = error.is_some().then_some("seats-error");
    view! {
        <div class="field">
            <label for="seats">"Seats"</label>
            <input class="input tabular" id="seats" name="seats" type="number" inputmode="numeric" min="1"
                max=MAX_SEATS step="1" required=true autocomplete="off" value=shown.typed.seats.clone()
                aria-invalid=invalid aria-describedby=described_by/>
            {field_error("seats", error)}
        </div>
    }
    .into_any()
}

fn currencies(shown: &Shown) -> AnyView {
    let chosen = shown.chosen.currency;
    let options = Currency::ALL
        .into_iter()
        .filter(|&currency| currency == chosen || shown.offers.currencies.contains(&currency))
        .map(|currency| {
            let label = format!("{} {}", currency.code(), currency.symbol());
            view! { <option value=currency.as_str() selected={currency == chosen}>{label}</option> }
        })
        .collect_view();
    view! {
        <div class="field">
            <label for="currency">"Currency"</label>
            <select class="select" id="currency" name="currency" autocomplete="off">{options}</select>
            {field_error("currency", shown.wrong.of("currency"))}
        </div>
    }
    .into_any()
}

fn coupon(shown: &Shown) -> AnyView {
    let error = shown.wrong.of("coupon");
    let invalid = error.is_some().then_some("true");
    let described_by = error.is_some().then_some("coupon-error");
    view! {
        <div class="field coupon">
            <label for="coupon">"Coupon"<span class="optional">" optional"</span></label>
            <span class="input-affix">
                <input class="input" id="coupon" name="coupon" type="text" maxlength="40" autocomplete="off"
                    autocapitalize="characters" spellcheck="false" value=shown.typed.coupon.clone()
                    aria-invalid=invalid aria-describedby=described_by/>
                <button class="button secondary small" type="submit" name="step" value="update">
                    "Apply"<span class="visually-hidden">" the coupon"</span>
                </button>
            </span>
            {field_error("coupon", error)}
        </div>
    }
    .into_any()
}

fn email(shown: &Shown) -> AnyView {
    match &shown.buyer {
        Buyer::Guest => view! {
            <Field name="email" label="Mail address" kind="email" value=shown.typed.email.clone()
                error=shown.wrong.of("email") inputmode="email" autocomplete="email" maxlength=254
                hint="Your key goes here."/>
        }
        .into_any(),
        Buyer::SignedIn { email, .. } => view! {
            <p class="buyer">
                <Icon name="user"/>
                <span>"Your key goes to "<strong>{email.clone()}</strong>", and into your account."</span>
            </p>
        }
        .into_any(),
    }
}

fn address(shown: &Shown) -> AnyView {
    let Shown { typed, wrong, .. } = shown;
    view! {
        <div class="field-row">
            {country(shown)}
            <Field name="taxId" label="VAT number" optional=true value=typed.tax_id.clone() error=wrong.of("taxId")
                autocomplete="off" maxlength=30 hint="For companies, such as DE123456789."/>
        </div>
        <Field name="line1" label="Street and number" value=typed.line1.clone() error=wrong.of("line1")
            autocomplete="billing address-line1" maxlength=200/>
        <Field name="line2" label="Second line" optional=true value=typed.line2.clone() error=wrong.of("line2")
            autocomplete="billing address-line2" maxlength=200/>
        <div class="field-row">
            <Field name="postalCode" label="Postal code" value=typed.postal_code.clone()
                error=wrong.of("postalCode") autocomplete="billing postal-code" maxlength=20/>
            <Field name="city" label="Town or city" value=typed.city.clone() error=wrong.of("city")
                autocomplete="billing address-level2" maxlength=100/>
        </div>
        <Field name="region" label="State or province" optional=true value=typed.region.clone()
            error=wrong.of("region") autocomplete="billing address-level1" maxlength=100/>
    }
    .into_any()
}

fn country(shown: &Shown) -> AnyView {
    let error = shown.wrong.of("country");
    let invalid = error.is_some().then_some("true");
    let described_by = error.is_some().then_some("country-error");
    let chosen = shown.typed.country.trim().to_owned();
    let options = COUNTRIES
        .into_iter()
        .map(|(code, name)| view! { <option value=code selected={code == chosen}>{name}</option> })
        .collect_view();
    // Without a choice the first of the list would be one.
    let none = COUNTRIES.iter().all(|(code, _)| *code != chosen).then(|| {
        view! { <option value="" selected=true>"Choose a country"</option> }
    });
    view! {
        <div class="field">
            <label for="country">"Country"</label>
            <select class="select" id="country" name="country" required=true autocomplete="billing country"
                aria-invalid=invalid aria-describedby=described_by>{none}{options}</select>
            {field_error("country", error)}
        </div>
    }
    .into_any()
}

fn actions(shown: &Shown) -> AnyView {
    let quote = &shown.quote;
    let words = match shown.environment {
        "live" => None,
        "simulator" => Some("The page to pay on is a simulator, and lists the cards that it takes."),
        _ => Some("The page to pay on takes Stripe’s cards for tests, such as 4242 4242 4242 4242."),
    };
    let test = words.map(|words| {
        view! {
            <Notice tone="warn" title="Test mode: no real card, no real money"><p>{words}</p></Notice>
        }
    });
    let next = if quote.total.is_zero() {
        "Nothing is charged today. Where a card is needed for later, Stripe’s page asks for it."
    } else {
        "You enter the card on Stripe’s page, which comes next. Until then nothing is charged."
    };
    view! {
        {test}
        <div class="form-actions ruled">
            <button class="button primary large" type="submit" name="step" value="pay">{button(quote, shown.sum)}</button>
            <button class="button secondary large" type="submit" name="step" value="update">"Update the sum"</button>
        </div>
        <p class="hint">{next}</p>
        <p class="hint">
            "By going on you agree to the "<a href="/legal/terms">"terms"</a>". The "
            <a href="/legal/refunds">"refund policy"</a>" says how you get your money back."
        </p>
    }
    .into_any()
}

/// The error of a field, tied to it by its name.
fn field_error(field: &'static str, error: Option<String>) -> Option<AnyView> {
    error.map(|error| {
        let id = format!("{field}-error");
        view! { <p class="field-error" id=id><Icon name="bad" size=16/><span>{error}</span></p> }.into_any()
    })
}
