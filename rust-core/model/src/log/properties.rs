//! What must always hold of the log, and what must be reachable, or nothing was shown.

use super::LogModel;
use super::state::{File, Kind, NONE, Phase, State, ids, wrong};
use stateright::Property;

/// All properties; the text is what tests name them by.
pub(super) fn all() -> Vec<Property<LogModel>> {
    let mut all = always();
    all.extend(sometimes());
    all
}

fn always() -> Vec<Property<LogModel>> {
    vec![
        Property::always("each row is visible at most once", |m: &LogModel, s: &State| {
            m.found.first_time(0, s.wrong & wrong::TWICE == 0 && !is_twice(s))
        }),
        Property::always("what is visible is committed", |m: &LogModel, s: &State| {
            let stray = s.recs.iter().any(|rec| !rec.chain && rec.files.iter().any(|f| f.seen()));
            m.found.first_time(1, s.wrong & wrong::UNCOMMITTED == 0 && !stray)
        }),
        Property::always("the chain is contiguous", |m: &LogModel, s: &State| {
            m.found.first_time(2, s.wrong & wrong::NOT_CONTIGUOUS == 0)
        }),
        Property::always("the next offset never goes back", |m: &LogModel, s: &State| {
            m.found.first_time(3, s.wrong & wrong::BACKWARDS == 0)
        }),
        Property::always("what records carry is not lost", |m: &LogModel, s: &State| {
            m.found.first_time(11, s.wrong & wrong::NOT_CARRIED == 0)
        }),
        Property::always("no committed file is lost", |m: &LogModel, s: &State| {
            let gone = s.recs.iter().any(|rec| rec.chain && rec.files.contains(&File::Gone));
            m.found.first_time(4, s.wrong & wrong::LOST == 0 && !gone)
        }),
        Property::always("what is unfinished can be reached from the head", |m, s: &State| {
            m.found.first_time(5, is_reachable(s))
        }),
        Property::always("settled means visible", |m: &LogModel, s: &State| {
            m.found.first_time(6, is_settled_visible(s))
        }),
        Property::always("nobody is fenced by its own record", |m: &LogModel, s: &State| {
            m.found.first_time(7, s.wrong & wrong::SELF_FENCED == 0)
        }),
        Property::always("nobody finds the log damaged or a file lost", |m, s: &State| {
            m.found.first_time(8, s.owners.iter().all(|owner| owner.phase != Phase::Failed))
        }),
        Property::always("the model has room", |m: &LogModel, s: &State| {
            m.found.first_time(9, s.wrong & wrong::NO_ROOM == 0)
        }),
        Property::always("one owner left alone makes everything visible", |m, s: &State| {
            m.found.first_time(10, !m.healing || m.heals(s))
        }),
    ]
}

fn sometimes() -> Vec<Property<LogModel>> {
    vec![
        Property::sometimes("fenced", |m: &LogModel, s: &State| {
            m.found.example(16, s.owners.iter().any(|owner| owner.phase == Phase::Fenced))
        }),
        Property::sometimes("resurrected and rejected", |m: &LogModel, s: &State| {
            m.found.example(
                17,
                s.owners.iter().any(|owner| {
                    let verify = owner.phase == Phase::Verify;
                    verify && !s.rec(owner.cur).chain && s.rec(owner.cur).kind == Kind::Commit
                }),
            )
        }),
        Property::sometimes("own record found by its nonce", |m: &LogModel, s: &State| {
            m.found.example(
                18,
                s.owners.iter().any(|owner| {
                    let asks = matches!(owner.phase, Phase::Refused | Phase::Unknown);
                    asks && s.live[s.rec(owner.cur).seq as usize] == owner.cur
                }),
            )
        }),
        Property::sometimes("recovered by another owner", |m: &LogModel, s: &State| {
            m.found.example(
                19,
                s.owners
                    .iter()
                    .zip(0..)
                    .any(|(owner, o)| owner.phase == Phase::Recover && s.rec(owner.at).owner != o),
            )
        }),
        Property::sometimes("everything is visible and settled", |m: &LogModel, s: &State| {
            let all = ((1u16 << (m.offsets * 2)) - 1) as u8;
            m.found.example(20, s.visible() == all && s.unsettled() == 0)
        }),
        Property::sometimes("recovered by a third owner", |m: &LogModel, s: &State| {
            m.found.example(
                21,
                m.owners < 3
                    || s.owners.iter().zip(0u8..).any(|(owner, o)| {
                        owner.phase == Phase::Recover && {
                            let rec = s.rec(owner.at);
                            rec.owner != o && rec.claimed_by & !(1 << o | 1 << rec.owner) != 0
                        }
                    }),
            )
        }),
    ]
}

fn is_twice(state: &State) -> bool {
    let mut seen = state.rows;
    state.recs.iter().map(State::rows_of).any(|rows| {
        let twice = seen & rows != 0;
        seen |= rows;
        twice
    })
}

/// Every commit with an invisible file is in the head's `unsettled`, and its record is there.
fn is_reachable(state: &State) -> bool {
    let listed = state.unsettled();
    let unfinished = state.recs.iter().zip(0u16..).all(|(rec, id)| {
        !rec.chain || !rec.files.iter().any(|f| f.is_open()) || listed & (1 << id) != 0
    });
    unfinished && ids(listed).all(|id| state.live[state.rec(id).seq as usize] == id)
}

/// What an owner may tell Kafka's group: the next offset of its log when nothing is pending.
fn is_settled_visible(state: &State) -> bool {
    let told = state.owners.iter().filter(|o| o.phase == Phase::Ready && o.head != NONE);
    let visible = state.visible();
    told.map(|owner| state.rec(owner.head).next).all(|next| {
        let below = ((1u16 << (next * 2)) - 1) as u8;
        visible & below == below
    })
}
