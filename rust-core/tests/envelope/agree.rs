//! Both ways give the same, and what the model says: generated tables, values and spellings.

use crate::model::{Column, Event, columns, events, spell};
use crate::support::{self, Cell, Outcome, config, keeping, read, read_slowly};
use alluvium_core::envelope::EnvelopeReader;
use proptest::prelude::*;

/// How an event is written.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Style {
    /// As JsonConverter does.
    Compact,
    /// With white space.
    Spaced,
    /// With the members of every object the other way round.
    Reversed,
    /// With keys all in escapes.
    Escaped,
    /// With members nobody knows, in the envelope and in `source`.
    Extended,
    /// With a member the schema does not name, in the row.
    RowExtended,
    /// With a kept member twice.
    Twice,
    /// With an old row that lacks its null columns.
    Partial,
}

fn style() -> impl Strategy<Value = Style> {
    use Style::{Compact, Escaped, Extended, Partial, Reversed, RowExtended, Spaced, Twice};
    prop_oneof![
        6 => Just(Compact), 1 => Just(Spaced), 1 => Just(Reversed), 1 => Just(Escaped),
        1 => Just(Extended), 1 => Just(RowExtended), 1 => Just(Twice),
        2 => Just(Partial),
    ]
}

/// A table with its events, each with its style.
fn tables() -> impl Strategy<Value = (Vec<Column>, Vec<Event>, Vec<Style>)> {
    columns().prop_flat_map(|columns| {
        let events = events(&columns);
        (Just(columns), events, prop::collection::vec(style(), 8))
    })
}

/// A JSON object of members in order.
fn object(members: Vec<(String, String)>, style: Style) -> String {
    let mut members = members;
    if style == Style::Reversed {
        members.reverse();
    }
    let (space, habit) = match style {
        Style::Spaced => (" \n\t\r", 0),
        Style::Escaped => ("", 2),
        _ => ("", 1),
    };
    let member = |(key, json): &(String, String)| {
        format!("{space}{}{space}:{space}{json}{space}", spell(key, habit))
    };
    format!("{{{}}}", members.iter().map(member).collect::<Vec<_>>().join(","))
}

fn own(members: &[(&str, &str)]) -> Vec<(String, String)> {
    members.iter().map(|(key, json)| ((*key).to_owned(), (*json).to_owned())).collect()
}

/// The payload of an event.
fn payload(columns: &[Column], event: &Event, style: Style) -> String {
    let image = |image: &Option<Vec<crate::model::Value>>, is_old: bool| {
        let Some(values) = image else { return "null".to_owned() };
        let member =
            |((name, _), (json, _)): (&Column, &crate::model::Value)| (name.clone(), json.clone());
        let mut members: Vec<_> = columns.iter().zip(values).map(member).collect();
        if is_old && style == Style::Partial {
            members.retain(|(_, json)| json != "null");
        }
        if style == Style::RowExtended {
            members.push(("a field no schema names".into(), "1".into()));
        }
        object(members, style)
    };
    let gtid = format!("\"{}\"", event.gtid);
    let mut source = own(&[
        ("version", "\"3.6.1.Final\""),
        ("connector", "\"mysql\""),
        ("name", "\"shop\""),
        ("ts_ms", "1772352930123"),
        ("snapshot", "\"false\""),
        ("db", "\"shop\""),
        ("sequence", "null"),
        ("ts_us", "1772352930123456"),
        ("ts_ns", "1"),
        ("table", "\"orders\""),
        ("server_id", "1"),
        ("gtid", &gtid),
        ("file", "null"),
        ("pos", "-3"),
        ("row", "0"),
        ("thread", "20"),
        ("query", "null"),
    ]);
    let transaction = match event.transaction {
        true => object(own(&[("id", &gtid), ("total_order", "1")]), style),
        false => "null".into(),
    };
    if style == Style::Extended {
        source.insert(1, ("new".into(), "[{\"db\":1},1.5e-3]".into()));
    }
    if style == Style::Twice {
        source.push(("pos".into(), "-3".into()));
    }
    let op = format!("\"{}\"", event.op);
    let mut members = own(&[
        ("before", &image(&event.before, true)),
        ("after", &image(&event.after, false)),
        ("source", &object(source, style)),
        ("transaction", &transaction),
        ("op", &op),
        ("ts_ms", "1772352930200"),
        ("ts_us", "null"),
        ("ts_ns", "5"),
    ]);
    if style == Style::Extended {
        members.insert(3, ("new".into(), "{\"op\":\"d\",\"after\":null}".into()));
    }
    object(members, style)
}

