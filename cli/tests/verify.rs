//! `alluvium verify` on tables that the core laid down, whole and broken.

// Clippy's own exception covers functions marked as tests, not those that they share.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, dead_code)]

mod common;

use alluvium_core::log::{LogRecord, RecordKind};
use alluvium_testkit::kafka::Entry;
use arrow::array::{AsArray, BooleanArray};
use arrow::compute::filter_record_batch;
use arrow::datatypes::Int64Type;
use common::{Table, kinds, offsets, run, tp};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use std::fs;
use std::path::{Path, PathBuf};

/// Two partitions, several commits, several files a commit.
fn table() -> Table {
    let mut table = Table::new();
    table.insert(0, 40);
    table.insert(1, 15);
    table.lay_down(&[0, 1], 10);
    table
}

fn path_of(key: &str) -> PathBuf {
    Path::new("/").join(key)
}

/// Writes a file anew without the row of one offset. Gives whether there was one.
fn delete_row(file: &Path, offset: i64) -> bool {
    let bytes = bytes::Bytes::from(fs::read(file).unwrap());
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes).unwrap();
    let (schema, reader) = (reader.schema().clone(), reader.build().unwrap());
    let mut writer = ArrowWriter::try_new(Vec::new(), schema, None).unwrap();
    let mut deleted = false;
    for batch in reader {
        let batch = batch.unwrap();
        let offsets = batch.column_by_name("_offset").unwrap().as_primitive::<Int64Type>().clone();
        let keep: BooleanArray = offsets.values().iter().map(|o| Some(*o != offset)).collect();
        deleted |= keep.true_count() < batch.num_rows();
        writer.write(&filter_record_batch(&batch, &keep).unwrap()).unwrap();
    }
    fs::write(file, writer.into_inner().unwrap()).unwrap();
    deleted
}

#[test]
fn a_clean_table_is_fine_and_every_row_was_compared() {
    let mut table = Table::new();
    table.insert(0, 12);
    for _ in 0..3 {
        table.kafka.append(&tp(0), Entry::Gap);
    }
    table.kafka.append(&tp(0), Entry::Record(None));
    table.kafka.append(&tp(0), Entry::Record(Some(b"no event".to_vec())));
    table.insert(0, 5);
    table.insert(1, 15);
    table.lay_down(&[0, 1], 10);
    let (code, lines, last) = table.verify(&[]);
    assert_eq!((code, lines.len()), (0, 0), "{lines:?} {last}");
    let summary = &last["summary"];
    assert_eq!(summary["rows"], 12 + 5 + 15, "{last}");
    assert_eq!(summary["offsets"], 12 + 3 + 2 + 5 + 15);
    assert_eq!((&summary["skipped"], &summary["gaps"]), (&2.into(), &3.into()));
    assert_eq!(summary["files"], table.files().len());
    let said = table.alluvium(&["verify"]);
    assert!(said.out.contains("37 offsets are 32 rows, 2 skipped and 3 in gaps"), "{}", said.out);
    assert!(said.out.ends_with("\n0 findings\n"), "{}", said.out);
}

#[test]
fn nothing_to_compare_is_no_success() {
    let table = Table::new();
    let (code, lines, _) = table.verify(&[]);
    assert_eq!((code, kinds(&lines)), (1, vec!["nothing"]));
}

#[test]
fn a_row_deleted_from_a_file_is_named() {
    let table = table();
    let hit = table.files().into_iter().filter(|file| delete_row(file, 17)).count();
    // Offset 17 is in partition 0 only.
    assert_eq!(hit, 1);
    let (code, findings, _) = table.verify(&["--topic", "orders"]);
    assert_eq!(code, 1);
    assert_eq!(offsets(&findings, "missing-offset"), [(17, 18)]);
    assert!(kinds(&findings).contains(&"file-rows"), "{findings:?}");
    let said = table.alluvium(&["verify"]);
    assert!(said.out.contains("orders 0, record "), "{}", said.out);
    assert!(said.out.contains("offset 17 is in no row"), "{}", said.out);
}

