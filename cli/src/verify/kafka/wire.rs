//! Batches of a fetch: in go the bytes a broker answered and the transactions it names as aborted,
//! out come the records that a `read_committed` consumer gets.

use super::compression::decompress;
use super::{Seen, Value};
use bytes::{Buf, Bytes};
use kafka_protocol::messages::fetch_response::AbortedTransaction;
use kafka_protocol::records::{Compression, Record, RecordBatchDecoder};
use std::collections::{BTreeSet, VecDeque};

/// Offset and length of a batch, before what the length counts.
const PREFIX: usize = 12;
/// The format with transactions, since Kafka 0.11.
const MAGIC: i8 = 2;
const TRANSACTIONAL: i16 = 1 << 4;
const CONTROL: i16 = 1 << 5;
/// The type of a control record that ends a transaction without its records.
const ABORT: i16 = 0;

/// One fetch's records, and the offset behind its last batch.
///
/// # Errors
/// A text that says why they cannot be read.
pub(super) fn committed(
    mut bytes: Bytes,
    aborted: &[AbortedTransaction],
) -> Result<(Vec<Seen>, Option<i64>), String> {
    let mut aborted: Vec<(i64, i64)> =
        aborted.iter().map(|txn| (txn.first_offset, txn.producer_id.0)).collect();
    aborted.sort_unstable();
    let mut aborted = VecDeque::from(aborted);
    // Producers whose open transaction ends in an abort.
    let mut ending: BTreeSet<i64> = BTreeSet::new();
    let (mut seen, mut behind) = (Vec::new(), None);
    while let Some(batch) = Batch::split(&mut bytes)? {
        let last = batch.last_offset;
        while let Some((first, producer)) = aborted.front().copied()
            && first <= last
        {
            ending.insert(producer);
            aborted.pop_front();
        }
        if batch.attributes & CONTROL != 0 {
            if batch.records()?.first().is_some_and(is_abort) {
                ending.remove(&batch.producer);
            }
        } else if batch.attributes & TRANSACTIONAL == 0 || !ending.contains(&batch.producer) {
            for record in batch.records()? {
                let value = record.value.map_or(Value::Null, Value::Bytes);
                seen.push(Seen { offset: record.offset, value });
            }
        }
        behind = Some(last + 1);
    }
    Ok((seen, behind))
}

/// A batch and what its header says.
struct Batch {
    bytes: Bytes,
    attributes: i16,
    last_offset: i64,
    producer: i64,
}

impl Batch {
    /// The next whole batch; a broker may cut the last one short.
    fn split(bytes: &mut Bytes) -> Result<Option<Self>, String> {
        let mut header = bytes.clone();
        if header.len() < PREFIX {
            return Ok(None);
        }
        let (base, length) = (header.get_i64(), header.get_i32());
        let length = usize::try_from(length).map_err(|_| "a batch of negative length")?;
        if header.len() < length {
            return Ok(None);
        }
        // Leader epoch, magic, checksum, attributes, delta of the last offset, two times.
        let (_epoch, magic) = (header.try_get_i32(), header.try_get_i8().unwrap_or(-1));
        if magic != MAGIC {
            return Err(format!("records of format {magic}; Kafka 0.11 and later write format 2"));
        }
        let short = |_| "a batch without a whole header".to_owned();
        header.try_get_u32().map_err(short)?;
        let attributes = header.try_get_i16().map_err(short)?;
        let delta = header.try_get_i32().map_err(short)?;
        header.try_get_i64().map_err(short)?;
        header.try_get_i64().map_err(short)?;
        let producer = header.try_get_i64().map_err(short)?;
        let last_offset = base + i64::from(delta);
        let bytes = bytes.split_to(PREFIX + length);
        Ok(Some(Self { bytes, attributes, last_offset, producer }))
    }

    fn records(&self) -> Result<Vec<Record>, String> {
        let decoder = |bytes: &mut Bytes, compression: Compression| -> Result<Bytes, _> {
            Ok(decompress(bytes, compression)?)
        };
        let mut bytes = self.bytes.clone();
        RecordBatchDecoder::decode_with_custom_compression(&mut bytes, Some(decoder))
            .map(|set| set.records)
            .map_err(|e| format!("the batch that ends at offset {}: {e}", self.last_offset))
    }
}

/// Version and type are a control record's key.
fn is_abort(record: &Record) -> bool {
    let mut key = record.key.clone().unwrap_or_default();
    let (_version, kind) = (key.try_get_i16(), key.try_get_i16());
    kind == Ok(ABORT)
}
