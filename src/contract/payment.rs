//! What is bought and paid for, as it travels.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

use super::{
    id::{DisputeId, InvoiceId, OrderId, PaymentId, PriceId, RefundId, SubscriptionId},
    money::{Currency, Money, Rate},
};

/// An enumeration that stands as a word in the database and on the wire.
#[macro_export]
#[doc(hidden)]
macro_rules! contract_words {
    ($(#[$about:meta])* $name:ident { $($(#[$what:meta])* $variant:ident = $word:literal, $label:literal;)* }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum $name {
            $($(#[$what])* $variant,)*
        }

        impl $name {
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }

            /// As people read it.
            pub const fn label(self) -> &'static str {
                match self {
                    $(Self::$variant => $label,)*
                }
            }

            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.as_str() == text)
            }
        }
    };
}

contract_words! {
    /// What a license turns on.
    Tier {
        Free = "free", "Free";
        Pro = "pro", "Pro";
        Enterprise = "enterprise", "Enterprise";
    }
}

contract_words! {
    /// How often a price is paid.
    Interval {
        Month = "month", "Monthly";
        Year = "year", "Yearly";
        Once = "once", "Once";
    }
}

contract_words! {
    /// Where an order stands. The moves between these are in `billing/order/rules.rs`.
    OrderStatus {
        /// Waiting to be paid.
        Open = "open", "Waiting for payment";
        /// The customer has done their part; the bank has not yet.
        Processing = "processing", "Payment under way";
        Paid = "paid", "Paid";
        /// The bank said no to a payment that was under way.
        Failed = "failed", "Payment failed";
        /// Nobody paid in time.
        Expired = "expired", "Expired";
        PartiallyRefunded = "partially_refunded", "Partly refunded";
        Refunded = "refunded", "Refunded";
        /// The customer's bank has taken the money back until it is decided.
        Disputed = "disputed", "Disputed";
        /// The bank decided for the customer.
        DisputeLost = "dispute_lost", "Dispute lost";
    }
}

contract_words! {
    SubscriptionStatus {
        Trialing = "trialing", "Trial";
        Active = "active", "Active";
        /// A renewal was not paid; everything works until the grace ends.
        PastDue = "past_due", "Payment due";
        Paused = "paused", "Paused";
        /// The first payment was never made.
        Incomplete = "incomplete", "Not started";
        Ended = "ended", "Ended";
    }
}

contract_words! {
    RefundStatus {
        /// Decided by us, and on its way to the payment provider.
        Requested = "requested", "Requested";
        /// With the bank.
        Pending = "pending", "On its way";
        Succeeded = "succeeded", "Paid back";
        /// The bank sent it back to us.
        Failed = "failed", "Failed";
        Canceled = "canceled", "Called off";
    }
}

contract_words! {
    DisputeStatus {
        NeedsResponse = "needs_response", "Needs an answer";
        UnderReview = "under_review", "Under review";
        Won = "won", "Won";
        Lost = "lost", "Lost";
    }
}

contract_words! {
    /// The kinds of numbered documents.
    DocumentKind {
        Invoice = "invoice", "Invoice";
        CreditNote = "credit_note", "Credit note";
        /// Takes a credit note back, when its refund failed in the end.
        CreditNoteReversal = "credit_note_reversal", "Credit note reversal";
    }
}

contract_words! {
    InvoiceStatus {
        Paid = "paid", "Paid";
        PartiallyRefunded = "partially_refunded", "Partly refunded";
        Refunded = "refunded", "Refunded";
    }
}

/// What can be bought, in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Pricing {
    pub currency: Currency,
    pub currencies: Vec<Currency>,
    pub tiers: Vec<TierOffer>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TierOffer {
    pub tier: Tier,
    pub name: String,
    pub description: String,
    pub features: Vec<Feature>,
    /// Empty where a tier costs nothing, or is sold by quote in this currency.
    pub prices: Vec<Price>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Feature {
    pub code: String,
    pub name: String,
}

/// Before tax.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Price {
    pub id: PriceId,
    pub interval: Interval,
    /// In minor units of the currency.
    pub amount: i64,
    pub currency: Currency,
    pub per_seat: bool,
    pub trial_days: u16,
}

/// How somebody wants to pay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PaymentMethod {
    /// On Stripe's page: the answer has its `url`.
    #[default]
    Checkout,
    /// In a Payment Element of one's own: the answer has its `clientSecret`.
    Element,
}

/// Where a buyer is, as an invoice says it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Address {
    pub line1: String,
    pub line2: String,
    pub postal_code: String,
    pub city: String,
    /// State or province, where addresses have one.
    pub region: String,
    /// Two letters (ISO 3166-1).
    pub country: String,
}

