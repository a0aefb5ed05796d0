//! What somebody typed into the checkout, and what it means.
//!
//! What always holds: nothing typed here is an amount that anybody is charged; it is kept as text, so that a page that
//! comes back shows it as it was.

use devforge::{
    account::rules,
    billing::order::{MAX_SEATS, Order, Want},
    contract::{
        account::User,
        id::UserId,
        money::Currency,
        payment::{Address, CheckoutRequest, Interval, PaymentMethod, Tier},
    },
    crypto,
    random::Random,
};
use serde::Deserialize;

use super::countries;
use crate::pages::forms::Mistakes;

/// The longest line of an address.
pub const MAX_LINE: u32 = 200;
const TOKEN_DIGITS: usize = 32;

/// The fields in the order in which they stand on the page.
const FIELDS: [&str; 13] = [
    "seats",
    "interval",
    "currency",
    "coupon",
    "email",
    "name",
    "country",
    "taxId",
    "line1",
    "line2",
    "postalCode",
    "city",
    "region",
];

/// What a link to the checkout chooses.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Choice {
    pub tier: String,
    interval: String,
    currency: String,
    seats: String,
    coupon: String,
    /// Where the prices were looked at for.
    country: String,
}

/// The address of a checkout with the choices of an order.
pub fn same_again(order: &Order) -> String {
    let coupon = order.coupon.as_ref().map(|code| format!("&coupon={code}")).unwrap_or_default();
    format!(
        "/checkout?tier={}&interval={}&currency={}&seats={}{coupon}",
        order.tier.as_str(),
        order.interval.as_str(),
        order.currency.as_str(),
        order.seats,
    )
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Typed {
    pub tier: String,
    pub interval: String,
    pub currency: String,
    pub seats: String,
    pub coupon: String,
    pub email: String,
    pub name: String,
    pub country: String,
    pub tax_id: String,
    pub line1: String,
    pub line2: String,
    pub postal_code: String,
    pub city: String,
    pub region: String,
    /// Which button: `update` only computes anew.
    pub step: String,
    /// Made when the form was shown, so that sending it twice is one order.
    pub form: String,
    /// What the form said that it costs. Compared with what it does cost, and never charged.
    pub seen: String,
}

/// Which price is asked for. Whether there is one, the catalogue says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chosen {
    pub tier: Tier,
    pub interval: Interval,
    pub currency: Currency,
}

/// Who buys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Buyer {
    Guest,
    SignedIn { id: UserId, email: String, name: String },
}

impl Buyer {
    pub fn of(user: Option<&User>) -> Self {
        user.map_or(Self::Guest, |user| Self::SignedIn {
            id: user.id,
            email: user.email.clone(),
            name: user.name.clone(),
        })
    }

    pub fn id(&self) -> Option<UserId> {
        match self {
            Self::Guest => None,
            Self::SignedIn { id, .. } => Some(*id),
        }
    }
}

impl Typed {
    /// The form before anybody has typed: only what the link chose is in it.
    pub fn from_link(choice: Choice, buyer: &Buyer) -> Self {
        let Choice { tier, interval, currency, seats, coupon, country } = choice;
        let name = match buyer {
            Buyer::Guest => String::new(),
            Buyer::SignedIn { name, .. } => name.clone(),
        };
        let seats = if seats.trim().is_empty() { "1".to_owned() } else { seats };
        Self { tier, interval, currency, seats, coupon, country, name, ..Self::default() }
    }

    /// None when a word in it is none that we know.
    pub fn chosen(&self) -> Option<Chosen> {
        let interval = or(&self.interval, Interval::Month.as_str());
        let currency = or(&self.currency, Currency::Usd.as_str());
        Some(Chosen {
            tier: Tier::parse(self.tier.trim())?,
            interval: Interval::parse(interval)?,
            currency: Currency::parse(currency)?,
        })
    }

    pub fn seat_count(&self) -> Option<u32> {
        self.seats.trim().parse().ok().filter(|seats| (1..=MAX_SEATS).contains(seats))
    }

    /// Whether this form carries a token as we make them.
    pub fn has_token(&self) -> bool {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        self.form.len() == TOKEN_DIGITS && self.form.bytes().all(is_digit)
    }

    pub fn renew_token(&mut self, random: &Random) {
        self.form = crypto::to_hex(&random.bytes::<{ TOKEN_DIGITS / 2 }>());
    }

    /// What has to be right for a price to be said.
    pub fn check_choice(&self, wrong: &mut Mistakes) {
        if self.seat_count().is_none() {
            wrong.add("seats", "Choose 1 to 10,000 seats.");
        }
    }

