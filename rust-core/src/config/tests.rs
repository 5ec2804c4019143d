use super::keys::Secrecy;
use super::*;
use std::collections::BTreeMap;

const MINIMAL: &[(&str, &str)] = &[("lake.url", "s3://lake/cdc")];

fn properties(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
}

fn parse(pairs: &[(&str, &str)]) -> Result<Config, Vec<ConfigError>> {
    let mut all = properties(MINIMAL);
    all.extend(properties(pairs));
    Config::parse(&all, "orders-lake")
}

#[test]
fn one_key_is_enough_and_the_defaults_are_the_documented_ones() {
    let config = parse(&[]).unwrap();
    let expected = Config {
        lake_url: "s3://lake/cdc".into(),
        meta_url: "s3://lake/cdc.alluvium".into(),
        sink_id: "orders-lake".into(),
        s3: S3Config {
            endpoint: None,
            region: "us-east-1".into(),
            access_key_id: None,
            secret_access_key: None,
            session_token: None,
            path_style: false,
            proxy_url: None,
            part_size: 8 << 20,
            concurrency: 16,
            retry_max_ms: 120_000,
            objects: S3Objects::default(),
        },
        admin: false,
        event_time: EventTimeSource::SourceTs,
        event_time_fallback: vec![EventTimeSource::SourceTs, EventTimeSource::Kafka],
        event_time_zone: chrono_tz::UTC,
        partition_timezone: chrono_tz::UTC,
        partition_path: "{topic}/dt={event_time:%Y-%m-%d}/hour={event_time:%H}".into(),
        input: super::InputFormat::Auto,
        columns_types: vec![],
        rows: RowsConfig::default(),
        format: FileFormat::Parquet(ParquetConfig {
            compression: Compression::Zstd(1),
            row_group_rows: 65_536,
            bloom_columns: vec![],
            sort_columns: vec![],
        }),
        commit_interval_ms: 60_000,
        commit_max_records: None,
        commit_max_bytes: 1 << 30,
        commit_max_files: 1_000,
        file_max_bytes: 256 << 20,
        file_max_records: None,
        close_flush_ms: 3_000,
        guarantee: Guarantee::ExactlyOnce,
        memory_limit_bytes: 256 << 20,
        upload_max_age_ms: 6 * 3_600_000,
        isolate_failures: false,
        rebuild_lost: false,
        record_losses: false,
        log_bootstrap: false,
        rewind_allowed: false,
        publish: PublishChoice::Auto,
        errant_max_ratio: 0.5,
        core_threads: None,
        tolerate_errors: false,
        fingerprint: r#"{"lake.url":"s3://lake/cdc"}"#.into(),
    };
    assert_eq!(config, expected);
}

