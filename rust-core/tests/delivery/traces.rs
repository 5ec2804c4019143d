//! The worker in memory against the real one: calls that a real worker made
//! (`tests/fixtures/connect`, captured by `cargo run -p alluvium-tests --bin capture-connect`) must
//! come from ours in the same order with the same offsets. Which topic-partitions a rebalance moves
//! is the group's choice, and taken from the capture.

use alluvium_core::error::Result;
use alluvium_core::frame::{Cursor, Frame};
use alluvium_core::position::{TopicPartition, TpId};
use alluvium_core::task::{Action, SafeOffset};
use alluvium_testkit::connect::{Call, Group, Task, Turn, Worker};
use alluvium_testkit::kafka::{Entry, Kafka};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// The tracing sink's script (`TraceSinkTask`), on our side.
#[derive(Debug, Default)]
struct Scripted {
    ids: BTreeMap<TpId, TopicPartition>,
    script: Vec<String>,
    commit_requested: bool,
}

impl Scripted {
    fn act(&mut self, when: &str) -> Vec<Action> {
        let prefix = format!("{when}=");
        let (now, later) =
            std::mem::take(&mut self.script).into_iter().partition(|e| e.starts_with(&prefix));
        self.script = later;
        let now: Vec<String> = now;
        now.iter().filter_map(|entry| self.verb(&entry[prefix.len()..])).collect()
    }

    fn verb(&mut self, verb: &str) -> Option<Action> {
        let words: Vec<&str> = verb.split(':').collect();
        let id = |partition: &str| {
            let partition: i32 = partition.parse().unwrap();
            *self.ids.iter().find(|(_, tp)| tp.partition == partition).unwrap().0
        };
        match words[..] {
            ["commit"] => {
                self.commit_requested = true;
                None
            }
            ["seek", partition, offset] => {
                Some(Action::Seek(id(partition), offset.parse().unwrap()))
            }
            ["pause", partition] => Some(Action::Pause(id(partition))),
            ["resume", partition] => Some(Action::Resume(id(partition))),
            _ => panic!("no verb: {verb}"),
        }
    }
}

impl Task for Scripted {
    fn open(&mut self, tps: Vec<(TpId, TopicPartition)>) -> Vec<Action> {
        self.ids.extend(tps);
        self.act("open")
    }

    fn put(&mut self, frame: Option<Frame>) -> Result<Vec<Action>> {
        let mut actions = Vec::new();
        let (Some(frame), mut cursor) = (frame, Cursor::default()) else { return Ok(actions) };
        while let Some(record) = frame.next(&mut cursor)? {
            let partition = self.ids[&record.tp].partition;
            actions.extend(self.act(&format!("{partition}:{}", record.offset)));
        }
        Ok(actions)
    }

    fn pre_commit(&mut self, current: &[(TpId, i64)]) -> Vec<SafeOffset> {
        let answer = |(tp, offset): &(TpId, i64)| SafeOffset {
            tp: *tp,
            offset: *offset,
            seq: 0,
            log_id: Default::default(),
        };
        current.iter().map(answer).collect()
    }

    async fn close(&mut self, ids: &[TpId], _: Duration, _: Duration) -> bool {
        self.ids.retain(|id, _| !ids.contains(id));
        true
    }
}

/// Calls with what was delivered in between: how many polls that took is chance.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Seen {
    Open(Vec<i32>),
    Delivered(BTreeMap<i32, Vec<i64>>),
    PreCommit(BTreeMap<i32, i64>),
    Close(Vec<i32>),
}

fn merged(calls: impl Iterator<Item = Seen>) -> Vec<Seen> {
    let mut all: Vec<Seen> = Vec::new();
    for call in calls {
        match (all.last_mut(), call) {
            (Some(Seen::Delivered(before)), Seen::Delivered(more)) => {
                for (partition, offsets) in more {
                    before.entry(partition).or_default().extend(offsets);
                }
            }
            (_, call) => all.push(call),
        }
    }
    all
}

