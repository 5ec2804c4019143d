//! The cache is an invention of ours; without it the answer must be the same.

use super::*;
use chrono::{DateTime, TimeZone};

const FORMATS: [&str; 7] =
    ["%Y-%m-%d", "%Y-%m-%d %H", "%j-%H-%M", "%s", "%H-%M-%S-%6f", "%a-%P-%Z", "%H-%z"];

proptest! {
    #[test]
    fn a_cached_path_is_the_path_of_its_time(
        (zone, around) in proptest::sample::select(vec![
            (Tz::UTC, "2026-03-29T00:30:00Z"),
            (Tz::Europe__Berlin, "2026-03-29T01:00:00Z"),
            (Tz::Europe__Berlin, "2026-10-25T01:00:00Z"),
            (Tz::Australia__Lord_Howe, "2026-04-04T15:00:00Z"),
            (Tz::Pacific__Apia, "2011-12-30T10:00:00Z"),
            (Tz::America__Sao_Paulo, "2018-11-04T03:00:00Z"),
            (Tz::Asia__Kathmandu, "1985-12-31T18:30:00Z"),
            (Tz::Africa__Monrovia, "1972-01-07T00:44:30Z"),
            (Tz::Pacific__Chatham, "1969-12-31T23:59:59Z"),
        ]),
        format in proptest::sample::select(FORMATS.to_vec()),
        steps in proptest::collection::vec(
            prop_oneof![-5_400_000_000i64..5_400_000_000, -80_000_000_000i64..80_000_000_000],
            1..60,
        ),
    ) {
        let schema = TableSchema { columns: Vec::new() };
        let template = PathTemplate::parse(&format!("t={{event_time:{format}}}/x")).unwrap();
        let mut path = template.bind(zone, "t", 0, &schema);
        let mut us = DateTime::parse_from_rfc3339(around).unwrap().timestamp_micros();
        for step in steps {
            us += step;
            let time = zone.from_utc_datetime(
                &DateTime::from_timestamp_micros(us).unwrap().naive_utc());
            let mut out = String::new();
            path.render(us, &Row::default(), b"", &mut out).unwrap();
            prop_assert_eq!(out, format!("t={}/x", time.format(format)), "{} {}", zone, us);
        }
    }
}
