//! What the pages of the books have in common: their tabs, the form that chooses a period, and how amounts and moments
//! are written.

use devforge::{
    billing::finance::{Period, shown},
    contract::money::Currency,
};
use leptos::prelude::*;
use time::{
    Date, Month, OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339,
    macros::format_description,
};

use super::asked::{Asked, OVERVIEW, SUBSCRIPTIONS, TAX, entries};
use crate::{
    components::{Field, Icon, Tab, Tabs},
    pages::forms::Mistakes,
};

const MONTHS_OFFERED: usize = 13;
const QUARTERS_OFFERED: usize = 8;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Overview,
    Ledger,
    Tax,
    Subscriptions,
}

/// The pages of the books, each about the same period.
pub fn tabs(here: Part, asked: &Asked) -> AnyView {
    let currency = asked.currency.as_deref().unwrap_or_default();
    let tab =
        |part, label: &str, href| Tab { label: label.to_owned(), href, current: part == here, count: None };
    let tabs = vec![
        tab(Part::Overview, "Overview", asked.link(OVERVIEW)),
        tab(Part::Ledger, "Ledger", entries(asked.period, &[("currency", currency)])),
        tab(Part::Tax, "Tax", asked.link(TAX)),
        tab(Part::Subscriptions, "Subscriptions", asked.link(SUBSCRIPTIONS)),
    ];
    view! { <Tabs label="The books" tabs=tabs/> }.into_any()
}

/// What a page offers to choose from.
#[derive(Clone, Copy)]
pub struct Choices<'a> {
    pub path: &'static str,
    /// The words for what is shown when no period is named.
    pub otherwise: &'static str,
    pub quarters: Quarters,
    /// By their three letters. Empty: the page is about all of them until one is chosen.
    pub currencies: &'a [String],
    pub chosen: &'a str,
    /// What else the address says and a choice keeps.
    pub keep: Option<(&'static str, &'static str)>,
    /// Where the same is to be had as a file.
    pub file: Option<&'static str>,
}

/// Whether quarters are offered before the months.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quarters {
    Offered,
    LeftOut,
}

/// Title and filter on one line, days of one's own in a fold below.
pub fn head(
    title: &'static str,
    choices: Choices<'_>,
    asked: &Asked,
    wrong: &Mistakes,
    now: OffsetDateTime,
) -> AnyView {
    let periods = periods(now.date(), choices.quarters)
        .into_iter()
        .map(|(value, label)| option(&value, &label, &asked.named))
        .collect_view();
    let none = if asked.has_own_days() { "Own days" } else { choices.otherwise };
    let currencies = currencies(&choices);
    let kept = choices.keep;
    let keep = || kept.map(|(name, value)| view! { <input type="hidden" name=name value=value/> });
    let own_currency = asked.currency.clone().map(|currency| {
        view! { <input type="hidden" name="currency" value=currency/> }
    });
    let file = choices.file.map(|path| file_form(path, &asked.fields()));
    let (own_keep, form_keep) = (keep(), keep());
    let path = choices.path;

    view! {
        <header class="finance-head">
            <h1 class="app-title">{title}</h1>
            <div class="button-row">
                <form method="get" action=path role="search" aria-label="Choose a period">
                    {form_keep}
                    <select class="select small" name="period" aria-label="Period">
                        <option value="">{none}</option>
                        {periods}
                    </select>
                    <select class="select small" name="currency" aria-label="Currency">{currencies}</select>
                    <button class="button secondary" type="submit">"Show"</button>
                </form>
                {file}
            </div>
        </header>
        {wrong.summary()}
        <details class="finance-days" open=asked.has_own_days()>
            <summary><Icon name="calendar" size=16/>"Other days"</summary>
            <form class="admin-filter" method="get" action=path aria-label="Choose days" novalidate=true>
                {own_keep}
                {own_currency}
                <Field name="from" label="First day" kind="date" value=asked.from.clone() error=wrong.of("from")/>
                <Field name="to" label="Last day" kind="date" value=asked.to.clone() error=wrong.of("to")/>
                <div class="button-row"><button class="button secondary" type="submit">"Show these days"</button></div>
            </form>
        </details>
    }
    .into_any()
}

