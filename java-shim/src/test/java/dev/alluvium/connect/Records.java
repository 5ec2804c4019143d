package dev.alluvium.connect;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.sink.SinkRecord;

/** Records and frames as the tests want them. */
final class Records {
    static final String TOPIC = "orders_cdc";

    private Records() {
    }

    static TopicPartition partition(int partition) {
        return new TopicPartition(TOPIC, partition);
    }

    /** A record as ByteArrayConverter leaves it. */
    static SinkRecord record(int partition, long offset, Object key, Object value) {
        return new SinkRecord(TOPIC, partition, Schema.OPTIONAL_BYTES_SCHEMA, key,
            Schema.OPTIONAL_BYTES_SCHEMA, value, offset, 5L, TimestampType.CREATE_TIME);
    }

    static SinkRecord record(int partition, long offset, String value) {
        return record(partition, offset, null, bytes(value));
    }

    /** An insert as Debezium writes it, without its schema. */
    static byte[] changeEvent(int id) {
        return bytes("{\"before\":null,\"after\":{\"id\":" + id + ",\"name\":\"n\"},"
            + "\"source\":{\"version\":\"3.6.1.Final\",\"connector\":\"mysql\",\"name\":\"shop\","
            + "\"ts_ms\":1700000000000,\"ts_us\":1700000000000000,\"db\":\"inventory\","
            + "\"table\":\"orders\",\"server_id\":1,\"file\":\"binlog.000001\",\"pos\":" + id
            + ",\"row\":0},\"op\":\"c\",\"ts_ms\":1700000000001,\"ts_us\":1700000000001000}");
    }

    /** Appends a record as it would lie in a frame with this value. */
    static void append(
            RecordFrame frame, int partition, SinkRecord record, byte[] key, byte[] value) {
        RecordValue bytes = new RecordValue(InputFormat.AUTO);
        bytes.of(record(0, 0, null, value));
        frame.append(partition, record, key, bytes);
    }

    static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /** The ids an open message gives, in its order. */
    static int[] ids(byte[] openMessage) {
        String[] parts = new String(openMessage, StandardCharsets.UTF_8).split("\"id\":");
        int[] ids = new int[parts.length - 1];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = Integer.parseInt(parts[i + 1].substring(0, parts[i + 1].indexOf(',')));
        }
        return ids;
    }

    /** What is filled of a frame. */
    static byte[] filled(RecordFrame frame) {
        byte[] bytes = new byte[frame.length()];
        ByteBuffer copy = frame.buffer().duplicate();
        copy.flip();
        copy.get(bytes);
        return bytes;
    }

    /** A list in the form the core answers in, of errants {id, frame, index, reason}. */
    static List<Errants.Errant> errants(Object[]... errants) {
        ByteBuffer wire = ByteBuffer.allocate(1 << 12).order(ByteOrder.LITTLE_ENDIAN);
        wire.putInt(errants.length);
        for (Object[] errant : errants) {
            byte[] reason = bytes((String) errant[3]);
            wire.putLong((Long) errant[0]).putLong((Long) errant[1]).putInt((Integer) errant[2]);
            wire.putInt(reason.length).put(reason);
        }
        return WireReader.list(wire.array(), Errants.Errant::new);
    }
}
