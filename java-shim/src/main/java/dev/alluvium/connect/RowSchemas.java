package dev.alluvium.connect;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.Map;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaBuilder;

/**
 * The schemas of one task: a Schema comes in, the same {@link RowSchema} goes out for each that
 * says the same. Told apart by identity first, since converters keep their schemas, then by what
 * they say, since some transforms make a new one for each record. What is kept is bounded: a schema
 * forgotten is merely worked out again, and sent to the core once more.
 */
final class RowSchemas {
    private static final int KEPT_MAX = 1_024;

    private final Map<Schema, RowSchema> byIdentity = new IdentityHashMap<>();
    private final Map<ByteBuffer, RowSchema> byText = new HashMap<>();
    private final Map<Schema, RowSchema> ofBareValues = new IdentityHashMap<>();
    private final Scratch scratch = new Scratch();
    private Schema last;
    private RowSchema lastRow;

    /** How the structs of a schema are laid down. */
    RowSchema of(Schema schema) {
        if (schema != last) {
            lastRow = bounded(byIdentity).computeIfAbsent(schema, this::learn);
            last = schema;
        }
        return lastRow;
    }

    /** How a value that is no struct is laid down: as the one column `value`. */
    RowSchema ofBare(Schema schema) {
        return bounded(ofBareValues).computeIfAbsent(schema, bare ->
            learn(SchemaBuilder.struct().field("value", bare).build()));
    }

    /** Number of entries kept. */
    int size() {
        return byIdentity.size() + byText.size() + ofBareValues.size();
    }

    private RowSchema learn(Schema schema) {
        scratch.clear();
        new JsonText(scratch).schema(schema, null);
        byte[] text = Arrays.copyOf(scratch.array(), scratch.length());
        return bounded(byText).computeIfAbsent(
            ByteBuffer.wrap(text), any -> new RowSchema(schema, text));
    }

    private static <K> Map<K, RowSchema> bounded(Map<K, RowSchema> map) {
        if (map.size() >= KEPT_MAX) {
            map.clear();
        }
        return map;
    }
}
