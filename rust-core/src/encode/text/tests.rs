//! What lies within a value: structs and lists, which no flat file has.

use super::*;
use arrow::array::{ArrayRef, Decimal128Array, Float32Array, Int32Array, ListArray, StringArray};
use arrow::datatypes::{DataType, Field, Fields, Float32Type, Schema};
use std::sync::Arc;

/// A row before its change, a vector, and a vector of fixed length.
fn batch() -> RecordBatch {
    let amount = Decimal128Array::from(vec![Some(1_230), Some(5), None]);
    let amount: ArrayRef = Arc::new(amount.with_precision_and_scale(18, 2).unwrap());
    let name: ArrayRef = Arc::new(StringArray::from(vec![Some("a \"b\""), None, Some("")]));
    let fields = Fields::from(vec![
        Field::new("amount", amount.data_type().clone(), true),
        Field::new("na\"me", DataType::Utf8, true),
    ]);
    let valid = Some(vec![true, false, true].into());
    let before = StructArray::new(fields, vec![amount, name], valid);
    let list = ListArray::from_iter_primitive::<Float32Type, _, _>(vec![
        Some(vec![Some(0.1), None, Some(f32::NAN)]),
        None,
        Some(vec![]),
    ]);
    let item = Arc::new(Field::new("item", DataType::Float32, true));
    let items: ArrayRef = Arc::new(Float32Array::from(vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]));
    let fixed = arrow::array::FixedSizeListArray::new(item, 2, items, None);
    let id: ArrayRef = Arc::new(Int32Array::from(vec![1, 2, 3]));
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("id", id),
        ("_before", Arc::new(before)),
        ("vector", Arc::new(list)),
        ("pair", Arc::new(fixed)),
    ];
    let field =
        |(name, array): &(&str, ArrayRef)| Field::new(*name, array.data_type().clone(), true);
    let schema = Schema::new(columns.iter().map(field).collect::<Vec<_>>());
    let arrays = columns.into_iter().map(|(_, array)| array).collect();
    RecordBatch::try_new(Arc::new(schema), arrays).unwrap()
}

fn text(mut encoder: TextEncoder, batch: &RecordBatch) -> String {
    encoder.write(batch).unwrap();
    String::from_utf8(Box::new(encoder).finish(&[]).unwrap().to_vec()).unwrap()
}

fn csv() -> TextEncoder {
    let compression = TextCompression::None;
    TextEncoder::csv(CsvConfig { compression, header: true, delimiter: b',', null: String::new() })
}

const JSON: [&str; 3] = [
    r#"{"id":1,"_before":{"amount":"12.30","na\"me":"a \"b\""},"vector":[0.1,null,"NaN"],"pair":[1.0,2.0]}"#,
    r#"{"id":2,"_before":null,"vector":null,"pair":[3.0,4.0]}"#,
    r#"{"id":3,"_before":{"amount":null,"na\"me":""},"vector":[],"pair":[5.0,6.0]}"#,
];
const CSV: [&str; 4] = [
    "id,_before,vector,pair",
    r#"1,"{""amount"":""12.30"",""na\""me"":""a \""b\""""}","[0.1,null,""NaN""]","[1.0,2.0]""#,
    r#"2,,,"[3.0,4.0]""#,
    r#"3,"{""amount"":null,""na\""me"":""""}","[]","[5.0,6.0]""#,
];

#[test]
fn structs_and_lists_are_json_in_csv_too() {
    let json = |rows: &[&str]| rows.iter().map(|row| format!("{row}\n")).collect::<String>();
    let csv_text = |rows: &[&str]| rows.iter().map(|row| format!("{row}\r\n")).collect::<String>();
    let batch = batch();
    let lines = || TextEncoder::json(TextCompression::None);
    assert_eq!(text(lines(), &batch), json(&JSON));
    assert_eq!(text(csv(), &batch), csv_text(&CSV));
    // A slice keeps to its own rows.
    let slice = batch.slice(1, 2);
    assert_eq!(text(lines(), &slice), json(&JSON[1..]));
    assert_eq!(text(csv(), &slice), csv_text(&[CSV[0], CSV[2], CSV[3]]));
}

#[test]
fn a_type_that_has_no_text_is_named() {
    let array: ArrayRef = Arc::new(arrow::array::NullArray::new(1));
    let batch = RecordBatch::try_from_iter([("odd", array)]).unwrap();
    let error = csv().write(&batch).unwrap_err();
    assert_eq!((error.kind(), error.context("column")), (Kind::Encode, Some("odd")), "{error}");
}
