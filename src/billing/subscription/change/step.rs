//! One change of a plan: from what to what, when it counts, what it costs, and how it is done at Stripe.

use time::OffsetDateTime;

use crate::{
    billing::{
        Error, Outcome, catalogue, settle,
        subscription::{
            Details,
            rules::{self, Moment, Plan},
            store,
            sync::sync,
        },
    },
    context::Context,
    contract::{
        money::{Currency, Money, Rate},
        payment::{ChangePreview, Interval, Line, LineTax, SubscriptionChange, SubscriptionStatus},
    },
    crypto,
    integration::stripe::{self, Change, Proration, Stripe, objects},
};

pub(super) struct Step<'a> {
    details: &'a Details,
    /// The one item of the subscription at Stripe, and the price it is to have there.
    item: &'a objects::SubscriptionItem,
    price: String,
    pub target: Plan,
    pub interval: Interval,
    moment: Moment,
    now: OffsetDateTime,
}

impl<'a> Step<'a> {
    /// The way from what there is to what is wanted, when there is one.
    pub async fn towards(
        ctx: &Context,
        details: &'a Details,
        theirs: &'a objects::Subscription,
        wanted: &SubscriptionChange,
    ) -> Result<Self, Error> {
        let state = &details.state;
        let before = state.target();
        let target =
            Plan { tier: wanted.tier.unwrap_or(before.tier), seats: wanted.seats.unwrap_or(before.seats) };
        let interval = wanted.interval.unwrap_or(state.terms.interval);
        if (state.terms.interval, interval) == (Interval::Year, Interval::Month) {
            return Err(Error::Conflict(
                "Your yearly plan runs until its period ends. It can become monthly then: cancel it to end that \
                 day, and subscribe again.",
            ));
        }
        if target == before && interval == state.terms.interval {
            return Err(Error::Conflict("This is what you have. Choose another plan or number of seats."));
        }
        let moment = rules::moment(state, target, interval);
        if moment == Moment::Now && state.next.is_some() {
            // Stripe would count from the smaller plan, and charge once more for what is paid.
            return Err(Error::Conflict(
                "A smaller plan is set for the end of the period. Go back to what you have now first, then make \
                 this change.",
            ));
        }
        let item = theirs
            .items
            .data
            .first()
            .ok_or_else(|| Error::Unexpected("a subscription without an item".to_owned()))?;
        let price = if target.tier == before.tier && interval == state.terms.interval {
            // Whoever has a price that is no longer offered keeps it.
            item.price.id.clone()
        } else {
            let price = if (target.tier, interval) == (state.terms.tier, state.terms.interval) {
                // Back from a lower tier that has not come yet: what is paid for is there to go back to.
                catalogue::price(ctx, state.terms.price).await?
            } else {
                catalogue::offered(ctx, target.tier, interval, state.terms.currency).await?
            };
            catalogue::stripe_price(ctx, &price.ok_or(Error::PriceUnavailable)?).await?
        };
        Ok(Self { details, item, price, target, interval, moment, now: ctx.clock.now() })
    }

