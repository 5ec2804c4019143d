use super::escape::{NULL, is_special};
use super::*;
use crate::envelope::{Op, Row, Slot, Source, Span, SpanSource};
use crate::error::Kind;
use crate::schema::{Column, ColumnKind};
use proptest::prelude::*;

mod cache;

/// 2026-03-01T12:34:56.789012Z
const EVENT_TIME: i64 = 1_772_368_496_789_012;

fn span(len: usize) -> Span {
    Span { source: SpanSource::Value, start: 0, len: len as u32 }
}

fn render_all(
    template: &str,
    kind: ColumnKind,
    slot: Slot,
    row: Row,
    value: &[u8],
    zone: Tz,
) -> Result<String> {
    let schema = TableSchema { columns: vec![Column { name: "a".into(), kind }] };
    let mut path = PathTemplate::parse(template)?.bind(zone, "cdc.orders", 7, &schema);
    let mut out = String::from("left over");
    path.render(EVENT_TIME, &Row { slots: vec![slot], ..row }, value, &mut out)?;
    Ok(out)
}

fn render_text(template: &str, text: &str) -> Result<String> {
    let slot = Slot::Bytes(span(text.len()));
    let source =
        Source { db: Some(span(text.len())), table: Some(span(text.len())), ..Source::default() };
    let row = Row { op: Some(Op::Update), source, ..Row::default() };
    render_all(template, ColumnKind::Utf8, slot, row, text.as_bytes(), Tz::UTC)
}

#[test]
fn each_placeholder_is_rendered() {
    let default = "{topic}/dt={event_time:%Y-%m-%d}/hour={event_time:%H}";
    let cases = [
        (default, "x", "cdc.orders/dt=2026-03-01/hour=12"),
        ("{topic}", "x", "cdc.orders"),
        ("p={partition}/{op}", "x", "p=7/u"),
        ("{db}.{table}/t", "shop", "shop.shop/t"),
        ("{event_time:%Y/%m/d%d}", "x", "2026/03/d01"),
        ("y{event_time:%Y/all/%H:%M}", "x", "y2026/all/12%3A34"),
        ("{event_time:%D %s %3f}", "x", "03%2F01%2F26 1772368496 789"),
        ("c={col:a}", "Köln Süd", "c=Köln Süd"),
        ("c={col:a}", "a=b/c:d%\u{7f}\u{85}\n", "c=a%3Db%2Fc%3Ad%25%7F%C2%85%0A"),
        ("c={col:a}", "", "c=__HIVE_DEFAULT_PARTITION__"),
        ("c={col:gone}/{op}", "", "c=__HIVE_DEFAULT_PARTITION__/u"),
        ("{col:a}", "..", "%2E."),
        ("{col:a}/{col:a}", ".", "%2E/%2E"),
        ("{col:a}{col:a}/x", ".", "%2E./x"),
        ("{col:a}", "../../etc", "%2E.%2F..%2Fetc"),
        ("k={col:a}", "..", "k=.."),
        ("{topic}-{col:a}/{event_time:%H}-{op}-{event_time:%M}", "x", "cdc.orders-x/12-u-34"),
    ];
    for (template, text, expected) in cases {
        assert_eq!(render_text(template, text).unwrap(), expected, "{template} {text:?}");
    }
}

