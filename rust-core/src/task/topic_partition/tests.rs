use super::*;
use crate::log::Link;
use uuid::Uuid;

fn log(epoch: u64, next: Option<i64>) -> LogState {
    let nonce = Uuid::from_u128(u128::from(epoch));
    LogState {
        generation: 1,
        log_id: nonce,
        epoch,
        head: Link { seq: epoch, nonce },
        next,
        head_unsettled: Vec::new(),
        pending: Vec::new(),
        carry: Default::default(),
    }
}

/// What a start names: the claim's epoch and log, as `log` has them.
fn claim(epoch: u64) -> (u64, Uuid) {
    (epoch, Uuid::from_u128(u128::from(epoch)))
}

fn running(next: Option<i64>, x: Option<i64>) -> TopicPartitionState {
    let mut state = TopicPartitionState::default();
    state.ready(log(1, next));
    assert_eq!(state.start(1, claim(1), x), Verdict::Take);
    state
}

fn take(state: &mut TopicPartitionState, generation: Generation, offsets: std::ops::Range<i64>) {
    for offset in offsets {
        assert_eq!(state.judge(generation, offset).unwrap(), Verdict::Take, "offset {offset}");
        state.taken(offset);
    }
}

#[test]
fn a_cut_covers_what_was_taken_and_adds_up() {
    let mut state = running(Some(100), Some(100));
    take(&mut state, 1, 100..105);
    state.skip("tombstone");
    take(&mut state, 1, 107..110);
    state.errant(109);
    let cut = state.cut().unwrap();
    assert_eq!((cut.start, cut.end, cut.tally.records), (100, 110, 8));
    assert_eq!((cut.tally.gaps.count, cut.tally.gaps.sum), (1, 2));
    cut.check(6).unwrap();
    assert_eq!(cut.check(7).unwrap_err().kind(), Kind::Corrupt);
    assert_eq!(cut.check(5).unwrap_err().kind(), Kind::Corrupt);
}

/// A topic is created again: the logs of its generations have the same epochs.
#[test]
fn a_start_that_answers_the_same_epoch_of_another_log_is_stale() {
    let mut state = TopicPartitionState::default();
    state.ready(LogState { log_id: Uuid::from_u128(99), ..log(1, Some(0)) });
    assert_eq!(state.start(1, claim(1), Some(40)), Verdict::Stale, "the former life's");
    assert_eq!((state.generation(), state.expected()), (None, None));
    assert_eq!(state.judge(1, 40).unwrap(), Verdict::Stale, "nothing of it is taken");
    assert_eq!(state.start(2, (1, Uuid::from_u128(99)), Some(0)), Verdict::Take);
    take(&mut state, 2, 0..2);
}

#[test]
fn one_log_put_at_a_time_and_the_next_cut_begins_where_the_last_ended() {
    let mut state = running(Some(0), Some(0));
    take(&mut state, 1, 0..3);
    let first = state.cut().unwrap();
    take(&mut state, 1, 3..7);
    assert_eq!(state.cut(), None, "the first cut's record is under way");
    let after = LogState { head: Link { seq: 2, ..log(1, None).head }, ..log(1, Some(first.end)) };
    assert_eq!(state.recorded(after), Verdict::Take);
    let second = state.cut().unwrap();
    assert_eq!((second.start, second.end, second.tally.records), (3, 7, 4));
}

#[test]
fn offsets_below_the_expected_one_are_a_regression_within_a_life_only() {
    let mut state = running(Some(5), Some(5));
    take(&mut state, 1, 5..8);
    let error = state.judge(1, 6).unwrap_err();
    assert_eq!(error.kind(), Kind::OffsetRegression);
    assert_eq!((error.context("offset"), error.context("expected")), (Some("6"), Some("8")));
    assert_eq!(state.judge(2, 6).unwrap(), Verdict::Stale, "of another life");
    let lower = state.judge(1, 4).unwrap_err();
    assert_eq!(lower.kind(), Kind::OffsetRegression);
}

/// H13: a frame of the fenced life must not be taken as a legal gap after the seek.
#[test]
fn a_frame_of_the_fenced_life_is_dropped() {
    let mut state = running(Some(0), Some(0));
    take(&mut state, 1, 0..2);
    state.forget();
    assert_eq!(state.judge(1, 2).unwrap(), Verdict::Stale, "fenced");
    state.ready(log(7, Some(0)));
    assert_eq!(state.judge(1, 2).unwrap(), Verdict::Stale, "claimed again, not started");
    assert_eq!(state.start(2, claim(7), Some(0)), Verdict::Take);
    assert_eq!(state.judge(1, 2).unwrap(), Verdict::Stale, "started, the old life's frame");
    take(&mut state, 2, 0..3);
}

/// H16: a start that was queued when its claim ended is not honoured after the next claim.
#[test]
fn a_start_that_answers_an_earlier_claim_is_dropped() {
    let mut state = TopicPartitionState::default();
    state.ready(log(1, Some(0)));
    state.forget();
    assert_eq!(state.start(1, claim(1), Some(0)), Verdict::Stale, "no claim");
    state.ready(log(3, Some(2)));
    assert_eq!(state.start(1, claim(1), Some(0)), Verdict::Stale, "another claim");
    assert_eq!(state.judge(1, 0).unwrap(), Verdict::Stale);
    assert_eq!(state.start(2, claim(3), Some(2)), Verdict::Take);
    take(&mut state, 2, 2..4);
}

