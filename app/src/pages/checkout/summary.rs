//! What a purchase costs, as a bill: line by line, then discount, tax with its reason, and the total. And what follows
//! from it: when it renews, and for how much.

use devforge::{
    billing::{
        catalogue::{Coupon, CouponDuration, Off},
        order::{Order, Quote},
    },
    contract::{
        money::{Currency, Money},
        payment::{Interval, Line},
    },
};
use leptos::prelude::*;
use time::{Date, Duration, Month, OffsetDateTime};

use super::Sum;
use crate::{components::Icon, pages::moments::day};

/// What stands on a bill. The amounts come from the domain and are only written out here.
pub struct Bill {
    pub interval: Interval,
    pub lines: Vec<Line>,
    pub currency: Currency,
    pub discount: Money,
    pub discount_words: String,
    pub trial_days: u16,
    pub total: Money,
    pub total_words: &'static str,
}

impl Bill {
    pub fn of_quote(quote: &Quote) -> Self {
        let coupon = quote.coupon.as_ref().map(coupon_words).unwrap_or_default();
        Self {
            interval: quote.price.price.interval,
            lines: quote.lines.clone(),
            currency: quote.total.currency,
            discount: quote.discount,
            discount_words: discount_words(quote.trial_days, &coupon),
            trial_days: quote.trial_days,
            total: quote.total,
            total_words: "Today",
        }
    }

    pub fn of_order(order: &Order) -> Self {
        let coupon = order.coupon.as_ref().map(|code| format!("Coupon {code}")).unwrap_or_default();
        Self {
            interval: order.interval,
            lines: order.lines.iter().map(|line| line.line.clone()).collect(),
            currency: order.currency,
            discount: order.discount,
            discount_words: discount_words(order.trial_days, &coupon),
            trial_days: order.trial_days,
            total: order.total,
            total_words: "Total",
        }
    }

    pub fn view(self) -> AnyView {
        let currency = self.currency;
        let lines = self.lines.iter().map(|line| bill_line(line, self.interval, currency)).collect_view();
        let discount = (!self.discount.is_zero()).then(|| {
            let off = currency.of(-self.discount.amount);
            row(self.discount_words.clone(), None, off)
        });
        // What a trial will be taxed with later says nothing of today.
        let taxes = (self.trial_days == 0).then(|| {
            let row = |(reason, amount)| row(reason, None, currency.of(amount));
            taxes(&self.lines).into_iter().map(row).collect_view()
        });
        view! {
            <table class="bill">
                <caption class="visually-hidden">"What it costs"</caption>
                <tbody>{lines}{discount}{taxes}</tbody>
                <tfoot>{row(self.total_words.to_owned(), None, self.total)}</tfoot>
            </table>
        }
        .into_any()
    }
}

fn bill_line(line: &Line, interval: Interval, currency: Currency) -> AnyView {
    let full = currency.of(line.unit_amount.saturating_mul(i64::from(line.quantity)));
    let each = format!("{} × {}{}", grouped(line.quantity), currency.of(line.unit_amount), each(interval));
    row(line.description.clone(), Some(each), full)
}

fn row(words: String, small: Option<String>, amount: Money) -> AnyView {
    let small = small.map(|small| view! { <small>{small}</small> });
    view! { <tr><th scope="row">{words}{small}</th><td>{amount.to_string()}</td></tr> }.into_any()
}

/// Lines that are taxed for the same reason share one row. Where no tax is taken, the row says why not.
fn taxes(lines: &[Line]) -> Vec<(String, i64)> {
    let mut taxes: Vec<(String, i64)> = Vec::new();
    for line in lines {
        match taxes.iter_mut().find(|(reason, _)| *reason == line.tax.reason) {
            Some((_, amount)) => *amount += line.tax.amount,
            None => taxes.push((line.tax.reason.clone(), line.tax.amount)),
        }
    }
    taxes.retain(|(reason, amount)| !reason.is_empty() || *amount != 0);
    for (reason, _) in &mut taxes {
        if reason.is_empty() {
            "Tax".clone_into(reason);
        }
    }
    taxes
}

fn discount_words(trial_days: u16, coupon: &str) -> String {
    match (trial_days, coupon) {
        (0, "") => "Discount".to_owned(),
        (0, coupon) => coupon.to_owned(),
        (days, _) => format!("Free for {days} days"),
    }
}

/// "Coupon SPRING, 20 % off for 3 months".
fn coupon_words(coupon: &Coupon) -> String {
    let off = match &coupon.off {
        Off::Share(rate) => rate.to_string(),
        Off::Amount(money) => money.to_string(),
    };
    let lasting = match &coupon.duration {
        CouponDuration::Once => String::new(),
        CouponDuration::Repeating(1) => " for a month".to_owned(),
        CouponDuration::Repeating(months) => format!(" for {months} months"),
        CouponDuration::Forever => " every time".to_owned(),
    };
    format!("Coupon {}, {off} off{lasting}", coupon.code)
}

/// What is bought, in a few words: "3 seats of Pro".
pub fn in_words(tier: &str, seats: u32) -> String {
    let plural = if seats == 1 { "" } else { "s" };
    format!("{tier}, {} seat{plural}", grouped(seats))
}