#[test]
fn each_kind_has_a_text() {
    use ColumnKind::*;
    let wide = |negative: bool| {
        let mut bytes = [if negative { 0xFF } else { 0 }; 32];
        bytes[..8].copy_from_slice(&if negative { -12345i64 } else { 12345 }.to_le_bytes());
        bytes.to_vec()
    };
    let max = (0..32).map(|i| if i == 31 { 0x7F } else { 0xFF }).collect::<Vec<u8>>();
    let bytes = Slot::Bytes(span(32));
    let long = "57896044618658097711785492504343953926634992332820282019728792003956564819967";
    let none = Vec::new();
    let cases = [
        (Boolean, Slot::Bool(true), &none, "true"),
        (Int16, Slot::Int(-7), &none, "-7"),
        (Duration, Slot::Int(-1), &none, "-1"),
        (Float32, Slot::Float(f64::from(0.1f32)), &none, "0.1"),
        (Float64, Slot::Float(1e300), &none, "1e300"),
        (Float64, Slot::Float(f64::NAN), &none, "NaN"),
        (Decimal { precision: 5, scale: 2 }, Slot::Decimal(-5), &none, "-0.05"),
        (Decimal { precision: 5, scale: 2 }, Slot::Decimal(12345), &none, "123.45"),
        (Decimal { precision: 5, scale: 0 }, Slot::Decimal(0), &none, "0"),
        (Decimal { precision: 5, scale: -2 }, Slot::Decimal(7), &none, "700"),
        (
            Decimal { precision: 38, scale: 0 },
            Slot::Decimal(i128::MIN),
            &none,
            "-170141183460469231731687303715884105728",
        ),
        (Decimal { precision: 65, scale: 2 }, bytes, &wide(false), "123.45"),
        (Decimal { precision: 65, scale: 2 }, bytes, &wide(true), "-123.45"),
        (Decimal { precision: 76, scale: 0 }, bytes, &max, long),
        (Binary, Slot::Bytes(span(2)), &vec![0xAB, 0x01], "ab01"),
        (Json, Slot::Bytes(span(2)), &b"{}".to_vec(), "%7B%7D"),
        (Date, Slot::Int(-1), &none, "1969-12-31"),
        (Time, Slot::Int(43_200_500_000), &none, "12%3A00%3A00.500"),
        (Timestamp { utc: true }, Slot::Int(EVENT_TIME), &none, "2026-03-01T12%3A34%3A56.789012Z"),
        (Timestamp { utc: false }, Slot::Int(0), &none, "1970-01-01T00%3A00%3A00"),
        (Enum, Slot::Null, &none, NULL),
    ];
    for (kind, slot, value, expected) in cases {
        let got = render_all("{col:a}", kind, slot, Row::default(), value, Tz::UTC);
        assert_eq!(got.unwrap(), expected, "{kind:?} {slot:?}");
    }
    for (kind, slot) in [
        (Timestamp { utc: true }, Slot::Int(i64::MAX)),
        (Date, Slot::Int(i64::MAX)),
        (Time, Slot::Int(-1)),
        (Int32, Slot::Bool(true)),
        (Decimal { precision: 65, scale: 0 }, Slot::Bytes(span(31))),
        (Utf8, Slot::Bytes(span(1))),
    ] {
        let got = render_all("{col:a}", kind, slot, Row::default(), &[0xFF; 32], Tz::UTC);
        let error = got.unwrap_err();
        assert_eq!((error.kind(), error.context("column")), (Kind::BadRecord, Some("a")));
    }
}

#[test]
fn a_wrong_template_is_refused_with_its_place() {
    let cases = [
        ("", "character 1: empty"),
        ("/a", "character 1: a folder without a name"),
        ("a/", "character 2: a folder without a name"),
        ("a//b", "character 3: a folder without a name"),
        ("ä/{event_time:%Y//%m}", "character 3: a folder without a name"),
        ("a/../b", "character 3: a folder cannot begin with a dot"),
        ("./a", "character 1: a folder cannot begin with a dot"),
        ("ü{topic", "character 2: `{` is never closed"),
        ("a}b", "character 2: `}` without a `{`"),
        ("{{topic}}", "character 1: {{topic} is not known"),
        ("{tpoic}", "character 1: {tpoic} is not known; there are {topic}, "),
        ("{topic:x}", "character 1: {topic:x} is not known"),
        ("x={event_time}", "character 3: {event_time} needs a format"),
        ("x={event_time:yyyy-MM-dd}", "character 3: the format of {event_time:yyyy-MM-dd} has no"),
        ("x={event_time:%Y-%Q}", "character 3: `%Y-%Q` is not a strftime format"),
        ("x={event_time:%Y/a*}", "character 3: '*' cannot be part of a path"),
        ("{col}", "character 1: {col} needs a column"),
        ("{col:}", "character 1: {col:} needs a column"),
        ("a b\tc", "character 4: '\\t' cannot be part of a path"),
        ("a%2F", "character 2: '%' cannot be part of a path"),
        ("a\\b", "character 2: '\\\\' cannot be part of a path"),
    ];
    for (template, expected) in cases {
        let error = PathTemplate::parse(template).unwrap_err();
        assert_eq!((error.kind(), error.context("key")), (Kind::Config, Some("partition.path")));
        let message = error.message();
        assert!(message.contains(expected), "{template:?} gives: {message}");
    }
}

