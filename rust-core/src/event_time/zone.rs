//! Local time in the zone of `event.time.zone`, as an instant.

use chrono::{DateTime, MappedLocalTime, Offset, TimeZone};
use chrono_tz::{GapInfo, Tz};

const HOUR_US: i64 = 3_600_000_000;

/// A zone, with the offset of the hour last asked for: a look into the zone's table costs more
/// than all the rest of an event time, and most rows ask for the hour of the row before.
#[derive(Debug, Clone)]
pub(super) struct LocalZone {
    zone: Tz,
    /// The cached hour of local time: its number since 1970, and µs east of UTC within all of it.
    cached: Option<(i64, i64)>,
}

impl LocalZone {
    pub(super) fn new(zone: Tz) -> Self {
        Self { zone, cached: None }
    }

    /// The instant of a local time, both µs since 1970; `None` outside the zone table's reach.
    ///
    /// A local time that occurs twice (clocks go back) is the earlier one. One that never occurs
    /// (clocks go forward) is read with the offset from before, so that it moves forward by the
    /// length of the gap: 02:30 becomes 03:30.
    pub(super) fn utc_us(&mut self, local_us: i64) -> Option<i64> {
        let hour = local_us.div_euclid(HOUR_US);
        match self.cached {
            Some((cached, offset)) if cached == hour => Some(local_us - offset),
            _ => self.look_up(hour, local_us),
        }
    }

    #[cold]
    fn look_up(&mut self, hour: i64, local_us: i64) -> Option<i64> {
        let first = hour.checked_mul(HOUR_US)?;
        let last = first.checked_add(HOUR_US - 1)?;
        let (from, to) = (self.unique_offset(first), self.unique_offset(last));
        // Equal at both ends is equal throughout: no two changes of a zone lie so close together.
        self.cached = from.filter(|_| from == to).map(|offset| (hour, offset));
        local_us.checked_sub(self.offset(local_us)?)
    }

    /// The offset at a local time that occurs exactly once.
    fn unique_offset(&self, local_us: i64) -> Option<i64> {
        let local = DateTime::from_timestamp_micros(local_us)?.naive_utc();
        self.zone.offset_from_local_datetime(&local).single().map(|o| offset_us(&o))
    }

    fn offset(&self, local_us: i64) -> Option<i64> {
        let local = DateTime::from_timestamp_micros(local_us)?.naive_utc();
        match self.zone.offset_from_local_datetime(&local) {
            MappedLocalTime::Single(offset) => Some(offset_us(&offset)),
            // The further east, the earlier.
            MappedLocalTime::Ambiguous(a, b) => Some(offset_us(&a).max(offset_us(&b))),
            MappedLocalTime::None => {
                let (_, before) = GapInfo::new(&local, &self.zone)?.begin?;
                Some(offset_us(&before))
            }
        }
    }
}

/// µs east of UTC.
fn offset_us(offset: &impl Offset) -> i64 {
    i64::from(offset.fix().local_minus_utc()) * 1_000_000
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::NaiveDateTime;
    use proptest::prelude::*;

    fn us(text: &str) -> i64 {
        NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f")
            .unwrap()
            .and_utc()
            .timestamp_micros()
    }

    #[test]
    fn gaps_move_forward_and_overlaps_are_the_earlier() {
        let cases = [
            (Tz::UTC, "2026-03-29 02:30:00", "2026-03-29 02:30:00"),
            (Tz::Europe__Berlin, "2026-01-15 12:00:00", "2026-01-15 11:00:00"),
            (Tz::Europe__Berlin, "2026-07-15 12:00:00", "2026-07-15 10:00:00"),
            // The gap 02:00..03:00: 02:30 is 03:30 summer time.
            (Tz::Europe__Berlin, "2026-03-29 01:59:59.999999", "2026-03-29 00:59:59.999999"),
            (Tz::Europe__Berlin, "2026-03-29 02:00:00", "2026-03-29 01:00:00"),
            (Tz::Europe__Berlin, "2026-03-29 02:30:00", "2026-03-29 01:30:00"),
            (Tz::Europe__Berlin, "2026-03-29 03:00:00", "2026-03-29 01:00:00"),
            // 02:00..03:00 occurs twice: the first is still summer time.
            (Tz::Europe__Berlin, "2026-10-25 01:59:59", "2026-10-24 23:59:59"),
            (Tz::Europe__Berlin, "2026-10-25 02:30:00", "2026-10-25 00:30:00"),
            (Tz::Europe__Berlin, "2026-10-25 03:00:00", "2026-10-25 02:00:00"),
            // Half an hour, and a day that never was.
            (Tz::Australia__Lord_Howe, "2026-10-04 02:15:00", "2026-10-03 15:45:00"),
            (Tz::Pacific__Apia, "2011-12-30 12:00:00", "2011-12-30 22:00:00"),
            (Tz::Asia__Kathmandu, "2026-01-01 00:00:00", "2025-12-31 18:15:00"),
        ];
        for (tz, local, utc) in cases {
            assert_eq!(LocalZone::new(tz).utc_us(us(local)), Some(us(utc)), "{tz} {local}");
        }
        assert_eq!(LocalZone::new(Tz::Europe__Berlin).utc_us(i64::MAX), None);
        assert_eq!(LocalZone::new(Tz::Europe__Berlin).utc_us(i64::MIN), None);
    }

    proptest! {
        /// The cache is an invention of ours; without it the answer must be the same.
        #[test]
        fn the_cache_changes_nothing(
            (zone, change) in proptest::sample::select(vec![
                (Tz::UTC, "2026-03-29 02:30:00"),
                (Tz::Europe__Berlin, "2026-03-29 02:30:00"),
                (Tz::Europe__Berlin, "2026-10-25 02:30:00"),
                (Tz::Australia__Lord_Howe, "2026-04-05 01:45:00"),
                // The one change that begins and ends within an hour of local time.
                (Tz::Europe__Athens, "1916-07-28 00:26:00"),
                (Tz::America__St_Johns, "2006-10-29 00:01:00"),
            ]),
            steps in proptest::collection::vec(-HOUR_US..HOUR_US, 1..50),
        ) {
            let mut cached = LocalZone::new(zone);
            let mut local = us(change);
            for step in steps {
                local += step;
                let fresh = LocalZone::new(zone).utc_us(local);
                prop_assert_eq!(cached.utc_us(local), fresh, "{} {}", zone, local);
            }
        }
    }
}
