//! The states of an order and the moves between them.

use crate::contract::payment::OrderStatus;

/// What can happen to an order. Sums are those after it happened, so that hearing of it twice, or late, does no harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderEvent {
    /// The customer is done; the bank is not.
    PaymentPending,
    Paid,
    PaymentFailed,
    /// The time to pay is over.
    Expired,
    /// The customer tries once more.
    Reopened,
    /// So much of the total has gone back by now. Less than before, when a refund failed.
    Refunded {
        refunded: i64,
        total: i64,
    },
    Disputed,
    DisputeWon {
        refunded: i64,
        total: i64,
    },
    DisputeLost,
}

/// Where an order stands after an event, or None when it changes nothing.
///
/// Money that came in is never forgotten: whatever was heard before, `Paid` makes an order paid, and nothing makes it
/// unpaid again.
pub fn next(status: OrderStatus, event: OrderEvent) -> Option<OrderStatus> {
    use OrderStatus as S;
    let next = match (status, event) {
        (S::Open | S::Processing | S::Failed | S::Expired, OrderEvent::Paid) => S::Paid,
        (S::Open | S::Failed | S::Expired, OrderEvent::PaymentPending) => S::Processing,
        (S::Open | S::Processing, OrderEvent::PaymentFailed) => S::Failed,
        (S::Open, OrderEvent::Expired) => S::Expired,
        (S::Failed | S::Expired, OrderEvent::Reopened) => S::Open,
        (S::Paid | S::PartiallyRefunded | S::Refunded, OrderEvent::Refunded { refunded, total })
        | (S::Disputed | S::DisputeLost, OrderEvent::DisputeWon { refunded, total }) => {
            after_refunds(refunded, total)
        }
        (S::Paid | S::PartiallyRefunded | S::Refunded, OrderEvent::Disputed) => S::Disputed,
        (S::Paid | S::PartiallyRefunded | S::Refunded | S::Disputed, OrderEvent::DisputeLost) => {
            S::DisputeLost
        }
        _ => return None,
    };
    (next != status).then_some(next)
}

fn after_refunds(refunded: i64, total: i64) -> OrderStatus {
    if refunded <= 0 {
        OrderStatus::Paid
    } else if refunded < total {
        OrderStatus::PartiallyRefunded
    } else {
        OrderStatus::Refunded
    }
}

/// Whether money came in for it, wherever that is now.
pub const fn was_paid(status: OrderStatus) -> bool {
    !matches!(
        status,
        OrderStatus::Open | OrderStatus::Processing | OrderStatus::Failed | OrderStatus::Expired
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TOTAL: i64 = 1000;

    fn event() -> impl Strategy<Value = OrderEvent> {
        let refunded = 0_i64..=TOTAL;
        prop_oneof![
            Just(OrderEvent::PaymentPending),
            Just(OrderEvent::Paid),
            Just(OrderEvent::PaymentFailed),
            Just(OrderEvent::Expired),
            Just(OrderEvent::Reopened),
            refunded.clone().prop_map(|refunded| OrderEvent::Refunded { refunded, total: TOTAL }),
            Just(OrderEvent::Disputed),
            refunded.prop_map(|refunded| OrderEvent::DisputeWon { refunded, total: TOTAL }),
            Just(OrderEvent::DisputeLost),
        ]
    }

    fn run(events: &[OrderEvent]) -> OrderStatus {
        events.iter().fold(OrderStatus::Open, |status, &event| next(status, event).unwrap_or(status))
    }

    proptest! {
        #[test]
        fn whoever_paid_stays_somebody_who_paid(events in prop::collection::vec(event(), 0..30), later in prop::collection::vec(event(), 0..30)) {
            let mut all = events;
            all.push(OrderEvent::Paid);
            prop_assert!(was_paid(run(&all)));
            all.extend(later);
            prop_assert!(was_paid(run(&all)));
        }

        #[test]
        fn nobody_who_did_not_pay_has_paid(events in prop::collection::vec(event(), 0..30)) {
            let unpaid: Vec<_> = events.into_iter().filter(|event| *event != OrderEvent::Paid).collect();
            prop_assert!(!was_paid(run(&unpaid)));
        }

        #[test]
        fn hearing_of_it_twice_changes_nothing(events in prop::collection::vec(event(), 0..30), last in event()) {
            let mut once = events;
            once.push(last);
            let status = run(&once);
            prop_assert_eq!(next(status, last), None);
        }

        #[test]
        fn the_sum_alone_decides_how_refunded_it_is(before in 0_i64..=TOTAL, refunded in 0_i64..=TOTAL) {
            let events = [OrderEvent::Paid, OrderEvent::Refunded { refunded: before, total: TOTAL }, OrderEvent::Refunded { refunded, total: TOTAL }];
            prop_assert_eq!(run(&events), after_refunds(refunded, TOTAL));
        }
    }

    #[test]
    fn a_lost_dispute_stays_lost_but_for_a_better_word_of_the_bank() {
        let lost = [OrderEvent::Paid, OrderEvent::Disputed, OrderEvent::DisputeLost];
        assert_eq!(run(&lost), OrderStatus::DisputeLost);
        assert_eq!(next(OrderStatus::DisputeLost, OrderEvent::Disputed), None);
        let won = OrderEvent::DisputeWon { refunded: 0, total: TOTAL };
        assert_eq!(next(OrderStatus::DisputeLost, won), Some(OrderStatus::Paid));
    }
}
