//! The form that gives a payment back, or a part of it.

use devforge::{
    billing::{payment::Payment, refund::Consequence},
    contract::{
        id::PaymentId,
        money::{Currency, parse_amount},
    },
};
use leptos::prelude::*;

use super::PATH;
use crate::{
    components::{Field, Icon},
    pages::{forms::Mistakes, moments::day},
};

/// Of the token by which a form is known when it is sent twice.
pub const TOKEN_DIGITS: usize = 32;
const MAX_REASON_CHARS: u32 = 500;

/// What is to happen to the license: the word in the form, what it is called, and what it means.
const LICENSE: [(&str, &str, &str); 3] = [
    (
        "policy",
        "By policy",
        "Who gets all of the money back loses the license. Who gets a part of it keeps it.",
    ),
    ("keep", "Keep the license", "Also when all of the money goes back."),
    ("revoke", "End the license", "Also when only a part goes back."),
];

/// What was typed, to be shown again when something in it is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Typed {
    pub payment: PaymentId,
    pub amount: String,
    pub reason: String,
    pub license: String,
    pub form: String,
}

impl Typed {
    /// How much in minor units, where not all that is left, and what becomes of the license, where it is not the policy
    /// that decides.
    pub fn read(&self, currency: Currency) -> Result<(Option<i64>, Option<Consequence>), Mistakes> {
        let mut wrong = Mistakes::default();
        let amount = read_amount(&self.amount, currency, &mut wrong);
        let consequence = match self.license.as_str() {
            "" | "policy" => None,
            word => {
                let known = Consequence::parse(word);
                if known.is_none() {
                    wrong.add("license", "Choose what becomes of the license.");
                }
                known
            }
        };
        if wrong.is_empty() { Ok((amount, consequence)) } else { Err(wrong) }
    }

    /// The same form for the same payment and amount is the same refund. None without a token of ours.
    pub fn request_key(&self, amount: Option<i64>) -> Option<String> {
        let amount = amount.map_or_else(|| "all".to_owned(), |amount| amount.to_string());
        Some(format!("form:{}:{}:{amount}", self.token()?, self.payment))
    }

    /// The token that the form came with, if it is one of ours.
    fn token(&self) -> Option<&str> {
        let ours = self.form.len() == TOKEN_DIGITS && self.form.bytes().all(|byte| byte.is_ascii_hexdigit());
        ours.then_some(self.form.as_str())
    }
}

/// What was typed as an amount; nothing is nothing asked for.
pub fn read_amount(typed: &str, currency: Currency, wrong: &mut Mistakes) -> Option<i64> {
    if typed.trim().is_empty() {
        return None;
    }
    let amount = parse_amount(typed, currency);
    if amount.is_none() {
        let example = if currency.digits() == 0 { "1900" } else { "19.50" };
        wrong.add("amount", format!("Write an amount of {} like {example}, or nothing.", currency.code()));
    }
    amount
}

/// One form for each payment of which something is left.
pub fn refund_forms(
    order: &str,
    payments: &[Payment],
    token: &str,
    wrong: &Mistakes,
    typed: Option<&Typed>,
) -> Option<AnyView> {
    let left: Vec<&Payment> = payments.iter().filter(|paid| paid.left().amount > 0).collect();
    if left.is_empty() {
        return None;
    }
    let action = format!("{PATH}/{order}/refund");
    let only = left.len() == 1;
    let forms = left
        .into_iter()
        .map(|paid| {
            let typed = typed.filter(|typed| typed.payment == paid.id);
            let title = if only {
                format!("Give back up to {}", paid.left())
            } else {
                format!("Give back up to {} of what was paid on {}", paid.left(), day(paid.paid_at))
            };
            let form = form(&action, paid, token, wrong, typed);
            view! {
                <details open=typed.is_some()>
                    <summary><Icon name="right" size=16/>{title}</summary>
                    {form}
                </details>
            }
        })
        .collect_view();
    Some(view! { <div class="admin-actions">{forms}</div> }.into_any())
}

