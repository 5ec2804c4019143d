//! How schemas become one. In: the schema of each row. Out: the union of all so far, and where each
//! slot of the row goes in it. Never reorders: a column keeps its place for good, new ones are put
//! at the end, so that the place can serve as the column's id.
//!
//! Rule `widen`: a new column is added, a column that is no longer sent stays (null from then on),
//! a type grows where every old value is a value of the new one: 16 to 32 to 64 bit integers, float
//! to double, a decimal to more digits of the same scale, enum or JSON text to text. Anything else is
//! a [`Kind::SchemaConflict`].

use super::{Column, ColumnKind, TableSchema};
use crate::error::{Error, Kind, Result};
use std::collections::HashMap;
use std::sync::Arc;

/// The union of the schemas of one table, so far.
#[derive(Debug, Default)]
pub struct Evolution {
    current: Option<Arc<TableSchema>>,
    /// Schemas admitted to `current`, last new one first.
    mappings: Vec<Arc<Mapping>>,
}

/// Where the slots of a schema go in the union.
#[derive(Debug, PartialEq, Eq)]
pub struct Mapping {
    /// The schema the rows are read with.
    pub seen: Arc<TableSchema>,
    /// The schema the rows are written with: the same `Arc` as long as nothing changes.
    pub merged: Arc<TableSchema>,
    /// For each column of `merged`, the slot of the row that holds its value; `None` = null. A slot
    /// may be narrower than its column; `Slot::Decimal` may meet a column of more than 38 digits.
    pub slots: Vec<Option<u32>>,
}

/// Mappings kept; interleaving versions beyond these are mapped anew each time.
const MAPPINGS: usize = 32;

impl Evolution {
    /// Goes on from a schema that files were written with before.
    pub fn starting_from(schema: Arc<TableSchema>) -> Self {
        Self { current: Some(schema), mappings: Vec::new() }
    }

    /// The union so far; `None` before the first schema.
    pub fn current(&self) -> Option<&Arc<TableSchema>> {
        self.current.as_ref()
    }

    /// Takes in the schema of a row. Cheap for schemas (told apart by pointer) admitted before.
    ///
    /// Fails with [`Kind::SchemaConflict`], naming the column and both types; nothing has changed
    /// then.
    pub fn admit(&mut self, seen: &Arc<TableSchema>) -> Result<&Arc<Mapping>> {
        let at = match self.mappings.iter().position(|m| Arc::ptr_eq(&m.seen, seen)) {
            Some(at) => at,
            None => {
                self.learn(seen)?;
                0
            }
        };
        Ok(&self.mappings[at])
    }

    fn learn(&mut self, seen: &Arc<TableSchema>) -> Result<()> {
        let merged = match &self.current {
            None => seen.clone(),
            Some(current) => match merge(current, seen)? {
                None => current.clone(),
                Some(union) => Arc::new(union),
            },
        };
        if self.current.as_ref().is_none_or(|current| !Arc::ptr_eq(current, &merged)) {
            // The others are mapped to a union that is no more.
            self.mappings.clear();
            self.current = Some(merged.clone());
        }
        self.mappings.truncate(MAPPINGS - 1);
        let places: HashMap<&str, u32> = seen.columns.iter().map(|c| &*c.name).zip(0..).collect();
        let slots = merged.columns.iter().map(|c| places.get(&*c.name).copied()).collect();
        self.mappings.insert(0, Arc::new(Mapping { seen: seen.clone(), merged, slots }));
        Ok(())
    }
}

/// The union of two schemas; `None` if it is `current` itself.
fn merge(current: &TableSchema, seen: &TableSchema) -> Result<Option<TableSchema>> {
    let mut columns = current.columns.clone();
    let places: HashMap<&str, usize> =
        current.columns.iter().enumerate().map(|(at, c)| (&*c.name, at)).collect();
    for column in &seen.columns {
        match places.get(&*column.name) {
            Some(at) => columns[*at].kind = union(&columns[*at], column.kind)?,
            None => columns.push(column.clone()),
        }
    }
    let changed = columns != current.columns;
    Ok(changed.then_some(TableSchema { columns }))
}

/// The narrowest type that holds the values of both.
fn union(column: &Column, seen: ColumnKind) -> Result<ColumnKind> {
    use ColumnKind::{Decimal, Enum, Float32, Float64, Int16, Int32, Int64, Json, Utf8};
    let kind = column.kind;
    match (kind, seen) {
        _ if kind == seen => Ok(kind),
        (Int16 | Int32 | Int64, Int64) | (Int64, Int16 | Int32) => Ok(Int64),
        (Int16, Int32) | (Int32, Int16) => Ok(Int32),
        (Float32, Float64) | (Float64, Float32) => Ok(Float64),
        (Utf8, Enum | Json) | (Enum | Json, Utf8) => Ok(Utf8),
        (Decimal { precision: a, scale }, Decimal { precision: b, scale: other })
            if scale == other =>
        {
            Ok(Decimal { precision: a.max(b), scale })
        }
        _ => Err(Error::new(
            Kind::SchemaConflict,
            format!(
                "column {:?} is {kind} in the files so far and {seen} in this record; no type \
                 holds both. Change the column's type back, or write the table to a new lake.url; \
                 for records without schema, name the type in columns.types",
                column.name
            ),
        )
        .with("column", &column.name)),
    }
}

