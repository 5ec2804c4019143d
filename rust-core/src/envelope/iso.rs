//! ISO 8601 texts as Debezium writes them. In: bytes. Out: days, µs of the day, µs since 1970.
//! Never rounds, never guesses: digits below a microsecond must be zeros, an offset is applied,
//! anything else is an error. Years as Java writes them: four digits, or a sign and up to nine.

/// Why a text does not fit, for messages.
type Reason = &'static str;

const BAD: Reason = "it is not a valid ISO 8601 text of this kind";
const BELOW_US: Reason = "it has digits below the microsecond, which the column cannot hold; \
                          declare it as text in columns.types to take it as it is sent";
const RANGE: Reason = "it is out of range";
const DAY_US: i64 = 86_400_000_000;
/// Periods of 400 years that are more than a billion years.
const PERIODS: i64 = 2_500_001;

/// `2026-03-01T08:15:30.123456+02:00` as µs since 1970, UTC.
pub(super) fn zoned(text: &[u8]) -> Result<i64, Reason> {
    let (local, rest) = date_time(text)?;
    local.checked_sub(offset(rest)? * 1_000_000).ok_or(RANGE)
}

/// `2026-03-01T08:15:30.123456`, perhaps with `Z`, as µs since 1970 without zone.
pub(super) fn timestamp(text: &[u8]) -> Result<i64, Reason> {
    let (local, rest) = date_time(text)?;
    no_zone(rest)?;
    Ok(local)
}

/// `2026-03-01`, perhaps with `Z`, as days since 1970.
pub(super) fn date(text: &[u8]) -> Result<i64, Reason> {
    let (days, rest) = ymd(text)?;
    no_zone(rest)?;
    i32::try_from(days).map(i64::from).map_err(|_| RANGE)
}

/// `08:15:30.123456`, perhaps with `Z`, as µs of the day.
pub(super) fn time(text: &[u8]) -> Result<i64, Reason> {
    let (us, rest) = hms(text)?;
    no_zone(rest)?;
    Ok(us)
}

/// A zone other than UTC would make the local time ambiguous.
fn no_zone(rest: &[u8]) -> Result<(), Reason> {
    if matches!(rest, b"" | b"Z") { Ok(()) } else { Err(BAD) }
}

fn date_time(text: &[u8]) -> Result<(i64, &[u8]), Reason> {
    let (days, rest) = ymd(text)?;
    let (us, rest) = hms(rest.strip_prefix(b"T").ok_or(BAD)?)?;
    let local = days.checked_mul(DAY_US).and_then(|days| days.checked_add(us));
    Ok((local.ok_or(RANGE)?, rest))
}

fn ymd(text: &[u8]) -> Result<(i64, &[u8]), Reason> {
    let (year, rest) = year(text)?;
    let (&[b'-', m1, m2, b'-', d1, d2], rest) = rest.split_first_chunk().ok_or(BAD)? else {
        return Err(BAD);
    };
    let (month, day) = (two(m1, m2)?, two(d1, d2)?);
    if !(1..=12).contains(&month) || day < 1 || day > days_in_month(year, month) {
        return Err(BAD);
    }
    Ok((days_from_civil(year, month, day), rest))
}

/// `2026`, `-0044`, `+10000`.
fn year(text: &[u8]) -> Result<(i64, &[u8]), Reason> {
    if let Some((&[a, b, c, d], rest)) = text.split_first_chunk()
        && a.is_ascii_digit()
    {
        return Ok((two(a, b)? * 100 + two(c, d)?, rest));
    }
    let (&sign, text) = text.split_first().ok_or(BAD)?;
    let length = text.iter().take_while(|b| b.is_ascii_digit()).count();
    let (digits, rest) = text.split_at(length);
    let year = digits.iter().fold(0, |year, digit| year * 10 + i64::from(digit - b'0'));
    match (sign, length) {
        (b'-', 4..=9) if year > 0 => Ok((-year, rest)),
        (b'+', 5..=9) if year > 9_999 => Ok((year, rest)),
        _ => Err(BAD),
    }
}

