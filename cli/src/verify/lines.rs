//! A data file of lines read back: in go its bytes, out come the positions of its rows. JSON by
//! `serde_json`, CSV by `csv-core`, no code that wrote the file.

use super::rows::{FileRows, is_ours};
use alluvium_core::position::TopicPartition;
use bytes::{Buf, Bytes};
use csv_core::{ReadRecordResult, Reader, ReaderBuilder};
use flate2::bufread::MultiGzDecoder;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use std::borrow::Cow;
use std::fmt;
use std::io::{self, BufRead, BufReader};

/// What a file of lines is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lines {
    Json,
    Csv,
}

/// The columns that say where a row is from, in this order.
const PLACE: [&str; 3] = ["topic", "partition", "offset"];
/// What `csv.delimiter` may be; the file does not say.
const DELIMITERS: &[u8] = b",;|\t^~!$%&*@?(){}[]<>`";

/// What a file's name says that it is; `None` = no file of lines.
pub(super) fn by_name(key: &str) -> Option<Lines> {
    let name = ["gz", "zst"].iter().find_map(|end| key.strip_suffix(end)?.strip_suffix('.'));
    let name = name.unwrap_or(key);
    match (name.ends_with(".json"), name.ends_with(".csv")) {
        (true, _) => Some(Lines::Json),
        (_, true) => Some(Lines::Csv),
        _ => None,
    }
}

/// Reads a file. `tp` is the topic-partition that it should be of: how the columns of a CSV file
/// without header are found.
///
/// # Errors
/// A text that says why it is not readable.
pub(super) fn read(
    key: &str,
    lines: Lines,
    bytes: &Bytes,
    tp: Option<&TopicPartition>,
) -> Result<FileRows, String> {
    match lines {
        Lines::Json => json(text(key, bytes)?),
        Lines::Csv => csv(key, bytes, tp),
    }
}

/// The text of a file, from its first byte.
fn text(key: &str, bytes: &Bytes) -> Result<Box<dyn BufRead>, String> {
    let bytes = bytes.clone().reader();
    Ok(if key.ends_with(".gz") {
        Box::new(BufReader::new(MultiGzDecoder::new(bytes)))
    } else if key.ends_with(".zst") {
        let text = zstd::Decoder::with_buffer(bytes).map_err(|e| e.to_string())?;
        Box::new(BufReader::new(text))
    } else {
        Box::new(bytes)
    })
}

fn json(mut text: Box<dyn BufRead>) -> Result<FileRows, String> {
    let (mut file, mut line, mut last) = (FileRows::default(), Vec::new(), None);
    loop {
        line.clear();
        if text.read_until(b'\n', &mut line).map_err(|e| e.to_string())? == 0 {
            return Ok(file);
        }
        let here = || format!("line {}", file.rows + 1);
        if line.last() != Some(&b'\n') {
            return Err(format!("{}: the file ends within it", here()));
        }
        let Place([topic, partition, offset]) =
            serde_json::from_slice(&line).map_err(|e| format!("{}: {e}", here()))?;
        let number = |value: &Value| value.as_i64();
        let partition = number(&partition).and_then(|n| i32::try_from(n).ok());
        file.take(topic.as_str(), partition, number(&offset), &mut last);
    }
}

/// The values of [`PLACE`] in one object. The last one of a name is ours: the table's come first.
struct Place([Value; 3]);

impl<'de> Deserialize<'de> for Place {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Place;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Place, A::Error> {
                let mut place = [Value::Null, Value::Null, Value::Null];
                while let Some(name) = members.next_key::<Cow<'de, str>>()? {
                    match PLACE.iter().position(|wanted| is_ours(&name, wanted)) {
                        Some(at) => place[at] = members.next_value()?,
                        None => _ = members.next_value::<IgnoredAny>()?,
                    }
                }
                Ok(Place(place))
            }
        }
        from.deserialize_map(Members)
    }
}

fn csv(key: &str, bytes: &Bytes, tp: Option<&TopicPartition>) -> Result<FileRows, String> {
    for delimiter in DELIMITERS {
        let mut first = Records::new(text(key, bytes)?, *delimiter);
        if !first.next().map_err(|e| e.to_string())? {
            continue;
        }
        let named = first.named();
        if let Some(columns) = named.or_else(|| first.of(tp?)) {
            // From the first record again, unless that names the columns.
            let records =
                if named.is_some() { first } else { Records::new(text(key, bytes)?, *delimiter) };
            return rows(records, columns);
        }
    }
    Err("no record names the columns _topic, _partition and _offset, and none has them as the \
         log has them"
        .to_owned())
}

fn rows(mut records: Records, columns: [usize; 3]) -> Result<FileRows, String> {
    let (mut file, mut last) = (FileRows::default(), None);
    let mut width = None;
    while records.next().map_err(|e| e.to_string())? {
        if *width.get_or_insert(records.len) != records.len {
            return Err(format!("row {}: {} values", file.rows + 1, records.len));
        }
        let [topic, partition, offset] = columns.map(|at| records.get(at));
        let topic = topic.and_then(|topic| str::from_utf8(topic).ok());
        file.take(topic, number(partition), number(offset), &mut last);
    }
    Ok(file)
}

/// The records of a text, one after another.
struct Records {
    text: Box<dyn BufRead>,
    reader: Reader,
    /// Values of the record, one behind the other, and where each ends.
    values: Vec<u8>,
    ends: Vec<usize>,
    /// Values of the record.
    len: usize,
}

impl Records {
    fn new(text: Box<dyn BufRead>, delimiter: u8) -> Self {
        let reader = ReaderBuilder::new().delimiter(delimiter).build();
        Self { text, reader, values: vec![0; 4 << 10], ends: vec![0; 64], len: 0 }
    }

