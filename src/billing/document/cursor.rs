//! A place in a list that is read from its newest entry on.

use std::{fmt, str::FromStr};

use time::OffsetDateTime;
use uuid::Uuid;

use crate::billing::{Error, problem};

/// The last entry of a page. Opaque to whoever carries it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    pub at: OffsetDateTime,
    pub id: Uuid,
}

impl Cursor {
    /// What a request says. One that cannot be read is told, not taken for the beginning.
    pub fn read(text: Option<&str>) -> Result<Option<Self>, Error> {
        text.filter(|text| !text.is_empty()).map(str::parse).transpose().map_err(|()| {
            let message = "This place in the list is not known. Start again from its first page.";
            Error::Invalid(vec![problem("cursor", "invalid_cursor", message)])
        })
    }

    pub const fn pair(self) -> (OffsetDateTime, Uuid) {
        (self.at, self.id)
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // PostgreSQL keeps microseconds.
        let micros = self.at.unix_timestamp_nanos() / 1_000;
        write!(f, "{micros}.{}", self.id.simple())
    }
}

impl FromStr for Cursor {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (micros, id) = text.split_once('.').ok_or(())?;
        // Unsigned: PostgreSQL knows no moments as early as the earliest that we could read.
        let micros = micros.parse::<u64>().map_err(|_| ())?;
        let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1_000).map_err(|_| ())?;
        Ok(Self { at, id: id.parse().map_err(|_| ())? })
    }
}

/// As many as fit on a page, and where the next begins when there are more. The list has one more than the page.
pub fn page<T>(mut items: Vec<T>, limit: i64, place: impl Fn(&T) -> Cursor) -> (Vec<T>, Option<String>) {
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = items.len() > most;
    items.truncate(most);
    let next = items.last().filter(|_| more).map(|last| place(last).to_string());
    (items, next)
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn a_place_reads_back_and_rubbish_does_not() {
        let place = Cursor { at: datetime!(2026-11-20 10:00:00.000001 UTC), id: Uuid::from_u128(7) };
        assert_eq!(place.to_string().parse(), Ok(place));
        for text in ["x", "1.", ".1", "-1.00000000000000000000000000000007", "99999999999999999999.0"] {
            assert!(Cursor::read(Some(text)).is_err(), "{text}");
        }
        assert!(Cursor::read(Some("")).is_ok_and(|place| place.is_none()));
    }

    #[test]
    fn a_page_is_followed_by_another_only_when_there_is_one() {
        let place = |id: &u128| Cursor { at: OffsetDateTime::UNIX_EPOCH, id: Uuid::from_u128(*id) };
        let (items, next) = page(vec![1, 2, 3], 2, place);
        assert_eq!((items, next), (vec![1, 2], Some(place(&2).to_string())));
        assert_eq!(page(vec![1, 2], 2, place), (vec![1, 2], None));
    }
}
