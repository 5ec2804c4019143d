//! A small consumer of Kafka, without a group: in go broker addresses, out come the committed
//! records of one topic-partition's range. Plaintext only; writes nothing.
//!
//! Versions of requests are fixed: the lowest with `read_committed`, which brokers from 0.11 to the
//! present 4.x answer.

use super::connection::Connections;
use super::{Batch, at, wire};
use crate::failure::{Failure, Outcome};
use alluvium_core::position::TopicPartition;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::{
    BrokerId, FetchRequest, ListOffsetsRequest, MetadataRequest, TopicName,
};
use kafka_protocol::protocol::StrBytes;
use std::collections::BTreeMap;

const METADATA: i16 = 4;
const LIST_OFFSETS: i16 = 2;
const FETCH: i16 = 4;
const READ_COMMITTED: i8 = 1;
const EARLIEST: i64 = -2;
/// With `read_committed`: the first offset whose transaction is still open, or the end.
const LATEST: i64 = -1;
const FETCH_BYTES: i32 = 8 << 20;
/// Turns without a record before the broker is given up.
const TRIES: u32 = 10;
const UNKNOWN_TOPIC_OR_PARTITION: i16 = 3;

/// A cluster.
#[derive(Debug)]
pub(in crate::verify) struct Broker {
    connections: Connections,
    bootstrap: Vec<String>,
    /// Leaders' addresses, by topic.
    topics: BTreeMap<String, BTreeMap<i32, String>>,
    /// What `bounds` found: a comparison goes up to one end.
    bounds: BTreeMap<TopicPartition, Option<(i64, i64)>>,
}

impl Broker {
    /// Finds a broker that answers.
    ///
    /// # Errors
    /// `Usage`: an address that is none. `Unreadable`: nobody answers.
    pub(super) async fn connect(bootstrap: &str) -> Outcome<Self> {
        let bootstrap: Vec<String> = bootstrap.split(',').map(|a| a.trim().to_owned()).collect();
        if let Some(wrong) = bootstrap.iter().find(|address| !address.contains(':')) {
            return Err(Failure::usage(format!("--kafka {wrong}: must be host:port")));
        }
        let mut broker = Self {
            connections: Connections::default(),
            bootstrap,
            topics: BTreeMap::new(),
            bounds: BTreeMap::new(),
        };
        broker.metadata(&[]).await?;
        Ok(broker)
    }

    /// Asks for the leaders of topics.
    async fn metadata(&mut self, topics: &[&str]) -> Outcome<()> {
        let named = |name: &&str| MetadataRequestTopic::default().with_name(Some(topic_name(name)));
        let request = MetadataRequest::default()
            .with_topics(Some(topics.iter().map(named).collect()))
            .with_allow_auto_topic_creation(false);
        let mut failures = Vec::new();
        for address in self.bootstrap.clone() {
            let answer = match self.connections.ask(&address, METADATA, &request).await {
                Ok(answer) => answer,
                Err(failure) => {
                    failures.push(failure.to_string());
                    continue;
                }
            };
            let addresses: BTreeMap<i32, String> = answer
                .brokers
                .iter()
                .map(|broker| (broker.node_id.0, format!("{}:{}", broker.host, broker.port)))
                .collect();
            for topic in answer.topics {
                let Some(name) = topic.name else { continue };
                let leader = |partition: i32, leader: BrokerId| {
                    Some((partition, addresses.get(&leader.0)?.clone()))
                };
                let partitions = topic.partitions.iter();
                let leaders = partitions.filter_map(|p| leader(p.partition_index, p.leader_id));
                self.topics.insert(name.0.to_string(), leaders.collect());
            }
            return Ok(());
        }
        Err(Failure::unreadable(failures.join("; ")))
    }

    /// The partitions of a topic; none when there is no such topic.
    pub(super) async fn partitions(&mut self, topic: &str) -> Outcome<Vec<i32>> {
        if !self.topics.contains_key(topic) {
            self.metadata(&[topic]).await?;
        }
        Ok(self.topics.get(topic).map(|all| all.keys().copied().collect()).unwrap_or_default())
    }

    async fn leader(&mut self, tp: &TopicPartition) -> Outcome<Option<String>> {
        self.partitions(&tp.topic).await?;
        Ok(self.topics.get(&*tp.topic).and_then(|all| all.get(&tp.partition)).cloned())
    }

