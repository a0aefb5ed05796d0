//! Ids as they travel: a three-letter kind, an underscore, and a UUIDv7 in 26 letters of lower-case
//! Crockford base32 (the TypeID format). The kind keeps an id of one thing from being taken for another.

use std::fmt;

use uuid::Uuid;

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const ENCODED_LEN: usize = 26;

/// Why a text is not an id of the kind asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParseIdError {
    #[error("an id of this kind begins with “{expected}_”")]
    WrongKind { expected: &'static str },
    #[error("an id has 26 letters and digits after its kind")]
    Malformed,
}

/// Writes `uuid` as 26 letters: the 128 bits are read as one number, most significant first, with two zero
/// bits in front.
pub fn encode(uuid: Uuid) -> String {
    let value = uuid.as_u128();
    let mut text = String::with_capacity(ENCODED_LEN);
    for position in (0..ENCODED_LEN).rev() {
        text.push(char::from(ALPHABET[((value >> (5 * position)) & 31) as usize]));
    }
    text
}

/// Reads what [`encode`] wrote. Only the one canonical spelling is taken, so that ids can be compared as text.
pub fn decode(text: &str) -> Result<Uuid, ParseIdError> {
    // A first letter above `7` would need more than 128 bits.
    if text.len() != ENCODED_LEN || text.as_bytes()[0] > b'7' {
        return Err(ParseIdError::Malformed);
    }
    text.bytes()
        .try_fold(0u128, |value, letter| {
            let digit = ALPHABET.iter().position(|&known| known == letter)?;
            Some((value << 5) | digit as u128)
        })
        .map(Uuid::from_u128)
        .ok_or(ParseIdError::Malformed)
}

/// What every id type offers; made by [`define_id!`](crate::define_id).
pub trait Id: Copy + fmt::Display {
    const KIND: &'static str;
    fn from_uuid(uuid: Uuid) -> Self;
    fn uuid(self) -> Uuid;
}

/// Makes a newtype over [`Uuid`] that is shown, read and serialised as a TypeID.
#[macro_export]
macro_rules! define_id {
    ($(#[$meta:meta])* $name:ident, $kind:literal) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(uuid::Uuid);

        impl $name {
            pub const fn from_uuid(uuid: uuid::Uuid) -> Self {
                Self(uuid)
            }

            pub const fn uuid(self) -> uuid::Uuid {
                self.0
            }
        }

        impl $crate::contract::id::Id for $name {
            const KIND: &'static str = $kind;

            fn from_uuid(uuid: uuid::Uuid) -> Self {
                Self(uuid)
            }

            fn uuid(self) -> uuid::Uuid {
                self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!($kind, "_{}"), $crate::contract::id::encode(self.0))
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::contract::id::ParseIdError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let body = text
                    .strip_prefix(concat!($kind, "_"))
                    .ok_or($crate::contract::id::ParseIdError::WrongKind { expected: $kind })?;
                $crate::contract::id::decode(body).map(Self)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .pattern(Some(concat!("^", $kind, "_[0-7][0-9a-hjkmnp-tv-z]{25}$")))
                    .examples([concat!($kind, "_01h2xcejqtf2nbrexx3vqjhp41")])
                    .into()
            }
        }

        impl utoipa::ToSchema for $name {}

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

define_id!(
    /// A person with an account.
    UserId,
    "usr"
);
define_id!(
    /// One device on which a person is signed in.
    SessionId,
    "ses"
);
define_id!(
    /// A token that a person made for their own programs.
    TokenId,
    "tok"
);
define_id!(
    /// A passkey of a person.
    PasskeyId,
    "psk"
);
define_id!(
    /// An archive of what we keep about a person.
    ExportId,
    "exp"
);
define_id!(
    /// A mail we sent or are about to send.
    MailId,
    "eml"
);
define_id!(
    /// An entry of the audit log.
    AuditId,
    "aud"
);
define_id!(
    /// One HTTP request, as it stands in answers, logs and error pages.
    RequestId,
    "req"
);

define_id!(
    /// A price of the catalogue.
    PriceId,
    "prc"
);
define_id!(
    /// A coupon.
    CouponId,
    "cpn"
);
define_id!(
    /// Something bought, or about to be.
    OrderId,
    "ord"
);
define_id!(
    /// A line of an order: what a license is issued for.
    OrderLineId,
    "oln"
);
define_id!(
    /// Whoever pays: name, address and tax id as they stand on an invoice.
    CustomerId,
    "cus"
);
define_id!(
    /// Money that came in.
    PaymentId,
    "pay"
);
define_id!(
    /// An invoice, a credit note, or the reversal of one.
    InvoiceId,
    "inv"
);
define_id!(
    /// Money that goes back.
    RefundId,
    "rfd"
);
define_id!(
    /// A customer's wish to have their money back.
    RefundRequestId,
    "rrq"
);
define_id!(
    /// A payment that a customer's bank questions.
    DisputeId,
    "dsp"
);
define_id!(
    /// What is paid for again and again.
    SubscriptionId,
    "sub"
);
define_id!(
    /// A movement in the ledger: entries that add up to nothing.
    LedgerTransactionId,
    "ltx"
);
define_id!(
    /// A message from outside that waits to be worked on.
    InboxId,
    "ibx"
);
define_id!(
    /// A license.
    LicenseId,
    "lic"
);
define_id!(
    /// A machine that a license was activated on.
    MachineId,
    "mch"
);
define_id!(
    /// An article of the knowledge base.
    ArticleId,
    "art"
);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_published_typeid_vector_is_met() {
        let uuid = Uuid::from_u128(0x0188_bac7_4afa_78aa_bc3b_bd1e_ef28_d881);
        assert_eq!(encode(uuid), "01h2xcejqtf2nbrexx3vqjhp41");
        assert_eq!(decode("01h2xcejqtf2nbrexx3vqjhp41"), Ok(uuid));
    }

    #[test]
    fn another_kind_of_id_is_refused() {
        let session = SessionId::from_uuid(Uuid::from_u128(7)).to_string();
        assert_eq!(session.parse::<UserId>(), Err(ParseIdError::WrongKind { expected: "usr" }));
    }

    #[test]
    fn only_the_canonical_spelling_is_read() {
        for text in [
            "",
            "01H2XCEJQTF2NBREXX3VQJHP41",
            "01h2xcejqtf2nbrexx3vqjhp4",
            "8zzzzzzzzzzzzzzzzzzzzzzzzz",
            "ü1h2xcejqtf2nbrexx3vqjhp4",
        ] {
            assert_eq!(decode(text), Err(ParseIdError::Malformed), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_uuid_survives_the_round_trip(value: u128) {
            let id = UserId::from_uuid(Uuid::from_u128(value));
            prop_assert_eq!(id.to_string().parse::<UserId>(), Ok(id));
        }

        #[test]
        fn reading_never_panics(text in ".{0,40}") {
            let _ = decode(&text);
            let _ = text.parse::<UserId>();
        }
    }
}
