//! The program beside a sink that is at work: what is true at every instant is never a finding.

// Clippy's own exception covers functions marked as tests, not those that they share.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, dead_code)]

mod common;

use common::{Table, kinds, run};

#[test]
fn a_table_in_the_making_has_no_findings() {
    let mut table = Table::new();
    // Enough commits for a part of the first log to move into its archive meanwhile.
    for (partition, rows) in [(0, 1_700), (1, 100), (2, 100)] {
        table.insert(partition, rows);
    }
    let url = table.url();
    let sink = std::thread::spawn(move || {
        table.lay_down(&[0, 1, 2], 5);
        table
    });
    let (mut looks, mut rows) = (0, Vec::new());
    while !sink.is_finished() {
        let said = run(&["--url", &url, "verify", "--json"], "");
        let mut lines = said.json();
        let last = lines.pop().unwrap_or_else(|| panic!("{said:?}"));
        let found = kinds(&lines);
        assert!(found.is_empty() || found == ["nothing"], "{lines:?}");
        rows.push(last["summary"]["rows"].as_u64().unwrap());
        looks += 1;
    }
    let table = sink.join().unwrap();
    let (code, lines, last) = table.verify(&[]);
    assert_eq!((code, lines.len(), &last["summary"]["rows"]), (0, 0, &1_900.into()));
    let archive = table.path("lake.alluvium/v1/logs/orders-lake/orders/0001/00000/archive");
    assert!(archive.is_dir(), "too few records for an archive: {last}");
    assert!(rows.is_sorted(), "rows only become more: {rows:?}");
    rows.dedup();
    assert!(rows.len() > 3, "{looks} looks saw it grow {} times only", rows.len());
}
