//! Decisions at the checkout that need no I/O.

use super::problem;
use crate::{contract::problem::FieldProblem, integration::stripe};

/// Whether an address may be one that Stripe takes: it wants a dot in the domain, which an account may do without.
pub fn plausible_address(email: &str) -> bool {
    let Some((local, domain)) = email.rsplit_once('@') else { return false };
    let mut labels = domain.split('.');
    !local.is_empty() && domain.contains('.') && labels.all(|label| !label.is_empty())
}

/// What a buyer can put right of what Stripe does not take, in our words. None for what is ours to put right.
pub fn mistake(error: &stripe::Error) -> Option<FieldProblem> {
    let stripe::Error::Invalid { param: Some(param), .. } = error else { return None };
    // `address[postal_code]` is the part of an address, `line_items[0][price]` nothing that anybody typed.
    let mut parts = param.split(['[', ']']).filter(|part| !part.is_empty());
    let whole = parts.next()?;
    if whole == "email" || whole == "customer_email" {
        let words = "The payment provider does not take this mail address. Check it, or use another.";
        return Some(problem("email", "invalid_email", words));
    }
    if whole == "address" {
        let field = match parts.next() {
            Some("country") => "country",
            Some("postal_code") => "postalCode",
            Some("city") => "city",
            Some("state") => "region",
            Some("line2") => "line2",
            _ => "line1",
        };
        let words = "The payment provider does not take this part of the address. Check it.";
        return Some(problem(field, "invalid_address", words));
    }
    if whole == "amount" || whole.starts_with("amount_") {
        let words = "This sum cannot be charged at once. Choose another number of seats.";
        return Some(problem("seats", "invalid_amount", words));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_dot_in_its_domain() {
        for good in ["ada@example.com", "a@b@mail.example", "ada@xn--bcher-kva.example"] {
            assert!(plausible_address(good), "{good}");
        }
        for bad in ["ada@localhost", "ada@example.", "ada@.example", "ada@a..b", "@example.com", "ada", ""] {
            assert!(!plausible_address(bad), "{bad:?}");
        }
    }

    #[test]
    fn what_a_buyer_typed_is_theirs_to_put_right_in_our_words() {
        let of = |param: Option<&str>| {
            let param = param.map(str::to_owned);
            mistake(&stripe::Error::Invalid { param, code: None, message: "Invalid: ada@x".to_owned() })
        };
        for (param, field) in [
            ("email", "email"),
            ("customer_email", "email"),
            ("address", "line1"),
            ("address[country]", "country"),
            ("address[postal_code]", "postalCode"),
            ("amount", "seats"),
            ("amount_total", "seats"),
        ] {
            let found = of(Some(param)).unwrap_or_else(|| panic!("{param} is nobody's"));
            assert_eq!(found.field, field, "{param}");
            assert!(!found.message.contains("ada@x"), "{param}");
        }
        for ours in [None, Some("line_items[0][price]"), Some("customer"), Some("success_url"), Some("")] {
            assert_eq!(of(ours), None, "{ours:?}");
        }
        assert_eq!(mistake(&stripe::Error::NotFound), None);
    }
}
