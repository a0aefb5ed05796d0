//! What is sold, as Stripe knows it: products, prices, coupons and tax rates.
//!
//! A product has our id, and what it is called is set, not added to: doing that twice does no harm. So setting carries
//! no key. With one, going back to an earlier name within a day would be answered from memory, and not be done.

use serde::Deserialize;
use stripe_client_core::{RequestBuilder, StripeRequest};
use stripe_product::{
    coupon::{CreateCoupon, RetrieveCoupon},
    price::{CreatePrice, CreatePriceRecurring, CreatePriceRecurringInterval, ListPrice, UpdatePrice},
    product::{CreateProduct, UpdateProduct},
    tax_rate::CreateTaxRate,
};
use stripe_shared::PriceTaxBehavior;

use super::{checked, currency};
use crate::{
    billing::catalogue::{CouponDuration, Off},
    contract::{
        money::{Currency, Rate},
        payment::Interval,
    },
    integration::stripe::{
        Error, Stripe,
        objects::{Coupon, List, Price, Product, TaxRate},
    },
};

const EXISTS: &str = "resource_already_exists";
/// Stripe's limit for what a tax rate is called.
const LONGEST_RATE_NAME: usize = 50;

#[derive(Debug, Clone, Copy)]
pub struct NewPrice<'a> {
    pub product: &'a str,
    pub currency: Currency,
    pub unit_amount: i64,
    pub interval: Interval,
    /// Our price's id, by which it is found again.
    pub lookup_key: &'a str,
}

#[derive(Debug, Clone, Copy)]
pub struct NewCoupon<'a> {
    pub id: &'a str,
    pub name: &'a str,
    pub off: Off,
    pub duration: CouponDuration,
    pub max_redemptions: Option<u32>,
    /// In seconds since 1970.
    pub expires_at: Option<i64>,
}

#[derive(Debug, Clone, Copy)]
pub struct NewTaxRate<'a> {
    pub percentage: Rate,
    /// Two letters; may be empty.
    pub country: &'a str,
    pub display_name: &'a str,
}

impl Stripe {
    /// The product with this id, made when there is none, called so.
    pub async fn put_product(
        &self,
        id: &str,
        name: &str,
        description: &str,
        key: &str,
    ) -> Result<Product, Error> {
        let id = checked(id)?;
        match self.transport.call(update_product(id, name, description), None).await {
            Err(Error::NotFound) => {}
            other => return other,
        }
        match self.transport.call(create_product(id, name, description), Some(key)).await {
            // Somebody else made it in between.
            Err(error) if error.code() == Some(EXISTS) => {
                self.transport.call(update_product(id, name, description), None).await
            }
            other => other,
        }
    }

    pub async fn create_price(&self, new: &NewPrice<'_>, key: &str) -> Result<Price, Error> {
        self.transport.call(create_price(new), Some(key)).await
    }

    /// Archived ones too.
    pub async fn price_by_lookup_key(&self, lookup_key: &str) -> Result<Option<Price>, Error> {
        let request = ListPrice::new().lookup_keys(vec![lookup_key.to_owned()]).limit(1).build();
        let found: List<Price> = self.transport.call(request, None).await?;
        Ok(found.data.into_iter().next())
    }

    /// Nobody can begin to buy at it any more; who does already goes on.
    pub async fn archive_price(&self, id: &str) -> Result<Price, Error> {
        let request = UpdatePrice::new(checked(id)?).active(false).build();
        self.transport.call(request, None).await
    }

    /// The coupon with this id. One that is there already must be the same.
    pub async fn create_coupon(&self, new: &NewCoupon<'_>, key: &str) -> Result<Coupon, Error> {
        let id = checked(new.id)?;
        match self.transport.call(create_coupon(new), Some(key)).await {
            Err(error) if error.code() == Some(EXISTS) => {
                let request = RetrieveCoupon::new(id).build();
                let terms: Terms = self.transport.call(request, None).await?;
                if terms.are_those_of(new) {
                    Ok(Coupon { id: terms.id, valid: terms.valid })
                } else {
                    Err(error)
                }
            }
            other => other,
        }
    }

    pub async fn create_tax_rate(&self, new: &NewTaxRate<'_>, key: &str) -> Result<TaxRate, Error> {
        self.transport.call(create_tax_rate(new), Some(key)).await
    }
}

fn create_product(id: &str, name: &str, description: &str) -> RequestBuilder {
    CreateProduct::new(name).id(id).description(description).build()
}

fn update_product(id: &str, name: &str, description: &str) -> RequestBuilder {
    UpdateProduct::new(id).name(name).description(description).active(true).build()
}

fn create_price(new: &NewPrice<'_>) -> RequestBuilder {
    let request = CreatePrice::new(currency(new.currency))
        .product(new.product)
        .unit_amount(new.unit_amount)
        .lookup_key(new.lookup_key)
        .tax_behavior(PriceTaxBehavior::Exclusive);
    match new.interval {
        Interval::Month => request.recurring(CreatePriceRecurring::new(CreatePriceRecurringInterval::Month)),
        Interval::Year => request.recurring(CreatePriceRecurring::new(CreatePriceRecurringInterval::Year)),
        Interval::Once => request,
    }
    .build()
}

/// As a number, which is how the builders take it. It has seven digits at most, so the nearest number is written with
/// the same digits again.
fn percentage(rate: Rate) -> f64 {
    f64::from(rate.0) / 10_000.0
}

