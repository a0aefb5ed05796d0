//! What a refund is at, and what it does to the license.

use crate::contract::payment::RefundStatus;

/// What becomes of the license when money goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consequence {
    Keep,
    Revoke,
}

impl Consequence {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Revoke => "revoke",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Keep, Self::Revoke].into_iter().find(|one| one.as_str() == text)
    }
}

/// The policy, where staff does not decide otherwise: who gets all of their money back gives the license back, and who
/// gets a part of it keeps it.
pub const fn policy(given_back: i64, paid: i64) -> Consequence {
    if given_back >= paid { Consequence::Revoke } else { Consequence::Keep }
}

/// Whether a text can be stored, printed and mailed as it is: of what cannot be seen, it has line ends and tabs only.
pub fn is_plain(text: &str) -> bool {
    text.chars().all(|char| !char.is_control() || matches!(char, '\n' | '\r' | '\t'))
}

/// A status in Stripe's words.
pub fn status(word: Option<&str>) -> RefundStatus {
    match word {
        Some("succeeded") => RefundStatus::Succeeded,
        Some("failed") => RefundStatus::Failed,
        Some("canceled") => RefundStatus::Canceled,
        _ => RefundStatus::Pending,
    }
}

/// What hearing of a status changes in the books.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    Nothing,
    /// Only the word changes.
    Note,
    /// The money is going back: ledger, credit note, order.
    GoesBack,
    /// It never went: what was set aside for it is free again.
    NeverWent,
    /// It had gone and came back to us: all of that is reversed.
    CameBack,
}

/// A refund moves forward only: requested, pending, succeeded, and from each of these to its failure. So an old answer
/// that comes late changes nothing.
pub const fn step(from: RefundStatus, to: RefundStatus) -> Step {
    use RefundStatus as S;
    match (from, to) {
        (S::Requested, S::Pending | S::Succeeded) => Step::GoesBack,
        (S::Pending, S::Succeeded) => Step::Note,
        (S::Requested, S::Failed | S::Canceled) => Step::NeverWent,
        (S::Pending | S::Succeeded, S::Failed | S::Canceled) => Step::CameBack,
        _ => Step::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_status() -> impl Strategy<Value = RefundStatus> {
        prop::sample::select(RefundStatus::ALL)
    }

    proptest! {
        /// However the words come, the money goes back at most once and comes back at most once, after it went.
        #[test]
        fn books_change_at_most_once_each_way(words in prop::collection::vec(any_status(), 0..20)) {
            let (mut at, mut went, mut came_back, mut never) = (RefundStatus::Requested, 0, 0, 0);
            for word in words {
                let step = step(at, word);
                match step {
                    Step::GoesBack => went += 1,
                    Step::CameBack => came_back += 1,
                    Step::NeverWent => never += 1,
                    Step::Nothing | Step::Note => {}
                }
                if step != Step::Nothing {
                    at = word;
                }
                prop_assert!(went <= 1 && came_back <= went && never + went <= 1);
            }
        }
    }

    #[test]
    fn all_of_it_ends_the_license_and_a_part_does_not() {
        assert_eq!(policy(1000, 1000), Consequence::Revoke);
        assert_eq!(policy(999, 1000), Consequence::Keep);
    }

    #[test]
    fn text_has_lines_and_tabs_and_nothing_else_unseen() {
        assert!(is_plain("I bought it twice.\r\n\tÄh, 三度"));
        for text in ["\0", "a\u{1b}[31m", "a\u{7}", "\u{85}"] {
            assert!(!is_plain(text), "{text:?}");
        }
    }
}
