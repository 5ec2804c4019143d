//! What crosses besides frames (`docs/boundary.md`): in go JSON bytes and the core's answers, out
//! come the core's types and little-endian lists. Pure.

use crate::lent::Lender;
use crate::ring::Line;
use crate::throw::{Failure, misuse};
use alluvium_core::log::{Owner, Target};
use alluvium_core::position::{TopicPartition, TpId};
use alluvium_core::recover::{Facts, GroupOffset};
use alluvium_core::task::{Action, Answer, Errant, SafeOffset};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use tracing::Level;

const SEEK: i64 = 1;
const PAUSE: i64 = 2;
const RESUME: i64 = 3;
const RELEASE: i64 = 4;
const ERRANTS: i64 = 5;
const LOG: i64 = 6;
const CLOSED: i64 = 7;
const FACTS: i64 = 8;
const TAIL: i64 = 9;

/// The answer of `close` when there is nothing to close any more.
pub(crate) const ONLY_CLOSED: [i64; 3] = [CLOSED, 0, 0];

/// What `create` takes.
#[derive(Debug, Deserialize)]
pub(crate) struct CreateRequest {
    /// The connector's properties as given. Connect allows null values; they are no values.
    config: BTreeMap<String, Option<String>>,
    pub(crate) owner: Owner,
    /// Whether there is an errant record reporter.
    pub(crate) reporter: bool,
}

impl CreateRequest {
    pub(crate) fn properties(&self) -> BTreeMap<String, String> {
        given(&self.config)
    }
}

/// What `validate` takes.
#[derive(Debug, Deserialize)]
pub(crate) struct ValidateRequest {
    config: BTreeMap<String, Option<String>>,
}

impl ValidateRequest {
    pub(crate) fn properties(&self) -> BTreeMap<String, String> {
        given(&self.config)
    }
}

/// What `alterOffsets` takes.
#[derive(Debug, Deserialize)]
pub(crate) struct AlterRequest {
    config: BTreeMap<String, Option<String>>,
    pub(crate) targets: Vec<Target>,
}

impl AlterRequest {
    pub(crate) fn properties(&self) -> BTreeMap<String, String> {
        given(&self.config)
    }
}

fn given(config: &BTreeMap<String, Option<String>>) -> BTreeMap<String, String> {
    config.iter().filter_map(|(key, value)| Some((key.clone(), value.clone()?))).collect()
}

#[derive(Debug, Deserialize)]
struct Assigned {
    id: u32,
    topic: String,
    partition: i32,
}

/// One answer of Kafka's admin client: `ticket` is there for facts, `from` for an empty tail.
#[derive(Debug, Deserialize)]
struct Said {
    id: u32,
    ticket: Option<u64>,
    cluster_id: Option<String>,
    topic_id: Option<String>,
    earliest: Option<i64>,
    end: i64,
    group: Option<SaidGroup>,
    from: Option<i64>,
}

#[derive(Debug, Deserialize)]
struct SaidGroup {
    offset: i64,
    metadata: String,
}

/// What `facts` takes.
pub(crate) fn answers(json: &[u8]) -> Result<Vec<Answer>, Failure> {
    let all: Vec<Said> = request(json)?;
    all.into_iter().map(answer).collect()
}

fn answer(said: Said) -> Result<Answer, Failure> {
    let (tp, end) = (TpId(said.id), said.end);
    let group = said.group.map(|SaidGroup { offset, metadata }| GroupOffset { offset, metadata });
    let (cluster_id, topic_id) = (said.cluster_id, said.topic_id);
    match (said.ticket, said.earliest, said.from) {
        (Some(ticket), Some(earliest), None) => {
            let facts = Facts { cluster_id, topic_id, earliest, end, group };
            Ok(Answer::Facts { tp, ticket, facts })
        }
        (None, None, Some(from)) => Ok(Answer::EmptyTail { tp, from, end }),
        _ => Err(misuse("an answer must be facts or an empty tail")),
    }
}

/// Reads a JSON request. Its text is not shown in errors: it may hold secrets.
pub(crate) fn request<T: DeserializeOwned>(json: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(json).map_err(|e| {
        let (line, column) = (e.line(), e.column());
        misuse(format!(
            "the shim's JSON does not parse at line {line}, column {column} ({:?}); please report \
             this bug",
            e.classify()
        ))
    })
}