fn form(action: &str, paid: &Payment, token: &str, wrong: &Mistakes, typed: Option<&Typed>) -> AnyView {
    // The list of mistakes leads to the fields of the form that was sent.
    let id = |name: &str| if typed.is_some() { name.to_owned() } else { format!("{name}-{}", paid.id) };
    let error = |name: &str| typed.and_then(|_| wrong.of(name));
    let (amount, reason) =
        typed.map(|typed| (typed.amount.clone(), typed.reason.clone())).unwrap_or_default();
    // The same token again: a form that comes back with a mistake is still the same wish.
    let token = typed.and_then(Typed::token).unwrap_or(token).to_owned();
    let hint = format!("{} is left. Leave this empty to give all of it back.", paid.left());
    view! {
        <form method="post" action=action.to_owned() novalidate=true>
            <input type="hidden" name="payment" value=paid.id.to_string() autocomplete="off"/>
            <input type="hidden" name="form" value=token autocomplete="off"/>
            <Field name="amount" id=id("amount") label="Amount" value=amount hint=hint error=error("amount")
                inputmode="decimal" maxlength=20 autocomplete="off" optional=true/>
            <Field name="reason" id=id("reason") label="Reason" kind="textarea" value=reason error=error("reason")
                hint="It stands on the credit note that the customer gets." maxlength=MAX_REASON_CHARS/>
            {license(&id("license"), typed.map(|typed| typed.license.as_str()), error("license"))}
            <div class="button-row"><button class="button bad-solid" type="submit">"Refund"</button></div>
        </form>
    }
    .into_any()
}

/// The first choice has the name of the field as its id, so that the list of mistakes leads to it.
fn license(id: &str, typed: Option<&str>, error: Option<String>) -> AnyView {
    let chosen = typed.filter(|word| !word.is_empty()).unwrap_or("policy");
    let error_id = format!("{id}-error");
    let described_by = error.is_some().then(|| error_id.clone());
    let choices = LICENSE
        .into_iter()
        .enumerate()
        .map(|(index, (word, label, about))| {
            let id = (index == 0).then(|| id.to_owned());
            let checked = word == chosen;
            view! {
                <label class="radio">
                    <input type="radio" name="license" value=word id=id checked=checked/>
                    <span>{label}<small>{about}</small></span>
                </label>
            }
        })
        .collect_view();
    view! {
        <fieldset class="field" aria-describedby=described_by>
            <legend>"License"</legend>
            {choices}
            {error.map(|error| view! {
                <p class="field-error" id=error_id><Icon name="bad" size=16/><span>{error}</span></p>
            })}
        </fieldset>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(amount: &str, license: &str) -> Typed {
        Typed {
            payment: PaymentId::from_uuid(Default::default()),
            amount: amount.to_owned(),
            reason: "Bought twice".to_owned(),
            license: license.to_owned(),
            form: "0123456789abcdef0123456789abcdef".to_owned(),
        }
    }

    #[test]
    fn nothing_typed_is_all_that_is_left_and_the_policy() {
        assert_eq!(typed(" ", "policy").read(Currency::Eur).ok(), Some((None, None)));
        let read = typed("€5", "keep").read(Currency::Eur).ok();
        assert_eq!(read, Some((Some(500), Some(Consequence::Keep))));
    }

    #[test]
    fn what_cannot_be_read_is_said_at_its_field() {
        let wrong = typed("five", "burn").read(Currency::Jpy).expect_err("two mistakes");
        assert_eq!(wrong.of("amount").as_deref(), Some("Write an amount of JPY like 1900, or nothing."));
        assert!(wrong.of("license").is_some());
    }

    #[test]
    fn the_same_form_for_the_same_amount_has_the_same_key() {
        let one = typed("", "policy");
        assert_eq!(one.request_key(None), one.request_key(None));
        assert!(one.request_key(None).is_some_and(|key| key.starts_with("form:0123")));
        assert_ne!(one.request_key(None), one.request_key(Some(500)));
        assert_eq!(Typed { form: "x".to_owned(), ..one }.request_key(None), None);
    }
}