/// The time of the day, and what follows it. Seconds may be missing, as in Java's short form.
fn hms(text: &[u8]) -> Result<(i64, &[u8]), Reason> {
    let (&[h1, h2, b':', m1, m2], mut rest) = text.split_first_chunk().ok_or(BAD)? else {
        return Err(BAD);
    };
    let (hour, minute) = (two(h1, h2)?, two(m1, m2)?);
    let (mut second, mut us) = (0, 0);
    if let Some((&[b':', s1, s2], after)) = rest.split_first_chunk() {
        second = two(s1, s2)?;
        (us, rest) = fraction(after)?;
    }
    if hour > 23 || minute > 59 || second > 59 {
        return Err(BAD);
    }
    Ok((((hour * 60 + minute) * 60 + second) * 1_000_000 + us, rest))
}

/// `.` and one to nine digits, if there; as µs.
fn fraction(text: &[u8]) -> Result<(i64, &[u8]), Reason> {
    let Some(digits) = text.strip_prefix(b".") else { return Ok((0, text)) };
    let length = digits.iter().position(|b| !b.is_ascii_digit()).unwrap_or(digits.len());
    if length == 0 || length > 9 {
        return Err(BAD);
    }
    let (digits, rest) = digits.split_at(length);
    let (mut us, mut unit) = (0, 100_000);
    for digit in digits {
        if unit == 0 && *digit != b'0' {
            return Err(BELOW_US);
        }
        us += i64::from(digit - b'0') * unit;
        unit /= 10;
    }
    Ok((us, rest))
}

/// `Z`, `+02:00`, `-05:30`, `+01:02:03`; as seconds east.
fn offset(text: &[u8]) -> Result<i64, Reason> {
    let (sign, rest) = match text {
        b"Z" => return Ok(0),
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => return Err(BAD),
    };
    let (h, m, s) = match *rest {
        [h1, h2, b':', m1, m2] => (two(h1, h2)?, two(m1, m2)?, 0),
        [h1, h2, b':', m1, m2, b':', s1, s2] => (two(h1, h2)?, two(m1, m2)?, two(s1, s2)?),
        _ => return Err(BAD),
    };
    // Java's ZoneOffset knows ±18:00 and no more.
    if h > 18 || m > 59 || s > 59 { Err(BAD) } else { Ok(sign * (h * 3600 + m * 60 + s)) }
}

