package dev.alluvium.connect;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class UnknownKeysTest {
    private final UnknownKeys keys = new UnknownKeys(LakeSinkConfig.DEFINITION.names());

    @ParameterizedTest
    @ValueSource(strings = {"name", "connector.class", "tasks.max", "topics", "topics.regex",
        "key.converter", "value.converter.schemas.enable", "header.converter",
        "transforms", "transforms.route.type", "predicates.p.type", "errors.tolerance",
        "errors.deadletterqueue.topic.name", "config.action.reload",
        "consumer.override.isolation.level", "admin.override.client.id", "admin.security.protocol",
        "lake.url", "commit.interval.ms", "format"})
    void connectsKeysAndOursPass(String key) {
        assertNull(keys.refusal(key));
    }

    @ParameterizedTest
    @CsvSource({"lake.ulr, lake.url", "commit.intervall.ms, commit.interval.ms",
        "s3.endpoints, s3.endpoint", "parquet.level, parquet.compression.level",
        "event.timezone, event.time.zone", "partition.time.zone, partition.timezone",
        "file.max.byte, file.max.bytes", "s3.sse.kms, s3.sse.kms.key.id",
        "memory.limit, memory.limit.bytes"})
    void anUnknownKeyGetsTheNearestRightOne(String key, String nearest) {
        assertEquals("there is no key " + key + "; did you mean " + nearest + "?",
            keys.refusal(key));
    }

    @ParameterizedTest
    @ValueSource(strings = {"watermark.idle.ms", "late.policy", "filter", "transform.sql",
        "lookup.customers.url", "schema.registry.url", "complete.marker", "future.max.ms"})
    void aKeyOfALaterReleaseIsRefusedByName(String key) {
        assertEquals(key + " comes with a later release", keys.refusal(key));
    }

    @ParameterizedTest
    @CsvSource({"'', '', 0", "a, '', 1", "'', abc, 6", "kitten, sitting, 6", "flaw, lawn, 3",
        "same, same, 0", "abc, ac, 1", "ac, abc, 2"})
    void whatIsLeftOutCountsLeast(String known, String given, int distance) {
        assertEquals(distance, UnknownKeys.distance(known, given));
    }

    @Test
    void whatTheConnectorSetsItselfIsNotForUsers() {
        assertNotNull(keys.refusal("alluvium.task"));
    }
}
