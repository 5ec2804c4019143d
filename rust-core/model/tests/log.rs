//! The log's model, searched: with every rule in force nothing is violated; with one taken out,
//! something is, and the shortest trace is as long as noted.

use alluvium_model::check::search;
use alluvium_model::log::LogModel;
use alluvium_model::log::rules::Rules;

const ALL: Rules = Rules::ALL;

/// Two owners, two offsets, two files, a crash, a request that goes wrong, GC: every state.
#[test]
fn every_rule_in_force() {
    holds("2 owners, 4 records", LogModel { seqs: 4, ..LogModel::default() });
}

#[test]
fn without_the_head_check_a_resurrected_key_is_a_commit() {
    let model = LogModel { rules: Rules { head_check: false, ..ALL }, ..bounds() };
    breaks("without head check", model, "what is visible is committed", 12);
}

#[test]
fn without_the_nonce_another_record_is_taken_for_ours() {
    let model = LogModel { rules: Rules { nonce: false, ..ALL }, ..bounds() };
    breaks("without nonce", model, "the chain is contiguous", 10);
}

#[test]
fn aborting_on_any_refusal_loses_a_commit() {
    let model = LogModel { rules: Rules { refused_keeps_uploads: false, ..ALL }, ..bounds() };
    breaks("abort on any 412", model, "no committed file is lost", 6);
}

#[test]
fn aborting_foreign_uploads_loses_a_commit() {
    let model = LogModel { rules: Rules { foreign_uploads_kept: false, ..ALL }, ..bounds() };
    breaks("abort of foreign uploads", model, "no committed file is lost", 8);
}

/// With two owners it does not: the record at our key can be a re-created one only with a third.
#[test]
fn aborting_on_a_seen_foreign_record_loses_a_commit_with_three_owners() {
    let rules = Rules { seen_foreign_keeps_uploads: false, ..ALL };
    let model = LogModel { rules, offsets: 1, alike: true, ..bounds() };
    holds_without_examples("abort on a seen foreign record, 2 owners", model.clone());
    let model = LogModel { owners: 3, found: Default::default(), ..model };
    breaks("abort on a seen foreign record, 3 owners", model, "no committed file is lost", 21);
}

#[test]
fn a_claim_that_does_not_copy_unsettled_loses_sight_of_a_commit() {
    let rules = Rules { claim_copies_unsettled: false, ..ALL };
    let model = LogModel { rules, crashes: 1, ..bounds() };
    let property = "what is unfinished can be reached from the head";
    breaks("claim does not copy unsettled", model, property, 9);
}

#[test]
fn a_claim_that_does_not_copy_carry_loses_it() {
    let model = LogModel { rules: Rules { carry_copied: false, ..ALL }, ..bounds() };
    breaks("claim does not copy carry", model, "what records carry is not lost", 9);
}

/// The head read one request at a time, from a listing that may be behind what a claim met.
#[test]
fn reading_the_head_is_not_one_step() {
    let model = LogModel { fine: true, offsets: 1, seqs: 4, ..LogModel::default() };
    holds("2 owners, 1 offset, head read in steps", model);
}

#[test]
fn a_record_of_old_uploads_names_what_has_expired() {
    let model = LogModel { rules: Rules { age_guard: false, ..ALL }, ages: 1, ..bounds() };
    breaks("no age guard", model, "no committed file is lost", 8);
    let model = LogModel { ages: 1, seqs: 4, crashes: 0, faults: 1, ..LogModel::default() };
    holds("2 owners, uploads grow old", model);
}

#[test]
fn two_puts_at_a_time_fence_their_own_owner() {
    let model = LogModel { rules: Rules { one_put: false, ..ALL }, ..bounds() };
    breaks("two log PUTs at a time", model, "nobody is fenced by its own record", 13);
}

#[test]
fn gc_by_memory_deletes_what_the_head_still_names() {
    let model = LogModel { rules: Rules { gc_by_record: false, ..ALL }, ..bounds() };
    let property = "what is unfinished can be reached from the head";
    breaks("GC by memory", model, property, 14);
}

#[test]
fn a_settle_that_is_not_durable_makes_a_taken_file_look_lost() {
    let rules = Rules { durable_settle: false, ..ALL };
    let model = LogModel { rules, crashes: 1, takes: 1, ..bounds() };
    let property = "nobody finds the log damaged or a file lost";
    breaks("settle not durable", model, property, 16);
}

#[test]
fn a_third_owner_recovers() {
    let model = LogModel { owners: 3, offsets: 1, seqs: 4, faults: 0, alike: true, ..bounds() };
    let seen = search(model, None);
    seen.say("log: 3 owners, 1 offset, no faults");
    assert_eq!(seen.violations, []);
    // That needs a lost answer.
    assert_eq!(seen.unreached, ["own record found by its nonce"]);
}

/// `make model`.
#[test]
#[ignore = "minutes; make model runs it"]
fn further_two_owners() {
    let base = LogModel { seqs: 4, ..LogModel::default() };
    holds("2 owners, 5 records", LogModel { seqs: 5, found: Default::default(), ..base.clone() });
    holds("2 owners, 2 faults", LogModel { faults: 2, found: Default::default(), ..base.clone() });
    holds(
        "2 owners, 3 offsets",
        LogModel { offsets: 3, found: Default::default(), ..base.clone() },
    );
    let fine = LogModel { fine: true, found: Default::default(), ..base.clone() };
    holds("2 owners, head read in steps", fine);
    let taken = LogModel { takes: 1, faults: 2, healing: false, ..base };
    holds("2 owners, 2 faults, a file taken", taken);
}

/// `make model`.
#[test]
#[ignore = "minutes; make model runs it"]
fn further_three_owners() {
    let model = LogModel { owners: 3, seqs: 4, crashes: 0, ..LogModel::default() };
    holds("3 owners, 4 records", model);
}

/// Small enough for a search that stops at the first violation.
fn bounds() -> LogModel {
    LogModel { seqs: 4, crashes: 0, healing: false, alike: false, ..LogModel::default() }
}

fn holds(name: &str, model: LogModel) {
    let seen = search(model, None);
    seen.say(&format!("log: {name}"));
    assert_eq!(seen.violations, [], "{name}");
    assert_eq!(seen.unreached, [""; 0], "{name}: nothing was shown of these");
}

fn holds_without_examples(name: &str, model: LogModel) {
    let seen = search(model, None);
    seen.say(&format!("log: {name}"));
    assert_eq!(seen.violations, [], "{name}");
}

/// Breaks the property, by a shortest trace of so many steps, and no other property any sooner.
fn breaks(name: &str, model: LogModel, property: &'static str, steps: usize) {
    let seen = search(model, Some(property));
    seen.say(&format!("log: {name}"));
    let found = seen.violations.iter().find(|(violated, _)| *violated == property);
    assert_eq!(found.map(|(_, trace)| trace.len()), Some(steps), "{:#?}", seen.violations);
    let soonest = seen.violations.iter().map(|(_, trace)| trace.len()).min();
    assert_eq!(soonest, Some(steps), "{:#?}", seen.violations);
}
