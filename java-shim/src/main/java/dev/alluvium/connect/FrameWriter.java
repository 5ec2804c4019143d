package dev.alluvium.connect;

import java.util.Collection;
import java.util.function.Consumer;
import org.apache.kafka.connect.sink.SinkRecord;

/**
 * Lays a batch of records into frames. In comes what {@code put} got, out go full frames, one after
 * another, each as soon as the next record has no room in it. Records of a topic-partition that is
 * closed are left out. Holds nothing between two batches.
 */
final class FrameWriter {
    private final Partitions partitions;
    private final FramePool pool;
    private final Consumer<RecordFrame> handOver;
    private final InputFormat format;
    private final RecordValue value;
    /** What a record whose bytes are not known beforehand took on average, of late. */
    private int usualBytes = 256;

    FrameWriter(Partitions partitions, FramePool pool, InputFormat format,
            Consumer<RecordFrame> handOver) {
        this.format = format;
        this.value = new RecordValue(format);
        this.partitions = partitions;
        this.pool = pool;
        this.handOver = handOver;
    }

    void write(Collection<SinkRecord> records) {
        long left = bytes(records);
        RecordFrame frame = null;
        for (SinkRecord record : records) {
            int partition = partitions.idOf(record);
            if (partition == Partitions.CLOSED) {
                continue;
            }
            byte[] key = format.key(record);
            value.of(record);
            int bytes = bytesIn(frame, record, key);
            if (frame != null && !frame.hasRoom(bytes)) {
                handOver.accept(frame);
                frame = null;
                bytes = bytesIn(null, record, key);
            }
            if (frame == null) {
                frame = pool.take(Math.max(bytes, (int) Math.min(left, FramePool.FRAME_BYTES_MAX)));
            }
            frame.append(partition, record, key, value);
            left -= likelyBytes(record);
            if (!isBytes(record)) {
                usualBytes += (bytes - usualBytes) / 16;
            }
        }
        if (frame != null) {
            handOver.accept(frame);
        }
    }

    /** Bytes of a record in a frame, or in a new one. */
    private int bytesIn(RecordFrame frame, SinkRecord record, byte[] key) {
        return RecordBytes.checked(
            record, key == null ? 0 : key.length, Math.max(0, value.bytesIn(frame)));
    }

    /** What the batch takes in frames, so that a small one takes a small buffer. */
    private long bytes(Collection<SinkRecord> records) {
        long bytes = 0;
        for (SinkRecord record : records) {
            bytes += likelyBytes(record);
        }
        return bytes;
    }

    private long likelyBytes(SinkRecord record) {
        if (!isBytes(record)) {
            return usualBytes;
        }
        byte[] key = format.key(record);
        byte[] value = (byte[]) record.value();
        return RecordFrame.HEADER_BYTES + (key == null ? 0 : key.length)
            + (value == null ? 0L : value.length);
    }

    private static boolean isBytes(SinkRecord record) {
        return record.value() == null || record.value() instanceof byte[];
    }
}
