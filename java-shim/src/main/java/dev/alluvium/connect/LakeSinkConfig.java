package dev.alluvium.connect;

import static org.apache.kafka.common.config.ConfigDef.Type.BOOLEAN;
import static org.apache.kafka.common.config.ConfigDef.Type.DOUBLE;
import static org.apache.kafka.common.config.ConfigDef.Type.INT;
import static org.apache.kafka.common.config.ConfigDef.Type.LIST;
import static org.apache.kafka.common.config.ConfigDef.Type.LONG;
import static org.apache.kafka.common.config.ConfigDef.Type.PASSWORD;
import static org.apache.kafka.common.config.ConfigDef.Type.STRING;

import java.util.List;
import java.util.Map;
import org.apache.kafka.common.config.AbstractConfig;
import org.apache.kafka.common.config.ConfigDef;

/**
 * The one list of the sink's keys: names, types, defaults and docs. docs/config.md and
 * docs/config-keys.json are written from it. The core gets the configuration as it was given and
 * reads it again, with the same defaults: its tests compare them with config-keys.json.
 */
public final class LakeSinkConfig extends AbstractConfig {
    static final String LAKE_URL = "lake.url";
    static final String ADMIN_SERVERS = "admin.bootstrap.servers";
    static final String DELIVERY_GUARANTEE = "delivery.guarantee";
    static final String INPUT_FORMAT = "input.format";
    static final String EXACTLY_ONCE = "exactly_once";

    static final ConfigDef DEFINITION = new ConfigKeys()
        .group("Where")
        .required(LAKE_URL, STRING,
            "The table: s3://bucket/path or file:///path. Nothing but finished data files ever "
            + "lies below it.")
        .unset("lake.meta.url", STRING, "`<lake.url>.alluvium`, beside the table",
            "URL of the commit log. It must lie neither below the table nor above it; a table that "
            + "is a whole bucket needs one in another bucket. Exclude it from expiration rules.")
        .unset("sink.id", STRING, "the connector's name",
            "Whose commit log this is. A renamed connector goes on where it was when sink.id keeps "
            + "the old name.")
        .unset("s3.endpoint", STRING, "AWS",
            "URL of an S3-compatible store. An http:// endpoint is taken as meant.")
        .key("s3.region", STRING, "us-east-1", "Region of the bucket.")
        .unset("s3.proxy.url", PASSWORD, "none",
            "HTTP proxy on the way to the store; it may hold a user and a password, so it is never "
            + "shown.")
        .unset("s3.access.key.id", STRING,
            "AWS environment variables, web identity, container or instance role",
            "Access key, together with s3.secret.access.key.")
        .unset("s3.secret.access.key", PASSWORD, "see s3.access.key.id",
            "Secret of the access key. Never logged, and never in the commit log.")
        .unset("s3.session.token", PASSWORD, "none", "Session token of a temporary access key.")
        .unset("s3.path.style", BOOLEAN, "true with an s3.endpoint, else false",
            "Whether the bucket stands in the path of a request, not in the host name.")
        .key("s3.part.size", LONG, 8L << 20,
            "Bytes of a part of an upload, at least 5 MiB. A part is held in memory as a whole.")
        .key("s3.concurrency", INT, 16, "Requests to the store at one time.")
        .key("s3.retry.max.ms", LONG, 120_000L,
            "How long one request is tried again before it counts as failed.")
        .unset("s3.sse", STRING, "the bucket's own",
            "Encryption of all objects, the commit log's too: AES256, aws:kms or aws:kms:dsse.")
        .unset("s3.sse.kms.key.id", STRING, "the account's key for S3",
            "Key of aws:kms and aws:kms:dsse: its id or ARN.")
        .unset("s3.checksum", STRING, "none",
            "Checksum sent with every object and part: sha256 or crc64nvme.")
        .unset("s3.tags", STRING, "none",
            "Tags of data files: name=value, separated by commas, at most 10.")
        .unset("s3.storage.class", STRING, "the bucket's own",
            "Storage class of data files, such as STANDARD_IA or INTELLIGENT_TIERING.")
        .unset(ADMIN_SERVERS, STRING, "none",
            "Kafka's brokers, for the checks that need a Kafka admin client: a topic that was "
            + "created again, another cluster, records that expired before they were read, a "
            + "commit log that is not the last owner's, offsets altered over REST. Recommended; "
            + "without it these checks are off, which is said at start. All other settings of a "
            + "Kafka client may follow it under admin., such as admin.security.protocol. While the "
            + "admin client does not answer, topic-partitions wait for it.")

