//! The part of a path that changes with event time alone, and its cache.

use super::escape::Escaper;
use chrono::format::{Fixed, Item, Numeric};
use chrono::{DateTime, Offset, TimeZone};
use chrono_tz::Tz;
use std::fmt::Write;

const SECOND_US: i64 = 1_000_000;
const HOUR_US: i64 = 3_600 * SECOND_US;
const DAY_US: i64 = 24 * HOUR_US;

/// Number of periods whose text is kept: enough for the hours late rows belong to.
const KEPT: usize = 64;

/// A run of texts and event times, rendered once per period of its formats.
///
/// Formatting a time takes a microsecond; nearly every row falls into a period seen before.
#[derive(Debug, Clone)]
pub(super) struct TimeRun {
    zone: Tz,
    pieces: Vec<TimePiece>,
    /// Longest span of local time, aligned to itself, in which the text cannot change, µs.
    period_us: i64,
    kept: Vec<Kept>,
    last: usize,
}

#[derive(Debug, Clone)]
pub(super) enum TimePiece {
    Text(String),
    Time(Vec<Item<'static>>),
}

/// The text of all event times from `start` to below `end`, µs since 1970 UTC.
#[derive(Debug, Clone, Default)]
struct Kept {
    start: i64,
    end: i64,
    text: String,
}

impl TimeRun {
    pub(super) fn new(zone: Tz, pieces: Vec<TimePiece>) -> Self {
        let formats = pieces.iter().filter_map(|piece| match piece {
            TimePiece::Time(items) => Some(items),
            TimePiece::Text(_) => None,
        });
        let period_us = formats.flatten().map(period_us).min().unwrap_or(DAY_US);
        Self { zone, pieces, period_us, kept: vec![Kept::default(); KEPT], last: 0 }
    }

    /// Appends the text of an event time; `None` when the time has none (year beyond chrono's).
    pub(super) fn render(&mut self, event_time_us: i64, out: &mut String) -> Option<()> {
        let holds = |kept: &Kept| (kept.start..kept.end).contains(&event_time_us);
        if !holds(&self.kept[self.last]) {
            // A period that begins elsewhere than the UTC one may lie in two places: no harm.
            self.last = event_time_us.div_euclid(self.period_us).rem_euclid(KEPT as i64) as usize;
            if !holds(&self.kept[self.last]) {
                self.kept[self.last] = self.fresh(event_time_us)?;
            }
        }
        out.push_str(&self.kept[self.last].text);
        Some(())
    }

    /// The text of a time, with the longest span it is known to be good for.
    fn fresh(&self, event_time_us: i64) -> Option<Kept> {
        let text = self.text(event_time_us)?;
        let offset = self.offset_us(event_time_us)?;
        // On the day of a clock change no span of a day will do; most of its hours will.
        for period in [self.period_us, self.period_us.min(HOUR_US)] {
            let start = (event_time_us + offset).div_euclid(period) * period - offset;
            let last = start + period - 1;
            let same =
                |us| self.offset_us(us) == Some(offset) && self.text(us).as_ref() == Some(&text);
            if same(start) && same(last) {
                return Some(Kept { start, end: last + 1, text });
            }
        }
        Some(Kept { start: event_time_us, end: event_time_us + 1, text })
    }

    fn text(&self, event_time_us: i64) -> Option<String> {
        let utc = DateTime::from_timestamp_micros(event_time_us)?.naive_utc();
        let time = self.zone.from_utc_datetime(&utc);
        let mut text = String::new();
        for piece in &self.pieces {
            match piece {
                TimePiece::Text(piece) => text.push_str(piece),
                TimePiece::Time(items) => {
                    write!(Escaper(&mut text), "{}", time.format_with_items(items.iter())).ok()?;
                }
            }
        }
        Some(text)
    }

    fn offset_us(&self, event_time_us: i64) -> Option<i64> {
        let utc = DateTime::from_timestamp_micros(event_time_us)?.naive_utc();
        let offset = self.zone.offset_from_utc_datetime(&utc).fix();
        Some(i64::from(offset.local_minus_utc()) * SECOND_US)
    }
}

/// How long the text of an item stays the same, at most; 1 µs when nothing is known of it.
fn period_us(item: &Item<'_>) -> i64 {
    use {Fixed as F, Numeric as N};
    match item {
        Item::Literal(_) | Item::OwnedLiteral(_) | Item::Space(_) | Item::OwnedSpace(_) => DAY_US,
        Item::Numeric(numeric, _) => match numeric {
            N::Year | N::YearDiv100 | N::YearMod100 | N::Quarter | N::Month | N::Day => DAY_US,
            N::IsoYear | N::IsoYearDiv100 | N::IsoYearMod100 | N::IsoWeek => DAY_US,
            N::WeekFromSun | N::WeekFromMon | N::NumDaysFromSun | N::WeekdayFromMon => DAY_US,
            N::Ordinal => DAY_US,
            N::Hour | N::Hour12 => HOUR_US,
            N::Minute => 60 * SECOND_US,
            N::Second | N::Timestamp => SECOND_US,
            _ => 1,
        },
        Item::Fixed(fixed) => match fixed {
            F::ShortMonthName | F::LongMonthName | F::ShortWeekdayName | F::LongWeekdayName => {
                DAY_US
            }
            F::LowerAmPm | F::UpperAmPm => HOUR_US,
            F::TimezoneName | F::TimezoneOffset | F::TimezoneOffsetColon => HOUR_US,
            F::TimezoneOffsetZ | F::TimezoneOffsetColonZ => HOUR_US,
            F::RFC2822 => SECOND_US,
            _ => 1,
        },
        Item::Error => 1,
    }
}
