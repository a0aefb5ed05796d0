//! What can happen to licenses, and how a sequence of it is made.

use std::ops::RangeInclusive;

use devforge::contract::payment::Tier;
use proptest::{collection, option, prelude::*};

/// How many things happen in a sequence.
pub const STEPS: usize = 64;
/// More than any license here has room for.
const MACHINES: u8 = 9;

/// What is given.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    pub tier: Tier,
    pub seats: u32,
    /// None: it does not end.
    pub days: Option<i64>,
    pub fallback: bool,
    pub floating: bool,
    pub overage: u32,
}

impl Terms {
    /// What is bought once.
    pub const BOUGHT: Self =
        Self { tier: Tier::Pro, seats: 1, days: None, fallback: false, floating: false, overage: 0 };
}

/// How a license of a sequence came to be.
#[derive(Debug, Clone, Copy)]
pub enum Origin {
    Given(Terms),
    Bought,
}

/// Which key somebody types in.
#[derive(Debug, Clone, Copy)]
pub enum Key {
    Its,
    /// The one before, where there is one.
    Former,
}

/// Which version of the editor asks.
#[derive(Debug, Clone, Copy)]
pub enum Asking {
    Unnamed,
    /// The last one that came out before the license's end.
    Covered,
    /// The first one after it.
    Beyond,
    Unheard,
}

/// Whose address somebody types in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    Owner,
    Other,
}

/// Which moment of a license.
#[derive(Debug, Clone, Copy)]
pub enum Moment {
    End,
    EndOfGrace,
}

/// One thing that happens. What can be left out comes first: to that a sequence that fails is cut down.
#[derive(Debug, Clone, Copy)]
pub enum Step {
    Nothing,
    Wait {
        seconds: i64,
    },
    WaitUntil {
        moment: Moment,
        seconds: i64,
    },
    Validate {
        machine: Option<u8>,
        asking: Asking,
        key: Key,
    },
    Activate {
        machine: Option<u8>,
        asking: Asking,
        key: Key,
        who: Who,
    },
    Deactivate {
        machine: u8,
        key: Key,
    },
    Renew {
        months: u32,
    },
    RenewUntil {
        days: i64,
    },
    Suspend,
    Reinstate,
    Revoke,
    Rotate,
    /// All of the money goes back.
    Refund,
    /// And comes back again: the bank did not take it.
    RefundFails,
    /// Another license, about which everything after this is.
    Issue(Terms),
    /// From here on it is about the next one.
    Turn,
}

/// A whole sequence, which begins with a license.
#[derive(Clone)]
pub struct Sequence {
    pub origin: Origin,
    pub steps: Vec<Step>,
}

/// On lines of its own, without what nothing happens in.
impl std::fmt::Debug for Sequence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "\n    {:?}", self.origin)?;
        let steps = self.steps.iter().enumerate().filter(|(_, step)| !matches!(step, Step::Nothing));
        for (number, step) in steps {
            writeln!(f, "{number:>3} {step:?}")?;
        }
        Ok(())
    }
}

pub fn sequences(origin: impl Strategy<Value = Origin>) -> impl Strategy<Value = Sequence> {
    (origin, collection::vec(step(), STEPS)).prop_map(|(origin, steps)| Sequence { origin, steps })
}

/// Terms of any kind.
pub fn terms() -> impl Strategy<Value = Terms> {
    let tier = prop_oneof![3 => Just(Tier::Pro), 1 => Just(Tier::Enterprise)];
    let seats = prop_oneof![3 => Just(1_u32), 1 => Just(2)];
    let overage = prop_oneof![3 => Just(0_u32), 1 => Just(34)];
    (tier, seats, option::of(1..=90_i64), any::<bool>(), prop::bool::weighted(0.3), overage).prop_map(
        |(tier, seats, days, fallback, floating, overage)| Terms {
            tier,
            seats,
            days,
            fallback,
            floating,
            overage,
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    // Shrinking goes from the later ones to the earlier ones.
    prop_oneof![
        1 => Just(Step::Nothing),
        8 => wait().prop_map(|seconds| Step::Wait { seconds }),
        5 => (moment(), -1..=1_i64).prop_map(|(moment, seconds)| Step::WaitUntil { moment, seconds }),
        8 => (option::weighted(0.8, machine()), asking(), key())
            .prop_map(|(machine, asking, key)| Step::Validate { machine, asking, key }),
        14 => (option::weighted(0.95, machine()), asking(), key(), who())
            .prop_map(|(machine, asking, key, who)| Step::Activate { machine, asking, key, who }),
        5 => (machine(), key()).prop_map(|(machine, key)| Step::Deactivate { machine, key }),
        4 => (1..=13_u32).prop_map(|months| Step::Renew { months }),
        2 => (-10..=120_i64).prop_map(|days| Step::RenewUntil { days }),
        2 => Just(Step::Suspend),
        5 => Just(Step::Reinstate),
        2 => Just(Step::Revoke),
        2 => Just(Step::Rotate),
        2 => Just(Step::Refund),
        2 => Just(Step::RefundFails),
        1 => terms().prop_map(Step::Issue),
        1 => Just(Step::Turn),
    ]
}

/// From a moment to a season.
fn wait() -> impl Strategy<Value = i64> {
    const HOUR: i64 = 60 * 60;
    const DAY: i64 = 24 * HOUR;
    prop_oneof![seconds(1..=HOUR), seconds(HOUR..=DAY), seconds(DAY..=20 * DAY), seconds(20 * DAY..=70 * DAY)]
}

fn seconds(range: RangeInclusive<i64>) -> impl Strategy<Value = i64> {
    range
}

fn moment() -> impl Strategy<Value = Moment> {
    prop_oneof![Just(Moment::End), Just(Moment::EndOfGrace)]
}

fn machine() -> impl Strategy<Value = u8> {
    0..MACHINES
}

fn asking() -> impl Strategy<Value = Asking> {
    prop_oneof![
        4 => Just(Asking::Unnamed),
        2 => Just(Asking::Covered),
        2 => Just(Asking::Beyond),
        1 => Just(Asking::Unheard),
    ]
}

fn key() -> impl Strategy<Value = Key> {
    prop_oneof![9 => Just(Key::Its), 1 => Just(Key::Former)]
}

fn who() -> impl Strategy<Value = Who> {
    prop_oneof![9 => Just(Who::Owner), 1 => Just(Who::Other)]
}