/// What `open` takes.
pub(crate) fn assigned(json: &[u8]) -> Result<Vec<(TpId, TopicPartition)>, Failure> {
    let all: Vec<Assigned> = request(json)?;
    Ok(all.into_iter().map(|a| (TpId(a.id), TopicPartition::new(a.topic, a.partition))).collect())
}

/// Topic-partition ids.
pub(crate) fn tp_ids(longs: &[i64]) -> Result<Vec<TpId>, Failure> {
    longs.iter().copied().map(tp_id).collect()
}

/// Pairs of topic-partition id and offset.
pub(crate) fn positions(longs: &[i64]) -> Result<Vec<(TpId, i64)>, Failure> {
    let (pairs, rest) = longs.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(misuse("current offsets must be pairs"));
    }
    pairs.iter().map(|[id, offset]| Ok((tp_id(*id)?, *offset))).collect()
}

fn tp_id(long: i64) -> Result<TpId, Failure> {
    let id = u32::try_from(long).map_err(|_| misuse(format!("topic-partition id {long}")))?;
    Ok(TpId(id))
}

/// Actions as Java takes them. A frame the core is done with is released once `lender` says that
/// its bytes are, too: now, or with a later answer.
pub(crate) fn actions(
    actions: Vec<Action>,
    lender: &mut Lender,
    log_waits: bool,
    closed: bool,
) -> Vec<i64> {
    let mut longs = Vec::with_capacity(3 * (actions.len() + 2));
    for action in actions {
        match action {
            Action::Seek(tp, offset) => longs.extend([SEEK, tp.0.into(), offset]),
            Action::Pause(tp) => longs.extend([PAUSE, tp.0.into(), 0]),
            Action::Resume(tp) => longs.extend([RESUME, tp.0.into(), 0]),
            Action::Release(frame) => lender.done(frame),
            Action::Errants => longs.extend([ERRANTS, 0, 0]),
            Action::Facts(tp, ticket) => longs.extend([FACTS, tp.0.into(), ticket as i64]),
            Action::Tail(tp, from) => longs.extend([TAIL, tp.0.into(), from]),
        }
    }
    lender.free().into_iter().for_each(|frame| longs.extend([RELEASE, frame as i64, 0]));
    if log_waits {
        longs.extend([LOG, 0, 0]);
    }
    if closed {
        longs.extend(ONLY_CLOSED);
    }
    longs
}

/// Safe offsets as Java takes them: id, offset, seq, log id high, log id low.
pub(crate) fn safe_offsets(offsets: &[SafeOffset]) -> Vec<i64> {
    let longs = |safe: &SafeOffset| {
        let (high, low) = safe.log_id.as_u64_pair();
        [safe.tp.0.into(), safe.offset, safe.seq as i64, high as i64, low as i64]
    };
    offsets.iter().flat_map(longs).collect()
}

/// Errant records: i64 id, i64 frame, i32 index, text.
pub(crate) fn errants(errants: &[Errant]) -> Vec<u8> {
    list(errants, |bytes, errant| {
        bytes.extend(errant.id.to_le_bytes());
        bytes.extend(errant.frame.to_le_bytes());
        bytes.extend(errant.index.to_le_bytes());
        text(bytes, &errant.reason);
    })
}

/// Log lines: u8 level, text.
pub(crate) fn log_lines(lines: &[Line]) -> Vec<u8> {
    list(lines, |bytes, line| {
        bytes.push(match line.level {
            Level::ERROR => 1,
            Level::WARN => 2,
            Level::INFO => 3,
            Level::DEBUG => 4,
            Level::TRACE => 5,
        });
        text(bytes, &line.text);
    })
}

/// Mistakes in a configuration: text key, text message.
pub(crate) fn mistakes(mistakes: &[(String, String)]) -> Vec<u8> {
    list(mistakes, |bytes, (key, message)| {
        text(bytes, key);
        text(bytes, message);
    })
}

/// An i32 count, then the elements.
fn list<T>(elements: &[T], mut element: impl FnMut(&mut Vec<u8>, &T)) -> Vec<u8> {
    let mut bytes = (elements.len() as i32).to_le_bytes().to_vec();
    elements.iter().for_each(|e| element(&mut bytes, e));
    bytes
}

