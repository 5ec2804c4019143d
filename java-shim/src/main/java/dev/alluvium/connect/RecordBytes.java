package dev.alluvium.connect;

import java.nio.charset.StandardCharsets;
import org.apache.kafka.connect.errors.ConnectException;
import org.apache.kafka.connect.errors.DataException;
import org.apache.kafka.connect.sink.SinkRecord;

/**
 * The bytes of a record's key, and what is said of keys and values that cannot be taken: a
 * ConnectException that names the key to change. That is a mistake of configuration, so it stops
 * the task and never fills a dead letter queue.
 */
final class RecordBytes {
    static final String CONVERTER = "org.apache.kafka.connect.converters.ByteArrayConverter";

    /** What a direct buffer can hold; a record beyond it can be in no frame. */
    static final long BYTES_MAX = Integer.MAX_VALUE - 64;

    private RecordBytes() {
    }

    static byte[] key(SinkRecord record) {
        Object key = record.key();
        if (key == null || key instanceof byte[]) {
            return (byte[]) key;
        }
        if (key instanceof String) {
            return ((String) key).getBytes(StandardCharsets.UTF_8);
        }
        throw wrong("key.converter", "key", key, record, CONVERTER);
    }

    /** Bytes of a record in a frame; refuses what no buffer can hold. */
    static int checked(SinkRecord record, long keyBytes, long valueBytes) {
        long bytes = RecordFrame.HEADER_BYTES + keyBytes + valueBytes;
        if (bytes > BYTES_MAX) {
            throw new DataException(
                "the record at " + position(record) + " is too large: " + bytes + " bytes");
        }
        return (int) bytes;
    }

    /** Topic, partition and offset as Kafka knows them. */
    static String position(SinkRecord record) {
        return record.originalTopic() + "-" + record.originalKafkaPartition() + " offset "
            + record.originalKafkaOffset();
    }

    /** Told of a value that the input format does not take. */
    static ConnectException wrongValue(InputFormat format, SinkRecord record) {
        Object value = record.value();
        switch (format) {
            case AUTO:
                return wrong("input.format", "value", value, record, "connect");
            case CONNECT:
                return wrong("input.format", "value", value, record, "auto");
            default:
                return wrong("value.converter", "value", value, record, CONVERTER);
        }
    }

    private static ConnectException wrong(
            String key, String part, Object found, SinkRecord record, String right) {
        return new ConnectException(key + ": the " + part + " at " + position(record)
            + " arrived as " + found.getClass().getName() + ", which is not taken as it is set "
            + "up. Paste this line into the connector's configuration (and see that none of its "
            + "transforms changes the " + part + "): \"" + key + "\": \"" + right + "\"");
    }
}
