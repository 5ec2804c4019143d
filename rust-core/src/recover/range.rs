//! Records that Kafka expired before they were read: seen at the open of a log, and told by name
//! or put on record, as `range.lost` says. Nothing goes on beyond them unsaid.

use super::{Claimed, LogContext};
use crate::error::{Error, Kind, Result};
use crate::log::RecordKind;

/// Below this many offsets they may have been no records at all.
const MAYBE_MARKERS: i64 = 1_000;

/// Holds the log's next offset against the earliest that Kafka still has.
///
/// # Errors
/// `RangeLost`, unless `range.lost=record`.
pub(super) async fn check(context: &LogContext, claimed: &mut Claimed, now_ms: i64) -> Result<()> {
    let (Some(facts), Some(next)) = (&context.facts, claimed.state.next) else { return Ok(()) };
    let earliest = facts.earliest;
    if earliest <= next {
        return Ok(());
    }
    if !context.identity.record_losses {
        return Err(lost(next, earliest));
    }
    let mut record = context.record(&claimed.state, RecordKind::Loss, Some(earliest), now_ms);
    record.gaps.note(next, next, earliest, Some("expired"));
    claimed.log.commit(&record).await?;
    context.metrics.ranges_lost.add(1);
    tracing::error!(
        tp = %context.tp, from = next, earliest,
        "Kafka expired these offsets before they were read; it is on record, going on behind them"
    );
    claimed.state = claimed.state.after(&record);
    Ok(())
}

fn lost(next: i64, earliest: i64) -> Error {
    let maybe = if earliest - next <= MAYBE_MARKERS {
        " (or, where they were markers of transactions only, nothing was lost; nobody can tell \
         any more)"
    } else {
        ""
    };
    Error::new(
        Kind::RangeLost,
        format!(
            "range lost: Kafka expired {} offsets before they were read, so their records cannot \
             become rows{maybe}. Restore the topic, or set range.lost=record: the sink then goes \
             on at the earliest offset, and the commit log says what is missing",
            earliest - next
        ),
    )
    .with("next", next)
    .with("earliest", earliest)
}
