//! ISO-8601 text as an event time, strictly: what is not of these forms is no time.
//!
//! `YYYY-MM-DD`, or that, `T` or one space, `HH:MM[:SS[.fraction]]` and, for an instant, `Z` or
//! `±HH[[:]MM]`. A fraction has up to nine digits; what is finer than a µs is cut off, so that an
//! event never moves to a later folder. No leap seconds, no 24:00.

use chrono::NaiveDate;

/// A parsed text, µs since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum IsoTime {
    /// The text has a zone: µs of UTC.
    Instant(i64),
    /// The text has none: µs of local time.
    Local(i64),
}

/// Reads a text from its first to its last byte; `None` when it is not of the forms above.
pub(super) fn parse(text: &[u8]) -> Option<IsoTime> {
    let mut rest = Scan(text);
    let year = rest.digits(4)?;
    rest.literal(b'-')?;
    let month = rest.digits(2)?;
    rest.literal(b'-')?;
    let day = rest.digits(2)?;
    let date = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)?;
    let days = date.signed_duration_since(NaiveDate::default()).num_days();
    let midnight = days * 86_400_000_000;
    if rest.0.is_empty() {
        return Some(IsoTime::Local(midnight));
    }
    rest.literal(b'T').or_else(|| rest.literal(b' '))?;
    let local = midnight + time_of_day(&mut rest)?;
    if rest.0.is_empty() {
        return Some(IsoTime::Local(local));
    }
    let offset = zone(&mut rest)?;
    rest.0.is_empty().then_some(IsoTime::Instant(local - offset))
}

/// µs of the day.
fn time_of_day(rest: &mut Scan<'_>) -> Option<i64> {
    let hour = rest.below(24)?;
    rest.literal(b':')?;
    let minute = rest.below(60)?;
    let mut us = i64::from(hour * 60 + minute) * 60_000_000;
    if rest.literal(b':').is_some() {
        us += i64::from(rest.below(60)?) * 1_000_000;
        if rest.literal(b'.').is_some() {
            us += fraction(rest)?;
        }
    }
    Some(us)
}

/// One to nine digits behind the point, as µs.
fn fraction(rest: &mut Scan<'_>) -> Option<i64> {
    let digits = rest.0.iter().take_while(|b| b.is_ascii_digit()).count();
    let (mine, behind) = rest.0.split_at(digits);
    rest.0 = behind;
    if !(1..=9).contains(&digits) {
        return None;
    }
    let digit = |at: usize| mine.get(at).map_or(0, |b| i64::from(b - b'0'));
    Some((0..6).fold(0, |us, at| us * 10 + digit(at)))
}

/// µs east of UTC.
fn zone(rest: &mut Scan<'_>) -> Option<i64> {
    if rest.literal(b'Z').is_some() {
        return Some(0);
    }
    let sign = if rest.literal(b'+').is_some() { 1 } else { rest.literal(b'-').map(|()| -1)? };
    let hours = rest.below(24)?;
    let minutes = if rest.0.is_empty() {
        0
    } else {
        let _ = rest.literal(b':');
        rest.below(60)?
    };
    Some(sign * i64::from(hours * 60 + minutes) * 60_000_000)
}

/// What is left to read. A failed step takes nothing.
struct Scan<'a>(&'a [u8]);

impl Scan<'_> {
    fn literal(&mut self, expected: u8) -> Option<()> {
        let (&first, rest) = self.0.split_first()?;
        (first == expected).then(|| self.0 = rest)
    }

    fn digits(&mut self, count: usize) -> Option<u32> {
        let (mine, rest) = self.0.split_at_checked(count)?;
        let number = mine
            .iter()
            .try_fold(0, |n, b| b.is_ascii_digit().then(|| n * 10 + u32::from(b - b'0')))?;
        self.0 = rest;
        Some(number)
    }

    /// Two digits of a number below the limit.
    fn below(&mut self, limit: u32) -> Option<u32> {
        self.digits(2).filter(|n| *n < limit)
    }
}

#[cfg(test)]
mod tests {
    use super::{IsoTime::*, *};
    use chrono::DateTime;
    use proptest::prelude::*;

    #[test]
    fn each_form_is_read() {
        const NOON: i64 = 1_772_366_400_000_000; // 2026-03-01T12:00:00Z
        let cases = [
            ("2026-03-01T12:00:00Z", Instant(NOON)),
            ("2026-03-01 12:00:00Z", Instant(NOON)),
            ("2026-03-01T12:00Z", Instant(NOON)),
            ("2026-03-01T12:00:00.5Z", Instant(NOON + 500_000)),
            ("2026-03-01T12:00:00.000001999Z", Instant(NOON + 1)),
            ("2026-03-01T12:00:00+01:00", Instant(NOON - 3_600_000_000)),
            ("2026-03-01T12:00:00-0530", Instant(NOON + 19_800_000_000)),
            ("2026-03-01T12:00:00+14", Instant(NOON - 14 * 3_600_000_000)),
            ("2026-03-01T12:00:00", Local(NOON)),
            ("2026-03-01", Local(NOON - 43_200_000_000)),
            ("1969-12-31T23:59:59.999999Z", Instant(-1)),
            ("0001-01-01", Local(-62_135_596_800_000_000)),
            ("9999-12-31T23:59:59.999999", Local(253_402_300_799_999_999)),
            ("2024-02-29", Local(1_709_164_800_000_000)),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text.as_bytes()), Some(expected), "{text}");
        }
    }

    #[test]
    fn anything_else_is_no_time() {
        let wrong = "|2026|2026-03|2026-3-1|20260301|2026-02-29|2026-13-01|0000-00-00\
            |0000-00-00 00:00:00|2026-03-01T|2026-03-01T12|2026-03-01t12:00:00\
            |2026-03-01T12:00:00z|2026-03-01  12:00:00|2026-03-01T24:00:00|2026-03-01T12:60:00\
            |2026-03-01T12:00:60|2026-03-01T12:00:00.|2026-03-01T12:00:00.Z\
            |2026-03-01T12:00:00,5Z|2026-03-01T12:00:00.1234567890Z|2026-03-01T12:00.5Z\
            |2026-03-01T12:00:00+1|2026-03-01T12:00:00+1:00|2026-03-01T12:00:00+24:00\
            |2026-03-01T12:00:00+01:|2026-03-01T12:00:00ZZ|2026-03-01Z|2026-03-01T12:00:00 Z\
            | 2026-03-01|2026-03-01 |+2026-03-01|1772366400|2026-03-01T12:00:00[UTC]\
            |2026-0\u{b2}-01";
        for text in wrong.split('|') {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_instant_chrono_writes_is_read_back(
            us in -62_135_596_800_000_000i64..=253_402_300_799_999_999,
        ) {
            let text = DateTime::from_timestamp_micros(us).unwrap().to_rfc3339();
            prop_assert_eq!(parse(text.as_bytes()), Some(Instant(us)), "{}", text);
        }

        #[test]
        fn no_bytes_make_it_panic(text in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = parse(&text);
        }
    }
}