fn create_coupon(new: &NewCoupon<'_>) -> RequestBuilder {
    let mut request = CreateCoupon::new().id(new.id).name(new.name);
    if let Some(most) = new.max_redemptions {
        request = request.max_redemptions(most);
    }
    if let Some(until) = new.expires_at {
        request = request.redeem_by(until);
    }
    let request = match new.off {
        Off::Share(rate) => request.percent_off(percentage(rate)),
        Off::Amount(money) => request.amount_off(money.amount).currency(currency(money.currency)),
    };
    match new.duration {
        CouponDuration::Once => request.duration(stripe_shared::CouponDuration::Once),
        CouponDuration::Repeating(months) => {
            request.duration(stripe_shared::CouponDuration::Repeating).duration_in_months(i64::from(months))
        }
        CouponDuration::Forever => request.duration(stripe_shared::CouponDuration::Forever),
    }
    .build()
}

fn create_tax_rate(new: &NewTaxRate<'_>) -> RequestBuilder {
    let name: String = new.display_name.chars().take(LONGEST_RATE_NAME).collect();
    let request = CreateTaxRate::new(name, false, percentage(new.percentage));
    match super::given(new.country) {
        Some(country) => request.country(country),
        None => request,
    }
    .build()
}

/// What a coupon at Stripe gives. Nothing of this can be changed there. For how long and how often it can be used is
/// checked by us as well.
#[derive(Debug, Deserialize)]
struct Terms {
    id: String,
    #[serde(default)]
    valid: bool,
    percent_off: Option<f64>,
    amount_off: Option<i64>,
    currency: Option<String>,
    duration: String,
    duration_in_months: Option<u16>,
}

impl Terms {
    fn are_those_of(&self, new: &NewCoupon<'_>) -> bool {
        let off = match new.off {
            Off::Share(rate) => {
                // Closer to each other than any two rates are.
                self.percent_off.is_some_and(|percent| (percent - percentage(rate)).abs() < 0.000_01)
            }
            Off::Amount(money) => {
                self.amount_off == Some(money.amount)
                    && self.currency.as_deref() == Some(money.currency.as_str())
            }
        };
        let duration = match new.duration {
            CouponDuration::Once => ("once", None),
            CouponDuration::Repeating(months) => ("repeating", Some(months)),
            CouponDuration::Forever => ("forever", None),
        };
        off && (self.duration.as_str(), self.duration_in_months) == duration
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COUPON: NewCoupon<'_> = NewCoupon {
        id: "cpn_1",
        name: "SPRING",
        off: Off::Share(Rate(81_000)),
        duration: CouponDuration::Repeating(3),
        max_redemptions: None,
        expires_at: None,
    };

    #[test]
    fn a_coupon_ends_at_stripe_as_it_does_here() {
        let body = create_coupon(&COUPON).body.expect("a body");
        assert!(!body.contains("max_redemptions") && !body.contains("redeem_by"), "{body}");
        let new = NewCoupon { max_redemptions: Some(7), expires_at: Some(1_800_000_000), ..COUPON };
        let body = create_coupon(&new).body.expect("a body");
        assert!(body.contains("max_redemptions=7") && body.contains("redeem_by=1800000000"), "{body}");
    }

    #[test]
    fn percentages_keep_their_digits() {
        let body = create_coupon(&COUPON).body.expect("a body");
        assert!(body.contains("percent_off=8.1&") || body.ends_with("percent_off=8.1"), "{body}");
        let rate = NewTaxRate { percentage: Rate(255_000), country: "FI", display_name: "VAT" };
        let body = create_tax_rate(&rate).body.expect("a body");
        assert!(body.contains("percentage=25.5") && body.contains("inclusive=false"), "{body}");
        for millionths in [1, 7, 33_333, 81_000, 99_999, 255_000, 999_999, 1_000_000] {
            let text = crate::contract::money::percent_text(Rate(millionths));
            assert_eq!(percentage(Rate(millionths)).to_string(), text);
        }
    }

    #[test]
    fn prices_are_before_tax_and_recur_as_they_should() {
        let price = |interval| NewPrice {
            product: "pro",
            currency: Currency::Jpy,
            unit_amount: 1900,
            interval,
            lookup_key: "prc_1",
        };
        let monthly = create_price(&price(Interval::Month)).body.expect("a body");
        assert!(monthly.contains("tax_behavior=exclusive") && monthly.contains("currency=jpy"), "{monthly}");
        assert!(monthly.contains("=month"), "{monthly}");
        let once = create_price(&price(Interval::Once)).body.expect("a body");
        assert!(!once.contains("recurring"), "{once}");
    }

    #[test]
    fn a_coupon_with_other_terms_is_another_coupon() {
        let terms = |percent: f64| Terms {
            id: "cpn_1".to_owned(),
            valid: true,
            percent_off: Some(percent),
            amount_off: None,
            currency: None,
            duration: "repeating".to_owned(),
            duration_in_months: Some(3),
        };
        assert!(terms(8.1).are_those_of(&COUPON));
        assert!(!terms(8.2).are_those_of(&COUPON));
        assert!(!terms(8.1).are_those_of(&NewCoupon { duration: CouponDuration::Repeating(4), ..COUPON }));
        let amount = Off::Amount(Currency::Usd.of(810));
        assert!(!terms(8.1).are_those_of(&NewCoupon { off: amount, ..COUPON }));
    }
}
