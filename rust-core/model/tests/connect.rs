//! The model of the way from Connect to the log, searched: with every rule in force nothing is
//! violated; with one taken out, something is, and the shortest trace is as long as noted.

use alluvium_model::check::search;
use alluvium_model::connect::ConnectModel;
use alluvium_model::connect::rules::Rules;
use alluvium_model::connect::state::Offset::{self, Dropped, Marker, Row};

const ALL: Rules = Rules::ALL;

#[test]
fn every_rule_in_force() {
    holds("2 rows, 4 claims", ConnectModel { claims: 4, ..ConnectModel::default() });
}

#[test]
fn dropped_records_and_markers_are_gaps() {
    let kafka = vec![Dropped, Row, Marker, Row];
    holds_without_stale_start("dropped, row, marker, row", kafka_of(kafka));
}

#[test]
fn retention_and_a_group_that_is_set_back() {
    let model = ConnectModel { expiries: 1, rewinds: 1, ..ConnectModel::default() };
    holds_without_stale_start("2 rows, retention, group set back", model);
}

/// The queue is one, FENCED forgets the life, and a start names its claim: what the generation
/// guards against cannot happen in the code as it is. It stays as a second line.
#[test]
fn the_generation_is_a_second_line() {
    let rules = Rules { generation_at_reopen: false, ..ALL };
    let model = ConnectModel { rules, claims: 4, healing: false, ..ConnectModel::default() };
    let seen = search(model, None);
    seen.say("connect: without generation at re-open");
    assert_eq!(seen.violations, []);
}

#[test]
fn a_life_that_is_kept_when_fenced_takes_rows_of_an_earlier_one() {
    let rules = Rules { fenced_forgets_life: false, ..ALL };
    breaks("FENCED keeps the life", bounds(rules), "the books of a cut agree", 14);
}

#[test]
fn a_start_that_names_no_claim_is_honoured_too_late() {
    let rules = Rules { start_names_epoch: false, ..ALL };
    let model = ConnectModel { claims: 4, ..bounds(rules) };
    breaks("start names no claim", model, "the books of a cut agree", 13);
    let rules = Rules { books: false, ..rules };
    let model = ConnectModel { claims: 4, ..bounds(rules) };
    let property = "every offset of the log is a row or a gap";
    breaks("start names no claim, no books", model, property, 14);
}

#[test]
fn an_answer_at_unknown_next_moves_the_group_past_rows() {
    let rules = Rules { unknown_next_left_out: false, ..ALL };
    breaks("answer at unknown next", bounds(rules), "what we answer is not above the log", 5);
}

#[test]
fn records_taken_while_seeking_come_twice() {
    let rules = Rules { nothing_taken_while_seeking: false, ..ALL };
    let property = "no offsets go backwards within a life";
    breaks("records taken while seeking", bounds(rules), property, 17);
}

#[test]
fn a_position_believed_while_seeking_leaves_rows_out() {
    let rules = Rules { no_position_while_seeking: false, ..ALL };
    let property = "no row below the log's next offset is missing";
    breaks("position believed while seeking", bounds(rules), property, 20);
}

#[test]
fn a_cut_that_ends_at_the_consumer_leaves_rows_out() {
    let rules = Rules { cut_end_from_queue: false, ..ALL };
    breaks("cut ends at the consumer", bounds(rules), "the books of a cut agree", 11);
    let rules = Rules { books: false, ..rules };
    let property = "no row below the log's next offset is missing";
    breaks("cut ends at the consumer, no books", bounds(rules), property, 12);
}

#[test]
fn without_a_seek_at_unknown_next_buffered_rows_are_lost() {
    let rules = Rules { seek_at_unknown_next: false, ..ALL };
    let property = "no row below the log's next offset is missing";
    breaks("no seek at unknown next", bounds(rules), property, 18);
}

#[test]
fn a_first_offset_forgotten_when_fenced_loses_buffered_rows() {
    let rules = Rules { first_seen_kept: false, ..ALL };
    let property = "no row below the log's next offset is missing";
    breaks("first offset forgotten when fenced", bounds(rules), property, 18);
}

#[test]
fn a_life_begun_in_close_is_sought_a_turn_late() {
    let rules = Rules { only_put_takes_ready: false, ..ALL };
    let property = "no offsets go backwards within a life";
    breaks("close takes READY", bounds(rules), property, 18);
}

#[test]
fn an_open_that_does_not_pause_is_paused_for_ever() {
    let rules = Rules { open_pauses: false, ..ALL };
    let model = ConnectModel { healing: true, ..bounds(rules) };
    let property = "one worker left alone makes everything visible";
    breaks("open does not pause", model, property, 4);
}

/// `make model`.
#[test]
#[ignore = "minutes; make model runs it"]
fn further_one_worker() {
    let three = vec![Row; 3];
    let model = ConnectModel { claims: 4, ..kafka_of(three.clone()) };
    holds("3 rows, 4 claims", model);
    let model = ConnectModel { expiries: 1, rewinds: 1, ..kafka_of(three) };
    holds_without_stale_start("3 rows, retention, group set back", model);
}

/// `make model`.
#[test]
#[ignore = "minutes; make model runs it"]
fn further_two_workers() {
    let model = ConnectModel { workers: 2, claims: 2, crashes: 0, ..ConnectModel::default() };
    let seen = search(ConnectModel { foreign: false, ..model }, None);
    seen.say("connect: 2 workers, 2 rows");
    assert_eq!(seen.violations, []);
    // These need more claims.
    let unreached = ["opened again with unknown next", "a stale start is dropped"];
    assert_eq!(seen.unreached, unreached);
    let model = ConnectModel { workers: 2, crashes: 0, foreign: false, ..kafka_of(vec![Row]) };
    holds_without_stale_start("2 workers, 1 row, 3 claims", model);
}

fn kafka_of(kafka: Vec<Offset>) -> ConnectModel {
    ConnectModel { kafka, ..ConnectModel::default() }
}

/// Small enough for a search that stops at the first violation.
fn bounds(rules: Rules) -> ConnectModel {
    ConnectModel { rules, healing: false, ..ConnectModel::default() }
}

fn holds(name: &str, model: ConnectModel) {
    let seen = search(model, None);
    seen.say(&format!("connect: {name}"));
    assert_eq!(seen.violations, [], "{name}");
    assert_eq!(seen.unreached, [""; 0], "{name}: nothing was shown of these");
}

/// A stale start needs four claims.
fn holds_without_stale_start(name: &str, model: ConnectModel) {
    let seen = search(model, None);
    seen.say(&format!("connect: {name}"));
    assert_eq!(seen.violations, [], "{name}");
    assert_eq!(seen.unreached, ["a stale start is dropped"], "{name}");
}

/// Breaks the property, by a shortest trace of so many steps, and no other property any sooner.
fn breaks(name: &str, model: ConnectModel, property: &'static str, steps: usize) {
    let seen = search(model, Some(property));
    seen.say(&format!("connect: {name}"));
    let found = seen.violations.iter().find(|(violated, _)| *violated == property);
    assert_eq!(found.map(|(_, trace)| trace.len()), Some(steps), "{:#?}", seen.violations);
    let soonest = seen.violations.iter().map(|(_, trace)| trace.len()).min();
    assert_eq!(soonest, Some(steps), "{:#?}", seen.violations);
}
