//! Whether what Kafka is asked about is what the log was written from (`docs/delivery.md`,
//! identity): in go facts and what earlier owners wrote down, out come decisions. Pure.

use super::facts::{Facts, GroupOffset};
use crate::error::{Error, Kind, Result};
use crate::log::Link;
use uuid::Uuid;

/// The ids a life of a topic is known by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct KnownIds {
    pub(super) topic_id: Option<String>,
    pub(super) cluster_id: Option<String>,
}

/// What a topic's id says of the newest generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    /// It is this life of the topic.
    Same,
    /// Nobody wrote its id down yet: we do.
    WriteDown,
    /// It is an earlier life's: the broker that answered is behind. Ask again.
    Stale,
    /// The topic was deleted and created again.
    Reborn,
}

/// Compares the topic's id with that of the newest generation, and with those of earlier ones.
pub(super) fn decide(facts: &Facts, newest: &KnownIds, earlier: &[KnownIds]) -> Decision {
    let Some(ours) = &facts.topic_id else { return Decision::Same };
    match &newest.topic_id {
        Some(newest) if newest == ours => Decision::Same,
        // Only a new id begins a generation, or an operator, of the same topic.
        None => Decision::WriteDown,
        // Kafka never gives an id a second time.
        Some(_) if earlier.iter().any(|life| life.topic_id.as_ref() == Some(ours)) => {
            Decision::Stale
        }
        Some(_) => Decision::Reborn,
    }
}

/// Refuses offsets of another cluster: they mean other records.
///
/// # Errors
/// `Ownership`, naming both.
pub(super) fn same_cluster(facts: &Facts, known: Option<&str>, key: &str) -> Result<()> {
    match (known, facts.cluster_id.as_deref()) {
        (Some(theirs), Some(ours)) if theirs != ours => Err(Error::new(
            Kind::Ownership,
            format!(
                "this topic was laid down from the Kafka cluster {theirs}, and \
                 admin.bootstrap.servers leads to {ours}: the offsets of two clusters must not be \
                 mixed in one commit log. Correct admin.bootstrap.servers, or give the sink a \
                 lake.url of its own for the other cluster"
            ),
        )
        .with("key", key)),
        _ => Ok(()),
    }
}

/// What the group's metadata says of the log that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Folder {
    /// Nothing, or that it is the right one.
    Right,
    /// The group was last committed by the owner of another log.
    Other(Uuid),
    /// The right log, without its last records.
    Behind(u64),
}

/// Compares the log that the group's metadata names with the log found; `head` is its newest
/// record and its id, `None` when it is empty.
pub(super) fn folder(group: Option<&GroupOffset>, head: Option<(Link, Uuid)>) -> Folder {
    let Some((named, seq)) = group.and_then(GroupOffset::names) else { return Folder::Right };
    match head {
        // What a group was told is on record before it is told.
        Some((head, log)) if log == named && head.seq < seq => Folder::Behind(seq),
        Some((_, log)) if log == named => Folder::Right,
        _ => Folder::Other(named),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(topic: &str) -> Facts {
        let name = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Facts { topic_id: name(topic), cluster_id: name("k1"), ..Facts::default() }
    }

    fn known(topic: &str) -> KnownIds {
        KnownIds { topic_id: facts(topic).topic_id, cluster_id: None }
    }

    #[test]
    fn a_topic_id_tells_lives_of_a_topic_apart() {
        let cases = [
            ("b", "b", vec!["a"], Decision::Same),
            ("b", "a", vec![], Decision::Reborn),
            ("a", "b", vec!["a"], Decision::Stale),
            ("c", "b", vec!["a", ""], Decision::Reborn),
            ("a", "", vec![], Decision::WriteDown),
            ("a", "", vec!["a"], Decision::WriteDown),
            ("", "b", vec!["a"], Decision::Same),
        ];
        for (ours, newest, earlier, expected) in cases {
            let earlier: Vec<_> = earlier.into_iter().map(known).collect();
            let found = decide(&facts(ours), &known(newest), &earlier);
            assert_eq!(found, expected, "{ours:?} against {newest:?}, {earlier:?}");
        }
    }

    #[test]
    fn another_cluster_is_refused_by_both_names() {
        same_cluster(&facts("t"), None, "k").unwrap();
        same_cluster(&facts("t"), Some("k1"), "k").unwrap();
        same_cluster(&Facts::default(), Some("k2"), "k").unwrap();
        let error = same_cluster(&facts("t"), Some("k2"), "k").unwrap_err();
        assert_eq!(error.kind(), Kind::Ownership);
        assert!(error.to_string().contains("k2") && error.to_string().contains("k1"), "{error}");
    }

    #[test]
    fn the_groups_metadata_must_name_the_log_that_is_there() {
        let (log, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let ours = GroupOffset { offset: 9, metadata: format!("alluvium/{log}/4") };
        let at = |seq, id| Some((Link { seq, nonce: log }, id));
        assert_eq!(folder(Some(&ours), at(4, log)), Folder::Right);
        assert_eq!(folder(Some(&ours), at(5, log)), Folder::Right);
        assert_eq!(folder(Some(&ours), at(3, log)), Folder::Behind(4));
        assert_eq!(folder(Some(&ours), at(9, other)), Folder::Other(log));
        assert_eq!(folder(Some(&ours), None), Folder::Other(log));
        let by_hand = GroupOffset { offset: 9, metadata: String::new() };
        assert_eq!(folder(Some(&by_hand), None), Folder::Right);
        assert_eq!(folder(None, at(1, log)), Folder::Right);
    }
}
