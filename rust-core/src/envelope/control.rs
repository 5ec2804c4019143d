//! Records that are no table data. In: a schema's name, or the keys of a record without schema.
//! Out: the reason they are skipped and counted under. Never takes a change event for one.

/// The reason for records that are neither change events nor known control records.
pub(super) const NOT_AN_EVENT: &str = "the record is not a Debezium change event: it has no `op`. Take the topic out of `topics`, \
     or, if an SMT of the source unwraps events (ExtractNewRecordState), set input.format to auto \
     or json";

const SCHEMA_CHANGE: &str = "schema_change";
const TRANSACTION: &str = "transaction_metadata";
const HEARTBEAT: &str = "heartbeat";
const NOTIFICATION: &str = "notification";

/// Whether fields of these names make a change event. A table may well have a column `op`.
pub(super) fn is_event(has: &dyn Fn(&str) -> bool) -> bool {
    has("op") && ["before", "after", "source"].iter().any(|name| has(name))
}

/// What a payload schema's name says.
pub(super) fn by_schema(name: &str) -> Option<&'static str> {
    let name = name.strip_prefix("io.debezium.connector.")?;
    let known = [
        (".SchemaChangeValue", SCHEMA_CHANGE),
        (".TransactionMetadataValue", TRANSACTION),
        (".Heartbeat", HEARTBEAT),
        (".Notification", NOTIFICATION),
    ];
    known.iter().find(|(end, _)| name.ends_with(end)).map(|(_, reason)| *reason)
}

/// What the keys of a payload without `op` say.
pub(super) fn by_keys(keys: &[&str]) -> Option<&'static str> {
    let all = |wanted: &[&str]| wanted.iter().all(|key| keys.contains(key));
    if all(&["source", "databaseName", "ddl", "tableChanges"]) {
        Some(SCHEMA_CHANGE)
    } else if all(&["status", "id", "event_count", "data_collections"]) {
        Some(TRANSACTION)
    } else if keys == ["ts_ms"] {
        Some(HEARTBEAT)
    } else if all(&["id", "aggregate_type", "type", "additional_data"]) {
        Some(NOTIFICATION)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_records_are_known_by_name_and_by_keys() {
        let cases = [
            ("io.debezium.connector.mysql.SchemaChangeValue", Some("schema_change")),
            ("io.debezium.connector.common.TransactionMetadataValue", Some("transaction_metadata")),
            ("io.debezium.connector.common.Heartbeat", Some("heartbeat")),
            ("io.debezium.connector.common.Notification", Some("notification")),
            ("shop.inventory.Heartbeat", None),
            ("shop.inventory.orders.Envelope", None),
        ];
        for (name, expected) in cases {
            assert_eq!(by_schema(name), expected, "{name}");
        }
        assert_eq!(by_keys(&["ts_ms"]), Some("heartbeat"));
        assert_eq!(by_keys(&["ts_ms", "id"]), None);
        let begin = ["status", "id", "event_count", "data_collections", "ts_ms"];
        assert_eq!(by_keys(&begin), Some("transaction_metadata"));
        assert_eq!(by_keys(&["id", "type", "data"]), None, "a table may well have these");
        let told = ["id", "aggregate_type", "type", "additional_data", "timestamp"];
        assert_eq!(by_keys(&told), Some("notification"));
        assert_eq!(by_keys(&[]), None);
    }
}
