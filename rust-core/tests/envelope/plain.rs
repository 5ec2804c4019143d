//! Records without schema: types come from what the JSON shows, one record after another.

use crate::support::{Cell, Outcome, Read, payload, read, reader, text};
use alluvium_core::envelope::EnvelopeReader;
use alluvium_core::error::Kind;
use alluvium_core::schema::ColumnKind;

fn create(reader: &mut EnvelopeReader, after: &str) -> Outcome {
    read(reader, Some(payload("c", "null", after).as_bytes()))
}

fn names(row: &Read) -> Vec<&str> {
    row.schema.columns.iter().map(|c| &*c.name).collect()
}

#[test]
fn a_column_of_nulls_is_no_column_until_it_has_a_type() {
    let mut reader = reader();
    let first = create(&mut reader, r#"{"id":1,"note":null,"doc":null}"#).row();
    assert_eq!((names(&first), first.cells.clone()), (vec!["id"], vec![Cell::Int(1)]));
    let again = create(&mut reader, r#"{"id":2,"note":null,"doc":null}"#).row();
    assert_eq!(again.schema, first.schema);
    assert_eq!(reader.ways().fast, 1, "a column without type is no reason to be slow");

    let typed = create(&mut reader, r#"{"id":3,"note":null,"doc":{"a":1}}"#).row();
    assert_eq!(names(&typed), ["id", "doc"]);
    assert_eq!(typed.kind("doc"), Some(ColumnKind::Json));
    // Known from now on, also where it is null and where other columns are missing.
    let null = create(&mut reader, r#"{"id":4,"note":null,"doc":null}"#).row();
    assert_eq!(
        (names(&null), null.cells.clone()),
        (vec!["id", "doc"], vec![Cell::Int(4), Cell::Null])
    );
    let fewer = create(&mut reader, r#"{"doc":null}"#).row();
    assert_eq!((names(&fewer), fewer.cells.clone()), (vec!["doc"], vec![Cell::Null]));
}

#[test]
fn json_shows_these_types() {
    let row = create(
        &mut reader(),
        r#"{"b":true,"i":-7,"f":1.0,"e":1E2,"s":"x","o":{"a":[]},"a":[1],"big":9223372036854775807}"#,
    )
    .row();
    let kinds: Vec<_> = row.schema.columns.iter().map(|c| c.kind).collect();
    use ColumnKind::{Boolean, Float64, Int64, Json, Utf8};
    assert_eq!(kinds, [Boolean, Int64, Float64, Float64, Utf8, Json, Json, Int64]);
    let (field, message) = create(&mut reader(), r#"{"n":18446744073709551615}"#).bad();
    assert_eq!(field, "after.n");
    assert!(message.contains("64 bits"), "{message}");
}

#[test]
fn an_integer_in_a_column_of_floats_is_a_float() {
    let mut reader = reader();
    create(&mut reader, r#"{"x":1.5,"y":1}"#).row();
    for _ in 0..2 {
        let row = create(&mut reader, r#"{"x":2,"y":null}"#).row();
        assert_eq!(row.kind("x"), Some(ColumnKind::Float64));
        assert_eq!(row.cell("x"), &Cell::Float(2f64.to_bits()));
        assert_eq!(row.kind("y"), Some(ColumnKind::Int64));
    }
    // Another type is told as it is; whether both can be one column is room schema's to say.
    let text_now = create(&mut reader, r#"{"x":"2","y":null}"#).row();
    assert_eq!((text_now.kind("x"), text_now.cell("x")), (Some(ColumnKind::Utf8), &text("2")));
}

#[test]
fn declared_types_go_before_what_json_shows() {
    let types = [
        ("price", "decimal_base64(10,2)"),
        ("paid", "decimal(10,2)"),
        ("at", "timestamp_ms"),
        ("doc", "json"),
        ("id", "int"),
        ("never", "text"),
    ];
    let types = types.map(|(column, name)| (column.to_owned(), name.to_owned()));
    let mut reader = EnvelopeReader::new(&types).unwrap();
    for after in [
        r#"{"id":1,"price":"EtaH","paid":12.5,"at":-1,"doc":"{\"a\":1}","note":"n"}"#,
        r#"{"id":1,"price":"EtaH","paid":"12.50","at":-1,"doc":{"a":1},"note":"n"}"#,
    ] {
        for _ in 0..2 {
            let row = create(&mut reader, after).row();
            assert_eq!(row.cell("price"), &Cell::Decimal(1_234_567));
            assert_eq!(row.cell("paid"), &Cell::Decimal(1_250));
            assert_eq!(row.cell("at"), &Cell::Int(-1_000));
            assert_eq!(row.cell("doc"), &text("{\"a\":1}"));
            assert_eq!(row.kind("id"), Some(ColumnKind::Int32));
            assert_eq!(row.kind("never"), None);
        }
    }
    let null = create(&mut reader, r#"{"price":null}"#).row();
    assert_eq!(null.kind("price"), Some(ColumnKind::Decimal { precision: 10, scale: 2 }));
    let (field, message) = create(&mut reader, r#"{"price":"12.50"}"#).bad();
    assert_eq!(field, "after.price");
    assert!(message.contains("base64 of a big-endian integer"), "{message}");

    let error = EnvelopeReader::new(&[("a".into(), "varchar".into())]).unwrap_err();
    assert_eq!(error.kind(), Kind::Config);
}

#[test]
fn tables_of_one_topic_do_not_share_types() {
    let mut reader = reader();
    let mut other = |after: &str| {
        let value = payload("c", "null", after).replace("\"orders\"", "\"returns\"");
        read(&mut reader, Some(value.as_bytes())).row()
    };
    assert_eq!(other(r#"{"id":1,"x":"text"}"#).kind("x"), Some(ColumnKind::Utf8));
    for _ in 0..2 {
        assert_eq!(create(&mut reader, r#"{"id":1,"x":null}"#).row().kind("x"), None);
    }
}

#[test]
fn a_truncate_shows_no_columns() {
    let mut reader = reader();
    let truncate = payload("t", "null", "null");
    let row = |reader: &mut EnvelopeReader| read(reader, Some(truncate.as_bytes())).row();
    assert_eq!(names(&row(&mut reader)), Vec::<&str>::new());
    create(&mut reader, r#"{"id":1,"x":"text"}"#).row();
    let after = row(&mut reader);
    assert_eq!((names(&after), &*after.cells), (vec![], &[][..]));
}

#[test]
fn repeated_shapes_are_read_the_fast_way() {
    let mut reader = reader();
    let shapes = [r#"{"id":1}"#, r#"{"id":1,"x":"y"}"#, r#"{"x":"y","id":1}"#];
    for after in shapes {
        create(&mut reader, after).row();
    }
    let before = reader.ways();
    for after in shapes.iter().cycle().take(30) {
        create(&mut reader, after).row();
    }
    assert_eq!((reader.ways().fast - before.fast, reader.ways().slow), (30, before.slow));
}

#[test]
fn ever_new_keys_are_no_columns() {
    let mut reader = reader();
    let bad = (0..5_000).find_map(|n| match create(&mut reader, &format!("{{\"k{n}\":1}}")) {
        Outcome::Bad(_, message) => Some((n, message)),
        _ => None,
    });
    let (n, message) = bad.expect("an end to it");
    assert_eq!(n, 4_096);
    assert!(message.contains("more than 4096 columns"), "{message}");
}
