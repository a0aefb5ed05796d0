//! What a price and the words of a tier may be.

use crate::{
    billing::problem,
    contract::{
        payment::{Interval, Tier},
        problem::FieldProblem,
    },
};

pub const MAX_TIER_NAME_CHARS: usize = 60;
pub const MAX_TIER_DESCRIPTION_CHARS: usize = 300;
pub const MAX_TRIAL_DAYS: u16 = 365;
/// What the payment provider takes at the most in one go, and about the least it takes at all.
const MAX_AMOUNT: i64 = 99_999_999;
const MIN_AMOUNT: i64 = 50;

/// What is wrong with a price, field by field.
pub fn price_problems(tier: Tier, interval: Interval, amount: i64, trial_days: u16) -> Vec<FieldProblem> {
    let mut problems = Vec::new();
    if tier == Tier::Free {
        problems.push(problem("tier", "not_allowed", "The Free tier costs nothing."));
    }
    if !(MIN_AMOUNT..=MAX_AMOUNT).contains(&amount) {
        let message =
            "A price is 50 of the currency's smallest units at the least and 99,999,999 at the most.";
        problems.push(problem("amount", "out_of_range", message));
    }
    if trial_days > MAX_TRIAL_DAYS {
        problems.push(problem("trialDays", "out_of_range", "A trial lasts 365 days at the most."));
    } else if trial_days > 0 && interval == Interval::Once {
        let message = "What is paid once has no trial. Enter 0.";
        problems.push(problem("trialDays", "not_allowed", message));
    }
    problems
}

/// Text on one line, neither empty nor too long, as it may stand in a row of the catalogue.
pub fn is_one_line(text: &str, most_chars: usize) -> bool {
    let chars = text.chars().count();
    (1..=most_chars).contains(&chars) && text.trim() == text && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_is_checked_field_by_field() {
        let fields = |tier, interval, amount, trial_days| -> Vec<String> {
            let problems = price_problems(tier, interval, amount, trial_days);
            problems.into_iter().map(|problem| problem.field).collect()
        };
        assert_eq!(fields(Tier::Free, Interval::Once, 0, 14), ["tier", "amount", "trialDays"]);
        assert_eq!(fields(Tier::Pro, Interval::Month, MAX_AMOUNT + 1, 366), ["amount", "trialDays"]);
        assert!(fields(Tier::Pro, Interval::Month, MIN_AMOUNT, 365).is_empty());
        assert!(fields(Tier::Enterprise, Interval::Once, MAX_AMOUNT, 0).is_empty());
    }
}