fn ours(call: &Call) -> Seen {
    let partitions = |tps: &[TopicPartition]| {
        let mut all: Vec<i32> = tps.iter().map(|tp| tp.partition).collect();
        all.sort_unstable();
        all
    };
    match call {
        Call::Open(tps) => Seen::Open(partitions(tps)),
        Call::Close(tps) => Seen::Close(partitions(tps)),
        Call::Put(at) => delivered(at.iter().map(|(tp, offset)| (tp.partition, *offset))),
        Call::PreCommit(at) => {
            Seen::PreCommit(at.iter().map(|(tp, offset)| (tp.partition, *offset)).collect())
        }
    }
}

fn theirs(line: &Value) -> Option<Seen> {
    let (call, what) = line.as_object()?.iter().next()?;
    let numbers = || what.as_array().unwrap().iter().map(|n| n.as_i64().unwrap() as i32).collect();
    let pairs = || {
        let pair = |p: &Value| (p[0].as_i64().unwrap() as i32, p[1].as_i64().unwrap());
        what.as_array().unwrap().iter().map(pair)
    };
    match call.as_str() {
        "open" => Some(Seen::Open(numbers())),
        "close" => Some(Seen::Close(numbers())),
        "put" => Some(delivered(pairs())),
        "preCommit" => Some(Seen::PreCommit(pairs().collect())),
        _ => None,
    }
}

fn delivered(at: impl Iterator<Item = (i32, i64)>) -> Seen {
    let mut all: BTreeMap<i32, Vec<i64>> = BTreeMap::new();
    at.for_each(|(partition, offset)| all.entry(partition).or_default().push(offset));
    Seen::Delivered(all)
}

struct Replay {
    worker: Worker<Scripted>,
    kafka: Kafka,
    group: Group,
    stopped: bool,
}

fn tp(partition: i32) -> TopicPartition {
    TopicPartition::new("t", partition)
}

impl Replay {
    /// Does what the step did, moving what the group moved.
    async fn step(&mut self, step: &Value, calls: &[Seen]) {
        let tps = |all: &[i32]| all.iter().map(|partition| tp(*partition)).collect::<Vec<_>>();
        let mut closes = calls.iter().filter_map(|call| match call {
            Seen::Close(partitions) => Some(tps(partitions)),
            _ => None,
        });
        let (closed, killed) = (closes.next().unwrap_or_default(), closes.next().is_some());
        let opened = calls.iter().find_map(|call| match call {
            Seen::Open(partitions) => Some(tps(partitions)),
            _ => None,
        });
        let opened = opened.unwrap_or_default();
        match step.as_str() {
            // The other member has read everything, and commits it when it goes.
            Some("leave") => {
                for tp in opened.iter().filter(|tp| !self.worker.assignment().contains(tp)) {
                    let end = self.kafka.partition(tp).unwrap().end();
                    self.group.insert(tp.clone(), end);
                }
                self.turn(Turn { revoked: closed, ..Turn::default() }).await;
            }
            Some("pause") => {
                self.worker.rest_paused = true;
                self.worker.commit(&mut self.group);
            }
            Some("resume") => self.worker.rest_paused = false,
            Some("stop") => self.worker.stop(&mut self.group, Duration::ZERO).await,
            Some("freeze") => self.turn(Turn { lost: closed, ..Turn::default() }).await,
            Some(_) => self.turn(Turn { revoked: closed, ..Turn::default() }).await,
            None => {
                for (partition, count) in (0..).zip(step["produce"].as_array().unwrap()) {
                    for _ in 0..count.as_u64().unwrap() {
                        self.kafka.append(&tp(partition), Entry::Record(Some(b"v".to_vec())));
                    }
                }
            }
        }
        if killed {
            self.worker.stop(&mut self.group, Duration::ZERO).await;
        }
        if step == "stop" || killed || self.stopped {
            self.stopped = true;
            return;
        }
        self.turn(Turn { assigned: opened, ..Turn::default() }).await;
        for _ in 0..5 {
            self.turn(Turn::default()).await;
        }
    }

    async fn turn(&mut self, turn: Turn) {
        let commit = std::mem::take(&mut self.worker.task_mut().commit_requested);
        let turn = Turn { commit, ..turn };
        self.worker.turn(&turn, &self.kafka, &mut self.group).await.unwrap();
    }
}