    /// What has to be right for an order.
    pub fn check(&self, buyer: &Buyer) -> Mistakes {
        let mut wrong = Mistakes::default();
        self.check_choice(&mut wrong);
        if *buyer == Buyer::Guest && rules::normalize_email(&self.email).is_none() {
            let message = if self.email.trim().is_empty() {
                "Enter the mail address that your key goes to.".to_owned()
            } else {
                rules::email_problem("email").message
            };
            wrong.add("email", message);
        }
        if rules::normalize_name(&self.name).is_none() {
            let message = if self.name.trim().is_empty() {
                "Enter your name, or that of your company.".to_owned()
            } else {
                rules::name_problem(&self.name).message
            };
            wrong.add("name", message);
        }
        if !countries::is_country(self.country.trim()) {
            wrong.add("country", "Choose the country that the invoice goes to.");
        }
        self.check_lines(&mut wrong);
        wrong
    }

    fn check_lines(&self, wrong: &mut Mistakes) {
        let postal_code = if countries::has_postal_codes(self.country.trim()) {
            Some("Enter the postal code.")
        } else {
            None
        };
        let lines = [
            ("line1", &self.line1, Some("Enter street and number, or a post box.")),
            ("line2", &self.line2, None),
            ("postalCode", &self.postal_code, postal_code),
            ("city", &self.city, Some("Enter the town or city.")),
            ("region", &self.region, None),
        ];
        for (field, text, needed) in lines {
            let text = text.trim();
            if text.chars().count() > MAX_LINE as usize {
                wrong.add(field, format!("Shorten this to {MAX_LINE} letters."));
            } else if text.chars().any(char::is_control) {
                wrong.add(field, "Put this on one line.");
            } else if let Some(message) = needed.filter(|_| text.is_empty()) {
                wrong.add(field, message);
            }
        }
    }

    /// With one seat where no number of seats was typed.
    pub fn want(&self, chosen: Chosen, buyer: &Buyer) -> Want {
        Want {
            tier: chosen.tier,
            interval: chosen.interval,
            currency: chosen.currency,
            seats: self.seat_count().unwrap_or(1),
            coupon: filled(&self.coupon),
            tax_id: filled(&self.tax_id),
            address: self.address(),
            buyer: buyer.id(),
        }
    }

    /// What makes two sendings of a form one order: the form, and all that was chosen in it. Somebody who comes back to
    /// the form and takes more seats wants another order than the one before.
    pub fn request_key(&self) -> String {
        let chosen = [
            &self.tier,
            &self.interval,
            &self.currency,
            &self.seats,
            &self.coupon,
            &self.email,
            &self.name,
            &self.country,
            &self.tax_id,
            &self.line1,
            &self.line2,
            &self.postal_code,
            &self.city,
            &self.region,
        ];
        let chosen: Vec<&str> = chosen.into_iter().map(|text| text.trim()).collect();
        format!("form:{}:{}", self.form, chosen.join("\n"))
    }

    pub fn request(&self, chosen: Chosen, buyer: &Buyer) -> CheckoutRequest {
        CheckoutRequest {
            tier: chosen.tier,
            interval: chosen.interval,
            currency: Some(chosen.currency),
            seats: self.seat_count(),
            coupon: filled(&self.coupon),
            payment_method: PaymentMethod::Checkout,
            tax_id: filled(&self.tax_id),
            email: filled(&self.email).filter(|_| *buyer == Buyer::Guest),
            name: filled(&self.name),
            address: Some(self.address()),
        }
    }

    fn address(&self) -> Address {
        let line = |text: &str| text.trim().to_owned();
        Address {
            line1: line(&self.line1),
            line2: line(&self.line2),
            postal_code: line(&self.postal_code),
            city: line(&self.city),
            region: line(&self.region),
            country: Some(line(&self.country)).filter(|code| countries::is_country(code)).unwrap_or_default(),
        }
    }
}

/// The names of the domain's fields are those of the form, but that an address is no thing of its own here. The list of
/// mistakes goes down the page, whoever found them.
pub fn in_order(mut wrong: Mistakes) -> Mistakes {
    for (field, _) in &mut wrong.fields {
        if let Some(name) = field.strip_prefix("address.").map(str::to_owned) {
            *field = name;
        }
    }
    let place = |field: &str| FIELDS.iter().position(|known| *known == field).unwrap_or(FIELDS.len());
    wrong.fields.sort_by_key(|(field, _)| place(field));
    wrong.fields.dedup_by(|later, first| later.0 == first.0);
    wrong
}

fn filled(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

fn or<'a>(text: &'a str, default: &'a str) -> &'a str {
    let text = text.trim();
    if text.is_empty() { default } else { text }
}

#[cfg(test)]
mod tests;
