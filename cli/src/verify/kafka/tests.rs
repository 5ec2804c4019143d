//! A broker in memory, with transactions: what is aborted, open or a marker is no record.

use super::broker::Broker;
use super::{Seen, Value, wire};
use alluvium_core::position::TopicPartition;
use bytes::{Buf, BufMut, Bytes, BytesMut};
use kafka_protocol::messages::fetch_response::{
    AbortedTransaction, FetchableTopicResponse, PartitionData,
};
use kafka_protocol::messages::list_offsets_response::{
    ListOffsetsPartitionResponse, ListOffsetsTopicResponse,
};
use kafka_protocol::messages::metadata_response::{
    MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use kafka_protocol::messages::{
    BrokerId, FetchRequest, FetchResponse, ListOffsetsRequest, ListOffsetsResponse,
    MetadataRequest, MetadataResponse, ProducerId, RequestHeader, ResponseHeader,
};
use kafka_protocol::protocol::{Decodable, Encodable, HeaderVersion, Request, StrBytes};
use kafka_protocol::records::{
    Compression, NO_PRODUCER_ID, Record, RecordBatchEncoder, RecordEncodeOptions, TimestampType,
};
use std::io::{Read, Write};
use std::net::TcpListener;

/// A batch of consecutive records, or a marker.
struct Batch {
    base: i64,
    values: Vec<Option<&'static str>>,
    producer: i64,
    /// The type of a control record: 0 abort, 1 commit.
    marker: Option<i16>,
    compression: Compression,
}

fn plain(base: i64, values: &[Option<&'static str>]) -> Batch {
    let (values, compression) = (values.to_vec(), Compression::None);
    Batch { base, values, producer: NO_PRODUCER_ID, marker: None, compression }
}

fn in_transaction(base: i64, producer: i64, count: usize) -> Batch {
    Batch { producer, ..plain(base, &vec![Some("v"); count]) }
}

fn marker(base: i64, producer: i64, kind: i16) -> Batch {
    Batch { producer, marker: Some(kind), ..plain(base, &[None]) }
}

fn record(batch: &Batch, index: usize) -> Record {
    let key = batch.marker.map(|kind| {
        let mut key = BytesMut::new();
        key.put_i16(0);
        key.put_i16(kind);
        key.freeze()
    });
    Record {
        transactional: batch.producer != NO_PRODUCER_ID,
        control: batch.marker.is_some(),
        delete_horizon: false,
        partition_leader_epoch: 0,
        producer_id: batch.producer,
        producer_epoch: 0,
        timestamp_type: TimestampType::Creation,
        offset: batch.base + index as i64,
        sequence: index as i32,
        timestamp: 1,
        key,
        value: batch.values[index].map(|value| Bytes::from_static(value.as_bytes())),
        headers: Default::default(),
    }
}

fn bytes(batches: &[Batch]) -> Bytes {
    let mut all = BytesMut::new();
    for batch in batches {
        let records: Vec<Record> =
            (0..batch.values.len()).map(|index| record(batch, index)).collect();
        let options = RecordEncodeOptions { version: 2, compression: batch.compression };
        let compress = |plain: &mut BytesMut, out: &mut BytesMut, _: Compression| {
            out.extend(zstd::stream::encode_all(&**plain, 1)?);
            Ok(())
        };
        let mut one = BytesMut::new();
        if batch.compression == Compression::None {
            RecordBatchEncoder::encode(&mut one, &records, &options).unwrap();
        } else {
            let compress = Some(compress);
            RecordBatchEncoder::encode_with_custom_compression(
                &mut one, &records, &options, compress,
            )
            .unwrap();
        }
        all.extend(one);
    }
    all.freeze()
}

fn aborted(producer: i64, first_offset: i64) -> AbortedTransaction {
    AbortedTransaction::default()
        .with_producer_id(ProducerId(producer))
        .with_first_offset(first_offset)
}

/// Two producers at once: 1 aborts, then commits; 2 commits. One batch is compressed.
fn partition() -> (Vec<Batch>, Vec<AbortedTransaction>) {
    let batches = vec![
        Batch { compression: Compression::Zstd, ..plain(0, &[Some("a"), None]) },
        in_transaction(2, 1, 2),
        in_transaction(4, 2, 1),
        marker(5, 1, 0),
        in_transaction(6, 1, 1),
        marker(7, 2, 1),
        marker(8, 1, 1),
        plain(9, &[Some("z")]),
    ];
    (batches, vec![aborted(1, 2)])
}

const COMMITTED: [i64; 5] = [0, 1, 4, 6, 9];

#[test]
fn aborted_records_and_markers_are_left_out() {
    let (batches, aborted) = partition();
    let (seen, behind) = wire::committed(bytes(&batches), &aborted).unwrap();
    assert_eq!(seen.iter().map(|s| s.offset).collect::<Vec<_>>(), COMMITTED);
    assert_eq!(seen[1], Seen { offset: 1, value: Value::Null });
    assert_eq!(seen[0].value, Value::Bytes(Bytes::from_static(b"a")));
    assert_eq!(behind, Some(10));
    // Without the list everything of a transaction counts: the list is what decides.
    let (seen, _) = wire::committed(bytes(&batches), &[]).unwrap();
    assert_eq!(seen.iter().map(|s| s.offset).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 6, 9]);
}

#[test]
fn a_batch_that_is_cut_short_waits_for_the_next_fetch() {
    let (batches, aborted) = partition();
    let whole = bytes(&batches);
    let (seen, behind) = wire::committed(whole.slice(..whole.len() - 1), &aborted).unwrap();
    assert_eq!((seen.len(), behind), (4, Some(9)));
    assert_eq!(wire::committed(whole.slice(..5), &[]).unwrap(), (Vec::new(), None));
    let mut broken = whole.to_vec();
    broken[70] ^= 1;
    assert!(wire::committed(broken.into(), &aborted).is_err(), "the checksum is looked at");
}

/// Answers as a broker of three offsets' worth a fetch; its last stable offset is 10.
fn serve(listener: &TcpListener, port: u16) {
    let (mut stream, _) = listener.accept().unwrap();
    loop {
        let mut length = [0; 4];
        if stream.read_exact(&mut length).is_err() {
            return;
        }
        let mut request = vec![0; u32::from_be_bytes(length) as usize];
        stream.read_exact(&mut request).unwrap();
        let (key, version) = (request[1], i16::from(request[3]));
        let request = &mut Bytes::from(request);
        let answer = match key {
            3 => answer::<MetadataRequest>(request, version, |_| metadata(port)),
            2 => answer::<ListOffsetsRequest>(request, version, |r| offsets(&r)),
            _ => answer::<FetchRequest>(request, version, |r| fetch(&r)),
        };
        stream.write_all(&u32::try_from(answer.len()).unwrap().to_be_bytes()).unwrap();
        stream.write_all(&answer).unwrap();
    }
}

fn answer<R: Request>(
    request: &mut Bytes,
    version: i16,
    make: impl FnOnce(R) -> R::Response,
) -> BytesMut {
    let header = RequestHeader::decode(request, R::header_version(version)).unwrap();
    let asked = R::decode(request, version).unwrap();
    assert!(!request.has_remaining());
    let mut answer = BytesMut::new();
    let header = ResponseHeader::default().with_correlation_id(header.correlation_id);
    header.encode(&mut answer, R::Response::header_version(version)).unwrap();
    make(asked).encode(&mut answer, version).unwrap();
    answer
}

fn name() -> kafka_protocol::messages::TopicName {
    StrBytes::from_static_str("t").into()
}

fn metadata(port: u16) -> MetadataResponse {
    let broker = MetadataResponseBroker::default()
        .with_node_id(BrokerId(7))
        .with_host(StrBytes::from_static_str("127.0.0.1"))
        .with_port(i32::from(port));
    let partition = MetadataResponsePartition::default().with_leader_id(BrokerId(7));
    let topic =
        MetadataResponseTopic::default().with_name(Some(name())).with_partitions(vec![partition]);
    MetadataResponse::default().with_brokers(vec![broker]).with_topics(vec![topic])
}

fn offsets(request: &ListOffsetsRequest) -> ListOffsetsResponse {
    assert_eq!(request.isolation_level, 1);
    let earliest = request.topics[0].partitions[0].timestamp == -2;
    let partition =
        ListOffsetsPartitionResponse::default().with_offset(if earliest { 0 } else { 10 });
    let topic =
        ListOffsetsTopicResponse::default().with_name(name()).with_partitions(vec![partition]);
    ListOffsetsResponse::default().with_topics(vec![topic])
}

/// The batch with the offset that is asked for and the one behind it, as brokers do.
fn fetch(request: &FetchRequest) -> FetchResponse {
    assert_eq!(request.isolation_level, 1);
    let from = request.topics[0].partitions[0].fetch_offset;
    let (batches, aborted) = partition();
    let all = batches.into_iter();
    let wanted: Vec<Batch> =
        all.filter(|b| b.base + b.values.len() as i64 > from).take(2).collect();
    // Only transactions that overlap the answer.
    let aborted = aborted.into_iter().filter(|_| from <= 5).collect();
    let partition = PartitionData::default()
        .with_last_stable_offset(10)
        .with_aborted_transactions(Some(aborted))
        .with_records(Some(bytes(&wanted)));
    let topic =
        FetchableTopicResponse::default().with_topic(name()).with_partitions(vec![partition]);
    FetchResponse::default().with_responses(vec![topic])
}

#[tokio::test]
async fn a_range_is_read_fetch_by_fetch() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || serve(&listener, port));
    let mut broker = Broker::connect(&format!("127.0.0.1:{port}")).await.unwrap();
    let tp = TopicPartition::new("t", 0);
    assert_eq!(broker.partitions("t").await.unwrap(), [0]);
    assert_eq!(broker.bounds(&tp).await.unwrap(), Some((0, 10)));
    for (from, to) in [(0, 10), (1, 9), (3, 5), (6, 7)] {
        let (mut at, mut offsets) = (from, Vec::new());
        while at < to {
            let (seen, next) = broker.batch(&tp, at, to).await.unwrap();
            offsets.extend(seen.iter().map(|seen| seen.offset));
            at = next;
        }
        let wanted: Vec<i64> =
            COMMITTED.into_iter().filter(|offset| (from..to).contains(offset)).collect();
        assert_eq!(offsets, wanted, "{from}..{to}");
    }
}

#[tokio::test]
async fn nobody_there_is_said_with_the_address() {
    let failure = Broker::connect("127.0.0.1:1").await.unwrap_err();
    assert!(failure.to_string().contains("127.0.0.1:1"), "{failure}");
    assert!(Broker::connect("nowhere").await.is_err());
}