/// What is to be bought. There is no amount in it: what it costs is computed here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CheckoutRequest {
    pub tier: Tier,
    pub interval: Interval,
    #[serde(default)]
    pub currency: Option<Currency>,
    /// 1 to 10,000.
    #[serde(default)]
    pub seats: Option<u32>,
    #[serde(default)]
    pub coupon: Option<String>,
    #[serde(default)]
    pub payment_method: PaymentMethod,
    #[serde(default)]
    pub tax_id: Option<String>,
    /// For guests: where the key and the account go. Whoever is signed in buys for their own.
    #[serde(default)]
    pub email: Option<String>,
    /// The buyer's name, or their company's.
    #[serde(default)]
    pub name: Option<String>,
    /// The country decides the tax; without one it is where we are.
    #[serde(default)]
    pub address: Option<Address>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CheckoutAnswer {
    pub order_id: OrderId,
    /// Null when nothing has to be paid.
    pub checkout_session_id: Option<String>,
    /// For the Payment Element; null for Stripe's page.
    pub client_secret: Option<String>,
    /// Where the buyer goes next: Stripe's page, or the order when nothing has to be paid.
    pub url: String,
}

/// What tax was taken on a line, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LineTax {
    /// Millionths: 190000 is 19 %.
    pub rate: Rate,
    pub amount: i64,
    /// Two letters, of where the tax goes; empty when there is none.
    pub country: String,
    /// In words, such as “VAT 19 % (Germany)” or “Reverse charge”.
    pub reason: String,
}

/// A line of an order or an invoice, in minor units of its currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    pub description: String,
    pub quantity: u32,
    /// Before discount and tax, for one.
    pub unit_amount: i64,
    pub discount: i64,
    /// `quantity × unitAmount − discount`, except where a period was prorated.
    pub net: i64,
    pub tax: LineTax,
}

impl Line {
    pub const fn total(&self) -> i64 {
        self.net + self.tax.amount
    }
}

/// A numbered document, as its buyer sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Invoice {
    pub id: InvoiceId,
    pub kind: DocumentKind,
    pub number: String,
    pub status: InvoiceStatus,
    pub subtotal: Money,
    pub tax: Money,
    pub total: Money,
    pub currency: Currency,
    pub lines: Vec<Line>,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    pub paid_at: Option<OffsetDateTime>,
    pub pdf_url: String,
    pub html_url: String,
}

contract_words! {
    HistoryKind {
        Payment = "payment", "Payment";
        Refund = "refund", "Refund";
        Dispute = "dispute", "Dispute";
    }
}

/// A payment, a refund or a dispute, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HistoryItem {
    /// `pay_…`, `rfd_…` or `dsp_…`.
    pub id: String,
    pub kind: HistoryKind,
    /// What was paid, or went back.
    pub amount: Money,
    /// The word of a refund's or a dispute's status; `succeeded` for a payment.
    pub status: String,
    pub description: String,
    pub invoice_id: Option<InvoiceId>,
    pub order_id: Option<OrderId>,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
}

/// What somebody is subscribed to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Subscription {
    pub id: SubscriptionId,
    pub status: SubscriptionStatus,
    pub tier: Tier,
    pub interval: Interval,
    pub seats: u32,
    /// What one seat costs each interval, before tax.
    pub unit_amount: Money,
    #[serde(with = "time::serde::rfc3339")]
    pub current_period_end: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    pub trial_end: Option<OffsetDateTime>,
    pub cancel_at_period_end: bool,
    /// Until when everything works although a payment is due.
    #[serde(with = "time::serde::rfc3339::option")]
    pub grace_until: Option<OffsetDateTime>,
    /// What it becomes at the end of the period, when less was asked for.
    pub next: Option<NextPlan>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NextPlan {
    pub tier: Tier,
    pub seats: u32,
}

/// What a subscription is to become. What is left out stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct SubscriptionChange {
    pub tier: Option<Tier>,
    pub interval: Option<Interval>,
    pub seats: Option<u32>,
    /// Only says what it would cost.
    pub preview: bool,
}

/// What a change costs: what is due now for the rest of the period, and what each later period costs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChangePreview {
    pub lines: Vec<Line>,
    pub due_now: Money,
    /// From when on it is so: now for more, the end of the period for less.
    #[serde(with = "time::serde::rfc3339")]
    pub effective_at: OffsetDateTime,
    /// Each later period, tax included.
    pub renewal: Money,
}

/// The answer to a change: what it costs, and the subscription as it is after it (or as it is, for a preview).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChangeAnswer {
    pub preview: ChangePreview,
    pub subscription: Subscription,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CurrentSubscription {
    /// Null without one.
    pub subscription: Option<Subscription>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PortalAnswer {
    pub url: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RefundRequest {
    pub invoice_id: InvoiceId,
    /// In minor units; without one, all that is left.
    #[serde(default)]
    pub amount: Option<i64>,
    pub reason: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RefundAnswer {
    pub refund_id: RefundId,
    pub status: RefundStatus,
    pub amount: Money,
}

/// Received and kept; what it says is worked on next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WebhookAnswer {
    pub success: bool,
}

/// Ids that stand beside each other in a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HistoryId {
    Payment(PaymentId),
    Refund(RefundId),
    Dispute(DisputeId),
}

impl std::fmt::Display for HistoryId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Payment(id) => id.fmt(f),
            Self::Refund(id) => id.fmt(f),
            Self::Dispute(id) => id.fmt(f),
        }
    }
}