    /// The first offset and the last stable one, asked for once.
    pub(super) async fn bounds(&mut self, tp: &TopicPartition) -> Outcome<Option<(i64, i64)>> {
        if let Some(bounds) = self.bounds.get(tp) {
            return Ok(*bounds);
        }
        let bounds = match self.leader(tp).await? {
            None => None,
            Some(leader) => {
                let first = self.offset_at(tp, &leader, EARLIEST).await?;
                first.zip(self.offset_at(tp, &leader, LATEST).await?)
            }
        };
        self.bounds.insert(tp.clone(), bounds);
        Ok(bounds)
    }

    async fn offset_at(
        &mut self,
        tp: &TopicPartition,
        leader: &str,
        timestamp: i64,
    ) -> Outcome<Option<i64>> {
        let partition = ListOffsetsPartition::default()
            .with_partition_index(tp.partition)
            .with_timestamp(timestamp);
        let topic = ListOffsetsTopic::default()
            .with_name(topic_name(&tp.topic))
            .with_partitions(vec![partition]);
        let request = ListOffsetsRequest::default()
            .with_replica_id(BrokerId(-1))
            .with_isolation_level(READ_COMMITTED)
            .with_topics(vec![topic]);
        let answer = self.connections.ask(leader, LIST_OFFSETS, &request).await?;
        let partition = answer.topics.into_iter().flat_map(|t| t.partitions).next();
        match partition {
            Some(found) if found.error_code == 0 => Ok(Some(found.offset)),
            Some(found) if found.error_code == UNKNOWN_TOPIC_OR_PARTITION => Ok(None),
            other => Err(said(leader, "its offsets", tp, other.map(|p| p.error_code))),
        }
    }

    /// Some records of `from..to`; `from` is not below the first there is, `to` not behind the
    /// last stable offset.
    pub(super) async fn batch(
        &mut self,
        tp: &TopicPartition,
        from: i64,
        to: i64,
    ) -> Outcome<Batch> {
        let Some(leader) = self.leader(tp).await? else {
            return Err(Failure::unreadable(format!("{}: it has no leader", at(tp, from, to))));
        };
        for _ in 0..TRIES {
            let partition = FetchPartition::default()
                .with_partition(tp.partition)
                .with_fetch_offset(from)
                .with_partition_max_bytes(FETCH_BYTES);
            let topic = FetchTopic::default()
                .with_topic(topic_name(&tp.topic))
                .with_partitions(vec![partition]);
            let request = FetchRequest::default()
                .with_replica_id(BrokerId(-1))
                .with_max_wait_ms(1_000)
                .with_min_bytes(1)
                .with_max_bytes(FETCH_BYTES)
                .with_isolation_level(READ_COMMITTED)
                .with_topics(vec![topic]);
            let answer = self.connections.ask(&leader, FETCH, &request).await?;
            let partition = answer.responses.into_iter().flat_map(|topic| topic.partitions).next();
            let Some(found) = partition.as_ref().filter(|found| found.error_code == 0) else {
                return Err(said(&leader, "records", tp, partition.map(|p| p.error_code)));
            };
            let aborted = found.aborted_transactions.as_deref().unwrap_or_default();
            let records = found.records.clone().unwrap_or_default();
            let (mut seen, behind) = wire::committed(records, aborted)
                .map_err(|e| Failure::unreadable(format!("{}: {e}", at(tp, from, to))))?;
            // A batch may begin before the offset that was asked for.
            seen.retain(|record| (from..to).contains(&record.offset));
            if let Some(behind) = behind.filter(|behind| *behind > from) {
                return Ok((seen, behind));
            }
        }
        Err(Failure::unreadable(format!("{}: {leader} gives no records", at(tp, from, to))))
    }
}

fn topic_name(name: &str) -> TopicName {
    TopicName(StrBytes::from_string(name.to_owned()))
}

fn said(leader: &str, what: &str, tp: &TopicPartition, code: Option<i16>) -> Failure {
    let code = code.map_or("no answer".to_owned(), |code| format!("Kafka's error {code}"));
    let (topic, partition) = (&tp.topic, tp.partition);
    Failure::unreadable(format!("{leader} does not give {what} of {topic} {partition}: {code}"))
}