        .group("What comes in")
        .choice(INPUT_FORMAT,
            OneOf.of("auto", "debezium-json", "json", "connect").later("avro"),
            "What the values are. auto finds out, record by record, and says it once a topic "
            + "(docs/inputs.md): Debezium's JSON and any other, with and without schemas, and what "
            + "a converter of the worker took apart. debezium-json: change events in JSON, nothing "
            + "else. json: every JSON object is a row as it is. connect: what a converter took "
            + "apart, bare values too.")
        .unset("columns.types", STRING, "none",
            "Types of columns of topics without schemas: column:type, separated by commas. In topics "
            + "with schemas text, bigint and duration_us take a logical type back (docs/types.md).")

        .group("Rows")
        .choice("row.layout", OneOf.of("flat", "envelope"),
            "flat: the columns of the table, then metadata columns that begin with _. envelope: the "
                + "event as Debezium sends it, before, after, source and transaction as structs.")
        .unset("row.metadata", LIST, "all; with row.layout=envelope those it does not say itself",
            "Which of the metadata columns the files have, or none. alluvium verify needs _topic, "
                + "_partition and _offset.")
        .choice("row.before", OneOf.of("none", "struct"),
            "What becomes of the row as it was before the change. none: it is left out; struct: it is "
                + "the column _before, null where the event has none (inserts, snapshots).")
        .choice("tombstones", OneOf.of("skip", "row"),
            "What becomes of records without a value. skip: they are counted and leave no row; row: "
                + "a row of the key's columns, its _op null.")
        .unset("column.include", LIST, "all",
            "Columns that are kept. * stands for any letters, ? for one; case makes no difference.")
        .unset("column.exclude", LIST, "none",
            "Columns that are left out. event.time and partition.path may still name them.")
        .unset("column.mask.hash", LIST, "none",
            "Columns of which only a keyed hash is kept: HMAC-SHA-256 of the value's text, in "
                + "hexadecimal digits.")
        .unset("column.mask.hash.key", PASSWORD, "none",
            "The key of column.mask.hash, at least 16 characters; equal values of equal keys have "
                + "equal hashes.")

        .group("Files")
        .choice("format", OneOf.of("parquet", "json", "csv"),
            "Format of the data files: Parquet, JSON (one object a line), CSV (RFC 4180). The keys "
            + "of the other formats must be left out.")
        .choice("parquet.compression", OneOf.of("zstd", "snappy", "lz4", "gzip", "none"),
            "Compression of Parquet pages.")
        .key("parquet.compression.level", INT, 1,
            "Level of the compression: 1 to 22 for zstd, 0 to 9 for gzip; others have none.")
        .key("parquet.row.group.rows", INT, 65_536, "Rows of a row group at most.")
        .unset("parquet.bloom.columns", STRING, "none",
            "Columns that get a bloom filter, separated by commas: readers skip row groups that do "
            + "not hold a value. A filter takes 128 KiB of memory for each open file.")
        .unset("parquet.sort.columns", STRING, "none",
            "Columns that the rows of each row group are sorted by, nulls first, separated by "
            + "commas; the footer says so. The rows of a row group wait in memory until it is whole.")
        .choice("json.compression", OneOf.of("gzip", "zstd", "none"),
            "Compression of JSON files; their names end in .json.gz, .json.zst or .json.")
        .choice("csv.compression", OneOf.of("gzip", "zstd", "none"),
            "Compression of CSV files; their names end in .csv.gz, .csv.zst or .csv.")
        .key("csv.header", BOOLEAN, true, "Whether the first record of a file names its columns.")
        .key("csv.delimiter", STRING, ",",
            "What stands between two values: one of , ; | ^ ~ ! $ % & * @ ? or \\t for a tab.")
        .unset("csv.null", STRING, "empty",
            "What a null is written as, without quotes. A value that looks the same is quoted, and "
            + "so is an empty text: readers that look at the quotes tell them apart.")

        .group("When")
        .key("commit.interval.ms", LONG, 60_000L,
            "Latency limit: a record is visible after this time by the wall clock. Exactly once "
            + "is kept. At most half of upload.max.age.ms.")
        .unset("commit.max.records", LONG, "none",
            "Records of a topic-partition after which it is committed early.")
        .key("commit.max.bytes", LONG, 1L << 30,
            "Bytes of a topic-partition after which it is committed early.")
        .key("commit.max.files", INT, 1_000,
            "Files of a topic-partition after which it is committed early.")
        .key("file.max.bytes", LONG, 256L << 20, "Bytes after which a file ends and a new begins.")
        .unset("file.max.records", LONG, "none", "Rows after which a file ends and a new begins.")
        .key("close.flush.ms", LONG, 3_000L,
            "Time to commit in when topic-partitions are taken away or the task stops. What does "
            + "not fit into it is read again, never lost.")

