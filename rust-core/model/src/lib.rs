//! The delivery protocol (`docs/delivery.md`) as two explicit-state models, each searched through
//! every state within its bounds. Nothing of the sink is imported: the models say in their own
//! words what its code does, step by step, and each protective rule can be taken out
//! ([`log::rules::Rules`], [`connect::rules::Rules`]) to see what it protects from.
//!
//! * [`log`]: the commit log, uploads and files. Two or three owners that know nothing of each
//!   other, requests that are lost, late, doubled or wrongly refused, crashes, GC, users that take
//!   settled files away. Each request is a step, and a step may never come: that is a stall.
//! * [`connect`]: the way from Kafka to the log. Polls, seeks, rebalances, `preCommit`, fencing,
//!   records dropped before `put`, markers, retention, group offsets that are lost or set back.
//!
//! | action of [`log`] | code (`rust-core/src`) |
//! | --- | --- |
//! | `Open`, `Reopen` | `task/jobs.rs` `open`, `on_fenced`; `recover/mod.rs` `open`, `try_open` |
//! | `List`, `ReadHead` | `recover/ownership.rs` `head`; `recover/claim.rs` `claim_record` |
//! | `Put`, `Land` | `commit.rs` `LogAccess::put`: `Store::create` |
//! | `ReadBack` | `commit.rs` `LogAccess::at`; `claim` and `commit` on `Put::Foreign`, `Vanished` |
//! | `Verify` | `commit.rs` `LogAccess::verify` |
//! | `ReadUnsettled` | `recover/unsettled.rs` `read` |
//! | `Publish` | `publish.rs` `publish_one`; `still_head` where the file is gone |
//! | `Cut` | `task/lane.rs` `cut`; `task/flush.rs` `commit`, `record` |
//! | `Settle` | `task/driver.rs` `look_at`; `task/flush.rs` `advance` |
//! | `Gc` | `upkeep/archive.rs` `archive`: one key at a time, in any order, without the margin |
//! | `Crash` | the process ends; `SinkTask::shutdown`, `Lane::forget` leave the same behind |
//! | `Age`, `Expire` | `Flush::check_age`; the store's own expiry, in time for what was sent |
//! | `Take` | a user compacts or expires a file that the log calls settled |
//!
//! | action of [`connect`] | code (`rust-core/src`; Connect's own: `WorkerSinkTask`) |
//! | --- | --- |
//! | `Assign`, `AssignAgain` | `SinkTask::open`, `Assigned::new`; `Driver::on_control` |
//! | `Poll` | `WorkerSinkTask.poll`: `rewind`, then the consumer |
//! | `Put` | `SinkTask::put`: `begin_put`, `take_events`, `enqueue`, `pause_rule` |
//! | (in `Put`) | `Assigned::begin`, `SinkTask::leave`; then `currentOffsets` |
//! | `CloseOther` | `SinkTask::poll_actions`, as it was before it left READY alone |
//! | `PreCommit` | `SinkTask::pre_commit`, `offsets::safe`; `WorkerSinkTask.commitOffsets` |
//! | `Revoke`, `Lost`, `Closed` | `SinkTask::close`; `task/ending.rs` `look_at_closing` |
//! | `Claim` | `recover::open`; `Driver::on_opened` |
//! | `Take` | `Driver::on_message`, `work_slice`; `TopicPartitionState::{start, judge, taken, position}` |
//! | `RecordStart` | `TopicPartitionState::start_to_record` |
//! | `Cut` | `TopicPartitionState::cut`, `CutRange::check` |
//! | `Settle` | `Driver::look_at` |
//! | `Apply` | `Flush::commit`, `advance`; `Driver::on_recorded`, `on_fenced` |
//! | `ApplyOrphan` | the same job, its lane gone: `on_done` finds no lane |
//! | `ForeignClaim`, `ForeignCommit` | another worker, which does everything right |
//!
//! Not in the models: Admin and what hangs on it, ranges lost by name, `rebuild`, `reset`, `closed`,
//! errant records and their gate, uploads that expire after their record was sent, the queue's
//! limits, several topic-partitions at once, the content of archive blocks, head checks by a listing
//! that is behind (the probe refuses such a store).
//!
//! "Eventually" is not `stateright`'s: that is judged at the ends of paths and misses cycles, as its
//! documentation says. Each reachable state is asked instead whether one owner, left alone with a
//! store that answers, makes everything visible within a bounded number of steps.

pub mod check;
pub mod connect;
pub mod log;
