//! The lines of our invoice for a payment: those of the order, where the sum is the same, or else those of Stripe's own
//! invoice, for a renewal or a change in the middle of a period.

use super::total_of;
use crate::{
    billing::{Error, catalogue::name_of_tax, customer, order::Order},
    context::Context,
    contract::{
        money::{Money, Rate},
        payment::{Line, LineTax},
    },
    integration::{
        stripe::objects::{Invoice, InvoiceLine},
        tax::country_name,
    },
};

const KIND: &str = "tax_rate";

/// Lines that add up to exactly what was paid. `taxed_as` is how the order was taxed that the payment goes back to.
pub async fn of_payment(
    ctx: &Context,
    ordered: Option<&Order>,
    taxed_as: Option<&LineTax>,
    invoice: Option<&Invoice>,
    paid: Money,
) -> Result<Vec<Line>, Error> {
    let as_ordered = |order: &Order| order.lines.iter().map(|line| line.line.clone()).collect();
    if let Some(order) = ordered.filter(|order| order.total == paid) {
        return Ok(as_ordered(order));
    }
    let paid = paid.amount;
    let mut lines: Vec<Line> = Vec::new();
    let mut billed = 0;
    if let Some(invoice) = invoice {
        for line in &invoice.lines.data {
            lines.push(from_stripe(ctx, line, taxed_as).await?);
        }
        billed = total_of(invoice);
    } else if let Some(order) = ordered {
        lines = as_ordered(order);
        billed = order.total.amount;
    }
    // Credit from before, or an amount changed at Stripe's own site: the document says what was paid.
    if billed != paid {
        tracing::warn!(billed, paid, "a payment differs from its invoice");
        lines.push(difference(paid - billed));
    }
    Ok(lines)
}

fn difference(amount: i64) -> Line {
    let description = if amount < 0 { "Credit from before" } else { "Adjustment" };
    Line {
        description: description.to_owned(),
        quantity: 1,
        unit_amount: amount,
        discount: 0,
        net: amount,
        tax: LineTax { rate: Rate::ZERO, amount: 0, country: String::new(), reason: String::new() },
    }
}

async fn from_stripe(ctx: &Context, line: &InvoiceLine, taxed_as: Option<&LineTax>) -> Result<Line, Error> {
    let discount = line.discount();
    let quantity = line.quantity.unwrap_or(1).max(1);
    // A prorated line has no whole price of one.
    let whole = line.amount % i64::from(quantity) == 0;
    let (quantity, unit_amount) =
        if whole { (quantity, line.amount / i64::from(quantity)) } else { (1, line.amount) };
    Ok(Line {
        description: line.description.clone().unwrap_or_else(|| "Dev Forge".to_owned()),
        quantity,
        unit_amount,
        discount,
        net: line.amount - discount,
        tax: tax(ctx, line, taxed_as).await?,
    })
}

/// Stripe names its own rate: which of ours that is was kept when it was made there, as `DE:190000`. Taxed at the rate of
/// its order, a line is taxed for its reason: that of a reverse charge is nothing Stripe could tell.
async fn tax(ctx: &Context, line: &InvoiceLine, taxed_as: Option<&LineTax>) -> Result<LineTax, Error> {
    let amount = line.tax();
    let rate_id = line.taxes.first().and_then(|tax| tax.tax_rate_details.as_ref()).map(|rate| &rate.tax_rate);
    let known = match rate_id {
        Some(id) => customer::store::our_key(&ctx.db, ctx.stripe()?.environment(), KIND, id).await?,
        None => None,
    };
    let known = known.as_deref().and_then(|key| key.split_once(':'));
    Ok(match known {
        Some((country, rate)) => {
            let rate = Rate(rate.parse().map_err(|_| Error::Stored(rate.to_owned()))?);
            match taxed_as.filter(|tax| tax.rate == rate && tax.country == country) {
                Some(tax) => LineTax { amount, ..tax.clone() },
                None => {
                    let place = country_name(country).unwrap_or(country);
                    let reason = format!("{} {rate} ({place})", name_of_tax(country));
                    LineTax { rate, amount, country: country.to_owned(), reason }
                }
            }
        }
        None if amount == 0 => match taxed_as.filter(|tax| tax.rate == Rate::ZERO) {
            Some(tax) => LineTax { amount, ..tax.clone() },
            None => LineTax { rate: Rate::ZERO, amount, country: String::new(), reason: "No tax".to_owned() },
        },
        // A rate made at Stripe's own site.
        None => {
            let country = ctx.config.payments.home_country.clone();
            LineTax { rate: Rate::ZERO, amount, country, reason: "Tax".to_owned() }
        }
    })
}