/// An i32 length in bytes, then UTF-8.
fn text(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend((text.len() as i32).to_le_bytes());
    bytes.extend(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_read() {
        let json = br#"{"config":{"lake.url":"s3://b/x","topics":null},"owner":{"connector":"c",
            "task":"0","host":"h","pid":1,"version":"1","started_at":5},"reporter":true}"#;
        let request: CreateRequest = request(json).unwrap();
        let expected = BTreeMap::from([("lake.url".to_owned(), "s3://b/x".to_owned())]);
        assert_eq!(request.properties(), expected);
        assert_eq!((request.owner.connector.as_str(), request.owner.started_at), ("c", 5));
        assert!(request.reporter);
        let open = assigned(br#"[{"id":7,"topic":"t","partition":2}]"#).unwrap();
        assert_eq!(open, [(TpId(7), TopicPartition::new("t", 2))]);
    }

    #[test]
    fn a_request_that_does_not_parse_does_not_show_its_text() {
        let json = br#"{"config":"s3.secret.access.key=hush"}"#;
        let message = request::<ValidateRequest>(json).unwrap_err().to_string();
        assert!(message.contains("line 1, column") && !message.contains("hush"), "{message}");
        assert!(assigned(br#"[{"id":-1,"topic":"t","partition":2}]"#).is_err());
    }

    #[test]
    fn longs_from_java_are_checked() {
        assert_eq!(positions(&[7, 100, 8, -1]).unwrap(), [(TpId(7), 100), (TpId(8), -1)]);
        assert!(positions(&[7]).is_err());
        assert!(tp_ids(&[-1]).is_err() && tp_ids(&[1 << 32]).is_err());
    }

    #[test]
    fn actions_are_triples_in_order() {
        let (mut lender, id) = (Lender::default(), TpId(9));
        let all = vec![
            Action::Seek(id, 100),
            Action::Pause(id),
            Action::Release(3),
            Action::Resume(id),
            Action::Errants,
            Action::Facts(id, 5),
            Action::Tail(id, 100),
        ];
        let mut expected = vec![1, 9, 100, 2, 9, 0, 3, 9, 0, 5, 0, 0, 8, 9, 5, 9, 9, 100];
        expected.extend([4, 3, 0, 6, 0, 0, 7, 0, 0]);
        assert_eq!(actions(all, &mut lender, true, true), expected);
        assert_eq!(actions(Vec::new(), &mut lender, false, false), [0i64; 0]);
    }

    #[test]
    fn answers_are_facts_or_empty_tails() {
        let json = br#"[{"id":7,"ticket":3,"cluster_id":"k","topic_id":"t","earliest":5,"end":9,
            "group":{"offset":6,"metadata":"alluvium/x/1"}},{"id":8,"from":100,"end":101},
            {"id":9,"ticket":0,"cluster_id":null,"topic_id":"t","earliest":0,"end":0,"group":null}]"#;
        let answers = answers(json).unwrap();
        let group = Some(GroupOffset { offset: 6, metadata: "alluvium/x/1".into() });
        let facts = Facts {
            cluster_id: Some("k".into()),
            topic_id: Some("t".into()),
            earliest: 5,
            end: 9,
            group,
        };
        assert_eq!(answers[0], Answer::Facts { tp: TpId(7), ticket: 3, facts });
        assert_eq!(answers[1], Answer::EmptyTail { tp: TpId(8), from: 100, end: 101 });
        let Answer::Facts { facts, .. } = &answers[2] else { panic!("{answers:?}") };
        assert_eq!((facts.cluster_id.as_deref(), &facts.group), (None, &None));
        assert!(super::answers(br#"[{"id":7,"end":9}]"#).is_err());
    }

    #[test]
    fn lists_are_laid_out_as_documented() {
        let bytes = mistakes(&[("k".into(), "ä".into())]);
        assert_eq!(bytes, [1, 0, 0, 0, 1, 0, 0, 0, b'k', 2, 0, 0, 0, 0xc3, 0xa4]);
        let bytes = log_lines(&[Line { level: Level::WARN, text: "x".into() }]);
        assert_eq!(bytes, [1, 0, 0, 0, 2, 1, 0, 0, 0, b'x']);
        let errant = Errant { id: 1, frame: 2, index: 3, reason: "r".into() };
        let mut expected = vec![1, 0, 0, 0];
        expected.extend([1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0]);
        expected.extend([1, 0, 0, 0, b'r']);
        assert_eq!(errants(&[errant]), expected);
        assert_eq!(errants(&[]), [0, 0, 0, 0]);
    }
}
