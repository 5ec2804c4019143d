//! Dates and times as ISO 8601 has them, always with microseconds; proleptic Gregorian years,
//! beyond 0000 to 9999 with their sign.

const DAY_US: i64 = 86_400_000_000;
/// Days from 0000-03-01, where the four centuries of the calendar begin, to 1970-01-01.
const EPOCH: i64 = 719_468;
/// Days of four centuries.
const ERA: i64 = 146_097;

/// Appends `2026-03-01`.
pub(super) fn date(days: i64, out: &mut Vec<u8>) {
    let (year, month, day) = civil(days);
    if (0..=9_999).contains(&year) {
        let mut text = *b"0000-00-00";
        pair(&mut text[0..], year / 100);
        pair(&mut text[2..], year % 100);
        pair(&mut text[5..], month);
        pair(&mut text[8..], day);
        out.extend_from_slice(&text);
        return;
    }
    out.push(if year < 0 { b'-' } else { b'+' });
    let mut buffer = itoa::Buffer::new();
    let digits = buffer.format(year.unsigned_abs()).as_bytes();
    out.extend_from_slice(&b"0000"[digits.len().min(4)..]);
    out.extend_from_slice(digits);
    let mut text = *b"-00-00";
    pair(&mut text[1..], month);
    pair(&mut text[4..], day);
    out.extend_from_slice(&text);
}

/// Appends `08:15:00.000001`.
pub(super) fn time(us: i64, out: &mut Vec<u8>) {
    let (seconds, us) = (us / 1_000_000, us % 1_000_000);
    let mut text = *b"00:00:00.000000";
    pair(&mut text[0..], seconds / 3_600);
    pair(&mut text[3..], seconds / 60 % 60);
    pair(&mut text[6..], seconds % 60);
    pair(&mut text[9..], us / 10_000);
    pair(&mut text[11..], us / 100 % 100);
    pair(&mut text[13..], us % 100);
    out.extend_from_slice(&text);
}

/// Appends `2026-03-01T08:15:00.000001`, with a `Z` behind an instant.
pub(super) fn timestamp(us: i64, utc: bool, out: &mut Vec<u8>) {
    date(us.div_euclid(DAY_US), out);
    out.push(b'T');
    time(us.rem_euclid(DAY_US), out);
    if utc {
        out.push(b'Z');
    }
}

#[inline]
fn pair(text: &mut [u8], n: i64) {
    text[0] = b'0' + (n / 10) as u8;
    text[1] = b'0' + (n % 10) as u8;
}

/// Year, month and day of a day since 1970, counted in years that begin with March, so that the
/// leap day is the last.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + EPOCH;
    let (era, day) = (days.div_euclid(ERA), days.rem_euclid(ERA));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{DateTime, Datelike};

    fn text(us: i64, utc: bool) -> String {
        let mut out = Vec::new();
        timestamp(us, utc, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn instants_and_local_times_are_iso_8601() {
        let cases = [
            (0, "1970-01-01T00:00:00.000000"),
            (-1, "1969-12-31T23:59:59.999999"),
            (1_772_352_900_000_001, "2026-03-01T08:15:00.000001"),
            (951_782_400_000_000, "2000-02-29T00:00:00.000000"),
            (-62_167_219_200_000_000, "0000-01-01T00:00:00.000000"),
            (-62_167_219_200_000_001, "-0001-12-31T23:59:59.999999"),
            (253_402_300_799_999_999, "9999-12-31T23:59:59.999999"),
            (253_402_300_800_000_000, "+10000-01-01T00:00:00.000000"),
            (i64::MAX, "+294247-01-10T04:00:54.775807"),
            (i64::MIN, "-290308-12-21T19:59:05.224192"),
        ];
        for (us, expected) in cases {
            assert_eq!(text(us, false), expected);
            assert_eq!(text(us, true), format!("{expected}Z"));
        }
    }

    #[test]
    fn every_day_of_chronos_calendar_agrees_with_it() {
        // A prime number of days: every month and weekday, four centuries many times over.
        for days in (-90_000_000..90_000_000).step_by(997) {
            let there = DateTime::from_timestamp(days * 86_400, 0).unwrap();
            let there = (i64::from(there.year()), i64::from(there.month()), i64::from(there.day()));
            assert_eq!(civil(days), there, "day {days}");
        }
    }

    #[test]
    fn the_last_days_that_four_bytes_can_count_are_written() {
        for (days, expected) in
            [(i32::MAX, "+5881580-07-11"), (i32::MIN, "-5877641-06-23"), (0, "1970-01-01")]
        {
            let mut out = Vec::new();
            date(days.into(), &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }
}
