//! A file for foreign readers, written on demand:
//! `cargo test -p alluvium-core --test encode -- --ignored a_sample`, then read it from the
//! `tmp` folder of the target folder.

use crate::cells::{Cell, KINDS, extremes};
use crate::files::{PLAIN, schema, write};
use alluvium_core::schema::ColumnKind;
use std::path::Path;

#[test]
#[ignore = "writes a file for other readers to look at"]
fn a_sample_of_every_kind() {
    let kinds = [&KINDS[..], &[ColumnKind::Timestamp { utc: false }]].concat();
    // What other readers can show: no years beyond their calendars.
    let tame = |cell: Cell| match cell {
        Cell::Int(i64::MIN | i64::MAX) => Cell::Int(0),
        Cell::Int(n) if n == i64::from(i32::MIN) || n == i64::from(i32::MAX) => Cell::Int(19_000),
        other => other,
    };
    let rows: Vec<Vec<Cell>> = (0..5_000)
        .map(|n| {
            let cell = |kind: &ColumnKind| {
                let all = [extremes(*kind), vec![Cell::Null]].concat();
                tame(all[n % all.len()].clone())
            };
            kinds.iter().map(cell).collect()
        })
        .collect();
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("encode-sample.parquet");
    std::fs::write(&path, write(&schema(&kinds), &PLAIN, &rows)).unwrap();
}
