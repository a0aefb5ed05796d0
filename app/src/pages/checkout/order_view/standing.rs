//! What became of an order: how the license stands that was bought with it, in a word and a sentence.
//!
//! What always holds: where there is a license, it is the license that is told of, whatever its order says; where there is
//! none yet, the order says why.

use devforge::{
    billing::order::{Order, rules as orders},
    contract::{license::LicenseStatus, payment::OrderStatus},
    license::{License, rules::Cause},
};
use time::OffsetDateTime;

use crate::pages::moments::day;

/// How what was bought stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    pub tone: &'static str,
    pub icon: &'static str,
    pub word: &'static str,
    pub text: String,
    pub stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Nothing has come of it yet.
    ToCome,
    /// It is good.
    Ready,
    /// It is not good, and its own page says what can be done.
    NotGood,
    /// There is nothing to be opened.
    Gone,
}

/// None for an order that nobody has paid.
pub fn standing(order: &Order, licenses: &[License], now: OffsetDateTime) -> Option<Standing> {
    if !orders::was_paid(order.status) {
        return None;
    }
    let theirs: Vec<&License> = licenses.iter().filter(|license| is_buyers(order, license)).collect();
    let good = theirs.iter().find(|license| is_good(license, now)).or(theirs.first());
    Some(match good {
        Some(license) => of_license(license, now),
        None if licenses.is_empty() => to_come(order),
        None => told(
            ("plain", "user", "Given away"),
            "This license belongs to somebody else now.".to_owned(),
            Stage::Gone,
        ),
    })
}

/// How a license stands, for whoever bought it.
pub fn of_license(license: &License, now: OffsetDateTime) -> Standing {
    match license.status(now) {
        LicenseStatus::Active | LicenseStatus::Grace => {
            let text = format!("Made on {}.", day(license.created_at));
            told(("ok", "key", "Ready"), text, Stage::Ready)
        }
        LicenseStatus::Expired => {
            let ended = day(license.expires_at.unwrap_or(now));
            let text = format!("It ended on {ended}. The editor uses the free tier.");
            told(("plain", "clock", "Expired"), text, Stage::NotGood)
        }
        LicenseStatus::Suspended => {
            let (word, text) = match license.suspended_by.iter().max() {
                Some(Cause::Dispute) => (
                    "Held back",
                    "Your bank questions the payment. Until it has decided, the editor uses the free tier.",
                ),
                Some(Cause::Subscription) => (
                    "Paused",
                    "It is paused with its subscription. While it is, the editor uses the free tier.",
                ),
                _ => ("Paused", "We paused it. Write to support to learn why."),
            };
            told(("warn", "lock", word), text.to_owned(), Stage::NotGood)
        }
        LicenseStatus::Revoked => {
            let text = match license.revoked_by.iter().max() {
                Some(Cause::Refund) => "It ended with its refund. The editor uses the free tier.",
                Some(Cause::Dispute) => {
                    "It ended when the bank gave the money back. The editor uses the free tier."
                }
                _ => "We took it away. Write to support to learn why.",
            };
            told(("bad", "x", "Taken away"), text.to_owned(), Stage::NotGood)
        }
    }
}

/// Why there is no license.
fn to_come(order: &Order) -> Standing {
    match order.status {
        OrderStatus::Disputed => told(
            ("warn", "lock", "Held back"),
            "Your bank questions the payment. The license is made when it has decided that the payment stands."
                .to_owned(),
            Stage::Gone,
        ),
        OrderStatus::Refunded | OrderStatus::DisputeLost => told(
            ("plain", "x", "Not made"),
            "The money went back before the license was made.".to_owned(),
            Stage::Gone,
        ),
        OrderStatus::PartiallyRefunded => told(
            ("info", "clock", "Not made yet"),
            "Money went back before the license was made. If you expect one, write to support.".to_owned(),
            Stage::Gone,
        ),
        _ => told(("info", "clock", "Being made"), "Your license is being made.".to_owned(), Stage::ToCome),
    }
}

/// Whether it is still with whoever bought it, who may have had no account then.
fn is_buyers(order: &Order, license: &License) -> bool {
    let same_account = order.account.is_some() && license.account == order.account;
    same_account || license.email.eq_ignore_ascii_case(&order.email)
}

fn is_good(license: &License, now: OffsetDateTime) -> bool {
    matches!(license.status(now), LicenseStatus::Active | LicenseStatus::Grace)
}

