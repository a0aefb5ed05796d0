//! What we read of Stripe's objects, and no more: fields we do not use are ignored, so that a new version of its API
//! does not break us, and words we do not know are kept as they came.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

pub type Metadata = BTreeMap<String, String>;

/// An object, or its id where it was not expanded.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Expandable<T> {
    Id(String),
    Object(Box<T>),
}

impl<T> Expandable<T> {
    pub fn object(&self) -> Option<&T> {
        match self {
            Self::Id(_) => None,
            Self::Object(object) => Some(object),
        }
    }
}

impl<T: HasId> Expandable<T> {
    pub fn id(&self) -> &str {
        match self {
            Self::Id(id) => id,
            Self::Object(object) => object.id(),
        }
    }
}

pub trait HasId {
    fn id(&self) -> &str;
}

macro_rules! has_id {
    ($($object:ident),*) => {
        $(impl HasId for $object {
            fn id(&self) -> &str {
                &self.id
            }
        })*
    };
}
has_id!(
    Customer,
    Price,
    Coupon,
    TaxRate,
    Session,
    PaymentIntent,
    Charge,
    BalanceTransaction,
    Refund,
    Dispute,
    Subscription,
    Invoice,
    Event,
    Product
);

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct List<T> {
    pub data: Vec<T>,
    #[serde(default)]
    pub has_more: bool,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Customer {
    pub id: String,
    pub email: Option<String>,
    #[serde(default)]
    pub metadata: Metadata,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Product {
    pub id: String,
    pub name: String,
    pub active: bool,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Price {
    pub id: String,
    pub active: bool,
    pub currency: String,
    pub unit_amount: Option<i64>,
    /// Our price's id.
    pub lookup_key: Option<String>,
    pub product: Expandable<Product>,
    #[serde(default)]
    pub metadata: Metadata,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Coupon {
    pub id: String,
    #[serde(default)]
    pub valid: bool,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct TaxRate {
    pub id: String,
    pub percentage: f64,
    pub country: Option<String>,
    pub inclusive: bool,
    pub active: bool,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Session {
    pub id: String,
    /// `open`, `complete`, `expired`.
    pub status: Option<String>,
    /// `paid`, `unpaid`, `no_payment_required`: what is fulfilled on.
    pub payment_status: String,
    pub mode: String,
    pub url: Option<String>,
    pub client_secret: Option<String>,
    /// Our order's id.
    pub client_reference_id: Option<String>,
    pub amount_total: Option<i64>,
    pub currency: Option<String>,
    pub customer: Option<Expandable<Customer>>,
    pub payment_intent: Option<Expandable<PaymentIntent>>,
    pub subscription: Option<Expandable<Subscription>>,
    pub invoice: Option<Expandable<Invoice>>,
    pub expires_at: i64,
    #[serde(default)]
    pub metadata: Metadata,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct PaymentIntent {
    pub id: String,
    pub status: String,
    pub amount: i64,
    pub currency: String,
    pub customer: Option<Expandable<Customer>>,
    pub latest_charge: Option<Expandable<Charge>>,
    #[serde(default)]
    pub metadata: Metadata,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Charge {
    pub id: String,
    pub amount: i64,
    pub amount_refunded: i64,
    pub currency: String,
    /// `succeeded`, `pending`, `failed`.
    pub status: String,
    pub paid: bool,
    pub created: i64,
    pub customer: Option<Expandable<Customer>>,
    pub payment_intent: Option<Expandable<PaymentIntent>>,
    pub balance_transaction: Option<Expandable<BalanceTransaction>>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct BalanceTransaction {
    pub id: String,
    pub amount: i64,
    pub fee: i64,
    pub currency: String,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Refund {
    pub id: String,
    pub amount: i64,
    pub currency: String,
    /// `pending`, `requires_action`, `succeeded`, `failed`, `canceled`.
    pub status: Option<String>,
    pub charge: Option<Expandable<Charge>>,
    pub reason: Option<String>,
    pub failure_reason: Option<String>,
    pub created: i64,
    #[serde(default)]
    pub metadata: Metadata,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Dispute {
    pub id: String,
    pub charge: Expandable<Charge>,
    pub amount: i64,
    pub currency: String,
    pub reason: String,
    /// `needs_response`, `under_review`, `won`, `lost`, and `warning_…` before money moves.
    pub status: String,
    pub created: i64,
    pub evidence_details: Option<EvidenceDetails>,
    /// What moved: the amount and its fee when it was taken, and again when it came back.
    #[serde(default)]
    pub balance_transactions: Vec<BalanceTransaction>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct EvidenceDetails {
    pub due_by: Option<i64>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Subscription {
    pub id: String,
    /// `trialing`, `active`, `past_due`, `unpaid`, `paused`, `incomplete`, `incomplete_expired`, `canceled`.
    pub status: String,
    pub customer: Expandable<Customer>,
    pub currency: String,
    pub items: List<SubscriptionItem>,
    pub cancel_at_period_end: bool,
    pub trial_end: Option<i64>,
    pub ended_at: Option<i64>,
    pub created: i64,
    pub latest_invoice: Option<Expandable<Invoice>>,
    /// `order`: the order it began with.
    #[serde(default)]
    pub metadata: Metadata,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct SubscriptionItem {
    pub id: String,
    pub price: Price,
    pub quantity: Option<u32>,
    pub current_period_start: i64,
    pub current_period_end: i64,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Invoice {
    /// A preview has none.
    #[serde(default)]
    pub id: String,
    /// `draft`, `open`, `paid`, `uncollectible`, `void`.
    pub status: Option<String>,
    pub customer: Option<Expandable<Customer>>,
    pub currency: String,
    pub subtotal: i64,
    pub total: i64,
    pub amount_due: i64,
    pub amount_paid: i64,
    #[serde(default)]
    pub attempt_count: u32,
    pub next_payment_attempt: Option<i64>,
    /// `subscription_create`, `subscription_cycle`, `subscription_update`, `manual`, …
    pub billing_reason: Option<String>,
    pub hosted_invoice_url: Option<String>,
    pub created: i64,
    pub lines: List<InvoiceLine>,
    pub parent: Option<InvoiceParent>,
    pub payments: Option<List<InvoicePayment>>,
}

impl Invoice {
    /// The subscription it is for, and the metadata of that at the time.
    pub fn subscription(&self) -> Option<&SubscriptionDetails> {
        self.parent.as_ref().and_then(|parent| parent.subscription_details.as_ref())
    }

    /// The payment that settled it.
    pub fn paid_by(&self) -> Option<&Expandable<PaymentIntent>> {
        let payments = self.payments.as_ref()?;
        let paid = payments.data.iter().find(|payment| payment.status == "paid")?;
        paid.payment.payment_intent.as_ref()
    }
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct InvoiceParent {
    pub subscription_details: Option<SubscriptionDetails>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct SubscriptionDetails {
    pub subscription: Expandable<Subscription>,
    #[serde(default, deserialize_with = "or_default")]
    pub metadata: Metadata,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct InvoicePayment {
    pub status: String,
    pub payment: InvoicePaymentOf,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct InvoicePaymentOf {
    pub payment_intent: Option<Expandable<PaymentIntent>>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct InvoiceLine {
    #[serde(default)]
    pub id: String,
    /// After quantity, before discount and tax.
    pub amount: i64,
    pub description: Option<String>,
    pub quantity: Option<u32>,
    #[serde(default, deserialize_with = "or_default")]
    pub discount_amounts: Vec<DiscountAmount>,
    #[serde(default, deserialize_with = "or_default")]
    pub taxes: Vec<LineTax>,
    pub period: Option<Period>,
}

impl InvoiceLine {
    pub fn discount(&self) -> i64 {
        self.discount_amounts.iter().map(|discount| discount.amount).sum()
    }

    pub fn tax(&self) -> i64 {
        self.taxes.iter().map(|tax| tax.amount).sum()
    }
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct DiscountAmount {
    pub amount: i64,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct LineTax {
    pub amount: i64,
    pub tax_rate_details: Option<TaxRateDetails>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct TaxRateDetails {
    pub tax_rate: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
pub struct Period {
    pub start: i64,
    pub end: i64,
}

/// Only what is needed to know which thing it is about.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Event {
    pub id: String,
    #[serde(rename = "type")]
    pub topic: String,
    pub created: i64,
    pub data: EventData,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct EventData {
    pub object: serde_json::Value,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct PortalSession {
    pub url: String,
}

/// A calculation by Stripe Tax.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct TaxCalculation {
    pub tax_amount_exclusive: i64,
    pub line_items: Option<List<TaxCalculationLine>>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct TaxCalculationLine {
    pub amount: i64,
    pub amount_tax: i64,
    pub reference: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub tax_breakdown: Vec<TaxBreakdown>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct TaxBreakdown {
    pub amount: i64,
    pub taxability_reason: Option<String>,
    pub jurisdiction: Option<Jurisdiction>,
    pub tax_rate_details: Option<TaxBreakdownRate>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Jurisdiction {
    pub country: Option<String>,
    pub state: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct TaxBreakdownRate {
    pub percentage_decimal: Option<String>,
    pub display_name: Option<String>,
}

fn or_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
