//! What something costs today, line by line, with discount and tax.

use crate::{
    billing::{
        Error,
        catalogue::{self, Coupon, CouponDuration, PriceDetails},
        problem,
        tax_id::{self, TaxId},
    },
    context::Context,
    contract::{
        id::UserId,
        money::{Currency, Money},
        payment::{Address, Interval, Line, LineTax, Tier},
    },
    integration::tax::Purchase,
};

use super::{MAX_SEATS, store};

/// Stripe takes no larger sum at once than 99,999,999. A quarter of it is left for tax.
const MAX_SUM: i64 = 75_000_000;

/// What somebody wants to know the price of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Want {
    pub tier: Tier,
    pub interval: Interval,
    pub currency: Currency,
    pub seats: u32,
    pub coupon: Option<String>,
    pub tax_id: Option<String>,
    /// Its country decides the tax; without one it is where we are.
    pub address: Address,
    /// Who wants it, where that is known: a trial is had once, so only by somebody who is signed in.
    pub buyer: Option<UserId>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Quote {
    pub price: PriceDetails,
    pub lines: Vec<Line>,
    pub subtotal: Money,
    pub discount: Money,
    pub tax: Money,
    /// What is paid today.
    pub total: Money,
    pub coupon: Option<Coupon>,
    pub tax_id: Option<TaxId>,
    /// What each later period costs, tax included. None where there is none.
    pub renewal: Option<Money>,
    /// Days that are free at the start; then nothing is paid today.
    pub trial_days: u16,
}

pub async fn quote(ctx: &Context, want: &Want) -> Result<Quote, Error> {
    if !(1..=MAX_SEATS).contains(&want.seats) {
        return Err(Error::Invalid(vec![problem("seats", "out_of_range", "Choose 1 to 10,000 seats.")]));
    }
    let price = catalogue::offered(ctx, want.tier, want.interval, want.currency)
        .await?
        .ok_or(Error::PriceUnavailable)?;
    let mut address = want.address.clone();
    if address.country.trim().is_empty() {
        address.country.clone_from(&ctx.config.payments.home_country);
    }
    address.country = address.country.trim().to_ascii_uppercase();
    let tax_id = match want.tax_id.as_deref().map(str::trim).filter(|text| !text.is_empty()) {
        Some(text) => Some(tax_id::parse(text, &address.country).map_err(Error::InvalidTaxId)?),
        None => None,
    };
    let coupon = match want.coupon.as_deref().map(str::trim).filter(|code| !code.is_empty()) {
        Some(code) => Some(catalogue::usable_coupon(ctx, code, want.tier, want.currency).await?),
        None => None,
    };
    let tried = match want.buyer {
        Some(buyer) if price.price.trial_days > 0 => store::had_trial(&ctx.db, buyer).await?,
        Some(_) => false,
        None => true,
    };
    let trial_days = if tried { 0 } else { price.price.trial_days };
    let sums = Sums::of(&price, want.seats, coupon.as_ref(), trial_days)?;
    if sums.subtotal > MAX_SUM {
        let words =
            "This is more than one payment can carry. Choose fewer seats, or write to us for a quote.";
        return Err(Error::Invalid(vec![problem("seats", "too_much", words)]));
    }
    // Both in one question: what is paid today, and what each later period comes to.
    let nets = [sums.net(), sums.renewal_net];
    let purchase =
        Purchase { currency: want.currency, address: &address, tax_id: tax_id.as_ref(), nets: &nets };
    let taxes: [LineTax; 2] = ctx
        .tax
        .calculate(&purchase)
        .await?
        .try_into()
        .map_err(|_| Error::Unexpected("the tax of another number of lines".to_owned()))?;
    let quote = sums.into_quote(price, want, coupon, tax_id, taxes);
    let least = want.currency.minimum_charge();
    if (1..least).contains(&quote.total.amount) {
        let least = want.currency.of(least);
        let words = format!(
            "The least that can be paid at once is {least}. Choose more seats, or leave the coupon out."
        );
        return Err(Error::Invalid(vec![problem("seats", "too_little", words)]));
    }
    Ok(quote)
}

/// The amounts of a purchase before tax.
struct Sums {
    seats: u32,
    subtotal: i64,
    discount: i64,
    renewal_net: i64,
    trial_days: u16,
}

impl Sums {
    fn of(price: &PriceDetails, seats: u32, coupon: Option<&Coupon>, trial_days: u16) -> Result<Self, Error> {
        let currency = price.price.currency;
        let seats = if price.price.per_seat { seats } else { 1 };
        let full = currency.of(price.price.amount).times(seats).ok_or(Error::TooLarge)?;
        let off = coupon.map_or(0, |coupon| coupon.discount(full).amount);
        let lasting = coupon.is_some_and(|coupon| coupon.duration != CouponDuration::Once);
        Ok(Self {
            seats,
            subtotal: full.amount,
            // All of a trial is free.
            discount: if trial_days > 0 { full.amount } else { off },
            renewal_net: full.amount - if lasting || trial_days > 0 { off } else { 0 },
            trial_days,
        })
    }

    const fn net(&self) -> i64 {
        self.subtotal - self.discount
    }

    fn into_quote(
        self,
        price: PriceDetails,
        want: &Want,
        coupon: Option<Coupon>,
        tax_id: Option<TaxId>,
        [tax, renewal_tax]: [LineTax; 2],
    ) -> Quote {
        let currency = want.currency;
        let net = self.net();
        let recurring = want.interval != Interval::Once;
        let renewal = currency.of(self.renewal_net + renewal_tax.amount);
        // What a trial will be taxed with later says nothing of today.
        let tax = if self.trial_days > 0 { LineTax { amount: 0, ..tax } } else { tax };
        Quote {
            subtotal: currency.of(self.subtotal),
            discount: currency.of(self.discount),
            tax: currency.of(tax.amount),
            total: currency.of(net + tax.amount),
            renewal: recurring.then_some(renewal),
            trial_days: self.trial_days,
            lines: vec![Line {
                description: describe(want.tier, want.interval, self.trial_days),
                quantity: self.seats,
                unit_amount: price.price.amount,
                discount: self.discount,
                net,
                tax,
            }],
            price,
            coupon,
            tax_id,
        }
    }
}

/// `Dev Forge Pro, monthly, per seat`.
pub fn describe(tier: Tier, interval: Interval, trial_days: u16) -> String {
    let often = match interval {
        Interval::Month => "monthly",
        Interval::Year => "yearly",
        Interval::Once => "paid once",
    };
    let trial = if trial_days > 0 { format!(", first {trial_days} days free") } else { String::new() };
    format!("Dev Forge {}, {often}{trial}", tier.label())
}