fn grouped(count: u32) -> String {
    // Written as an amount of a currency without digits behind the point, and without its sign.
    let text = Currency::Jpy.of(i64::from(count)).to_string();
    text.trim_start_matches(Currency::Jpy.symbol()).to_owned()
}

const fn each(interval: Interval) -> &'static str {
    match interval {
        Interval::Month => " a month",
        Interval::Year => " a year",
        Interval::Once => "",
    }
}

/// The label of the one button that goes on.
pub fn button(quote: &Quote, sum: Sum) -> String {
    if quote.trial_days > 0 {
        "Start the trial".to_owned()
    } else if quote.total.is_zero() {
        "Get it".to_owned()
    } else if sum == Sum::Estimate {
        // Another sum than this one is shown before anything is paid.
        "Go on to pay".to_owned()
    } else {
        format!("Pay {}", quote.total)
    }
}

/// All that somebody agrees to by the button: what is paid today and each time after it.
pub fn promise(quote: &Quote) -> String {
    let later = quote.renewal.map(|renewal| format!(", then {renewal}")).unwrap_or_default();
    format!("{}{later}", quote.total)
}

/// When it is paid again, and for how much.
pub fn renewal(quote: &Quote, now: OffsetDateTime) -> String {
    let interval = quote.price.price.interval;
    let Some((renewal, next)) = quote.renewal.zip(next_period(now, interval)) else {
        return "You pay once. Nothing renews.".to_owned();
    };
    let every = if interval == Interval::Year { "every year" } else { "every month" };
    if quote.trial_days > 0 {
        let days = quote.trial_days;
        let end = day(now + Duration::days(i64::from(days)));
        return format!(
            "Free for {days} days, then {renewal} {every}. Cancel any time before {end}, and nothing is charged."
        );
    }
    format!("Renews on {} for {renewal}, and {every} after that. Cancel any time in your account.", day(next))
}

/// The same day of the next month or year, or its last day where it has fewer.
fn next_period(from: OffsetDateTime, interval: Interval) -> Option<OffsetDateTime> {
    let (year, month) = match interval {
        Interval::Month if from.month() == Month::December => (from.year() + 1, Month::January),
        Interval::Month => (from.year(), from.month().next()),
        Interval::Year => (from.year() + 1, from.month()),
        Interval::Once => return None,
    };
    let day = from.day().min(month.length(year));
    let date = Date::from_calendar_date(year, month, day).ok()?;
    Some(from.replace_date(date))
}

/// A list of sentences, each with its icon.
pub fn sentences(list: Vec<(&'static str, String)>) -> AnyView {
    let items = list
        .into_iter()
        .map(|(icon, text)| view! { <li><Icon name=icon/><span>{text}</span></li> })
        .collect_view();
    view! { <ul class="follows">{items}</ul> }.into_any()
}

#[cfg(test)]
mod tests {
    use devforge::contract::{money::Rate, payment::LineTax};
    use time::macros::datetime;

    use super::*;

    fn line(reason: &str, tax: i64) -> Line {
        Line {
            description: "Dev Forge Pro, monthly".to_owned(),
            quantity: 1,
            unit_amount: 1900,
            discount: 0,
            net: 1900,
            tax: LineTax { rate: Rate::ZERO, amount: tax, country: String::new(), reason: reason.to_owned() },
        }
    }

    #[test]
    fn lines_taxed_alike_share_a_row_and_no_tax_says_why() {
        let lines =
            [line("VAT 19 % (Germany)", 361), line("Reverse charge", 0), line("VAT 19 % (Germany)", 1)];
        let expected = [("VAT 19 % (Germany)".to_owned(), 362), ("Reverse charge".to_owned(), 0)];
        assert_eq!(taxes(&lines), expected);
        assert!(taxes(&[line("", 0)]).is_empty());
        assert_eq!(taxes(&[line("", 5)]), [("Tax".to_owned(), 5)]);
    }

    #[test]
    fn a_period_ends_on_the_same_day_or_the_last_there_is() {
        let next = |from, interval| next_period(from, interval).expect("a next one").date();
        let january = datetime!(2027-01-31 10:00 UTC);
        assert_eq!(next(january, Interval::Month), datetime!(2027-02-28 10:00 UTC).date());
        assert_eq!(next(january, Interval::Year), datetime!(2028-01-31 10:00 UTC).date());
        let december = datetime!(2026-12-20 10:00 UTC);
        assert_eq!(next(december, Interval::Month), datetime!(2027-01-20 10:00 UTC).date());
        let leap = datetime!(2028-02-29 10:00 UTC);
        assert_eq!(next(leap, Interval::Year), datetime!(2029-02-28 10:00 UTC).date());
        assert_eq!(next_period(january, Interval::Once), None);
    }

    #[test]
    fn seats_read_as_people_write_them() {
        assert_eq!(in_words("Pro", 1), "Pro, 1 seat");
        assert_eq!(in_words("Pro", 10_000), "Pro, 10,000 seats");
    }

    #[test]
    fn a_discount_is_named_by_the_trial_or_by_the_coupon() {
        assert_eq!(discount_words(14, "Coupon SPRING"), "Free for 14 days");
        assert_eq!(discount_words(0, "Coupon SPRING"), "Coupon SPRING");
        assert_eq!(discount_words(0, ""), "Discount");
    }
}