#[test]
fn what_is_too_long_is_a_bad_record() {
    assert!(render_text("k={col:a}", &"x".repeat(253)).is_ok());
    let error = render_text("k={col:a}", &"x".repeat(254)).unwrap_err();
    assert_eq!((error.kind(), error.context("length")), (Kind::BadRecord, Some("256")));
    let error = render_text("{col:a}", &".".repeat(254)).unwrap_err();
    assert_eq!(error.context("length"), Some("256"), "after its dot is escaped");
    let error = render_text("{col:a}/{col:a}/{col:a}", &"x".repeat(250)).unwrap_err();
    assert_eq!((error.kind(), error.context("length")), (Kind::BadRecord, Some("752")));
    let empty = render_text("{event_time:%.f}x/{topic}", "").unwrap();
    assert_eq!(empty, "%2E789012x/cdc.orders", "a format may begin with a dot, the folder not");
}

/// What a reader does to get the value back.
fn unescape(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&first, behind)) = rest.split_first() {
        if first == b'%' {
            let digits = std::str::from_utf8(&behind[..2]).unwrap();
            bytes.push(u8::from_str_radix(digits, 16).unwrap());
            rest = &behind[2..];
        } else {
            bytes.push(first);
            rest = behind;
        }
    }
    String::from_utf8(bytes).unwrap()
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[./%\\\\ =\u{0}\u{7f}\u{85}\u{fffe}:a-c]{0,12}",
        Just("..".to_owned()),
    ]
}

proptest! {
    #[test]
    fn no_value_leaves_the_table_and_every_value_comes_back(text in any_text()) {
        prop_assume!(text.len() <= 80);
        let path = render_text("{col:a}/k={db}/{col:a}{table}", &text).unwrap();
        let folders: Vec<&str> = path.split('/').collect();
        prop_assert_eq!(folders.len(), 3, "{}", path);
        for folder in &folders {
            prop_assert!(!folder.is_empty() && !folder.starts_with('.'), "{}", path);
            prop_assert!(!folder.chars().any(|c| is_special(c) && c != '%' && c != '='));
        }
        prop_assert_eq!(object_store::path::Path::parse(&path).unwrap().to_string(), &path[..]);
        let expected = if text.is_empty() { NULL } else { &text };
        prop_assert_eq!(unescape(folders[0]), expected);
        prop_assert_eq!(unescape(folders[1].strip_prefix("k=").unwrap()), expected);
        prop_assert_eq!(unescape(folders[2]), format!("{expected}{expected}"));
    }

    #[test]
    fn no_template_makes_it_panic(template in "[{}/.%a-z:=_\\-YmdHäö* ]{0,30}") {
        if let Ok(parsed) = PathTemplate::parse(&template) {
            let schema = TableSchema { columns: Vec::new() };
            let mut out = String::new();
            let mut path = parsed.bind(Tz::UTC, "t", 0, &schema);
            if path.render(EVENT_TIME, &Row::default(), b"", &mut out).is_ok() {
                let key = object_store::path::Path::parse(&out).unwrap();
                prop_assert_eq!(key.to_string(), &out[..]);
            }
        }
    }
}
