//! `alluvium verify` on tables of JSON and CSV, whole and broken.

// Clippy's own exception covers functions marked as tests, not those that they share.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, dead_code)]

mod common;

use common::{Table, kinds, offsets};
use std::fs;
use std::path::Path;

/// Two partitions, several commits, several files a commit.
fn table(keys: &[(&'static str, &str)]) -> Table {
    let mut table = Table::in_folder(keys);
    table.insert(0, 40);
    table.insert(1, 15);
    table.lay_down(&[0, 1], 10);
    table
}

#[test]
fn every_row_is_read_whatever_the_format() {
    let formats: [(&[(&str, &str)], &str); 5] = [
        (&[("format", "json")], ".json.gz"),
        (&[("format", "json"), ("json.compression", "none")], ".json"),
        (&[("format", "csv"), ("csv.compression", "zstd")], ".csv.zst"),
        (&[("format", "csv"), ("csv.compression", "none"), ("csv.delimiter", "\\t")], ".csv"),
        (&[("format", "csv"), ("csv.header", "false"), ("csv.delimiter", "|")], ".csv.gz"),
    ];
    for (keys, end) in formats {
        let table = table(keys);
        let files = table.files();
        let ends = |file: &Path| file.to_str().is_some_and(|name| name.ends_with(end));
        assert!(files.iter().all(|file| ends(file)), "{files:?}");
        let (code, lines, last) = table.verify(&[]);
        assert_eq!((code, lines.len()), (0, 0), "{keys:?}: {lines:?} {last}");
        assert_eq!(last["summary"]["rows"], 55, "{keys:?}: {last}");
        assert_eq!(last["summary"]["files"], files.len());
        let copy = files[0].with_file_name(format!("copy{end}"));
        fs::copy(&files[0], &copy).unwrap();
        let (code, lines, _) = table.verify(&[]);
        assert_eq!((code, kinds(&lines)), (1, vec!["foreign-file"]), "{keys:?}");
        let text = lines[0]["text"].as_str().unwrap();
        // Without a header nobody says which columns are which in a file that no record names.
        let headless = keys.contains(&("csv.header", "false"));
        assert_eq!(text.contains("readers see them twice"), !headless, "{text}");
    }
}

#[test]
fn a_line_deleted_from_a_file_is_named() {
    for format in ["json", "csv"] {
        let compression = if format == "json" { "json.compression" } else { "csv.compression" };
        let table = table(&[("format", format), (compression, "none")]);
        let deleted = table.files().into_iter().filter(|file| {
            let text = fs::read_to_string(file).unwrap();
            let is_hit = |line: &&str| {
                line.contains("\"_partition\":0,\"_offset\":17,") || line.contains(",orders,0,17,")
            };
            let kept: Vec<&str> = text.split_inclusive('\n').filter(|line| !is_hit(line)).collect();
            fs::write(file, kept.concat()).unwrap();
            kept.concat() != text
        });
        assert_eq!(deleted.count(), 1, "{format}");
        let (code, findings, _) = table.verify(&[]);
        assert_eq!(code, 1, "{format}");
        assert_eq!(offsets(&findings, "missing-offset"), [(17, 18)], "{format}");
        assert!(kinds(&findings).contains(&"file-rows"), "{findings:?}");
    }
}

#[test]
fn a_compressed_file_that_is_cut_off_is_not_readable() {
    let table = table(&[("format", "json")]);
    let file = table.first_commit().files[0].clone();
    let path = Path::new("/").join(&file.key);
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() - 9]).unwrap();
    let (code, findings, _) = table.verify(&[]);
    assert_eq!(code, 1);
    assert_eq!(kinds(&findings), ["file-size", "missing-offset", "unreadable-file"]);
}
