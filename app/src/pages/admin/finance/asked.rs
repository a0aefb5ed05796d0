//! What the pages of the books are asked for in their addresses, and the addresses of what they link to.

use devforge::{
    billing::{
        finance::{Figure, Period, SubscriptionList, day_text, parse_day},
        ledger::{Account, Filter, Kinds},
    },
    contract::id::{LedgerTransactionId, OrderId},
};
use serde::Deserialize;
use time::{Date, OffsetDateTime};

use crate::pages::{admin::address::with_query, forms::Mistakes};

pub const OVERVIEW: &str = "/admin/finance";
pub const LEDGER: &str = "/admin/finance/ledger";
pub const LEDGER_FILE: &str = "/admin/finance/ledger.csv";
pub const TAX: &str = "/admin/finance/tax";
pub const TAX_FILE: &str = "/admin/finance/tax.csv";
pub const REVENUE_FILE: &str = "/admin/finance/revenue.csv";
pub const SUBSCRIPTIONS: &str = "/admin/finance/subscriptions";
pub const CHECK: &str = "/admin/finance/check";

/// Where nothing says which country: an empty text would narrow nothing.
const NO_COUNTRY: &str = "none";
const MAX_ABOUT_CHARS: usize = 200;

/// A period and a currency, as addresses name them.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct PeriodQuery {
    /// `2026-11`, `2026-Q4` or `2026`.
    period: String,
    /// Days, both of them included; they count where no period is named.
    from: String,
    to: String,
    currency: String,
    pub list: String,
    pub page: String,
}

/// A period and a currency that were understood.
#[derive(Debug, Clone)]
pub struct Asked {
    pub period: Period,
    pub currency: Option<String>,
    /// As the form shows them again.
    pub named: String,
    pub from: String,
    pub to: String,
}

impl PeriodQuery {
    /// What is meant, and what could not be read. Without any of it the period is the one given.
    pub fn read(&self, otherwise: Period) -> (Asked, Mistakes) {
        let mut wrong = Mistakes::default();
        let mut asked = Asked {
            period: otherwise,
            currency: currency(&self.currency),
            named: String::new(),
            from: String::new(),
            to: String::new(),
        };
        if let Some(named) = Period::parse(&self.period) {
            asked.period = named;
            asked.named.clone_from(&self.period);
        } else if !self.from.is_empty() || !self.to.is_empty() {
            asked.from = self.from.chars().take(10).collect();
            asked.to = self.to.chars().take(10).collect();
            let (from, to) = (day(&mut wrong, "from", &self.from), day(&mut wrong, "to", &self.to));
            match from.zip(to).map(|(from, to)| Period::new(from, to)) {
                Some(Some(days)) => asked.period = days,
                Some(None) => wrong.add("to", "Choose a last day after the first, at most 366 days in all."),
                None => {}
            }
        }
        (asked, wrong)
    }
}

impl Asked {
    /// The address of a page about the same period and currency.
    pub fn link(&self, path: &str) -> String {
        self.link_with(path, &[])
    }

    pub fn link_with(&self, path: &str, more: &[(&str, &str)]) -> String {
        with_query(path, &[self.fields().as_slice(), more].concat())
    }

    /// The same period and currency, for the fields of a form.
    pub fn fields(&self) -> [(&'static str, &str); 4] {
        [
            ("period", self.named.as_str()),
            ("from", self.from.as_str()),
            ("to", self.to.as_str()),
            ("currency", self.currency.as_deref().unwrap_or_default()),
        ]
    }

    pub fn has_own_days(&self) -> bool {
        !self.from.is_empty() || !self.to.is_empty()
    }
}

/// Which entries of the ledger, as addresses name them.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct LedgerQuery {
    pub account: String,
    pub kind: String,
    pub country: String,
    /// `yes` or `no`: of sales with tax, or without.
    pub taxed: String,
    pub from: String,
    pub to: String,
    pub currency: String,
    /// An id or a reference.
    pub about: String,
    pub page: String,
}

impl LedgerQuery {
    pub fn filter(&self) -> (Filter, Mistakes) {
        let mut wrong = Mistakes::default();
        let from = optional_day(&mut wrong, "from", &self.from);
        let to = optional_day(&mut wrong, "to", &self.to);
        let country = self.country.trim();
        let country = match country {
            "" => None,
            NO_COUNTRY => Some(String::new()),
            two if two.len() == 2 && two.bytes().all(|byte| byte.is_ascii_alphabetic()) => {
                Some(two.to_ascii_uppercase())
            }
            _ => {
                wrong.add("country", "A country is two letters, such as DE.");
                None
            }
        };
        let about: String = self.about.chars().filter(|c| !c.is_control()).take(MAX_ABOUT_CHARS).collect();
        let about = about.trim();
        let filter = Filter {
            account: Account::parse(&self.account),
            kinds: Kinds::parse(&self.kind),
            currency: currency(&self.currency),
            country,
            taxed: match self.taxed.as_str() {
                "yes" => Some(true),
                "no" => Some(false),
                _ => None,
            },
            from: from.map(|day| day.midnight().assume_utc()),
            to: to.and_then(Date::next_day).map(|day| day.midnight().assume_utc()),
            about: (!about.is_empty()).then(|| about.to_owned()),
        };
        (filter, wrong)
    }

    pub fn narrows(&self) -> bool {
        let typed = [
            &self.account,
            &self.kind,
            &self.country,
            &self.taxed,
            &self.from,
            &self.to,
            &self.currency,
            &self.about,
        ];
        typed.iter().any(|text| !text.is_empty())
    }

