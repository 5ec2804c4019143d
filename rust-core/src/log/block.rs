//! Blocks of the archive: in go the stored bytes of consecutive log records, out comes one
//! compressed object of JSON lines, and back. Never changes a member it does not know.

use super::record::LogRecord;
use crate::error::{Error, Kind, Result};
use std::io::{BufRead, Write};
use std::ops::RangeInclusive;

/// Log records are small and alike: more effort buys little.
const LEVEL: i32 = 3;

/// How sequence numbers fall into blocks. The format knows one way, [`Blocks::STANDARD`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blocks {
    size: u64,
}

impl Blocks {
    /// 64 records a block.
    pub const STANDARD: Self = Self { size: 64 };

    /// Another size, so that tests reach the archive within a few records. A log written so is not
    /// readable by anything that expects [`Blocks::STANDARD`].
    #[doc(hidden)]
    pub const fn for_tests(size: u64) -> Self {
        Self { size }
    }

    /// Records in a block; as many again stay below the oldest unsettled commit.
    pub fn size(self) -> u64 {
        self.size
    }

    /// The block of a sequence number.
    pub fn of(self, seq: u64) -> u64 {
        seq / self.size
    }

    /// The sequence numbers of a block's records; there is no record 0.
    pub fn records(self, block: u64) -> RangeInclusive<u64> {
        (block * self.size).max(1)..=block * self.size + (self.size - 1)
    }
}

impl Default for Blocks {
    fn default() -> Self {
        Self::STANDARD
    }
}

/// Compresses records as they come; holds only what is compressed.
pub struct BlockWriter(zstd::Encoder<'static, Vec<u8>>);

impl std::fmt::Debug for BlockWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BlockWriter").field("compressed", &self.0.get_ref().len()).finish()
    }
}

impl BlockWriter {
    /// An empty block.
    ///
    /// # Errors
    /// The compressor cannot be made.
    pub fn new() -> Result<Self> {
        zstd::Encoder::new(Vec::new(), LEVEL).map(Self).map_err(unwritable)
    }

    /// Appends a record as it is stored; records come in ascending order.
    ///
    /// # Errors
    /// The bytes are not JSON, or cannot be compressed.
    pub fn append(&mut self, stored: &[u8]) -> Result<()> {
        if stored.contains(&b'\n') {
            // Somebody's hand laid it out over several lines.
            let value: serde_json::Value = serde_json::from_slice(stored).map_err(unwritable)?;
            self.0.write_all(value.to_string().as_bytes()).map_err(unwritable)?;
        } else {
            self.0.write_all(stored).map_err(unwritable)?;
        }
        self.0.write_all(b"\n").map_err(unwritable)
    }

    /// The block's bytes.
    ///
    /// # Errors
    /// What is left cannot be compressed.
    pub fn finish(self) -> Result<Vec<u8>> {
        self.0.finish().map_err(unwritable)
    }
}

/// The records of a stored block, in the order they were appended.
///
/// # Errors
/// `Log`, naming the key: not such a block, or of a version this code does not know.
pub fn read_block(key: &str, stored: &[u8]) -> Result<Vec<LogRecord>> {
    let unreadable = |e| {
        let text = "a block of the commit log's archive is not readable; the log is damaged";
        Error::new(Kind::Log, text).with("key", key).because(e)
    };
    let lines = zstd::Decoder::new(stored).map_err(unreadable)?;
    std::io::BufReader::new(lines)
        .split(b'\n')
        .map(|line| LogRecord::from_bytes(key, &line.map_err(unreadable)?))
        .collect()
}

fn unwritable(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::new(Kind::Log, "a block of the commit log's archive cannot be made").because(cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORD: &str = r#"{"v":1,"kind":"claim","seq":7,"nonce":"67e55044-10b1-426f-9247-bb680e5fe0c8","log_id":"67e55044-10b1-426f-9247-bb680e5fe0c8","sink_id":"s","topic":"t","generation":1,"partition":0,"epoch":7,"start_offset":null,"next_offset":null,"from_the_future":[1]}"#;

    #[test]
    fn the_standard_block_is_64_records_and_the_first_has_one_less() {
        let blocks = Blocks::default();
        assert_eq!(blocks.records(0), 1..=63);
        assert_eq!(blocks.records(2), 128..=191);
        assert_eq!((blocks.of(63), blocks.of(64), blocks.of(191)), (0, 1, 2));
    }

    #[test]
    fn records_come_back_line_by_line_with_members_nobody_knows() {
        let mut block = BlockWriter::new().unwrap();
        block.append(RECORD.as_bytes()).unwrap();
        let laid_out = RECORD.replace(",", ",\n");
        block.append(laid_out.as_bytes()).unwrap();
        let stored = block.finish().unwrap();
        let text = zstd::decode_all(&*stored).unwrap();
        let lines: Vec<&str> = std::str::from_utf8(&text).unwrap().lines().collect();
        assert_eq!((lines.len(), lines[0]), (2, RECORD));
        assert!(lines[1].contains("from_the_future"), "{}", lines[1]);
        let records = read_block("k", &stored).unwrap();
        assert_eq!(records.len(), 2);
        assert_eq!(records[0], records[1]);
    }

    #[test]
    fn what_is_not_a_block_is_named() {
        for stored in [&b""[..], b"not zstd", &zstd::encode_all(&b"not json\n"[..], 3).unwrap()] {
            match read_block("the/key", stored) {
                Err(error) => {
                    assert_eq!(error.kind(), Kind::Log);
                    assert!(error.to_string().contains("the/key"), "{error}");
                }
                Ok(records) => assert!(stored.is_empty() && records.is_empty()),
            }
        }
    }
}