#[cfg(test)]
mod tests {
    use super::ColumnKind::{Binary, Date, Decimal, Enum, Float32, Float64, Int16, Int32, Int64};
    use super::ColumnKind::{Json, Timestamp, Utf8};
    use super::*;

    fn schema(columns: &[(&str, ColumnKind)]) -> Arc<TableSchema> {
        let column =
            |(name, kind): &(&str, ColumnKind)| Column { name: (*name).into(), kind: *kind };
        Arc::new(TableSchema { columns: columns.iter().map(column).collect() })
    }

    fn decimal(precision: u8, scale: i8) -> ColumnKind {
        Decimal { precision, scale }
    }

    #[test]
    fn types_grow_and_never_change() {
        let cases = [
            (Int16, Int32, Some(Int32)),
            (Int16, Int64, Some(Int64)),
            (Int32, Int64, Some(Int64)),
            (Float32, Float64, Some(Float64)),
            (decimal(10, 2), decimal(14, 2), Some(decimal(14, 2))),
            (decimal(38, 2), decimal(65, 2), Some(decimal(65, 2))),
            (decimal(10, 2), decimal(14, 3), None),
            (Enum, Utf8, Some(Utf8)),
            (Json, Utf8, Some(Utf8)),
            (Enum, Json, None),
            (Int64, Float64, None),
            (Int64, Utf8, None),
            (Binary, Utf8, None),
            (Date, Timestamp { utc: false }, None),
            (Timestamp { utc: true }, Timestamp { utc: false }, None),
        ];
        for (a, b, expected) in cases {
            for (a, b) in [(a, b), (b, a)] {
                let mut evolution = Evolution::starting_from(schema(&[("c", a)]));
                match (evolution.admit(&schema(&[("c", b)])), expected) {
                    (Ok(mapping), Some(kind)) => assert_eq!(mapping.merged.columns[0].kind, kind),
                    (Err(error), None) => {
                        assert_eq!(error.kind(), Kind::SchemaConflict);
                        assert_eq!(error.context("column"), Some("c"));
                        for name in [a.to_string(), b.to_string()] {
                            assert!(error.message().contains(&name), "{error}");
                        }
                        assert_eq!(evolution.current(), Some(&schema(&[("c", a)])));
                    }
                    (outcome, expected) => panic!("{a} and {b}: {outcome:?}, not {expected:?}"),
                }
            }
        }
    }

    #[test]
    fn columns_keep_their_place_and_interleaving_versions_share_one_schema() {
        let old = schema(&[("id", Int32), ("note", Utf8), ("price", decimal(10, 2))]);
        let new = schema(&[("id", Int64), ("channel", Utf8), ("price", decimal(14, 2))]);
        let mut evolution = Evolution::default();
        assert!(evolution.current().is_none());
        let first = evolution.admit(&old).unwrap().clone();
        assert!(Arc::ptr_eq(&first.merged, &old), "the first schema is the union");
        assert_eq!(first.slots, [Some(0), Some(1), Some(2)]);

        let second = evolution.admit(&new).unwrap().clone();
        let union =
            schema(&[("id", Int64), ("note", Utf8), ("price", decimal(14, 2)), ("channel", Utf8)]);
        assert_eq!(second.merged, union);
        assert_eq!(second.slots, [Some(0), None, Some(2), Some(1)]);

        let third = evolution.admit(&old).unwrap().clone();
        assert!(Arc::ptr_eq(&third.merged, &second.merged), "no thrash between versions");
        assert_eq!(third.slots, [Some(0), Some(1), Some(2), None]);
        assert!(Arc::ptr_eq(evolution.admit(&new).unwrap(), &second));
        assert!(Arc::ptr_eq(evolution.current().unwrap(), &second.merged));
    }

    #[test]
    fn an_equal_schema_of_another_arc_changes_nothing() {
        let one = schema(&[("id", Int32)]);
        let mut evolution = Evolution::default();
        let merged = evolution.admit(&one).unwrap().merged.clone();
        let again = evolution.admit(&schema(&[("id", Int32)])).unwrap();
        assert!(Arc::ptr_eq(&again.merged, &merged));
    }
}
