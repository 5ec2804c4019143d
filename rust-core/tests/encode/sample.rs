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
    // Few values first, then ever new ones: dictionaries give way, other encodings take over.
    let rows: Vec<Vec<Cell>> = (0..30_000)
        .map(|n| {
            let cell = |kind: &ColumnKind| {
                let all = [extremes(*kind), vec![Cell::Null]].concat();
                if n < 3_000 { tame(all[n % all.len()].clone()) } else { noise(*kind, n as i64) }
            };
            kinds.iter().map(cell).collect()
        })
        .collect();
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("encode-sample.parquet");
    std::fs::write(&path, write(&schema(&kinds), &PLAIN, &rows)).unwrap();
}

/// A value nobody has seen before.
fn noise(kind: ColumnKind, n: i64) -> Cell {
    let mix = n.wrapping_mul(0x9E37_79B9_7F4A_7C15u64 as i64);
    if mix >> 60 == 3 {
        return Cell::Null;
    }
    match kind {
        ColumnKind::Boolean => Cell::Bool(mix & 64 == 0),
        ColumnKind::Int16 => Cell::Int((mix as i16).into()),
        ColumnKind::Int32 => Cell::Int((mix as i32).into()),
        ColumnKind::Date => Cell::Int(mix % 60_000),
        ColumnKind::Time => Cell::Int(mix.rem_euclid(86_400_000_000)),
        ColumnKind::Timestamp { .. } => Cell::Int(mix % 100_000_000_000_000),
        ColumnKind::Int64 | ColumnKind::Duration => Cell::Int(mix),
        ColumnKind::Float32 => Cell::Float((mix as f32).into()),
        ColumnKind::Float64 => Cell::Float(mix as f64 / 1_000.0),
        ColumnKind::Decimal { precision, .. } => {
            Cell::Decimal(i128::from(mix) % 10i128.pow(precision.min(38).into()))
        }
        ColumnKind::Utf8 => Cell::Bytes(format!("3E11FA47-71CA-11E1-9E33:{n}").into_bytes()),
        ColumnKind::Json => Cell::Bytes(format!("{{\"n\":{mix}}}").into_bytes()),
        ColumnKind::Enum => Cell::Bytes(format!("{mix:x}").into_bytes()),
        ColumnKind::Binary => Cell::Bytes(mix.to_le_bytes().to_vec()),
    }
}