        .group("Event time")
        .key("event.time", STRING, "source.ts_us",
            "Where the time of an event comes from: source.ts_us (the database's), ts_us "
            + "(Debezium's), kafka (the record's timestamp) or `after.<column>` (the row "
            + "image: before for a delete).")
        .key("event.time.fallback", LIST, List.of("source.ts_us", "kafka"),
            "What is tried, in order, where event.time has none; or fail.")
        .key("event.time.zone", STRING, "UTC", "Time zone of columns without one.")
        .key("partition.timezone", STRING, "UTC", "Time zone of the times in partition.path.")
        .key("partition.path", STRING,
            "{topic}/dt={event_time:%Y-%m-%d}/hour={event_time:%H}",
            "Folder of a row's file below the table: text with `{topic}`, `{partition}`, "
            + "`{event_time:<strftime>}`, `{db}`, `{table}`, `{op}` and `{col:<name>}`.")

        .group("Schema")
        .choice("schema.evolution", OneOf.of("widen").later("strict"),
            "widen: a column may be added, and a type may grow to one that holds all its values.")
        .choice("schema.incompatible", OneOf.of("fail").later("dlq", "new-version"),
            "What happens to a change that cannot be widened to. fail: the task stops by name, "
            + "after everything before it is visible.")

        .group("Safety")
        .choice(DELIVERY_GUARANTEE, OneOf.of(EXACTLY_ONCE, "at_least_once"),
            "exactly_once: every record that yields a row is in exactly one visible file. A store "
            + "that cannot keep this is refused. at_least_once: for such stores; nothing fences a "
            + "task that stood still, so rows may be doubled while two tasks own one "
            + "topic-partition. Said at each start.")
        .key("memory.limit.bytes", LONG, 256L << 20,
            "Memory of the loaded library, shared fairly by all of its tasks.")
        .key("upload.max.age.ms", LONG, 21_600_000L,
            "How old an unfinished upload may become. Keep it below half of the store's own limit.")
        .choice("lost.upload", OneOf.of("fail", "rebuild"),
            "What happens when the store has dropped an upload that was committed and not visible "
            + "yet. fail: the topic-partition stops by name. rebuild: a commit of which no file is "
            + "visible is read from Kafka again, which must still have all of it; needs "
            + "admin.bootstrap.servers and delivery.guarantee=exactly_once.")
        .choice("range.lost", OneOf.of("fail", "record"),
            "What happens when Kafka has expired records that were not read yet, as far as "
            + "admin.bootstrap.servers lets it be seen. fail: the topic-partition stops by name; "
            + "record: the commit log says what is missing, and it goes on behind it.")
        .choice("partition.failure", OneOf.of("task", "isolate"),
            "task: a topic-partition that fails stops its task; isolate: it is paused, and the "
            + "others go on.")
        .key("log.bootstrap", BOOLEAN, false,
            "Allows to begin a commit log anew where one was before, after its loss, and to go on "
            + "with one that is not the log the consumer group was last committed from.")
        .key("rewind.allowed", BOOLEAN, false,
            "Allows to alter offsets over REST to what was laid down before, or to reset them: "
            + "those rows are then in the table twice.")
        .choice("publish.mode", OneOf.of("auto", "multipart", "copy"),
            "How a file becomes visible on S3. multipart: its upload is completed. copy: it is "
            + "staged as an object beside the commit log, and copied by the store (two objects, "
            + "file.max.bytes at most 2.5 GiB, lake.meta.url in the bucket of lake.url). auto: "
            + "multipart, or copy where the store's uploads fail the probe.")
        .key("errant.max.ratio", DOUBLE, 0.5,
            "Share of errant records in the last 10,000 beyond which the task fails, so that a "
            + "wrong setting does not drain a topic into a dead letter queue.")
        .unset("core.threads", INT, "one a core",
            "Threads of the loaded library, shared by all of its tasks.")
        .definition();

    /** Reads a configuration; a ConfigException names the key, the value and what is right. */
    public LakeSinkConfig(Map<String, String> config) {
        super(DEFINITION, config);
    }

    /** What values may be. */
    InputFormat inputFormat() {
        return InputFormat.of(getString(INPUT_FORMAT));
    }

    /** Connect's own key: whether errant records stop the task, none or all. */
    String errorsTolerance() {
        Object given = originals().get("errors.tolerance");
        return given == null ? "none" : given.toString().trim();
    }
}