    /// A page of the same entries.
    pub fn link(&self, path: &str, page: &str) -> String {
        with_query(path, &[self.fields().as_slice(), &[("page", page)]].concat())
    }

    /// The same entries, for the fields of a form.
    pub fn fields(&self) -> [(&'static str, &str); 8] {
        [
            ("account", self.account.as_str()),
            ("kind", self.kind.as_str()),
            ("country", self.country.as_str()),
            ("taxed", self.taxed.as_str()),
            ("currency", self.currency.as_str()),
            ("from", self.from.as_str()),
            ("to", self.to.as_str()),
            ("about", self.about.as_str()),
        ]
    }
}

fn day(wrong: &mut Mistakes, field: &str, text: &str) -> Option<Date> {
    let found = parse_day(text);
    if found.is_none() {
        wrong.add(field, "A day is written like 2026-11-20.");
    }
    found
}

fn optional_day(wrong: &mut Mistakes, field: &str, text: &str) -> Option<Date> {
    if text.is_empty() { None } else { day(wrong, field, text) }
}

/// Three letters; anything else narrows nothing.
fn currency(text: &str) -> Option<String> {
    let fits = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_alphabetic());
    fits.then(|| text.to_ascii_lowercase())
}

/// The address of exactly the entries that a figure is made of.
pub fn entries_of(figure: Figure, period: Period, currency: &str) -> String {
    let (account, kinds) = figure.made_of();
    entries(period, &[("account", account.as_str()), ("kind", kinds.as_str()), ("currency", currency)])
}

/// The address of entries of a period.
pub fn entries(period: Period, narrowed: &[(&str, &str)]) -> String {
    let (from, to) = (day_text(period.first()), day_text(period.last()));
    let mut pairs = narrowed.to_vec();
    pairs.extend([("from", from.as_str()), ("to", to.as_str())]);
    with_query(LEDGER, &pairs)
}

/// How an address names a country, or that there is none.
pub fn country_word(country: &str) -> &str {
    if country.is_empty() { NO_COUNTRY } else { country }
}

/// The address of the entries that belong to one thing.
pub fn entries_about(id: &str) -> String {
    with_query(LEDGER, &[("about", id)])
}

pub fn transaction(id: LedgerTransactionId) -> String {
    format!("{LEDGER}/{id}")
}

pub fn order(id: OrderId) -> String {
    format!("/admin/orders/{id}")
}

pub fn subscriptions(asked: &Asked, currency: &str, list: SubscriptionList) -> String {
    let asked = Asked { currency: Some(currency.to_owned()), ..asked.clone() };
    asked.link_with(SUBSCRIPTIONS, &[("list", list.as_str())])
}

/// What the overview is about when nobody says: up to today.
pub fn last_month(now: OffsetDateTime) -> Period {
    Period::last_days(now, 30)
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-11-20 10:00 UTC);

    #[test]
    fn a_named_period_goes_before_days_and_without_either_it_is_the_last_month() {
        let read = |query: PeriodQuery| query.read(last_month(NOW));
        let (asked, wrong) = read(PeriodQuery::default());
        assert!(wrong.is_empty());
        assert_eq!(asked.period.days(), 30);

        let query = PeriodQuery {
            period: "2026-Q1".to_owned(),
            from: "2026-05-01".to_owned(),
            currency: "EUR".to_owned(),
            ..PeriodQuery::default()
        };
        let (asked, wrong) = read(query);
        assert!(wrong.is_empty());
        assert_eq!(asked.period, Period::parse("2026-Q1").expect("a quarter"));
        assert_eq!(asked.link(TAX), "/admin/finance/tax?period=2026-Q1&currency=eur");
    }

    #[test]
    fn days_that_make_no_period_are_said_at_their_field() {
        let read = |from: &str, to: &str| {
            let query = PeriodQuery { from: from.to_owned(), to: to.to_owned(), ..PeriodQuery::default() };
            query.read(last_month(NOW)).1
        };
        assert!(read("2026-11-01", "2026-11-20").is_empty());
        assert!(read("2026-11-20", "2026-11-01").of("to").is_some());
        assert!(read("2020-01-01", "2026-11-01").of("to").is_some());
        assert!(read("yesterday", "").of("from").is_some());
    }

    #[test]
    fn the_address_of_a_figure_reads_back_as_its_filter() {
        let period = Period::parse("2026-11").expect("a month");
        for figure in Figure::ALL {
            let address = entries_of(figure, period, "jpy");
            let pairs = address.split_once('?').expect("a query").1;
            let of = |name: &str| {
                let pair = pairs.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
                pair.unwrap_or_default().to_owned()
            };
            let query = LedgerQuery {
                account: of("account"),
                kind: of("kind"),
                currency: of("currency"),
                from: of("from"),
                to: of("to"),
                ..LedgerQuery::default()
            };
            assert_eq!(query.filter().0, figure.filter(period, "jpy"), "{address}");
        }
    }

    #[test]
    fn a_country_is_two_letters_or_none() {
        let country = |text: &str| {
            let query = LedgerQuery { country: text.to_owned(), ..LedgerQuery::default() };
            query.filter().0.country
        };
        assert_eq!(country("de").as_deref(), Some("DE"));
        assert_eq!(country(NO_COUNTRY).as_deref(), Some(""));
        assert_eq!(country("Germany"), None);
        assert_eq!(country(""), None);
    }
}