fn two(tens: u8, ones: u8) -> Result<i64, Reason> {
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    if tens > 9 || ones > 9 { Err(BAD) } else { Ok(i64::from(tens * 10 + ones)) }
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar, for years of up to nine digits
/// (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    // Years begin in March, so that the leap day is the last; moved up to stay positive, by periods
    // of 400 years, which all have the same days.
    let year = year + PERIODS * 400 - i64::from(month <= 2);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - 719_468 - PERIODS * 146_097
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{DateTime, Datelike, Duration, NaiveDate};

    #[test]
    fn every_day_of_ten_thousand_years_agrees_with_chrono() {
        let mut day = NaiveDate::from_ymd_opt(0, 1, 1).unwrap();
        let epoch = NaiveDate::from_ymd_opt(1970, 1, 1).unwrap();
        while day.year() < 10_000 {
            let text = day.format("%Y-%m-%d").to_string();
            assert_eq!(date(text.as_bytes()), Ok((day - epoch).num_days()), "{text}");
            day += Duration::days(1);
        }
        for bad in ["2026-02-29", "1900-02-29", "2026-04-31", "2026-00-01", "2026-13-01"] {
            assert_eq!(date(bad.as_bytes()), Err(BAD), "{bad}");
        }
    }

    #[test]
    fn years_of_more_than_four_digits_and_before_the_first_agree_with_chrono() {
        let epoch = NaiveDate::from_ymd_opt(1970, 1, 1).unwrap();
        for year in [-262_000, -99_999, -4_712, -401, -400, -4, -1, 10_000, 99_999, 262_000] {
            let day = NaiveDate::from_ymd_opt(year, 2, 28).unwrap();
            let text = match year {
                0.. => format!("+{year}-02-28Z"),
                _ => format!("-{:04}-02-28Z", -year),
            };
            assert_eq!(date(text.as_bytes()), Ok((day - epoch).num_days()), "{text}");
        }
        let leap = |year| date(format!("{year}-02-29").as_bytes()).is_ok();
        assert!(leap("-0004") && leap("-0400") && leap("+10000"));
        assert!(!leap("-0001") && !leap("-0100") && !leap("-0003"));
        assert_eq!(date(b"+5874897-12-31"), Ok(2_145_042_905), "PostgreSQL's last day");
        assert_eq!(date(b"+5999999-12-31"), Err(RANGE));
        assert_eq!(zoned(b"+294246-12-31T00:00:00Z"), Ok(9_223_371_158_400_000_000));
        assert_eq!(zoned(b"+294248-01-01T00:00:00Z"), Err(RANGE));
        for text in
            ["-0000-01-01", "+1000-01-01", "+01000-01-01", "-999-01-01", "-1234567890-01-01"]
        {
            assert_eq!(date(text.as_bytes()), Err(BAD), "{text}");
        }
    }

    #[test]
    fn instants_agree_with_chrono() {
        for text in [
            "2026-03-01T08:15:30Z",
            "2026-03-01T08:15:30.1Z",
            "2026-03-01T08:15:30.123456Z",
            "2026-03-01T08:15:30.123456000+02:00",
            "1969-12-31T23:59:59.999999-05:30",
            "0001-01-01T00:00:00+18:00",
            "9999-12-31T23:59:59.999999Z",
        ] {
            let expected = DateTime::parse_from_rfc3339(text).unwrap().timestamp_micros();
            assert_eq!(zoned(text.as_bytes()), Ok(expected), "{text}");
        }
        assert_eq!(zoned(b"1970-01-01T00:00Z"), Ok(0), "Java leaves out zero seconds");
        assert_eq!(zoned(b"1970-01-01T01:02:03+01:02:03"), Ok(0));
    }

    #[test]
    fn what_is_not_exact_is_refused() {
        for (text, reason) in [
            ("2026-03-01T08:15:30.1234567Z", BELOW_US),
            ("2026-03-01T08:15:30.0000000001Z", BAD),
            ("2026-03-01T08:15:30.Z", BAD),
            ("2026-03-01T08:15:30", BAD),
            ("2026-03-01T08:15:30z", BAD),
            ("2026-03-01 08:15:30Z", BAD),
            ("2026-03-01T24:00:00Z", BAD),
            ("2026-03-01T08:60:00Z", BAD),
            ("2026-03-01T08:15:60Z", BAD),
            ("2026-03-01T08:15:30+19:00", BAD),
            ("2026-03-01T08:15:30+2:00", BAD),
            ("2026-03-01T08:15:30ZZ", BAD),
            ("+2026-03-01T08:15:30Z", BAD),
            ("", BAD),
            ("2026-03-01T08:15:3", BAD),
        ] {
            assert_eq!(zoned(text.as_bytes()), Err(reason), "{text}");
        }
    }

    #[test]
    fn local_times_take_utc_or_no_zone() {
        assert_eq!(time(b"08:15:30.000001Z"), Ok(29_730_000_001));
        assert_eq!(time(b"23:59:59.999999"), Ok(DAY_US - 1));
        assert_eq!(time(b"08:15:30+01:00"), Err(BAD));
        assert_eq!(timestamp(b"1970-01-02T00:00:00"), Ok(DAY_US));
        assert_eq!(timestamp(b"1969-12-31T23:59:59.999999Z"), Ok(-1));
        assert_eq!(timestamp(b"1970-01-02T00:00:00+01:00"), Err(BAD));
        assert_eq!(date(b"1970-01-02Z"), Ok(1));
        assert_eq!(date(b"1970-01-02T"), Err(BAD));
    }
}
