//! Which log a record's key belongs to: the way back from a listing of the commit logs' folder.

use super::keys::LogKeys;
use crate::position::TopicPartition;
use std::fmt;

/// Names one commit log of a table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogId {
    /// `sink.id` of its owner.
    pub sink_id: String,
    /// The topic-partition.
    pub tp: TopicPartition,
    /// Generation of the topic.
    pub generation: u32,
}

impl LogId {
    /// The folder of all logs below the folder `meta`, ending in `/`.
    pub fn folder(meta: &str) -> String {
        if meta.is_empty() { "v1/logs/".to_owned() } else { format!("{meta}/v1/logs/") }
    }

    /// The log of whatever lies at `key`; `None` for what lies in no log.
    pub fn of_key(meta: &str, key: &str) -> Option<Self> {
        let folder = Self::folder(meta);
        let mut names = key.strip_prefix(&folder)?.split('/');
        let (sink_id, topic) = (unescape(names.next()?)?, unescape(names.next()?)?);
        let (generation, partition) = (number(names.next()?)?, number(names.next()?)?);
        names.next()?;
        let partition = i32::try_from(partition).ok()?;
        let id = Self { sink_id, tp: TopicPartition::new(topic, partition), generation };
        // Only what we would write ourselves: two spellings would be two logs of one name.
        key.starts_with(id.keys(meta).prefix()).then_some(id)
    }

    /// The keys of the log below the folder `meta`.
    pub fn keys(&self, meta: &str) -> LogKeys {
        LogKeys::new(meta, &self.sink_id, &self.tp, self.generation)
    }
}

impl fmt::Display for LogId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { sink_id, tp, generation } = self;
        write!(f, "{} {} of sink {sink_id}, generation {generation}", tp.topic, tp.partition)
    }
}

fn number(digits: &str) -> Option<u32> {
    digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok())?
}

fn unescape(name: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name.as_bytes();
    while let Some((byte, behind)) = rest.split_first() {
        rest = behind;
        if *byte == b'%' {
            let (digits, behind) = rest.split_at_checked(2)?;
            bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
            rest = behind;
        } else {
            bytes.push(*byte);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_found_again_by_any_of_its_keys() {
        for (meta, sink, topic) in
            [("a/b.alluvium", "orders-lake", "orders_cdc"), ("", "../ü%", "a.b"), ("m", "s", "..")]
        {
            let tp = TopicPartition::new(topic, 7);
            let id = LogId { sink_id: sink.to_owned(), tp, generation: 12 };
            let keys = id.keys(meta);
            assert_eq!(LogId::of_key(meta, &keys.record(3)).as_ref(), Some(&id));
            let archive = format!("{}archive/000000000001.json.zst", keys.prefix());
            assert_eq!(LogId::of_key(meta, &archive), Some(id));
        }
    }

    #[test]
    fn what_lies_in_no_log_is_none() {
        for key in [
            "m/v1/topics/t/0001.json",
            "m/v1/logs/s/pending_reset.json",
            "m/v1/logs/s/t/0001/00000",
            "m/v1/logs/s/t/1/0/18446744073709551614.json",
            "m/v1/logs/%73/t/0001/00000/18446744073709551614.json",
            "m/v1/logs/s/%/0001/00000/x",
            "other/v1/logs/s/t/0001/00000/x",
        ] {
            assert_eq!(LogId::of_key("m", key), None, "{key}");
        }
    }
}
