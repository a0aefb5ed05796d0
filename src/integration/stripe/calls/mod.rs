//! What we ask of Stripe, one file for each area. A request is built by a function of its own that does no I/O: the
//! builders are large, and none of them is kept while an answer is waited for.

pub(super) mod catalogue;
pub(super) mod checkout;
pub(super) mod customer;
mod event;
mod payment;
mod portal;
pub(super) mod subscription;
pub(super) mod tax;

use std::collections::HashMap;

use stripe_core::customer::OptionalFieldsCustomerAddress;

use super::Error;
use crate::contract::{money::Currency, payment::Address};

/// A page of a list, as large as Stripe makes them.
const PAGE: i64 = 100;

/// Stripe's ids are letters, digits and underscores. Anything else would end in another path than meant, and there is
/// nothing of that name.
fn checked(id: &str) -> Result<&str, Error> {
    let good = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if good { Ok(id) } else { Err(Error::NotFound) }
}

fn expand(paths: &[&str]) -> Vec<String> {
    paths.iter().map(|path| (*path).to_owned()).collect()
}

fn metadata(pairs: &[(&str, String)]) -> HashMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

const fn currency(currency: Currency) -> stripe_types::Currency {
    match currency {
        Currency::Usd => stripe_types::Currency::USD,
        Currency::Eur => stripe_types::Currency::EUR,
        Currency::Gbp => stripe_types::Currency::GBP,
        Currency::Jpy => stripe_types::Currency::JPY,
    }
}

/// None for what was left empty.
fn given(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// As Stripe takes an address. What was left empty is left out.
fn address(address: &Address) -> OptionalFieldsCustomerAddress {
    OptionalFieldsCustomerAddress {
        city: given(&address.city),
        country: given(&address.country),
        line1: given(&address.line1),
        line2: given(&address.line2),
        postal_code: given(&address.postal_code),
        state: given(&address.region),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ids_become_part_of_a_path() {
        assert!(matches!(checked("cus_Ab3"), Ok("cus_Ab3")));
        for id in ["", "../charges", "cus_1?x", "cus 1", "cus_ä", "a/b", "a%2fb"] {
            assert!(matches!(checked(id), Err(Error::NotFound)), "{id}");
        }
    }
}