#[test]
fn given_values_are_read() {
    let config = parse(&[
        ("lake.url", " file:///data/lake/ "),
        ("lake.meta.url", "file:///data/log/"),
        ("sink.id", "my-sink"),
        ("s3.endpoint", "http://127.0.0.1:8333/"),
        ("s3.access.key.id", "id"),
        ("s3.secret.access.key", "hush"),
        ("event.time", "after.created.at"),
        ("event.time.fallback", "ts_us, after.x,fail"),
        ("event.time.zone", "Europe/Berlin"),
        ("partition.timezone", "America/New_York"),
        ("columns.types", "price:decimal(10,2), at:timestamp"),
        ("parquet.compression", "gzip"),
        ("parquet.compression.level", "6"),
        ("commit.max.records", "5"),
        ("file.max.records", "4"),
        ("partition.failure", "isolate"),
        ("log.bootstrap", "TRUE"),
        ("errant.max.ratio", "0.25"),
        ("core.threads", "3"),
        ("errors.tolerance", "ALL"),
        ("s3.region", ""),
        ("topics", "orders_cdc"),
    ])
    .unwrap();
    assert_eq!(config.lake_url, "file:///data/lake");
    assert_eq!(config.meta_url, "file:///data/log");
    assert_eq!(config.sink_id, "my-sink");
    assert_eq!(config.s3.endpoint.as_deref(), Some("http://127.0.0.1:8333"));
    assert!(config.s3.path_style, "follows the endpoint");
    assert_eq!(config.s3.secret_access_key, Some(Secret("hush".into())));
    assert_eq!(config.s3.region, "us-east-1", "empty counts as not given");
    assert_eq!(config.event_time, EventTimeSource::Column("created.at".into()));
    let column = EventTimeSource::Column("x".into());
    assert_eq!(config.event_time_fallback, [EventTimeSource::EnvelopeTs, column]);
    assert_eq!(config.event_time_zone, chrono_tz::Europe::Berlin);
    assert_eq!(config.partition_timezone, chrono_tz::America::New_York);
    let types = [("price", "decimal(10,2)"), ("at", "timestamp")];
    assert_eq!(config.columns_types, types.map(|(n, t)| (n.to_owned(), t.to_owned())));
    let FileFormat::Parquet(parquet) = &config.format else { panic!("{:?}", config.format) };
    assert_eq!(parquet.compression, Compression::Gzip(6));
    assert_eq!((config.commit_max_records, config.file_max_records), (Some(5), Some(4)));
    assert!(config.isolate_failures && config.log_bootstrap && config.tolerate_errors);
    assert_eq!((config.errant_max_ratio, config.core_threads), (0.25, Some(3)));
    assert!(config.fingerprint.starts_with(r#"{"columns.types":"price:"#));
    for hidden in ["hush", "s3.access.key.id", "orders_cdc"] {
        assert!(!config.fingerprint.contains(hidden), "{hidden} in {}", config.fingerprint);
    }
    assert!(!format!("{config:?}").contains("hush"));
}

#[test]
fn the_hash_is_that_of_what_was_given() {
    let hash = parse(&[]).unwrap().fingerprint_hash();
    let expected = "4a5cb768a065aa1629ed604824292e6b2c2a771bd72418204ec89c819fe14a26";
    assert_eq!(hash, expected, "SHA-256 of {{\"lake.url\":\"s3://lake/cdc\"}}");
    let secret = &[("s3.access.key.id", "a"), ("s3.secret.access.key", "b")];
    assert_eq!(parse(secret).unwrap().fingerprint_hash(), expected, "keys may be rotated");
    assert_ne!(parse(&[("commit.interval.ms", "5000")]).unwrap().fingerprint_hash(), expected);
}

#[test]
fn what_objects_are_written_with() {
    let config = parse(&[
        ("s3.sse", "aws:kms"),
        ("s3.sse.kms.key.id", "arn:aws:kms:us-east-1:1:key/a"),
        ("s3.checksum", "crc64nvme"),
        ("s3.tags", "team=lake, cost center=a=b,empty="),
        ("s3.storage.class", "STANDARD_IA"),
    ]);
    let own = |text: &str| Some(text.to_owned());
    let tags = [("team", "lake"), ("cost center", "a=b"), ("empty", "")];
    let expected = S3Objects {
        sse: own("aws:kms"),
        kms_key_id: own("arn:aws:kms:us-east-1:1:key/a"),
        checksum: own("crc64nvme"),
        tags: tags.map(|(n, v)| (n.to_owned(), v.to_owned())).to_vec(),
        storage_class: own("STANDARD_IA"),
    };
    assert_eq!(config.unwrap().s3.objects, expected);
}

#[test]
fn parts_are_as_large_as_the_largest_file_needs() {
    let least = 8 << 20;
    for (file, size) in [
        (1, least),
        // Twice this is 10,000 parts of 8 MiB to the byte.
        (5_000 * (8 << 20), least),
        (5_000 * (8 << 20) + 1, 9 << 20),
        (rules::FILE_MAX, 525 << 20),
    ] {
        let part = rules::part_size(least, file);
        assert_eq!(part, size, "{file}");
        assert!(part as u64 * rules::PARTS_MAX >= 2 * file, "{file}");
    }
    assert!(
        parse(&[("file.max.bytes", "83886080001")]).is_ok(),
        "parts grow, files need not shrink"
    );
}

#[test]
fn the_log_lies_beside_the_table() {
    let meta = |url| parse(&[("lake.url", url)]).map(|c| c.meta_url);
    assert_eq!(meta("s3://b/a/b/").unwrap(), "s3://b/a/b.alluvium");
    assert_eq!(meta("file:///t").unwrap(), "file:///t.alluvium");
    let other_bucket = parse(&[("lake.url", "s3://b"), ("lake.meta.url", "s3://c")]).unwrap();
    assert_eq!((&*other_bucket.lake_url, &*other_bucket.meta_url), ("s3://b", "s3://c"));
    let alike = parse(&[("lake.url", "s3://b/cdc"), ("lake.meta.url", "s3://b/cdc2")]);
    assert!(alike.is_ok(), "a name that only begins alike is another folder");
}

/// What is configured, the key to blame, what the message must say.
type Bad = (&'static [(&'static str, &'static str)], &'static str, &'static str);

const BAD: &[Bad] = &[
    (&[("lake.url", "")], "lake.url", "is missing"),
    (&[("lake.url", "gs://b/x")], "lake.url", "s3://bucket/path or file:///path"),
    (&[("lake.url", "/data")], "lake.url", "s3://bucket/path or file:///path"),
    (&[("lake.url", "file://host/x")], "lake.url", "file:///path"),
    (&[("lake.url", "file:///")], "lake.url", "a folder below /"),
    (&[("lake.url", "s3:///x")], "lake.url", "s3://bucket/path"),
    (&[("lake.url", "s3://b/a//c")], "lake.url", "empty, . or .."),
    (&[("lake.url", "s3://b/../c")], "lake.url", "empty, . or .."),
    (&[("lake.url", "s3://b/a*")], "lake.url", "must not contain"),
    (&[("lake.url", "s3://key:pw@b/a")], "lake.url", "credentials go into"),
    (&[("lake.url", "s3://b")], "lake.meta.url", "a whole bucket"),
    (&[("lake.meta.url", "s3://lake/cdc/log")], "lake.meta.url", "must not lie in"),
    (&[("lake.meta.url", "s3://lake/cdc")], "lake.meta.url", "must not lie in"),
    (&[("lake.meta.url", "s3://lake")], "lake.meta.url", "must not hold"),
    (&[("lake.meta.url", "file:///x")], "lake.meta.url", "must be a s3:// URL"),
    (&[("lake.meta.url", "x")], "lake.meta.url", "s3://bucket/path"),
    (&[("sink.id", "a/b")], "sink.id", "a folder's name"),
    (&[("sink.id", "..")], "sink.id", "a folder's name"),
    (&[("sink.id", "a\u{1}b")], "sink.id", "control characters"),
    (&[("s3.endpoint", "localhost:9000")], "s3.endpoint", "http://host:port"),
    (&[("s3.endpoint", "http://")], "s3.endpoint", "http://host:port"),
    (&[("s3.endpoint", "http://u:p@host")], "s3.endpoint", "user or password"),
    (&[("s3.proxy.url", "host:80")], "s3.proxy.url", "http://host:port"),
    (&[("s3.access.key.id", "x")], "s3.secret.access.key", "given with s3.access.key.id"),
    (&[("s3.secret.access.key", "x")], "s3.access.key.id", "given with s3.secret"),
    (&[("s3.session.token", "x")], "s3.session.token", "needs s3.access.key.id"),
    (&[("s3.path.style", "yes")], "s3.path.style", "true or false"),
    (&[("s3.part.size", "5242879")], "s3.part.size", "from 5242880 to"),
    (&[("s3.part.size", "8MiB")], "s3.part.size", "a number from"),
    (&[("s3.concurrency", "0")], "s3.concurrency", "from 1 to"),
    (&[("s3.retry.max.ms", "-1")], "s3.retry.max.ms", "from 0 to"),
    (&[("s3.sse", "sse-c")], "s3.sse", "AES256, aws:kms, aws:kms:dsse"),
    (&[("s3.sse.kms.key.id", "k")], "s3.sse.kms.key.id", "needs s3.sse=aws:kms"),
    (&[("s3.sse.kms.key.id", "k"), ("s3.sse", "AES256")], "s3.sse.kms.key.id", "needs s3.sse"),
    (&[("s3.sse", "aws:kms"), ("s3.sse.kms.key.id", "k\u{e4}")], "s3.sse.kms.key.id", "ASCII"),
    (&[("s3.checksum", "md5")], "s3.checksum", "sha256, crc64nvme"),
    (&[("s3.tags", "team")], "s3.tags", "name=value"),
    (&[("s3.tags", "=x")], "s3.tags", "name=value"),
    (&[("s3.tags", "a=1,a=2")], "s3.tags", "the tag a twice"),
    (&[("s3.tags", "a=1?")], "s3.tags", "name=value"),
    (&[("s3.tags", "0=,1=,2=,3=,4=,5=,6=,7=,8=,9=,10=")], "s3.tags", "at most 10"),
    (&[("s3.storage.class", "standard")], "s3.storage.class", "STANDARD_IA"),
    (&[("s3.storage.class", "GLACIER")], "s3.storage.class", "read at once"),
    (&[("columns.types", "price")], "columns.types", "column:type"),
    (&[("columns.types", "price:,")], "columns.types", "column:type"),
    (&[("columns.types", "a:int,a:long")], "columns.types", "a twice"),
    (&[("parquet.compression", "brotli")], "parquet.compression", "zstd, snappy, lz4, gzip, none"),
    (&[("parquet.compression.level", "0")], "parquet.compression.level", "1 to 22 for zstd"),
    (&[("parquet.compression.level", "23")], "parquet.compression.level", "from 0 to 22"),
    (
        &[("parquet.compression", "gzip"), ("parquet.compression.level", "10")],
        "parquet.compression.level",
        "0 to 9 for gzip",
    ),
    (
        &[("parquet.compression", "snappy"), ("parquet.compression.level", "3")],
        "parquet.compression.level",
        "has no levels",
    ),
    (&[("parquet.row.group.rows", "0")], "parquet.row.group.rows", "from 1 to"),
    (&[("parquet.bloom.columns", "id,,name")], "parquet.bloom.columns", "separated by commas"),
    (&[("parquet.sort.columns", "id, id")], "parquet.sort.columns", "\"id\" twice"),
    (&[("commit.interval.ms", "99")], "commit.interval.ms", "from 100 to"),
    (&[("commit.interval.ms", "10800001")], "commit.interval.ms", "half of upload.max.age.ms"),
    (&[("commit.max.records", "0")], "commit.max.records", "from 1 to"),
    (&[("commit.max.bytes", "0")], "commit.max.bytes", "from 1 to"),
    (&[("commit.max.files", "10001")], "commit.max.files", "from 1 to 10000"),
    (&[("file.max.bytes", "1.5")], "file.max.bytes", "a number from 1 to"),
    (&[("file.max.bytes", "2748779069441")], "file.max.bytes", "from 1 to 2748779069440"),
    (&[("file.max.records", "none")], "file.max.records", "a number from 1 to"),
    (&[("close.flush.ms", "60001")], "close.flush.ms", "from 0 to 60000"),
    (&[("memory.limit.bytes", "1000")], "memory.limit.bytes", "from 16777216 to"),
    (
        &[("memory.limit.bytes", "20000000"), ("s3.part.size", "16777216")],
        "memory.limit.bytes",
        "twice the size of a part (16777216",
    ),
    (&[("file.max.bytes", "2748779069440")], "memory.limit.bytes", "a part (550502400"),
    (&[("upload.max.age.ms", "604800001")], "upload.max.age.ms", "to 604800000"),
    (&[("partition.failure", "ignore")], "partition.failure", "task, isolate"),
    (&[("log.bootstrap", "1")], "log.bootstrap", "true or false"),
    (&[("errant.max.ratio", "1.1")], "errant.max.ratio", "from 0 to 1"),
    (&[("errant.max.ratio", "NaN")], "errant.max.ratio", "from 0 to 1"),
    (&[("core.threads", "0")], "core.threads", "from 1 to"),
    (&[("event.time", "created_at")], "event.time", "after.<column>"),
    (&[("event.time", "after.")], "event.time", "after.<column>"),
    (&[("event.time", "before.x")], "event.time", "must be after.x"),
    (&[("event.time.fallback", "kafka,now")], "event.time.fallback", "a list of"),
    (&[("event.time.fallback", "fail,kafka")], "event.time.fallback", "must be fail, or"),
    (&[("event.time.zone", "CET+1")], "event.time.zone", "not a time zone"),
    (&[("partition.timezone", "+02:00")], "partition.timezone", "not a time zone"),
    (&[("input.format", "avro")], "input.format", "one of auto, debezium-json, json, connect"),
    (&[("format", "orc")], "format", "must be one of parquet, json, csv"),
    (&[("json.compression", "gzip")], "json.compression", "left out with format=parquet"),
    (&[("format", "json"), ("json.compression", "snappy")], "json.compression", "gzip, zstd, none"),
    (
        &[("format", "json"), ("parquet.compression", "zstd")],
        "parquet.compression",
        "left out with format=json, whose own keys begin with json.",
    ),
    (&[("format", "csv"), ("csv.compression", "lz4")], "csv.compression", "gzip, zstd, none"),
    (&[("format", "json"), ("csv.compression", "gzip")], "csv.compression", "format=json"),
    (&[("format", "csv"), ("csv.header", "yes")], "csv.header", "true or false"),
    (&[("format", "csv"), ("csv.delimiter", "||")], "csv.delimiter", r"\t for a tab"),
    (&[("format", "csv"), ("csv.delimiter", "-")], "csv.delimiter", r", ; |"),
    (&[("format", "csv"), ("csv.null", "\"\"")], "csv.null", "quotes"),
    (
        &[("format", "csv"), ("csv.delimiter", "|"), ("csv.null", "a|b")],
        "csv.null",
        "csv.delimiter",
    ),
    (&[("row.layout", "nested")], "row.layout", "flat, envelope"),
    (&[("row.metadata", "_op,_offsets")], "row.metadata", "none, or a list of _op, _event_time"),
    (&[("row.layout", "envelope"), ("row.before", "struct")], "row.before", "has before itself"),
    (&[("column.include", "id,,name")], "column.include", "a list of column names"),
    (&[("column.exclude", ",")], "column.exclude", "a list of column names"),
    (
        &[("column.mask.hash", "a,"), ("column.mask.hash.key", "0123456789abcdef")],
        "column.mask.hash",
        "a list of column names",
    ),
    (&[("column.mask.hash", "ssn")], "column.mask.hash.key", "must be given with"),
    (
        &[("column.mask.hash", "ssn"), ("column.mask.hash.key", "short")],
        "column.mask.hash.key",
        "at least 16",
    ),
    (&[("row.before", "columns")], "row.before", "none, struct"),
    (&[("tombstones", "keep")], "tombstones", "skip, row"),
    (&[("schema.evolution", "strict")], "schema.evolution", "must be widen;"),
    (&[("schema.incompatible", "dlq")], "schema.incompatible", "must be fail;"),
    (&[("delivery.guarantee", "once")], "delivery.guarantee", "exactly_once, at_least_once"),
    (&[("lost.upload", "again")], "lost.upload", "must be one of fail, rebuild"),
    (&[("lost.upload", "rebuild")], "lost.upload", "needs admin.bootstrap.servers"),
    (
        &[
            ("lost.upload", "rebuild"),
            ("admin.bootstrap.servers", "kafka:9092"),
            ("delivery.guarantee", "at_least_once"),
        ],
        "lost.upload",
        "needs delivery.guarantee=exactly_once",
    ),
    (&[("rewind.allowed", "perhaps")], "rewind.allowed", "must be true or false"),
    (&[("range.lost", "maybe")], "range.lost", "must be one of fail, record"),
    (&[("publish.mode", "rename")], "publish.mode", "auto, multipart, copy"),
    (&[("publish.mode", "copy"), ("lake.url", "file:///t")], "publish.mode", "must be auto"),
    (
        &[("publish.mode", "copy"), ("lake.meta.url", "s3://log/cdc")],
        "publish.mode",
        "in the bucket of lake.url",
    ),
    (
        &[("publish.mode", "copy"), ("file.max.bytes", "2684354561")],
        "file.max.bytes",
        "no object above 5 GiB",
    ),
    (&[("s3.endpoint", "${env:S3_ENDPOINT}")], "s3.endpoint", "was not replaced"),
];

#[test]
fn every_bad_value_is_named_with_what_would_be_right() {
    for (given, key, message) in BAD {
        let errors = parse(given).expect_err(&format!("{given:?} was taken"));
        let [error] = &errors[..] else { panic!("{given:?}: one mistake, told as {errors:?}") };
        assert_eq!(error.key, *key, "{given:?}: {error}");
        assert!(error.message.contains(message), "{given:?}: {error}");
        let given = given.iter().find(|(k, v)| k == key && !v.is_empty()).map(|(_, v)| *v);
        if let (Some(shown), Some(given)) = (&error.value, given) {
            assert_eq!(shown, given);
        }
    }
}

#[test]
fn every_key_that_can_be_wrong_is_in_the_table() {
    // Free text: nothing can be said against it here.
    let free = ["s3.region", "partition.path", "admin.bootstrap.servers"];
    for spec in KEYS.iter().filter(|spec| !free.contains(&spec.name)) {
        assert!(BAD.iter().any(|(_, key, _)| *key == spec.name), "{} is never blamed", spec.name);
    }
}

#[test]
fn all_mistakes_are_told_at_once_in_the_order_of_the_keys() {
    let errors = parse(&[
        ("core.threads", "many"),
        ("lake.url", "nowhere"),
        ("commit.interval.ms", "50000"),
        ("upload.max.age.ms", "60000"),
        ("s3.secret.access.key", "hush"),
    ])
    .unwrap_err();
    let keys: Vec<_> = errors.iter().map(|e| e.key).collect();
    assert_eq!(keys, ["lake.url", "s3.access.key.id", "commit.interval.ms", "core.threads"]);
    let error = Error::from(errors);
    assert_eq!((error.kind(), error.context("key")), (Kind::Config, Some("lake.url")));
    assert!(error.to_string().contains("core.threads=many: must be a number from 1 to 256"));
}

#[test]
fn no_error_shows_a_secret() {
    let errors = parse(&[
        ("s3.proxy.url", "user:hush@host"),
        ("s3.endpoint", "http://u:hush@host"),
        ("lake.url", "s3://id:hush@bucket/x"),
        ("s3.secret.access.key", "${vault:hush}"),
    ])
    .unwrap_err();
    assert_eq!(errors.len(), 5, "{errors:?}");
    let text = format!("{errors:?} {}", Error::from(errors.clone()));
    assert!(!text.contains("hush"), "{text}");
}

#[test]
fn a_connector_name_that_cannot_be_a_folder_asks_for_sink_id() {
    let errors = Config::parse(&properties(MINIMAL), "a/b").unwrap_err();
    assert_eq!(errors[0].key, "sink.id");
    assert!(errors[0].message.contains("\"a/b\""), "{}", errors[0]);
    assert!(Config::parse(&properties(MINIMAL), "").is_err());
}

#[test]
fn keys_and_defaults_are_those_of_the_config_def() {
    let generated: serde_json::Value =
        serde_json::from_str(include_str!("../../../docs/config-keys.json")).unwrap();
    let theirs: Vec<_> = generated
        .as_array()
        .unwrap()
        .iter()
        .map(|k| (k["key"].as_str().unwrap(), k["default"].as_str(), k["type"] == "password"))
        .collect();
    let ours: Vec<_> =
        KEYS.iter().map(|k| (k.name, k.default, k.secrecy == Secrecy::Secret)).collect();
    assert_eq!(ours, theirs);
}

#[test]
fn a_default_that_is_given_changes_nothing_but_the_fingerprint() {
    let formats = ["parquet", "json", "csv"];
    for format in formats {
        // The keys of the other formats must be left out.
        let of_format = |k: &&KeySpec| {
            let word = k.name.split('.').next().unwrap();
            word == format || !formats.contains(&word)
        };
        let defaults = KEYS.iter().filter(of_format).filter_map(|k| Some((k.name, k.default?)));
        let given: Vec<_> = defaults.chain([("format", format)]).collect();
        let unset = parse(&[("format", format)]).unwrap();
        let config = parse(&given).unwrap();
        assert_ne!(config.fingerprint, unset.fingerprint);
        assert_eq!(Config { fingerprint: unset.fingerprint.clone(), ..config }, unset);
        assert_eq!(unset.format.name(), format);
    }
}

#[test]
fn every_key_is_asked_for() {
    let source = [
        include_str!("parse.rs"),
        include_str!("rules.rs"),
        include_str!("objects.rs"),
        include_str!("formats.rs"),
        include_str!("rows.rs"),
    ]
    .concat();
    for spec in KEYS {
        let one_way = keys::ONE_WAY.iter().any(|(key, _)| *key == spec.name);
        let read = source.contains(&format!("\"{}\"", spec.name));
        assert!(one_way || read, "{} is never read", spec.name);
    }
}

#[test]
fn what_a_row_holds() {
    let rows = |given: &[(&str, &str)]| parse(given).unwrap().rows;
    let names = |wanted: [bool; 14]| -> Vec<&str> {
        METADATA_NAMES.iter().zip(wanted).filter_map(|(name, is)| is.then_some(*name)).collect()
    };
    assert_eq!(names(rows(&[]).metadata), METADATA_NAMES);
    assert_eq!(names(rows(&[("row.metadata", "_offset, _op")]).metadata), ["_op", "_offset"]);
    assert!(names(rows(&[("row.metadata", "none")]).metadata).is_empty());
    let envelope = rows(&[("row.layout", "envelope")]);
    assert!(envelope.envelope && !envelope.before);
    assert_eq!(names(envelope.metadata), ["_event_time", "_topic", "_partition", "_offset"]);
    let given = rows(&[
        ("row.before", "struct"),
        ("tombstones", "row"),
        ("column.include", "id, card_*"),
        ("column.exclude", "card_no"),
        ("column.mask.hash", "ssn"),
        ("column.mask.hash.key", "0123456789abcdef"),
    ]);
    assert!(given.before && given.tombstones && !given.envelope);
    assert_eq!(given.columns.include, ["id", "card_*"]);
    assert_eq!((&*given.columns.exclude[0], &*given.columns.mask[0]), ("card_no", "ssn"));
    let key = Some(Secret("0123456789abcdef".to_owned()));
    assert_eq!(given.columns.mask_key, key);
    assert!(!format!("{given:?}").contains("0123456789"));
}
