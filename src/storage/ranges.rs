//! The `Range` header of RFC 9110, section 14: which bytes of an object a client asks for.
//!
//! What always holds: nothing here panics, every range given back is non-empty and lies inside the object,
//! and all of them together are never more bytes than the object has.

use std::ops::Range;

/// electron-updater asks for at most this many ranges in one request.
pub const MAX_RANGES: usize = 1_000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ranges {
    /// The header says nothing we must follow: the whole object is the answer.
    Full,
    /// In the order asked for, which clients that read the parts one after another rely on.
    Partial(Vec<Range<u64>>),
    /// Every range asked for lies outside the object.
    Unsatisfiable,
}

/// Reads the value of a `Range` header for an object of `size` bytes.
///
/// A header that is malformed, in another unit, or asks for more than [`MAX_RANGES`] is ignored, as the
/// RFC allows: the client gets the whole object, no more than it could have asked for anyway.
pub fn parse(header: &str, size: u64) -> Ranges {
    let Some((unit, set)) = header.trim().split_once('=') else {
        return Ranges::Full;
    };
    if !unit.eq_ignore_ascii_case("bytes") {
        return Ranges::Full;
    }

    let mut asked = 0;
    let mut wanted = Vec::new();
    for spec in set.split(',').map(|spec| spec.trim_matches([' ', '\t'])) {
        // Lists may have empty elements.
        if spec.is_empty() {
            continue;
        }
        asked += 1;
        if asked > MAX_RANGES {
            return Ranges::Full;
        }
        match parse_spec(spec, size) {
            None => return Ranges::Full,
            Some(range) if range.is_empty() => {}
            Some(range) => wanted.push(range),
        }
    }

    // Some clients put a range on every request to bound the answer. An empty object answers them in full.
    if asked == 0 || size == 0 {
        return Ranges::Full;
    }
    if wanted.is_empty() {
        return Ranges::Unsatisfiable;
    }
    let total: u128 = wanted.iter().map(|range| u128::from(range.end - range.start)).sum();
    if total > u128::from(size) {
        wanted = coalesce(wanted);
    }
    Ranges::Partial(wanted)
}

/// One `first-last`, `first-` or `-length`. An empty range stands for one outside the object; `None` for
/// something that is not a range at all.
fn parse_spec(spec: &str, size: u64) -> Option<Range<u64>> {
    let (first, last) = spec.split_once('-')?;
    if first.is_empty() {
        return Some(size.saturating_sub(number(last)?)..size);
    }
    let first = number(first)?;
    let end = if last.is_empty() {
        size
    } else {
        let last = number(last)?;
        if last < first {
            return None;
        }
        last.saturating_add(1).min(size)
    };
    Some(first.min(end)..end)
}

/// A number too large for 64 bits is beyond the end of any object, and so is the largest one.
fn number(digits: &str) -> Option<u64> {
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(digits.parse().unwrap_or(u64::MAX))
}

/// Overlapping ranges can multiply an object's size by a thousand. Only such requests lose their order:
/// each byte is then sent once, from first to last.
fn coalesce(mut ranges: Vec<Range<u64>>) -> Vec<Range<u64>> {
    ranges.sort_unstable_by_key(|range| range.start);
    let mut merged: Vec<Range<u64>> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match merged.last_mut() {
            Some(previous) if range.start <= previous.end => previous.end = previous.end.max(range.end),
            _ => merged.push(range),
        }
    }
    merged
}

