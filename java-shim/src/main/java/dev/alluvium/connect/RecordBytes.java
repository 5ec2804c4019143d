package dev.alluvium.connect;

import java.nio.charset.StandardCharsets;
import org.apache.kafka.connect.errors.ConnectException;
import org.apache.kafka.connect.errors.DataException;
import org.apache.kafka.connect.sink.SinkRecord;

/**
 * The bytes of a record's key and value. In comes a record as the worker's converters made it, out
 * come the bytes Kafka holds, or a ConnectException that names the converter key to change: that is
 * a mistake of configuration, so it stops the task and never fills a dead letter queue.
 */
final class RecordBytes {
    static final String CONVERTER = "org.apache.kafka.connect.converters.ByteArrayConverter";

    /** What a direct buffer can hold; a record beyond it can be in no frame. */
    private static final long BYTES_MAX = Integer.MAX_VALUE - 64;

    private RecordBytes() {
    }

    static byte[] value(SinkRecord record) {
        Object value = record.value();
        if (value == null || value instanceof byte[]) {
            return (byte[]) value;
        }
        throw wrongConverter("value.converter", "value", value, record);
    }

    static byte[] key(SinkRecord record) {
        Object key = record.key();
        if (key == null || key instanceof byte[]) {
            return (byte[]) key;
        }
        if (key instanceof String) {
            return ((String) key).getBytes(StandardCharsets.UTF_8);
        }
        throw wrongConverter("key.converter", "key", key, record);
    }

    /** Bytes of a record in a frame. */
    static int frameBytes(SinkRecord record, byte[] key, byte[] value) {
        return checked(record, key == null ? 0 : key.length, value == null ? 0 : value.length);
    }

    /** Refuses what no buffer can hold. */
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

    private static ConnectException wrongConverter(
            String key, String part, Object found, SinkRecord record) {
        return new ConnectException(key + ": the " + part + " at " + position(record)
            + " arrived as " + found.getClass().getName() + ", but Alluvium reads the bytes Kafka "
            + "holds. Paste this line into the connector's configuration (and see that none of its "
            + "transforms changes the " + part + "): \"" + key + "\": \"" + CONVERTER + "\"");
    }
}