async fn replay(file: &Path) -> Vec<Seen> {
    let text = std::fs::read_to_string(file).unwrap();
    let mut lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let head = lines.next().unwrap();
    let script = head["script"].as_str().unwrap().split_whitespace().map(str::to_owned).collect();
    let mut worker = Worker::new(Scripted { script, ..Scripted::default() });
    worker.trace = Some(Vec::new());
    let mut kafka = Kafka::default();
    (0..3).for_each(|partition| kafka.create(&tp(partition), 0));
    let mut replay = Replay { worker, kafka, group: Group::new(), stopped: false };
    let mut steps: Vec<(Value, Vec<Seen>)> = Vec::new();
    for line in lines {
        let joined = steps.last().is_some_and(|(step, _)| step == "join");
        match (line.get("step"), steps.last_mut()) {
            // When the task's end is seen is chance: all of it belongs to the revocation.
            (Some(_), _) if joined && head["protocol"] == "consumer" => {}
            (Some(step), _) => steps.push((step.clone(), Vec::new())),
            (None, Some((_, calls))) => calls.extend(theirs(&line)),
            (None, None) => panic!("a call before the first step"),
        }
    }
    let mut all = Vec::new();
    for (step, calls) in steps {
        replay.step(&step, &calls).await;
        let made = replay.worker.trace.as_mut().map(std::mem::take).unwrap();
        let (made, calls) = (merged(made.iter().map(ours)), merged(calls.into_iter()));
        assert_eq!(made, calls, "{}: step {step}: ours, then the real worker's", file.display());
        all.extend(calls);
    }
    all
}

fn fixture(name: &str) -> std::path::PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/connect");
    folder.join(format!("{name}.jsonl"))
}

#[tokio::test(start_paused = true)]
async fn our_worker_calls_what_the_real_one_called() {
    let folder = fixture("x").parent().unwrap().to_path_buf();
    let mut replayed = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let calls = replay(&entry.unwrap().path()).await;
        assert!(calls.len() > 3, "a trace of {} calls", calls.len());
        replayed += 1;
    }
    assert!(replayed >= 10, "{replayed} traces");
}

/// `preCommit` runs before a seek is carried out: it tells a position from before it.
#[tokio::test(start_paused = true)]
async fn a_commit_comes_before_the_rewind() {
    let calls = replay(&fixture("seek")).await;
    let commit = calls.iter().position(|c| matches!(c, Seen::PreCommit(_))).unwrap();
    assert_eq!(calls[commit], Seen::PreCommit(BTreeMap::from([(0, 5), (1, 3)])));
    assert_eq!(calls[commit + 1], Seen::Delivered(BTreeMap::from([(0, vec![2, 3, 4])])));
}

/// What was paused before a rebalance is paused after it: nothing of it is ever delivered.
#[tokio::test(start_paused = true)]
async fn the_pause_set_survives_rebalances() {
    let calls = replay(&fixture("paused")).await;
    let opens = calls.iter().filter(|c| matches!(c, Seen::Open(_))).count();
    assert!(opens > 1, "there was a rebalance");
    let of_0 = |c: &&Seen| matches!(c, Seen::Delivered(at) if at.contains_key(&0));
    assert_eq!(calls.iter().find(of_0), None);
}

/// Connect 4.3.0 kills a task with `group.protocol=consumer` at its first revocation (it changes a
/// collection that this consumer does not let change): `preCommit` and `close` come twice then.
#[tokio::test(start_paused = true)]
async fn with_the_consumer_protocol_a_revocation_ends_the_task() {
    let calls = replay(&fixture("rebalance-consumer")).await;
    let closes: Vec<_> = calls.iter().filter(|c| matches!(c, Seen::Close(_))).collect();
    assert_eq!(closes, [&Seen::Close(vec![1]), &Seen::Close(vec![0, 1])]);
}

/// At the end `preCommit` and `close` name what was revoked long ago.
#[tokio::test(start_paused = true)]
async fn the_end_names_what_was_revoked_before() {
    let calls = replay(&fixture("stop-after-revoke")).await;
    let opened = calls.iter().rev().find(|c| matches!(c, Seen::Open(_))).unwrap();
    assert_eq!((opened, calls.last().unwrap()), (&Seen::Open(vec![0]), &Seen::Close(vec![0, 1])));
}