#[cfg(test)]
#[allow(clippy::single_range_in_vec_init, reason = "a list of one range is what is meant")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn partial(ranges: &[Range<u64>]) -> Ranges {
        Ranges::Partial(ranges.to_vec())
    }

    #[test]
    fn the_three_forms_are_read() {
        assert_eq!(parse("bytes=0-99", 1000), partial(&[0..100]));
        assert_eq!(parse("bytes=900-", 1000), partial(&[900..1000]));
        assert_eq!(parse("bytes=-100", 1000), partial(&[900..1000]));
        assert_eq!(parse("Bytes=0-0, 5-6 ,\t,-1", 1000), partial(&[0..1, 5..7, 999..1000]));
    }

    #[test]
    fn ends_beyond_the_object_are_cut() {
        assert_eq!(parse("bytes=990-5000", 1000), partial(&[990..1000]));
        assert_eq!(parse("bytes=-5000", 1000), partial(&[0..1000]));
        assert_eq!(parse("bytes=0-99999999999999999999999", 1000), partial(&[0..1000]));
    }

    #[test]
    fn only_ranges_outside_the_object_are_unsatisfiable() {
        assert_eq!(parse("bytes=1000-", 1000), Ranges::Unsatisfiable);
        assert_eq!(parse("bytes=99999999999999999999999-", 1000), Ranges::Unsatisfiable);
        assert_eq!(parse("bytes=-0", 1000), Ranges::Unsatisfiable);
        assert_eq!(parse("bytes=2000-3000,5-6", 1000), partial(&[5..7]));
    }

    #[test]
    fn what_is_not_a_range_is_ignored() {
        for header in [
            "",
            "bytes",
            "bytes=",
            "bytes=,",
            "bytes=a-b",
            "bytes=5-2",
            "bytes=-",
            "bytes=1",
            "bytes=1-2-3",
            "lines=1-2",
            "bytes =1-2",
            "bytes=+1-2",
            "bytes=0-1,x",
        ] {
            assert_eq!(parse(header, 1000), Ranges::Full, "{header}");
        }
    }

    #[test]
    fn an_empty_object_answers_in_full() {
        assert_eq!(parse("bytes=0-", 0), Ranges::Full);
        assert_eq!(parse("bytes=-1", 0), Ranges::Full);
    }

    #[test]
    fn a_thousand_ranges_are_answered_and_more_are_not() {
        let header = |count: u64| {
            let specs: Vec<String> = (0..count).map(|n| format!("{}-{}", n * 10, n * 10 + 4)).collect();
            format!("bytes={}", specs.join(","))
        };
        let Ranges::Partial(ranges) = parse(&header(1_000), 10_000) else {
            panic!("a thousand ranges are within the limit");
        };
        assert_eq!(ranges.len(), 1_000);
        assert_eq!(parse(&header(1_001), 20_000), Ranges::Full);
    }

    #[test]
    fn the_order_asked_for_is_kept_until_ranges_multiply_the_object() {
        assert_eq!(parse("bytes=50-59,0-9,10-19", 100), partial(&[50..60, 0..10, 10..20]));
        assert_eq!(parse("bytes=50-99,0-59,0-9", 100), partial(&[0..100]));
        assert_eq!(parse("bytes=0-59,0-59,80-89", 100), partial(&[0..60, 80..90]));
    }

    fn check(header: &str, size: u64) {
        if let Ranges::Partial(ranges) = parse(header, size) {
            assert!(!ranges.is_empty() && ranges.len() <= MAX_RANGES);
            assert!(ranges.iter().all(|range| range.start < range.end && range.end <= size));
            let total: u128 = ranges.iter().map(|range| u128::from(range.end - range.start)).sum();
            assert!(total <= u128::from(size));
        }
    }

    proptest! {
        #[test]
        fn any_text_is_survived(header in ".{0,200}", size: u64) {
            check(&header, size);
        }

        #[test]
        fn any_set_of_ranges_stays_inside_the_object(
            specs in proptest::collection::vec((any::<Option<u32>>(), any::<Option<u32>>()), 0..40),
            size in 0u64..u64::from(u32::MAX),
        ) {
            let specs: Vec<String> = specs
                .into_iter()
                .map(|(first, last)| {
                    let text = |n: Option<u32>| n.map(|n| n.to_string()).unwrap_or_default();
                    format!("{}-{}", text(first), text(last))
                })
                .collect();
            check(&format!("bytes={}", specs.join(", ")), size);
        }
    }
}
