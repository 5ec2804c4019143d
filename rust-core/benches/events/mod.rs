//! Debezium events as they really arrive: 13 columns, half creates, 40 % updates, the rest deletes.

use std::fmt::Write as _;

/// The columns: name, the rest of the Connect field.
const COLUMNS: &[(&str, &str)] = &[
    ("id", r#""type":"int64","optional":false"#),
    ("customer_id", r#""type":"int32","optional":false"#),
    ("name", r#""type":"string","optional":false"#),
    (
        "amount",
        r#""type":"bytes","optional":false,"name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"2","connect.decimal.precision":"18"}"#,
    ),
    ("quantity", r#""type":"int32","optional":false,"default":1"#),
    ("price", r#""type":"double","optional":true"#),
    (
        "status",
        r#""type":"string","optional":false,"name":"io.debezium.data.Enum","version":1,"parameters":{"allowed":"new,paid,shipped"},"default":"new""#,
    ),
    ("note", r#""type":"string","optional":true"#),
    ("active", r#""type":"boolean","optional":true"#),
    ("day", r#""type":"int32","optional":true,"name":"io.debezium.time.Date","version":1"#),
    (
        "created_at",
        r#""type":"int64","optional":false,"name":"io.debezium.time.MicroTimestamp","version":1,"default":0"#,
    ),
    (
        "updated_at",
        r#""type":"string","optional":true,"name":"io.debezium.time.ZonedTimestamp","version":1"#,
    ),
    ("channel", r#""type":"string","optional":true"#),
];

/// The payload of event number `at`.
pub(crate) fn payload(random: &mut fastrand::Rng, at: i64) -> String {
    let (op, before, after) = match random.u32(0..100) {
        0..50 => ("c", "null".into(), image(random, at)),
        50..90 => ("u", image(random, at), image(random, at)),
        _ => ("d", image(random, at), "null".into()),
    };
    let us = 1_795_254_760_459_974 + at * 1_731;
    let ms = us / 1_000;
    format!(
        r#"{{"before":{before},"after":{after},"source":{{"version":"3.6.1.Final","connector":"mysql","name":"shop","ts_ms":{ms},"snapshot":"false","db":"inventory","sequence":null,"ts_us":{us},"ts_ns":{us}000,"table":"orders","server_id":1,"gtid":"c5fc10bb-e590-11f1-b2cd-02fc00000001:{at}","file":"binlog.000001","pos":{},"row":0,"thread":20,"query":null}},"transaction":{{"id":"c5fc10bb-e590-11f1-b2cd-02fc00000001:{at}","total_order":1,"data_collection_order":1}},"op":"{op}","ts_ms":{ms},"ts_us":{us},"ts_ns":{us}141}}"#,
        6_918 + at * 411,
    )
}

fn image(random: &mut fastrand::Rng, at: i64) -> String {
    const NAMES: &[&str] =
        &["Ada Lovelace", "José Núñez", "O'Neil; \\\"Tim\\\"", "Grace Hopper", "Møller"];
    const NOTES: &[&str] = &["null", "\"gift, no bill\"", "\"two\\nlines\"", "\"door B, ring\""];
    const AMOUNTS: &[&str] = &["EtaH", "AdTA", "4ps=", "AlQL4/8=", "HL6ZGhQ="];
    let mut image = format!(r#"{{"id":{at},"customer_id":{}"#, random.u32(1_000..90_000));
    let mut field = |name: &str, value: &str| {
        let _ = write!(image, r#","{name}":{value}"#);
    };
    field("name", &format!("\"{}\"", NAMES[random.usize(0..NAMES.len())]));
    field("amount", &format!("\"{}\"", AMOUNTS[random.usize(0..AMOUNTS.len())]));
    field("quantity", &random.u32(1..20).to_string());
    field("price", &format!("{}.{:02}", random.u32(0..500), random.u32(0..100)));
    field("status", ["\"new\"", "\"paid\"", "\"shipped\""][random.usize(0..3)]);
    field("note", NOTES[random.usize(0..NOTES.len())]);
    field("active", ["true", "false", "null"][random.usize(0..3)]);
    field("day", &random.u32(18_000..21_000).to_string());
    field("created_at", &(1_772_352_900_000_001 + at * 977).to_string());
    field("updated_at", &format!("\"2026-03-{:02}T09:00:00Z\"", random.u32(1..29)));
    field("channel", ["\"web\"", "\"shop\"", "null"][random.usize(0..3)]);
    image + "}"
}

/// The same events as the topic with schemas carries them.
pub(crate) fn with_schema(payloads: &[String]) -> Vec<String> {
    let schema = schema();
    let whole = |payload| format!("{{\"schema\":{schema},\"payload\":{payload}}}");
    payloads.iter().map(whole).collect()
}

/// The schema of all of them.
fn schema() -> String {
    let field = |(name, json): &(&str, &str)| format!(r#"{{{json},"field":"{name}"}}"#);
    let row = COLUMNS.iter().map(field).collect::<Vec<_>>().join(",");
    let of = |literal: &str, names: &str| {
        let one = |n: &str| format!(r#"{{"type":"{literal}","optional":true,"field":"{n}"}}"#);
        names.split(' ').map(one).collect::<Vec<_>>().join(",")
    };
    let image = |name: &str| {
        format!(
            r#"{{"type":"struct","fields":[{row}],"optional":true,"name":"shop.inventory.orders.Value","field":"{name}"}}"#
        )
    };
    format!(
        r#"{{"type":"struct","fields":[{},{},{{"type":"struct","fields":[{},{},{},{},{},{},{},{},{}],"optional":false,"name":"io.debezium.connector.mysql.Source","version":1,"field":"source"}},{{"type":"struct","fields":[{},{}],"optional":true,"name":"event.block","version":1,"field":"transaction"}},{},{}],"optional":false,"name":"shop.inventory.orders.Envelope","version":2}}"#,
        image("before"),
        image("after"),
        of("string", "version connector name"),
        of("int64", "ts_ms"),
        of("string", "snapshot db sequence"),
        of("int64", "ts_us ts_ns"),
        of("string", "table"),
        of("int64", "server_id"),
        of("string", "gtid file"),
        of("int64", "pos row thread"),
        of("string", "query"),
        of("string", "id"),
        of("int64", "total_order data_collection_order"),
        of("string", "op"),
        of("int64", "ts_ms ts_us ts_ns"),
    )
}