fn told(look: (&'static str, &'static str, &'static str), text: String, stage: Stage) -> Standing {
    let (tone, icon, word) = look;
    Standing { tone, icon, word, text, stage }
}

#[cfg(test)]
mod tests {
    use devforge::contract::{
        id::{CustomerId, OrderId, UserId},
        money::Currency,
        payment::{Interval, PaymentMethod, Tier},
    };
    use time::{Duration, macros::datetime};

    use super::*;
    use crate::pages::license_parts::fixtures;

    const NOW: OffsetDateTime = datetime!(2026-11-20 10:00 UTC);

    fn order(status: OrderStatus) -> Order {
        let total = Currency::Usd.of(39_900);
        Order {
            id: OrderId::from_uuid(Default::default()),
            status,
            account: Some(UserId::from_uuid(Default::default())),
            customer: CustomerId::from_uuid(Default::default()),
            email: "ada@example.com".to_owned(),
            tier: Tier::Pro,
            interval: Interval::Once,
            seats: 1,
            currency: Currency::Usd,
            subtotal: total,
            discount: Currency::Usd.of(0),
            tax: Currency::Usd.of(0),
            total,
            refunded: Currency::Usd.of(0),
            trial_days: 0,
            coupon: None,
            payment_method: PaymentMethod::Checkout,
            lines: Vec::new(),
            session_id: None,
            session_url: None,
            attempt: 1,
            created_at: NOW,
            expires_at: NOW,
            paid_at: Some(NOW),
            fulfilled_at: None,
        }
    }

    fn word(status: OrderStatus, licenses: &[License]) -> Option<&'static str> {
        standing(&order(status), licenses, NOW).map(|standing| standing.word)
    }

    #[test]
    fn without_a_license_the_order_says_why() {
        for (status, expected) in [
            (OrderStatus::Open, None),
            (OrderStatus::Processing, None),
            (OrderStatus::Failed, None),
            (OrderStatus::Expired, None),
            (OrderStatus::Paid, Some("Being made")),
            (OrderStatus::Disputed, Some("Held back")),
            (OrderStatus::PartiallyRefunded, Some("Not made yet")),
            (OrderStatus::Refunded, Some("Not made")),
            (OrderStatus::DisputeLost, Some("Not made")),
        ] {
            assert_eq!(word(status, &[]), expected, "{status:?}");
        }
    }

    #[test]
    fn a_license_says_itself_how_it_stands() {
        let made = fixtures::license();
        let held = |cause| License { suspended_by: vec![cause], ..fixtures::license() };
        let taken = |cause| License { revoked_by: vec![cause], ..fixtures::license() };
        let past = Some(NOW - Duration::DAY);
        let over = License { expires_at: past, good_until: past, ..fixtures::license() };
        for (status, license, expected, about) in [
            (OrderStatus::Paid, made.clone(), "Ready", "20 November 2026"),
            (OrderStatus::PartiallyRefunded, made.clone(), "Ready", "Made on"),
            (OrderStatus::Disputed, held(Cause::Dispute), "Held back", "bank"),
            (OrderStatus::Paid, held(Cause::Subscription), "Paused", "subscription"),
            (OrderStatus::Paid, held(Cause::Staff), "Paused", "We paused"),
            (OrderStatus::PartiallyRefunded, taken(Cause::Refund), "Taken away", "refund"),
            (OrderStatus::DisputeLost, taken(Cause::Dispute), "Taken away", "bank"),
            (OrderStatus::Paid, taken(Cause::Staff), "Taken away", "We took"),
            (OrderStatus::Paid, over, "Expired", "19 November 2026"),
        ] {
            let standing = standing(&order(status), &[license], NOW).expect("it was paid");
            assert_eq!(standing.word, expected, "{status:?}");
            assert!(standing.text.contains(about), "{}", standing.text);
        }
    }

    #[test]
    fn one_that_is_good_speaks_for_all_and_one_of_somebody_else_for_none() {
        let gone = License { revoked_by: vec![Cause::Staff], ..fixtures::license() };
        let moved = License { account: None, email: "grace@example.com".to_owned(), ..fixtures::license() };
        let paid = OrderStatus::Paid;
        assert_eq!(word(paid, &[gone.clone(), fixtures::license()]), Some("Ready"));
        assert_eq!(word(paid, &[gone, moved.clone()]), Some("Taken away"));
        assert_eq!(word(paid, &[moved]), Some("Given away"));
        let unclaimed = License { account: None, email: "Ada@Example.com".to_owned(), ..fixtures::license() };
        assert_eq!(word(paid, &[unclaimed]), Some("Ready"));
    }
}
