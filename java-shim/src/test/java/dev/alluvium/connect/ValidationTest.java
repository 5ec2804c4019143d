package dev.alluvium.connect;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.kafka.common.config.ConfigValue;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a user hears of a mistake, with the native half taking part. */
class ValidationTest {
    private static final String BYTES = "org.apache.kafka.connect.converters.ByteArrayConverter";

    @TempDir
    Path folder;

    private final Map<String, String> config = new HashMap<>();

    @BeforeEach
    void aGoodConfiguration() throws IOException {
        JsonNode sample = new ObjectMapper().readTree(
            Paths.get("connector-config", "orders-lake-sink.json").toFile());
        sample.get("config").fields().forEachRemaining(
            key -> config.put(key.getKey(), key.getValue().asText()));
        config.put("name", sample.get("name").asText());
        config.keySet().removeIf(key -> key.startsWith("s3."));
        config.put("lake.url", folder.resolve("lake").toUri().toString());
        config.put("admin.bootstrap.servers", "kafka:9092");
    }

    @Test
    void theSampleIsGood() {
        assertEquals(Map.of(), mistakes());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "lake.url | ftp://x/y | s3://bucket/path",
        "lake.url | nonsense | s3://bucket/path",
        "commit.interval.ms | soon | Not a number",
        "commit.interval.ms | 10800001 | upload.max.age.ms",
        "s3.part.size | 1000 | 5242880",
        "s3.path.style | maybe | true or false",
        "event.time | created_at | after.<column>",
        "event.time.zone | Mars/Base | Europe/Berlin",
        "partition.timezone | CEST+2 | time zone",
        "partition.path | {nope} | partition.path",
        "parquet.compression | brotli | zstd or snappy or lz4 or gzip or none",
        "parquet.compression.level | 30 | 22",
        "errant.max.ratio | 2 | 0 to 1",
        "partition.failure | ignore | task or isolate",
        "format | orc | must be parquet or json or csv",
        "json.compression | gzip | left out with format=parquet",
        "csv.delimiter | ; | left out with format=parquet",
        "row.layout | nested | must be flat or envelope",
        "row.metadata | _nothing | must be none, or a list of _op",
        "row.before | columns | must be none or struct",
        "tombstones | keep | must be skip or row",
        "column.mask.hash.key | short | at least 16",
        "input.format | avro | comes with a later release",
        "delivery.guarantee | once | must be exactly_once or at_least_once",
        "lost.upload | again | must be fail or rebuild",
        "range.lost | maybe | must be fail or record",
        "publish.mode | rename | must be auto or multipart or copy",
        "schema.evolution | strict | comes with a later release",
        "schema.incompatible | dlq | comes with a later release",
        "watermark.idle.ms | 5 | comes with a later release",
        "transform.sql | select 1 | comes with a later release",
        "commit.intervall.ms | 5 | did you mean commit.interval.ms?",
        "alluvium.inject | panic-in-put | there is no key",
        "consumer.override.auto.offset.reset | none | earliest or latest",
        "value.converter | org.apache.kafka.connect.converters.LongConverter | paste",
    })
    void aMistakeIsToldAtItsKeyWithWhatIsRight(String key, String value, String right) {
        config.put(key, value);
        Map<String, List<String>> mistakes = mistakes();
        assertEquals(List.of(key), List.copyOf(mistakes.keySet()), mistakes.toString());
        assertEquals(1, mistakes.get(key).size(), "told once: " + mistakes);
        String message = mistakes.get(key).get(0);
        assertTrue(message.contains(key), message);
        assertTrue(message.contains(right), message);
    }

    @ParameterizedTest
    @ValueSource(strings = {"snappy", "lz4", "none"})
    void aLevelGoesWithItsCompression(String compression) {
        config.put("parquet.compression", compression);
        assertEquals(Map.of(), mistakes());
        config.put("parquet.compression.level", "3");
        assertEquals(1, mistakes().get("parquet.compression.level").size());
    }

    @Test
    void anIsolationLevelMustBeSaid() {
        String key = "consumer.override.isolation.level";
        config.remove(key);
        assertEquals(1, mistakes().size());
        assertTrue(mistakes().get(key).get(0).contains('"' + key + "\": \"read_committed\""));
        config.put(key, "read_uncommitted");
        assertEquals(Map.of(), mistakes(), "a word is enough");
    }

    @ParameterizedTest
    @CsvSource({"key.converter, org.apache.kafka.connect.storage.StringConverter",
        "key.converter, StringConverter", "key.converter, ByteArray",
        "value.converter, ByteArrayConverter", "value.converter,", "key.converter,",
        "value.converter, org.apache.kafka.connect.json.JsonConverter",
        "value.converter, org.apache.kafka.connect.storage.StringConverter",
        "key.converter, org.apache.kafka.connect.json.JsonConverter"})
    void theseConvertersAreFine(String key, String value) {
        config.put(key, value);
        assertEquals(Map.of(), mistakes());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "debezium-json | value.converter | org.apache.kafka.connect.json.JsonConverter",
        "debezium-json | key.converter | org.apache.kafka.connect.json.JsonConverter",
        "json | value.converter | io.confluent.connect.avro.AvroConverter",
        "connect | value.converter | org.apache.kafka.connect.converters.ByteArrayConverter"})
    void aConverterThatTheInputFormatDoesNotTakeIsRefused(
            String format, String key, String converter) {
        config.put("input.format", format);
        config.put(key, converter);
        String at = format.equals("connect") ? "input.format" : key;
        String told = String.join("; ", mistakes().getOrDefault(at, List.of("nothing")));
        assertTrue(told.contains("paste: \"" + at + "\": \""), told);
        config.put("input.format", "auto");
        assertEquals(Map.of(), mistakes(), "auto takes them all");
    }

    @Test
    void allMistakesAreToldAtOnce() {
        config.put("lake.url", "ftp://x");
        config.put("file.max.bytes", "many");
        config.put("filter", "true");
        config.put("value.converter", "LongConverter");
        config.put("event.time", "x");
        assertEquals(List.of("event.time", "file.max.bytes", "filter", "lake.url",
            "value.converter"), mistakes().keySet().stream().sorted()
                .collect(Collectors.toList()));
    }

    @Test
    void theTableMustBeNamed() {
        config.remove("lake.url");
        assertEquals(1, mistakes().get("lake.url").size(), mistakes().toString());
    }

    @Test
    void aSecretIsNeverShown() {
        config.put("s3.secret.access.key", "hush");
        config.put("s3.proxy.url", "nonsense-hush");
        config.put("lake.url", "ftp://x");
        String told = new LakeSinkConnector().validate(config).configValues().toString();
        assertTrue(!told.contains("hush") && mistakes().containsKey("s3.proxy.url"), told);
    }

    /** Messages by key. A value of a key outside of our ConfigDef would break Connect's answer. */
    private Map<String, List<String>> mistakes() {
        Map<String, List<String>> mistakes = new HashMap<>();
        for (ConfigValue value : new LakeSinkConnector().validate(config).configValues()) {
            if (!value.errorMessages().isEmpty()) {
                mistakes.put(value.name(), value.errorMessages());
            }
            if (!LakeSinkConfig.DEFINITION.names().contains(value.name())) {
                assertEquals(null, value.value());
            }
        }
        return mistakes;
    }
}