/// The button that takes what is shown along as a file. It is a form, because the audit log says who did.
pub fn file_form(path: &'static str, fields: &[(&'static str, &str)]) -> AnyView {
    let fields = fields
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|&(name, value)| view! { <input type="hidden" name=name value=value.to_owned()/> })
        .collect_view();
    // The method stands at the button: no page follows a file, so the form is not one that waits for the next.
    view! {
        <form action=path>
            {fields}
            <button class="button secondary" type="submit" formmethod="post"><Icon name="download" size=16/>"CSV"</button>
        </form>
    }
    .into_any()
}

fn currencies(choices: &Choices<'_>) -> AnyView {
    if choices.currencies.is_empty() {
        return every_currency(choices.chosen);
    }
    choices
        .currencies
        .iter()
        .map(|currency| option(currency, &currency.to_uppercase(), choices.chosen))
        .collect_view()
        .into_any()
}

/// All that we sell in, and the one that is looked at if it is another.
pub fn every_currency(chosen: &str) -> AnyView {
    let other = (!chosen.is_empty() && Currency::parse(chosen).is_none())
        .then(|| option(chosen, &chosen.to_uppercase(), chosen));
    let known =
        Currency::ALL.map(|currency| option(currency.as_str(), currency.code(), chosen)).collect_view();
    view! { <option value="">"Every currency"</option>{known}{other} }.into_any()
}

/// One entry of a `<select>`.
pub fn option(value: &str, label: &str, chosen: &str) -> AnyView {
    let selected = value == chosen;
    let (value, label) = (value.to_owned(), label.to_owned());
    view! { <option value=value selected=selected>{label}</option> }.into_any()
}

/// The newest first: what an address calls a period, and what people do.
fn periods(today: Date, quarters: Quarters) -> Vec<(String, String)> {
    let mut found = Vec::new();
    if quarters == Quarters::Offered {
        let (mut year, mut quarter) = (today.year(), (u8::from(today.month()) - 1) / 3 + 1);
        for _ in 0..QUARTERS_OFFERED {
            found.push((format!("{year}-Q{quarter}"), format!("Quarter {quarter} of {year}")));
            (year, quarter) = if quarter == 1 { (year - 1, 4) } else { (year, quarter - 1) };
        }
    }
    let (mut year, mut month) = (today.year(), today.month());
    for _ in 0..MONTHS_OFFERED {
        found.push((format!("{year}-{:02}", u8::from(month)), format!("{month} {year}")));
        year -= i32::from(month == Month::January);
        month = month.previous();
    }
    found
}

/// "22 Oct 2026 – 20 Nov 2026".
pub fn days_of(period: Period) -> String {
    format!("{} – {}", day(period.first()), day(period.last()))
}

/// "20 Nov 2026".
pub fn day(day: Date) -> String {
    day.format(format_description!("[day padding:none] [month repr:short] [year]")).unwrap_or_default()
}

/// "20 Nov": for the axis of a chart.
pub fn short_day(day: Date) -> String {
    day.format(format_description!("[day padding:none] [month repr:short]")).unwrap_or_default()
}

/// A moment to the minute, as books have it.
pub fn when(at: OffsetDateTime) -> AnyView {
    let at = at.to_offset(UtcOffset::UTC);
    let machine = at.format(&Rfc3339).unwrap_or_default();
    let clock = format!("{:02}:{:02} UTC", at.hour(), at.minute());
    view! { <time datetime=machine>{day(at.date())}" "<span class="meta">{clock}</span></time> }.into_any()
}

/// An entry's amount in the column of its side.
pub fn sides(amount: i64, currency: &str) -> (String, String) {
    let text = shown(amount.saturating_abs(), currency);
    if amount < 0 { (String::new(), text) } else { (text, String::new()) }
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    #[test]
    fn periods_go_back_from_the_one_that_is_now_and_can_be_read() {
        let offered = periods(date!(2026 - 01 - 31), Quarters::Offered);
        assert_eq!(offered.len(), QUARTERS_OFFERED + MONTHS_OFFERED);
        assert_eq!(offered[0].0, "2026-Q1");
        assert_eq!(offered[1].0, "2025-Q4");
        assert_eq!(offered[QUARTERS_OFFERED], ("2026-01".to_owned(), "January 2026".to_owned()));
        assert_eq!(offered[QUARTERS_OFFERED + 1].0, "2025-12");
        assert!(offered.iter().all(|(value, _)| Period::parse(value).is_some()));
    }

    #[test]
    fn an_amount_stands_on_one_side() {
        assert_eq!(sides(1_900, "usd"), ("$19.00".to_owned(), String::new()));
        assert_eq!(sides(-5, "eur"), (String::new(), "€0.05".to_owned()));
    }
}
