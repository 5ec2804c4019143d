//! What must always hold between Kafka, Connect and the log, and what must be reachable.

use super::state::{Message, Phase, State, below, wrong};
use super::{ConnectModel, is_running};
use stateright::Property;

/// All properties; the text is what tests name them by.
pub(super) fn all() -> Vec<Property<ConnectModel>> {
    let mut all = always();
    all.extend(sometimes());
    all
}

fn always() -> Vec<Property<ConnectModel>> {
    vec![
        Property::always("each row is visible at most once", |m: &ConnectModel, s: &State| {
            m.found.first_time(0, s.wrong & wrong::TWICE == 0)
        }),
        Property::always("no row below the log's next offset is missing", |m, s: &State| {
            m.found.first_time(1, is_complete(m, s))
        }),
        Property::always("every offset of the log is a row or a gap", |m, s: &State| {
            m.found.first_time(2, is_accounted(m, s))
        }),
        Property::always("the chain is contiguous", |m: &ConnectModel, s: &State| {
            m.found.first_time(3, s.wrong & wrong::NOT_CONTIGUOUS == 0)
        }),
        Property::always("what we answer is not above the log", |m: &ConnectModel, s: &State| {
            m.found.first_time(4, !s.ours || s.log.next.is_some_and(|next| s.group <= Some(next)))
        }),
        Property::always("the books of a cut agree", |m: &ConnectModel, s: &State| {
            m.found.first_time(5, s.wrong & wrong::BOOKS == 0)
        }),
        Property::always("no offsets go backwards within a life", |m: &ConnectModel, s: &State| {
            m.found.first_time(6, s.wrong & wrong::REGRESSION == 0)
        }),
        Property::always("one worker left alone makes everything visible", |m, s: &State| {
            m.found.first_time(7, !m.healing || s.wrong != 0 || m.heals(s))
        }),
    ]
}

fn sometimes() -> Vec<Property<ConnectModel>> {
    vec![
        Property::sometimes("fenced", |m: &ConnectModel, s: &State| {
            m.found.example(16, s.workers.iter().any(|w| w.task.phase == Phase::Fenced))
        }),
        Property::sometimes("opened again with unknown next", |m: &ConnectModel, s: &State| {
            let again = |w: &super::Worker| is_running(w) && w.task.generation > 1;
            m.found.example(17, s.log.next.is_none() && s.workers.iter().any(again))
        }),
        Property::sometimes("a stale start is dropped", |m: &ConnectModel, s: &State| {
            m.found.example(
                18,
                s.workers.iter().any(|worker| {
                    let ours = worker.lane.as_ref().and_then(|lane| lane.log).map(|(ours, _)| ours);
                    matches!(worker.queue.first(), Some(Message::Start { epoch, .. })
                    if ours.is_some_and(|ours| ours != *epoch))
                }),
            )
        }),
        Property::sometimes(
            "a record of a stale life is dropped",
            |m: &ConnectModel, s: &State| {
                m.found.example(
                    19,
                    s.workers.iter().any(|worker| {
                        let life = worker.lane.as_ref().and_then(|lane| lane.life);
                        matches!(worker.queue.first(), Some(Message::Records { generation, .. })
                    if life.is_none_or(|life| life.generation != *generation))
                    }),
                )
            },
        ),
        Property::sometimes(
            "a record of a closed lane is refused",
            |m: &ConnectModel, s: &State| {
                m.found.example(
                    20,
                    s.workers
                        .iter()
                        .any(|worker| worker.orphan.is_some_and(|job| job.epoch != s.log.epoch)),
                )
            },
        ),
        Property::sometimes("everything is visible and the group knows", |m, s: &State| {
            m.found.example(21, m.is_whole(s) && s.ours && s.group == s.log.next)
        }),
    ]
}

/// No row that Kafka still has lies below the log's next offset and is not visible.
fn is_complete(model: &ConnectModel, state: &State) -> bool {
    let Some(next) = state.log.next else { return true };
    model.rows(state) & below(next) & !state.log.visible == 0
}

/// From the log's first offset to its next, each offset is either visible or noted as a gap, and a
/// gap is a record that was dropped, a marker, or one that retention took.
fn is_accounted(model: &ConnectModel, state: &State) -> bool {
    let log = &state.log;
    let Some(next) = log.next else { return log.visible == 0 && log.gaps == 0 };
    let range = below(next) & !below(log.start);
    let honest = log.gaps & model.rows(state) == 0;
    honest && log.visible ^ log.gaps == range && log.visible & log.gaps == 0
}