    fn change(&self, proration: Proration) -> Change<'_> {
        Change { item: &self.item.id, price: &self.price, quantity: self.target.seats, proration }
    }

    fn proration(&self) -> Proration {
        match self.moment {
            Moment::Now => Proration::InvoiceNow,
            Moment::PeriodEnd => Proration::None,
        }
    }

    /// What it costs, by Stripe's own count.
    pub async fn preview(&self, ctx: &Context) -> Result<ChangePreview, Error> {
        let stripe = ctx.stripe()?;
        let stripe_id = &self.details.stripe_id;
        let state = &self.details.state;
        let later = stripe.preview_change(stripe_id, &self.change(Proration::None)).await?;
        let renewal = money(&later.currency, later.total)?;
        // A trial costs nothing, however much it is of: Stripe would show the invoice at its end.
        let free = self.moment == Moment::PeriodEnd || state.status == SubscriptionStatus::Trialing;
        let (lines, due_now) =
            if free { (Vec::new(), Money::zero(renewal.currency)) } else { self.bill(ctx, stripe).await? };
        // To take a smaller plan back changes nothing before the period ends, and is so at once.
        let waits = self.moment == Moment::PeriodEnd && self.target != state.plan();
        let effective_at = if waits { state.period_end } else { self.now };
        Ok(ChangePreview { lines, due_now, effective_at, renewal })
    }

    /// What the rest of the period costs, line by line, and what of it is to be paid now.
    async fn bill(&self, ctx: &Context, stripe: &Stripe) -> Result<(Vec<Line>, Money), Error> {
        let change = self.change(Proration::InvoiceNow);
        let now = stripe.preview_change(&self.details.stripe_id, &change).await?;
        if now.total < 0 {
            return Err(Error::Conflict(
                "What you have paid for is worth more than the new plan. Make this change when the period is over.",
            ));
        }
        let tax = match self.details.order {
            Some(order) => store::tax(&ctx.db, order).await?,
            None => None,
        };
        let lines = now.lines.data.iter().map(|line| shown(line, tax.as_ref())).collect();
        Ok((lines, money(&now.currency, now.amount_due)?))
    }

    /// Does it at Stripe, and reads back what came of it.
    pub async fn apply(&self, ctx: &Context) -> Result<Outcome, Error> {
        let stripe_id = &self.details.stripe_id;
        let key = self.key(ctx).await?;
        let changed = ctx
            .stripe()?
            .change_subscription(stripe_id, &self.change(self.proration()), &key)
            .await
            .map_err(declined)?;
        let outcome = sync(ctx, stripe_id).await?;
        // The change is made and paid. What cannot be written down now comes with Stripe's message.
        if let Some(invoice) = changed.latest_invoice.filter(|_| self.moment == Moment::Now)
            && let Err(error) = settle::invoice(ctx, invoice.id()).await
        {
            tracing::warn!(error = %error, invoice = invoice.id(), "the invoice of a change is left to its message");
        }
        Ok(outcome)
    }

    /// The same for the same wish in the same state, and another when it is wished again after other changes, or after
    /// it failed: Stripe gives the first answer to a key again, also when that was a no.
    async fn key(&self, ctx: &Context) -> Result<String, Error> {
        let changes = store::changes(&ctx.db, self.details.id).await?;
        let wish = format!(
            "{} {} {:?}, from {} {:?}, after {changes}",
            self.price, self.target.seats, self.moment, self.item.price.id, self.item.quantity
        );
        let hash = crypto::to_hex(&crypto::sha256(wish.as_bytes()));
        Ok(format!("subscription-{}-{hash}", self.details.id))
    }
}

fn money(currency: &str, amount: i64) -> Result<Money, Error> {
    let currency = Currency::parse(currency)
        .ok_or_else(|| Error::Unexpected(format!("an invoice in the currency {currency}")))?;
    Ok(currency.of(amount))
}

/// A line of Stripe's invoice as one of ours. A part of a period has no price of one seat: it stands as one thing.
fn shown(line: &objects::InvoiceLine, tax: Option<&LineTax>) -> Line {
    let quantity = line.quantity.unwrap_or(1).max(1);
    let even = line.amount % i64::from(quantity) == 0;
    let (quantity, unit_amount) =
        if even { (quantity, line.amount / i64::from(quantity)) } else { (1, line.amount) };
    let known = tax.cloned().unwrap_or_else(|| LineTax {
        rate: Rate::ZERO,
        amount: 0,
        country: String::new(),
        reason: String::new(),
    });
    Line {
        description: line.description.clone().unwrap_or_default(),
        quantity,
        unit_amount,
        discount: line.discount(),
        net: line.amount - line.discount(),
        tax: LineTax { amount: line.tax(), ..known },
    }
}

/// A refused card, in words for its owner. Stripe leaves the subscription as it was.
fn declined(error: stripe::Error) -> Error {
    let stripe::Error::Declined { decline_code, .. } = &error else { return error.into() };
    let why = match decline_code.as_deref() {
        Some("insufficient_funds") => "There is not enough money on the card.",
        Some("expired_card") => "The card has expired.",
        Some("authentication_required") => "The bank wants to hear from you before it pays.",
        _ => "The bank declined the card.",
    };
    Error::Declined(format!(
        "{why} Nothing was changed, and nothing was charged. Change the card, then try again."
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(amount: i64, quantity: u32) -> objects::InvoiceLine {
        objects::InvoiceLine {
            id: String::new(),
            amount,
            description: Some("Remaining time".to_owned()),
            quantity: Some(quantity),
            discount_amounts: vec![objects::DiscountAmount { amount: 100 }],
            taxes: vec![objects::LineTax { amount: 171, tax_rate_details: None }],
            period: None,
        }
    }

    #[test]
    fn a_line_adds_up_whether_or_not_it_can_be_divided() {
        let tax = LineTax {
            rate: Rate::percent(19),
            amount: 7,
            country: "DE".to_owned(),
            reason: "VAT 19 % (Germany)".to_owned(),
        };
        for (amount, quantity, expected) in [(1000, 5, (5, 200)), (1001, 5, (1, 1001)), (-1000, 5, (5, -200))]
        {
            let shown = shown(&line(amount, quantity), Some(&tax));
            assert_eq!((shown.quantity, shown.unit_amount), expected, "{amount}");
            assert_eq!(shown.net, i64::from(shown.quantity) * shown.unit_amount - shown.discount);
            assert_eq!(shown.total(), amount - 100 + 171);
            assert_eq!(shown.tax.country, "DE");
        }
    }
}
