//! `format` and the keys of each format: in go their texts, out comes how files are written.

use super::reader::Reader;
use super::{Compression, KEYS, ParquetConfig, rules};

/// `format`, with the keys of that format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileFormat {
    /// `parquet.*`.
    Parquet(ParquetConfig),
    /// `json.compression`.
    Json(TextCompression),
    /// `csv.*`.
    Csv(CsvConfig),
}

/// Compression of a whole file of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextCompression {
    /// None.
    None,
    /// Gzip.
    Gzip,
    /// Zstandard.
    Zstd,
}

/// `csv.*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsvConfig {
    /// `csv.compression`.
    pub compression: TextCompression,
    /// `csv.header`: whether the first record of a file names its columns.
    pub header: bool,
    /// `csv.delimiter`.
    pub delimiter: u8,
    /// `csv.null`: what a null is written as, without quotes.
    pub null: String,
}

impl FileFormat {
    /// The format's name, as in `format`.
    pub fn name(&self) -> &'static str {
        match self {
            FileFormat::Parquet(_) => "parquet",
            FileFormat::Json(_) => "json",
            FileFormat::Csv(_) => "csv",
        }
    }

    /// The end of a file's name, behind the last point of what is not an end.
    pub fn extension(&self) -> &'static str {
        match self {
            FileFormat::Parquet(_) => "parquet",
            FileFormat::Json(TextCompression::None) => "json",
            FileFormat::Json(TextCompression::Gzip) => "json.gz",
            FileFormat::Json(TextCompression::Zstd) => "json.zst",
            FileFormat::Csv(CsvConfig { compression, .. }) => match compression {
                TextCompression::None => "csv",
                TextCompression::Gzip => "csv.gz",
                TextCompression::Zstd => "csv.zst",
            },
        }
    }
}

/// Reads the format; `None` = a mistake was noted.
pub(super) fn read(r: &mut Reader<'_>) -> Option<FileFormat> {
    let formats = [("parquet", "parquet."), ("json", "json."), ("csv", "csv.")];
    let prefix = r.choice("format", &formats);
    // A mistake in any key is told, whatever the format.
    let parquet = read_parquet(r);
    let json = read_compression(r, "json.compression");
    let csv = read_csv(r);
    let prefix = prefix?;
    let mut of_others = false;
    for spec in KEYS {
        let foreign = formats.iter().any(|(_, p)| *p != prefix && spec.name.starts_with(p));
        if foreign && r.given(spec.name).is_some() {
            let format = prefix.trim_end_matches('.');
            let message = format!(
                "must be left out with format={format}, whose own keys begin with {prefix}"
            );
            of_others = true;
            r.wrong::<()>(spec.name, message);
        }
    }
    let (parquet, json, csv) = (parquet?, json?, csv?);
    (!of_others).then_some(match prefix {
        "json." => FileFormat::Json(json),
        "csv." => FileFormat::Csv(csv),
        _ => FileFormat::Parquet(parquet),
    })
}

fn read_parquet(r: &mut Reader<'_>) -> Option<ParquetConfig> {
    let compression = r.choice(
        "parquet.compression",
        &[
            ("zstd", Compression::Zstd(1)),
            ("snappy", Compression::Snappy),
            ("lz4", Compression::Lz4),
            ("gzip", Compression::Gzip(1)),
            ("none", Compression::None),
        ],
    );
    let level = r.number("parquet.compression.level", 0..=22);
    let row_group_rows = r.number("parquet.row.group.rows", 1..=10_000_000);
    let bloom_columns = read_columns(r, "parquet.bloom.columns");
    let sort_columns = read_columns(r, "parquet.sort.columns");
    let compression = match rules::with_level(compression?, level?) {
        Ok(compression) => compression,
        Err(message) => return r.wrong("parquet.compression.level", message),
    };
    Some(ParquetConfig {
        compression,
        row_group_rows: row_group_rows?,
        bloom_columns: bloom_columns?,
        sort_columns: sort_columns?,
    })
}

/// Names of columns, separated by commas.
fn read_columns(r: &mut Reader<'_>, key: &'static str) -> Option<Vec<String>> {
    if r.text(key).is_none() {
        return Some(Vec::new());
    }
    r.with(key, |text| {
        let names: Vec<String> = text.split(',').map(|name| name.trim().to_owned()).collect();
        let twice = names.iter().enumerate().find(|(at, name)| names[..*at].contains(name));
        match twice {
            Some((_, name)) => Err(format!("names the column {name:?} twice")),
            None if names.iter().any(String::is_empty) => {
                Err("must be names of columns, separated by commas".to_owned())
            }
            None => Ok(names),
        }
    })
}

fn read_compression(r: &mut Reader<'_>, key: &'static str) -> Option<TextCompression> {
    let choices = [
        ("gzip", TextCompression::Gzip),
        ("zstd", TextCompression::Zstd),
        ("none", TextCompression::None),
    ];
    r.choice(key, &choices)
}

fn read_csv(r: &mut Reader<'_>) -> Option<CsvConfig> {
    let compression = read_compression(r, "csv.compression");
    let header = r.boolean("csv.header");
    let delimiter = r.with("csv.delimiter", delimiter);
    let null = match r.text("csv.null") {
        None => Some(String::new()),
        Some(_) => r.with("csv.null", null),
    };
    let (delimiter, null) = (delimiter?, null?);
    if null.as_bytes().contains(&delimiter) {
        return r.wrong("csv.null", "must not contain csv.delimiter: a null is never quoted");
    }
    Some(CsvConfig { compression: compression?, header: header?, delimiter, null })
}

/// One byte that is no part of a number, a time or base64.
fn delimiter(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        b"\\t" => Ok(b'\t'),
        [byte] if byte.is_ascii_punctuation() && !b"\"'\\+-./:=_#".contains(byte) => Ok(*byte),
        _ => Err(r"must be one of , ; | ^ ~ ! $ % & * @ ? or \t for a tab".to_owned()),
    }
}

fn null(text: &str) -> Result<String, String> {
    match text.contains(['"', '\r', '\n']) {
        false => Ok(text.to_owned()),
        true => Err("must not contain quotes or line ends: a null is never quoted".to_owned()),
    }
}
