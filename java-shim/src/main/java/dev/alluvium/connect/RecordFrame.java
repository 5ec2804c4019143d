package dev.alluvium.connect;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import org.apache.kafka.connect.sink.SinkRecord;

/**
 * Records laid into one direct buffer, little endian, as docs/boundary.md says; nothing else of a
 * record crosses to the core. The SinkRecords themselves are kept only where the dead letter queue
 * may ask for them. Never looks inside a key or value.
 */
final class RecordFrame {
    /** Of a record, before its key: length, topic-partition id, offset, timestamp, 2 lengths. */
    static final int HEADER_BYTES = 4 + 4 + 8 + 8 + 4 + 4;

    private final long id;
    private final ByteBuffer buffer;
    private final List<SinkRecord> kept;
    private int count;
    private int schemas;

    /** A frame over an empty direct buffer; {@code kept} is null where no record is to be kept. */
    RecordFrame(long id, ByteBuffer buffer, List<SinkRecord> kept) {
        this.id = id;
        this.buffer = buffer.order(ByteOrder.LITTLE_ENDIAN);
        this.kept = kept;
    }

    boolean hasRoom(int bytes) {
        return buffer.remaining() >= bytes;
    }

    /** Appends a record; there must be room for it. A null key or value has length -1. */
    void append(int partitionId, SinkRecord record, byte[] key, RecordValue value) {
        int valueBytes = value.bytesIn(this);
        int keyBytes = key == null ? 0 : key.length;
        buffer.putInt(HEADER_BYTES + keyBytes + Math.max(0, valueBytes) - Integer.BYTES);
        buffer.putInt(partitionId);
        buffer.putLong(record.originalKafkaOffset());
        buffer.putLong(record.timestamp() == null ? -1 : record.timestamp());
        buffer.putInt(key == null ? -1 : key.length);
        buffer.putInt(valueBytes);
        if (key != null) {
            buffer.put(key);
        }
        value.layInto(this);
        if (kept != null) {
            kept.add(record);
        }
        count++;
    }

    /** The number of one more schema that this frame knows. */
    int nextSchema() {
        return schemas++;
    }

    long id() {
        return id;
    }

    ByteBuffer buffer() {
        return buffer;
    }

    /** Bytes filled. */
    int length() {
        return buffer.position();
    }

    /** Number of records. */
    int count() {
        return count;
    }

    /** The record at an index of this frame, or null where none are kept. */
    SinkRecord record(int index) {
        return kept == null ? null : kept.get(index);
    }
}