/// What a core would leave that forgot a row and counted it as written: nothing of the file tells
/// but its rows.
#[test]
fn a_row_that_the_core_skipped_is_named_though_the_books_agree() {
    let table = table();
    let mut record = table.first_commit();
    let file = &mut record.files[0];
    let offset = file.first_offset + 1;
    assert!(delete_row(&path_of(&file.key), offset));
    file.size = fs::metadata(path_of(&file.key)).unwrap().len();
    table.replace(&record);
    let (code, findings, _) = table.verify(&[]);
    assert_eq!(code, 1);
    assert_eq!(offsets(&findings, "missing-offset"), [(offset, offset + 1)]);
    assert_eq!(kinds(&findings), ["file-rows", "missing-offset"]);
}

/// The same by a core that counts it as a tombstone: log and table agree, only Kafka knows.
#[test]
fn a_row_taken_for_a_tombstone_is_named_by_kafka() {
    let table = table();
    let mut record = table.first_commit();
    let file = &mut record.files[0];
    let offset = file.first_offset + 1;
    assert!(delete_row(&path_of(&file.key), offset));
    file.size = fs::metadata(path_of(&file.key)).unwrap().len();
    file.rows -= 1;
    record.rows -= 1;
    record.skipped.add("tombstone");
    table.replace(&record);
    assert_eq!(table.verify(&[]).0, 0, "log and table agree");
    let mut kafka = String::new();
    for (partition, rows) in [(0, 40), (1, 15)] {
        (0..rows).for_each(|offset| kafka.push_str(&format!("orders {partition} {offset} 300\n")));
    }
    let (code, findings, last) = table.verify_with(&["--kafka-offsets", "-"], &kafka);
    assert_eq!(code, 1);
    assert_eq!(offsets(&findings, "not-laid-down"), [(offset, offset + 1)]);
    assert_eq!(last["summary"]["kafka"], 55);
}

#[test]
fn what_kafka_has_and_no_log_covers_is_named() {
    let table = table();
    let mut kafka = String::from("orders 2 5 10\n");
    for (partition, rows) in [(0, 42), (1, 15)] {
        (0..rows).for_each(|offset| kafka.push_str(&format!("orders {partition} {offset}\n")));
    }
    let (code, findings, last) = table.verify_with(&["--kafka-offsets", "-"], &kafka);
    assert_eq!((code, offsets(&findings, "not-laid-down")), (1, vec![(5, 6)]), "{findings:?}");
    assert!(findings[0]["text"].as_str().unwrap().contains("no commit log"));
    assert_eq!(
        (&last["summary"]["kafka"], &last["summary"]["kafka_ahead"]),
        (&55.into(), &2.into())
    );
}

#[test]
fn a_deleted_file_is_named_with_its_offsets() {
    let table = table();
    let file = table.first_commit().files[0].clone();
    fs::remove_file(path_of(&file.key)).unwrap();
    let (code, findings, _) = table.verify(&[]);
    assert_eq!(code, 1);
    assert_eq!(kinds(&findings), ["missing-file", "missing-offset"]);
    assert_eq!(offsets(&findings, "missing-offset"), [(file.first_offset, file.last_offset + 1)]);
    assert!(findings.iter().any(|f| f["at"]["file"] == *file.key));
}

#[test]
fn a_copied_file_is_named_with_what_is_doubled() {
    let table = table();
    let file = table.files().remove(0);
    let copy = file.with_file_name("copy.parquet");
    fs::copy(&file, &copy).unwrap();
    let (code, findings, _) = table.verify(&[]);
    assert_eq!((code, kinds(&findings)), (1, vec!["foreign-file"]));
    let text = findings[0]["text"].as_str().unwrap();
    assert!(text.contains("readers see them twice"), "{text}");
    assert!(findings[0]["at"]["file"].as_str().unwrap().ends_with("copy.parquet"));
}

#[test]
fn a_file_in_another_ones_place_is_noticed() {
    let table = table();
    let commit = table.first_commit();
    let (one, other) = (&commit.files[0], &commit.files[1]);
    fs::copy(path_of(&other.key), path_of(&one.key)).unwrap();
    let (code, findings, _) = table.verify(&[]);
    assert_eq!(code, 1);
    let kinds = kinds(&findings);
    for kind in ["doubled-offset", "missing-offset", "stray-row"] {
        assert!(kinds.contains(&kind), "{kind} in {kinds:?}");
    }
}