    /// Goes to the next record. Gives whether there is one.
    fn next(&mut self) -> io::Result<bool> {
        let mut written = 0;
        self.len = 0;
        loop {
            let text = self.text.fill_buf()?;
            let (result, read, values, ends) = self.reader.read_record(
                text,
                &mut self.values[written..],
                &mut self.ends[self.len..],
            );
            self.text.consume(read);
            written += values;
            self.len += ends;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => self.values.resize(2 * self.values.len(), 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(2 * self.ends.len(), 0),
                ReadRecordResult::Record => return Ok(true),
                ReadRecordResult::End => return Ok(false),
            }
        }
    }

    fn get(&self, at: usize) -> Option<&[u8]> {
        let start = if at == 0 { 0 } else { *self.ends.get(at - 1)? };
        let end = self.ends[..self.len].get(at)?;
        self.values.get(start..*end)
    }

    /// The columns by this record, if it is the header.
    fn named(&self) -> Option<[usize; 3]> {
        let column = |wanted: &str| {
            let is_ours =
                |name: &[u8]| str::from_utf8(name).is_ok_and(|name| is_ours(name, wanted));
            (0..self.len).rev().find(|at| self.get(*at).is_some_and(is_ours))
        };
        Some([column(PLACE[0])?, column(PLACE[1])?, column(PLACE[2])?])
    }

    /// The columns by what they must hold: they stand side by side.
    fn of(&self, tp: &TopicPartition) -> Option<[usize; 3]> {
        let partition = tp.partition.to_string();
        let is = |at: &usize| {
            self.get(*at) == Some(tp.topic.as_bytes())
                && self.get(at + 1) == Some(partition.as_bytes())
                && number::<i64>(self.get(at + 2)).is_some()
        };
        (0..self.len).rev().find(is).map(|at| [at, at + 1, at + 2])
    }
}

fn number<N: std::str::FromStr>(value: Option<&[u8]>) -> Option<N> {
    str::from_utf8(value?).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn tp() -> TopicPartition {
        TopicPartition::new("orders", 3)
    }

    fn read_as(name: &str, text: &[u8]) -> Result<FileRows, String> {
        let key = format!("orders/dt=1/{name}");
        read(&key, by_name(&key).unwrap(), &Bytes::copy_from_slice(text), Some(&tp()))
    }

    fn offsets(name: &str, text: &[u8]) -> Vec<i64> {
        let file = read_as(name, text).unwrap();
        assert_eq!((file.nameless, file.offsets.len()), (0, 1), "{file:?}");
        file.offsets[&tp()].iter().collect()
    }

    const JSON: &str = "{\"_topic\":5,\"a\":\"\\n\",\"__topic\":\"orders\",\"_partition\":3,\
                        \"_offset\":7}\n{\"_topic\":null,\"__topic\":\"orders\",\"_partition\":3,\
                        \"_offset\":9}\n";
    const CSV: &str =
        "a,_topic,_partition,_offset\r\n\"x\r\n,\"\"y\",orders,3,7\r\n,orders,3,9\r\n";

    #[test]
    fn names_say_what_a_file_is() {
        let cases = [
            ("t/a.json", Some(Lines::Json)),
            ("t/a.json.gz", Some(Lines::Json)),
            ("t/a.json.zst", Some(Lines::Json)),
            ("t/a.csv.gz", Some(Lines::Csv)),
            ("t/a.csv", Some(Lines::Csv)),
            ("t/a.json.parquet", None),
            ("t/json", None),
            ("t/a.gz", None),
        ];
        for (key, lines) in cases {
            assert_eq!(by_name(key), lines, "{key}");
        }
    }

    #[test]
    fn positions_are_read_from_lines_compressed_or_not() {
        assert_eq!(offsets("a.json", JSON.as_bytes()), [7, 9]);
        assert_eq!(offsets("a.csv", CSV.as_bytes()), [7, 9]);
        let mut members = Vec::new();
        for line in JSON.split_inclusive('\n') {
            let mut gzip = flate2::write::GzEncoder::new(Vec::new(), Default::default());
            gzip.write_all(line.as_bytes()).unwrap();
            members.extend(gzip.finish().unwrap());
        }
        assert_eq!(offsets("a.json.gz", &members), [7, 9]);
        let zstd = zstd::encode_all(CSV.as_bytes(), 1).unwrap();
        assert_eq!(offsets("a.csv.zst", &zstd), [7, 9]);
    }

    #[test]
    fn a_header_is_not_needed_and_the_delimiter_is_found() {
        let rest = CSV.split_once("\r\n").unwrap().1;
        assert_eq!(offsets("a.csv", rest.as_bytes()), [7, 9]);
        assert_eq!(
            offsets("a.csv", rest.replace(",o", "|o").replace(",3,", "|3|").as_bytes()),
            [7, 9]
        );
        let error = read_as("a.csv", b"a,b\r\n1,2\r\n").unwrap_err();
        assert!(error.contains("_topic"), "{error}");
    }

    #[test]
    fn a_file_that_is_cut_off_or_broken_is_said_to_be() {
        assert!(
            read_as("a.json", &JSON.as_bytes()[..JSON.len() - 1]).unwrap_err().contains("line 2")
        );
        assert!(read_as("a.json", b"no json\n").unwrap_err().contains("line 1"));
        assert!(read_as("a.json.gz", b"no gzip").is_err());
        assert!(read_as("a.csv", format!("{CSV}x,y\r\n").as_bytes()).is_err());
        let nameless = read_as("a.json", b"{\"a\":1}\n").unwrap();
        assert_eq!((nameless.rows, nameless.nameless), (1, 1));
    }
}
