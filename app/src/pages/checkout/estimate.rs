//! About what something costs, where nobody outside is asked for the tax: they do not answer, they need more of the
//! address, or whoever looks has not asked yet.
//!
//! What always holds: nobody pays by an estimate. What is charged is computed anew when somebody goes on, and a sum that
//! is another than the one shown is shown first.

use devforge::{
    billing::{
        Error, catalogue,
        order::{Quote, Want},
    },
    context::Context,
    contract::{
        money::Rate,
        payment::{Interval, Line, LineTax},
    },
    integration::tax,
};

/// With the tax of a consumer in that country where our own table knows it, and before tax elsewhere. None when it is
/// not sold.
pub async fn estimate(ctx: &Context, want: &Want) -> Result<Option<Quote>, Error> {
    let Some(price) = catalogue::offered(ctx, want.tier, want.interval, want.currency).await? else {
        return Ok(None);
    };
    let coupon = match &want.coupon {
        Some(code) => Some(catalogue::usable_coupon(ctx, code, want.tier, want.currency).await?),
        None => None,
    };
    let currency = want.currency;
    // A guest has no trial.
    let trial_days = if want.buyer.is_some() { price.price.trial_days } else { 0 };
    let seats = if price.price.per_seat { want.seats } else { 1 };
    let full = currency.of(price.price.amount).times(seats).ok_or(Error::TooLarge)?;
    let off = coupon.as_ref().map_or(0, |coupon| coupon.discount(full).amount);
    // All of a trial is free.
    let discount = if trial_days > 0 { full.amount } else { off };
    let net = full.amount - discount;
    let tax = line_tax(want, &ctx.config.payments.home_country, net);
    let line = Line {
        description: format!("Dev Forge {}", want.tier.label()),
        quantity: seats,
        unit_amount: price.price.amount,
        discount,
        net,
        tax,
    };
    // A coupon may lapse, so what comes later is told at its full price.
    let later = full.amount + line_tax(want, &ctx.config.payments.home_country, full.amount).amount;
    Ok(Some(Quote {
        subtotal: full,
        discount: currency.of(discount),
        tax: currency.of(line.tax.amount),
        total: currency.of(line.total()),
        renewal: (want.interval != Interval::Once).then_some(currency.of(later)),
        trial_days,
        lines: vec![line],
        price,
        coupon,
        tax_id: None,
    }))
}

/// Who has a tax number may owe the tax themselves, so it is left open.
fn line_tax(want: &Want, home: &str, net: i64) -> LineTax {
    let country: &str = if want.address.country.is_empty() { home } else { &want.address.country };
    let rate = if want.tax_id.is_none() { tax::display_rate(country) } else { None };
    let (rate, reason) = match rate {
        Some(rate) => (rate, format!("VAT {rate}, an estimate")),
        None => (Rate::ZERO, "Before tax, which depends on your address".to_owned()),
    };
    LineTax { rate, amount: rate.of(net), country: country.to_owned(), reason }
}

#[cfg(test)]
mod tests {
    use devforge::contract::{
        money::Currency,
        payment::{Address, Tier},
    };

    use super::*;

    fn want(country: &str, tax_id: Option<&str>) -> Want {
        Want {
            tier: Tier::Pro,
            interval: Interval::Once,
            currency: Currency::Eur,
            seats: 1,
            coupon: None,
            tax_id: tax_id.map(str::to_owned),
            address: Address { country: country.to_owned(), ..Address::default() },
            buyer: None,
        }
    }

    #[test]
    fn the_tax_is_that_of_the_country_or_left_open() {
        let tax = |country, id| line_tax(&want(country, id), "DE", 10_000);
        assert_eq!(tax("SE", None).amount, 2_500);
        assert_eq!(tax("", None).amount, 1_900, "at home where nothing is said");
        for open in [tax("US", None), tax("SE", Some("SE556188840401"))] {
            assert_eq!(open.amount, 0);
            assert!(open.reason.starts_with("Before tax"), "{}", open.reason);
        }
    }
}