/// H8, H14: with an unknown next the start is made durable before the first cut.
#[test]
fn an_unknown_next_is_recorded_at_the_first_record() {
    let mut state = running(None, None);
    assert_eq!(state.start_to_record(), None, "nothing taken yet");
    take(&mut state, 1, 500..503);
    assert_eq!(state.cut(), None, "the first cut waits for the start");
    assert_eq!(state.start_to_record(), Some(500));
    state.occupy();
    assert_eq!(state.start_to_record(), None, "under way");
    assert_eq!(state.recorded(log(1, Some(500))), Verdict::Take);
    let cut = state.cut().unwrap();
    assert_eq!((cut.start, cut.end), (500, 503));
    cut.check(3).unwrap();
}

#[test]
fn a_start_that_was_sought_is_recorded_though_the_first_record_lies_higher() {
    let mut state = running(None, Some(100));
    take(&mut state, 1, 105..106);
    assert_eq!(state.start_to_record(), Some(100));
    state.occupy();
    state.recorded(log(1, Some(100)));
    let cut = state.cut().unwrap();
    assert_eq!((cut.start, cut.end, cut.tally.gaps.sum), (100, 106, 5));
    cut.check(1).unwrap();
}

#[test]
fn a_position_moves_the_cut_without_records() {
    let mut state = running(Some(10), Some(10));
    assert_eq!(state.position(9, 40, "before_put"), Verdict::Stale);
    assert!(!state.has_uncommitted());
    assert_eq!(state.position(1, 40, "before_put"), Verdict::Take);
    assert_eq!(state.position(1, 30, "before_put"), Verdict::Take, "never moves back");
    let cut = state.cut().unwrap();
    assert_eq!((cut.start, cut.end, cut.tally.records, cut.tally.gaps.sum), (10, 40, 0, 30));
    cut.check(0).unwrap();

    let mut unknown = running(None, None);
    unknown.position(1, 500, "before_put");
    assert_eq!(unknown.start_to_record(), Some(500), "nothing lies before the first position");
    assert!(unknown.tally().gaps.is_empty());
}

#[test]
fn a_commit_of_an_earlier_claim_changes_nothing() {
    let mut state = running(Some(0), Some(0));
    take(&mut state, 1, 0..3);
    state.cut().unwrap();
    state.forget();
    state.ready(log(5, Some(0)));
    assert_eq!(state.recorded(log(1, Some(3))), Verdict::Stale);
    assert_eq!(state.log().unwrap().next, Some(0));
}

#[test]
fn settling_is_wanted_until_the_head_says_so() {
    let mut state = running(Some(0), Some(0));
    assert!(!state.settle_wanted());
    let link = Link { seq: 2, nonce: Uuid::nil() };
    let mut committed = LogState { head: link, head_unsettled: vec![link], ..log(1, Some(3)) };
    state.occupy();
    state.recorded(committed.clone());
    assert!(state.settle_wanted());
    committed.head_unsettled.clear();
    state.recorded(committed);
    assert!(!state.settle_wanted());
}

/// A doubtful record and all behind it wait; the next life goes on with what was taken.
#[test]
fn what_was_taken_before_a_doubtful_record_is_kept() {
    let mut state = running(Some(0), Some(0));
    take(&mut state, 1, 0..5);
    assert!(!state.is_doubtful(1, 5, true) && !state.is_doubtful(1, 1_005, false));
    assert!(state.is_doubtful(1, 6, true) && state.is_doubtful(1, 1_006, false));
    assert!(state.is_doubtful(1, 3, false), "backwards");
    assert!(!state.is_doubtful(2, 3, true), "of another life");
    state.hold(2_000);
    assert_eq!(state.held(), Some((5, 2_000)));
    assert_eq!(state.judge(1, 2_000).unwrap(), Verdict::Stale);
    assert_eq!(state.judge(1, 3).unwrap(), Verdict::Stale, "no regression, either");
    assert_eq!(state.position(1, 3_000, "before_put"), Verdict::Stale);

    assert_eq!(state.start(2, claim(1), Some(5)), Verdict::Take);
    assert_eq!(state.held(), None);
    assert!(!state.is_doubtful(2, 2_000, true), "it was asked about");
    assert!(state.is_doubtful(2, 2_001, true), "this was not");
    take(&mut state, 2, 2_000..2_003);
    let cut = state.cut().unwrap();
    assert_eq!((cut.start, cut.end, cut.tally.records), (0, 2_003, 8));
    cut.check(8).unwrap();
    assert!(state.is_doubtful(2, 1_990, false), "backwards, though the gap was asked about");
}

/// What is held can still be committed up to there: Kafka may be away for long.
#[test]
fn a_held_topic_partition_can_be_cut() {
    let mut state = running(Some(0), Some(0));
    take(&mut state, 1, 0..5);
    state.hold(2_000);
    let cut = state.cut().unwrap();
    assert_eq!((cut.start, cut.end), (0, 5));
    let after = LogState { head: Link { seq: 2, ..log(1, None).head }, ..log(1, Some(5)) };
    state.recorded(after);
    assert_eq!(state.start(2, claim(1), Some(5)), Verdict::Take);
    take(&mut state, 2, 2_000..2_001);
    let cut = state.cut().unwrap();
    assert_eq!((cut.start, cut.end, cut.tally.gaps.sum), (5, 2_001, 1_995));
    cut.check(1).unwrap();
}

/// Each generation of a topic counts its epochs anew.
#[test]
fn the_end_of_a_commit_to_another_log_is_stale() {
    let mut state = running(Some(0), Some(0));
    let other = LogState { log_id: Uuid::from_u128(99), ..log(1, Some(7)) };
    assert_eq!(state.recorded(other), Verdict::Stale);
    assert_eq!(state.log().unwrap().next, Some(0));
}
