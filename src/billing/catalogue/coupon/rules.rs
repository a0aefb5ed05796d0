//! What a coupon may be, and what it takes off.
//!
//! What always holds: a discount is never negative and never more than what it is taken off; a coupon of one currency
//! takes nothing off another.

use time::OffsetDateTime;

use crate::contract::{
    id::CouponId,
    money::{Currency, Money, Rate},
    payment::Tier,
};

pub const MAX_MONTHS: u16 = 36;
pub const MAX_CODE_CHARS: usize = 40;
pub const MAX_REDEMPTIONS: u32 = 1_000_000;

/// What a coupon takes off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Off {
    Share(Rate),
    Amount(Money),
}

/// For how long it does, where something is paid again and again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CouponDuration {
    /// The first payment only.
    Once,
    /// So many months.
    Repeating(u16),
    Forever,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coupon {
    pub id: CouponId,
    /// In capital letters; read in any case.
    pub code: String,
    pub off: Off,
    pub duration: CouponDuration,
    /// Empty for every tier.
    pub tiers: Vec<Tier>,
    pub max_redemptions: Option<u32>,
    pub redeemed: u32,
    pub expires_at: Option<OffsetDateTime>,
    pub created_at: OffsetDateTime,
    pub withdrawn_at: Option<OffsetDateTime>,
}

impl Coupon {
    /// What it takes off `subtotal`.
    pub fn discount(&self, subtotal: Money) -> Money {
        let off = match self.off {
            Off::Share(rate) => rate.of(subtotal.amount),
            Off::Amount(money) if money.currency == subtotal.currency => money.amount,
            Off::Amount(_) => 0,
        };
        subtotal.currency.of(off.clamp(0, subtotal.amount.max(0)))
    }

    /// Why it cannot be used for this now, in words for whoever typed it.
    pub fn refusal(&self, tier: Tier, currency: Currency, now: OffsetDateTime) -> Option<&'static str> {
        if self.withdrawn_at.is_some() {
            return Some("This coupon is no longer offered.");
        }
        if self.expires_at.is_some_and(|at| at <= now) {
            return Some("This coupon has ended.");
        }
        if self.max_redemptions.is_some_and(|most| self.redeemed >= most) {
            return Some("This coupon was used as often as it can be.");
        }
        if !self.tiers.is_empty() && !self.tiers.contains(&tier) {
            return Some("This coupon is for another tier.");
        }
        match self.off {
            Off::Amount(money) if money.currency != currency => Some("This coupon is for another currency."),
            Off::Amount(_) | Off::Share(_) => None,
        }
    }
}

/// A code as it is stored. None for what no coupon can be called.
pub fn coupon_code(typed: &str) -> Option<String> {
    let code = typed.trim().to_ascii_uppercase();
    let is_letter = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    let fits = (3..=MAX_CODE_CHARS).contains(&code.len())
        && code.bytes().next().is_some_and(is_letter)
        && code.bytes().all(|byte| is_letter(byte) || byte == b'-');
    fits.then_some(code)
}

/// `12.5` or `12.5 %` as somebody types it: above nothing and at most all of it.
pub fn parse_percent(typed: &str) -> Option<Rate> {
    let text = typed.trim().trim_end_matches('%').trim_end();
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 3 || fraction.len() > 4 || !is_number(whole) || !is_number(fraction)
    {
        return None;
    }
    let millionths: u32 = format!("{whole}{fraction:0<4}").parse().ok()?;
    (1..=1_000_000).contains(&millionths).then_some(Rate(millionths))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::{Duration, macros::datetime};
    use uuid::Uuid;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-11-20 10:00 UTC);

    fn coupon(off: Off) -> Coupon {
        Coupon {
            id: CouponId::from_uuid(Uuid::nil()),
            code: "FORGE-10".to_owned(),
            off,
            duration: CouponDuration::Once,
            tiers: Vec::new(),
            max_redemptions: None,
            redeemed: 0,
            expires_at: None,
            created_at: NOW,
            withdrawn_at: None,
        }
    }

    #[test]
    fn a_coupon_is_refused_with_the_reason() {
        let tenth = || coupon(Off::Share(Rate::percent(10)));
        let refusal = |coupon: &Coupon| coupon.refusal(Tier::Pro, Currency::Usd, NOW).unwrap_or_default();
        assert_eq!(refusal(&tenth()), "");
        for (refused, word) in [
            (Coupon { withdrawn_at: Some(NOW), ..tenth() }, "no longer offered"),
            (Coupon { expires_at: Some(NOW), ..tenth() }, "ended"),
            (Coupon { max_redemptions: Some(2), redeemed: 2, ..tenth() }, "as often"),
            (Coupon { tiers: vec![Tier::Enterprise], ..tenth() }, "another tier"),
            (coupon(Off::Amount(Currency::Eur.of(500))), "another currency"),
        ] {
            assert!(refusal(&refused).contains(word), "{refused:?}");
        }
        for fine in [
            Coupon { expires_at: Some(NOW + Duration::SECOND), ..tenth() },
            Coupon { max_redemptions: Some(2), redeemed: 1, ..tenth() },
            Coupon { tiers: vec![Tier::Enterprise, Tier::Pro], ..tenth() },
            coupon(Off::Amount(Currency::Usd.of(500))),
        ] {
            assert_eq!(refusal(&fine), "", "{fine:?}");
        }
    }

    #[test]
    fn codes_are_read_in_any_case_and_with_spaces_around() {
        assert_eq!(coupon_code(" forge-10\n").as_deref(), Some("FORGE-10"));
        for text in ["", "AB", "-ABC", "FORGE 10", "FORGE_10", "ÖFFNEN", "A\0BC", &"A".repeat(41)] {
            assert_eq!(coupon_code(text), None, "{text}");
        }
    }

    #[test]
    fn shares_are_read_as_people_write_them() {
        for (text, rate) in [
            ("20", Some(Rate::percent(20))),
            (" 12.5 % ", Some(Rate(125_000))),
            ("100", Some(Rate::percent(100))),
            ("0.0001", Some(Rate(1))),
            ("0", None),
            ("100.1", None),
            ("-5", None),
            ("12,5", None),
            ("", None),
            (".5", None),
        ] {
            assert_eq!(parse_percent(text), rate, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_discount_is_between_nothing_and_all(
            subtotal in -1_000_000_i64..10_000_000_000,
            rate in 1_u32..=1_000_000,
            amount in 1_i64..99_999_999,
            index in 0_usize..4,
        ) {
            let subtotal = Currency::ALL[index].of(subtotal);
            for off in [Off::Share(Rate(rate)), Off::Amount(Currency::Eur.of(amount))] {
                let discount = coupon(off).discount(subtotal);
                prop_assert_eq!(discount.currency, subtotal.currency);
                prop_assert!(discount.amount >= 0 && discount.amount <= subtotal.amount.max(0));
                if off == Off::Amount(Currency::Eur.of(amount)) && subtotal.currency != Currency::Eur {
                    prop_assert!(discount.is_zero());
                }
            }
        }

        #[test]
        fn a_stored_code_reads_as_itself(code in "[A-Z0-9][A-Z0-9-]{2,39}") {
            prop_assert_eq!(coupon_code(&code.to_lowercase()), Some(code.clone()));
        }

        #[test]
        fn reading_a_share_never_panics(text in ".{0,20}") {
            if let Some(rate) = parse_percent(&text) {
                prop_assert!(rate.0 >= 1 && rate.0 <= 1_000_000);
            }
        }
    }
}
