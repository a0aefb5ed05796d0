//! What is to be answered: licenses as anybody would explain them, without a database, a clock or a lock.

use devforge::{
    contract::{license::LicenseCode, payment::Tier},
    license::rules::months_later,
};
use time::{Duration, OffsetDateTime};

use super::steps::{Asking, Terms, Who};

const GRACE: Duration = Duration::days(7);
/// Whoever was not heard of for longer makes room.
const UNSEEN: Duration = Duration::days(60);
/// A machine that asks is noted so often.
const NOTED_EVERY: i64 = 6 * 60 * 60;
/// New keys in a day.
const ROTATIONS: u32 = 10;
const A_DAY: i64 = 24 * 60 * 60;

/// How what somebody did went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Went {
    Well,
    /// It cannot be done to a license that stands so.
    Conflict,
    Invalid,
    TooOften,
    NotFound,
}

/// A license.
#[derive(Debug, Clone)]
pub struct Model {
    pub terms: Terms,
    pub expires_at: Option<OffsetDateTime>,
    pub held_back: bool,
    pub taken_away: bool,
    pub refunded: bool,
    /// Each with whose it is called and when it was heard of last, in the order in which they came.
    machines: Vec<(u8, Who, OffsetDateTime)>,
    /// On which day how many.
    rotations: (i64, u32),
}

impl Model {
    pub fn new(terms: Terms, now: OffsetDateTime) -> Self {
        Self {
            terms,
            expires_at: terms.days.map(|days| now + Duration::days(days)),
            held_back: false,
            taken_away: false,
            refunded: false,
            machines: Vec::new(),
            rotations: (0, 0),
        }
    }

    pub fn good_until(&self) -> Option<OffsetDateTime> {
        self.expires_at.map(|end| end + GRACE)
    }

    pub fn used(&self) -> usize {
        self.machines.len()
    }

    /// What is sold.
    pub fn limit(&self) -> u32 {
        self.terms.seats * if self.terms.tier == Tier::Enterprise { 5 } else { 3 }
    }

    /// What is let pass.
    fn room(&self) -> usize {
        let percent = f64::from(self.terms.overage) / 100.0;
        (f64::from(self.limit()) * (1.0 + percent)).ceil() as usize
    }

    pub fn is_on(&self, machine: u8) -> bool {
        self.machines.iter().any(|(known, ..)| *known == machine)
    }

    /// How many machines were heard of last at this moment.
    pub fn seen_at(&self, moment: OffsetDateTime) -> usize {
        self.machines.iter().filter(|(.., seen)| *seen == moment).count()
    }

    /// What holds for the license itself.
    fn standing(&self, asking: Asking, now: OffsetDateTime) -> LicenseCode {
        if self.taken_away || self.refunded {
            return LicenseCode::Revoked;
        }
        if self.held_back {
            return LicenseCode::Suspended;
        }
        if self.good_until().is_none_or(|until| now < until) {
            return LicenseCode::Valid;
        }
        match asking {
            _ if !self.terms.fallback => LicenseCode::Expired,
            Asking::Unnamed => LicenseCode::Expired,
            Asking::Covered => LicenseCode::Valid,
            Asking::Beyond | Asking::Unheard => LicenseCode::VersionNotCovered,
        }
    }

    pub fn validate(&self, machine: Option<u8>, asking: Asking, now: OffsetDateTime) -> LicenseCode {
        let standing = self.standing(asking, now);
        match machine {
            _ if !standing.is_valid() => standing,
            _ if self.terms.floating => LicenseCode::Valid,
            None => LicenseCode::MachineRequired,
            Some(machine) if self.is_on(machine) => LicenseCode::Valid,
            Some(_) => LicenseCode::NoMachine,
        }
    }

    /// Notes that a machine asked. Whether there was anything to note.
    pub fn heard_of(&mut self, machine: Option<u8>, now: OffsetDateTime) -> bool {
        let known = self.machines.iter_mut().find(|(known, ..)| Some(*known) == machine);
        match known {
            Some((.., seen)) if now.unix_timestamp() - seen.unix_timestamp() >= NOTED_EVERY => {
                *seen = now;
                true
            }
            _ => false,
        }
    }

    pub fn activate(
        &mut self,
        machine: Option<u8>,
        asking: Asking,
        who: Who,
        now: OffsetDateTime,
    ) -> LicenseCode {
        let standing = self.standing(asking, now);
        if !standing.is_valid() {
            return standing;
        }
        if self.terms.seats == 1 && matches!(who, Who::Other) {
            return LicenseCode::EmailMismatch;
        }
        let Some(machine) = machine else { return LicenseCode::Valid };
        if let Some((_, whose, seen)) = self.machines.iter_mut().find(|(known, ..)| *known == machine) {
            // Who says nothing new is noted now and then.
            if *whose != who || now - *seen >= Duration::seconds(NOTED_EVERY) {
                (*whose, *seen) = (who, now);
            }
            return LicenseCode::Valid;
        }
        if self.used() >= self.room() {
            let all = self.machines.iter().enumerate();
            let longest =
                all.min_by_key(|(_, (.., seen))| *seen).filter(|(_, (.., seen))| *seen < now - UNSEEN);
            if let Some((at, _)) = longest {
                self.machines.remove(at);
            }
        }
        if self.used() >= self.room() {
            return LicenseCode::TooManyMachines;
        }
        self.machines.push((machine, who, now));
        LicenseCode::Valid
    }

    pub fn deactivate(&mut self, machine: u8) {
        self.machines.retain(|(known, ..)| *known != machine);
    }

    pub fn renew(&mut self, months: u32, now: OffsetDateTime) -> Went {
        self.prolong(now, |from| Some(months_later(from, months)))
    }

    pub fn renew_until(&mut self, until: OffsetDateTime, now: OffsetDateTime) -> Went {
        self.prolong(now, |from| Some(until).filter(|until| *until > from))
    }

    fn prolong(
        &mut self,
        now: OffsetDateTime,
        until: impl FnOnce(OffsetDateTime) -> Option<OffsetDateTime>,
    ) -> Went {
        if self.taken_away || self.refunded {
            return Went::Conflict;
        }
        let Some(end) = self.expires_at else { return Went::Conflict };
        match until(end.max(now)) {
            Some(until) => {
                self.expires_at = Some(until);
                Went::Well
            }
            None => Went::Invalid,
        }
    }

    pub fn suspend(&mut self) -> Went {
        if self.taken_away || self.refunded {
            return Went::Conflict;
        }
        self.held_back = true;
        Went::Well
    }

    /// What staff did is lifted, what a refund did is not.
    pub fn reinstate(&mut self) -> Went {
        if self.refunded && !self.held_back && !self.taken_away {
            return Went::Conflict;
        }
        (self.held_back, self.taken_away) = (false, false);
        Went::Well
    }

    pub fn revoke(&mut self) -> Went {
        self.taken_away = true;
        Went::Well
    }

    pub fn rotate(&mut self, now: OffsetDateTime) -> Went {
        let today = now.unix_timestamp().div_euclid(A_DAY);
        let (day, times) = self.rotations;
        self.rotations = (today, if day == today { times + 1 } else { 1 });
        if self.rotations.1 > ROTATIONS {
            Went::TooOften
        } else if self.taken_away || self.refunded {
            Went::Conflict
        } else {
            Went::Well
        }
    }
}