#[test]
fn a_log_with_a_record_less_or_with_a_hole_is_named() {
    let table = table();
    let commit = table.first_commit();
    let next = commit.next_offset.unwrap();
    let follower = table.record(commit.seq + 1);
    let mut shifted = follower.clone();
    shifted.start_offset = Some(next + 2);
    table.replace(&shifted);
    let (code, findings, _) = table.verify(&[]);
    assert_eq!((code, offsets(&findings, "broken-range")), (1, vec![(next, next + 2)]));
    table.replace(&follower);
    assert_eq!(table.verify(&[]).0, 0);
    fs::remove_file(table.record_file(commit.seq)).unwrap();
    let (code, findings, _) = table.verify(&[]);
    assert_eq!(code, 1);
    let broken = findings.iter().find(|f| f["finding"] == "broken-chain").unwrap();
    let seq = format!("seq={}", commit.seq);
    assert!(broken["text"].as_str().unwrap().contains(&seq), "{broken}");
    assert_eq!(
        kinds(&findings),
        ["broken-chain"],
        "no file is called foreign on such a log's word"
    );
}

#[test]
fn offsets_that_an_operator_moved_are_a_note() {
    let table = table();
    let seq = (1..).find(|seq| !table.record_file(seq + 1).exists()).unwrap();
    let head = table.record(seq);
    let mut reset = LogRecord {
        kind: RecordKind::Reset,
        seq: seq + 1,
        nonce: head.log_id,
        prev: Some(head.link()),
        start_offset: Some(40),
        next_offset: Some(45),
        ..head
    };
    reset.gaps.note(40, 40, 45, Some("reset"));
    table.replace(&reset);
    let kafka: String = (0..45).map(|offset| format!("orders 0 {offset}\n")).collect();
    let (code, lines, last) = table
        .verify_with(&["--topic", "orders", "--partition", "0", "--kafka-offsets", "-"], &kafka);
    assert_eq!((code, kinds(&lines)), (0, vec![]), "{lines:?}");
    assert!(lines[0]["note"].as_str().unwrap().contains("an operator moved the offsets, 40..45"));
    assert_eq!((&last["summary"]["gaps"], &last["summary"]["offsets"]), (&5.into(), &45.into()));
}

#[test]
fn books_that_do_not_add_up_are_named() {
    let table = table();
    let mut commit = table.first_commit();
    commit.records += 1;
    table.replace(&commit);
    let (code, findings, _) = table.verify(&[]);
    assert_eq!((code, kinds(&findings)), (1, vec!["books"]));
}

#[test]
fn findings_are_bounded_and_all_are_counted() {
    let table = table();
    for file in table.files() {
        fs::remove_file(file).unwrap();
    }
    let (code, findings, last) = table.verify(&["--show", "2"]);
    assert_eq!(code, 1);
    let missing = findings.iter().filter(|f| f["finding"] == "missing-offset").count();
    assert_eq!(missing, 2);
    assert_eq!(last["by_kind"]["missing-offset"], 55, "{last}");
}

#[test]
fn exit_codes_tell_usage_from_what_cannot_be_read() {
    let table = table();
    assert_eq!(run(&[], "").code, 2);
    assert_eq!(run(&["verify"], "").code, 2);
    assert_eq!(run(&["--url", "gs://b/t", "verify"], "").code, 2);
    assert_eq!(table.alluvium(&["verify", "--topic", "nope"]).code, 2);
    assert_eq!(table.alluvium_with(&["verify", "--kafka-offsets", "-"], "a b").code, 2);
    assert_eq!(table.alluvium(&["verify", "--kafka", "127.0.0.1:1"]).code, 3);
    let mut url = table.url();
    url.push_str("/0/under/a/file");
    fs::write(table.path("lake/0"), "").unwrap();
    assert_eq!(run(&["--url", &url, "log"], "").code, 2, "a folder below a file");
    fs::write(table.record_file(1), "no JSON").unwrap();
    let said = table.alluvium(&["log", "--topic", "orders"]);
    assert_eq!(said.code, 3, "{said:?}");
    assert!(said.err.contains("not readable JSON"), "{}", said.err);
}
