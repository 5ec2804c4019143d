//! The program on a real S3 server, reached as a connector reaches it.

// Clippy's own exception covers functions marked as tests, not those that they share.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, dead_code)]

mod common;

use alluvium_core::store;
use alluvium_testkit::weed::{ADMIN, Weed};
use common::{Table, kinds, offsets, run};
use serde_json::{Value, json};

const URL: &str = "s3://lake/cli/cdc";

#[test]
fn a_table_on_s3_is_verified_and_what_is_taken_away_is_named() {
    let weed = Weed::shared();
    let keys = vec![
        ("s3.endpoint", weed.endpoint()),
        ("s3.access.key.id", ADMIN.0.to_owned()),
        ("s3.secret.access.key", ADMIN.1.to_owned()),
    ];
    let mut table = Table::on_store(URL, keys.clone());
    table.insert(0, 30);
    table.lay_down(&[0], 10);

    let file = table.path("connector.json");
    let mut config: Value = json!({ "lake.url": URL });
    for (key, value) in keys {
        config[key] = value.into();
    }
    let posted = json!({ "name": "orders-lake", "config": config });
    std::fs::write(&file, posted.to_string()).unwrap();
    let alluvium =
        |arguments: &[&str]| run(&[&["--config", file.to_str().unwrap()], arguments].concat(), "");

    let said = alluvium(&["verify", "--json"]);
    let last = said.json().pop().unwrap();
    assert_eq!((said.code, &last["summary"]["rows"]), (0, &30.into()), "{said:?}");
    let listed = alluvium(&["files", "--json"]).json();
    let prefix = "s3://lake/cli/cdc/orders/dt=2026-01-01/hour=";
    assert!(listed.iter().all(|f| f["url"].as_str().unwrap().starts_with(prefix)), "{listed:?}");

    let victim = &listed[0];
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let lake = store::open(&table.config(10)).unwrap();
        lake.table.store.delete(victim["key"].as_str().unwrap()).await.unwrap();
        let stray = lake.table.key("orders/stray.parquet");
        lake.table.store.create(&stray, bytes::Bytes::from_static(b"no Parquet")).await;
    });
    let said = alluvium(&["verify", "--json"]);
    let mut findings = said.json();
    findings.pop();
    assert_eq!(said.code, 1);
    assert_eq!(kinds(&findings), ["foreign-file", "missing-file", "missing-offset"]);
    let number = |name: &str| victim[name].as_i64().unwrap();
    let range = (number("first_offset"), number("last_offset") + 1);
    assert_eq!(offsets(&findings, "missing-offset"), [range]);

    let said = alluvium(&["--set", "s3.secret.access.key=wrong", "log"]);
    assert_eq!(said.code, 3, "{said:?}");
    assert!(!said.err.contains("wrong"), "{}", said.err);
}