/// The cells the model says, of the row and of the old row; `None` = the record is bad.
type Expected = Option<(Vec<Cell>, Option<Vec<Cell>>)>;

fn expected(event: &Event, columns: usize, style: Style, keeps: bool) -> Expected {
    let image = match event.op {
        "d" => &event.before,
        "t" | "m" => &None,
        _ => &event.after,
    };
    let cells = |values: &Vec<crate::model::Value>| -> Option<Vec<Cell>> {
        values.iter().map(|(_, cell)| cell.clone()).collect()
    };
    let old = event.before.as_ref().filter(|_| keeps);
    match image {
        _ if style == Style::Twice => None,
        Some(_) if style == Style::RowExtended => None,
        Some(values) => Some((cells(values)?, old.map(cells).map_or(Some(None), |c| c.map(Some))?)),
        None => Some((vec![Cell::Null; columns], None)),
    }
}

/// Reads a value both ways, each with its own reader; they must agree.
fn read_both(readers: &mut [EnvelopeReader; 2], value: &str) -> Result<Outcome, TestCaseError> {
    let [either, slow] = readers;
    let outcome = read(either, Some(value.as_bytes()));
    let slowly = read_slowly(slow, value.as_bytes());
    prop_assert_eq!(outcome.clone().quiet(), slowly.quiet(), "{}", value);
    Ok(outcome)
}

proptest! {
    #![proptest_config(config(1_500))]

    #[test]
    fn with_schema((columns, events, styles) in tables(), keeps: bool) {
        let fields: Vec<_> = columns.iter().map(|(name, kind)| (&**name, kind.connect())).collect();
        let fields: Vec<_> = fields.iter().map(|(name, json)| (*name, &**json)).collect();
        let schema = support::schema(&fields);
        let mut readers = [keeping(keeps), keeping(keeps)];
        for (event, style) in events.iter().zip(styles) {
            let value = support::with_schema(&schema, &payload(&columns, event, style));
            let before = readers[0].ways();
            let outcome = read_both(&mut readers, &value)?;
            // What JsonConverter writes, in MySQL's types, is read the fast way; so is an old row
            // that lacks columns, unless it is the row image.
            let usual = !["NaN", "Infinity", "-1.5"].iter().any(|odd| value.contains(odd));
            let compact = match style {
                Style::Compact => true,
                Style::Partial => event.op != "d",
                _ => false,
            };
            if compact && usual && before.slow + before.fast > 0 {
                let fast = readers[0].ways().fast > before.fast;
                prop_assert!(fast || matches!(outcome, Outcome::Bad(..)), "{value}");
            }
            match (expected(event, columns.len(), style, keeps), outcome) {
                (Some((cells, old)), Outcome::Row(row)) => {
                    prop_assert_eq!(row.cells, cells, "{}", value);
                    prop_assert_eq!(row.before, old, "{}", value);
                }
                (None, Outcome::Bad(..)) => {}
                (expected, outcome) => {
                    prop_assert!(false, "{expected:?} but {outcome:?} of {value}");
                }
            }
        }
    }

    #[test]
    fn without_schema((columns, events, styles) in tables(), keeps: bool) {
        let mut readers = [keeping(keeps), keeping(keeps)];
        for (event, style) in events.iter().zip(styles) {
            read_both(&mut readers, &payload(&columns, event, style))?;
        }
        // Once more: the plans of the first time are there now.
        for event in &events {
            read_both(&mut readers, &payload(&columns, event, Style::Compact))?;
        }
    }
}
