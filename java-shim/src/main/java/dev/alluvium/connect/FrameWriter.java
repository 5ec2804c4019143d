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

    FrameWriter(Partitions partitions, FramePool pool, Consumer<RecordFrame> handOver) {
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
            byte[] key = RecordBytes.key(record);
            byte[] value = RecordBytes.value(record);
            int bytes = RecordBytes.frameBytes(record, key, value);
            if (frame != null && !frame.hasRoom(bytes)) {
                handOver.accept(frame);
                frame = null;
            }
            if (frame == null) {
                frame = pool.take(Math.max(bytes, (int) Math.min(left, FramePool.FRAME_BYTES_MAX)));
            }
            frame.append(partition, record, key, value);
            left -= bytes;
        }
        if (frame != null) {
            handOver.accept(frame);
        }
    }

    /** What the batch takes in frames at most, so that a small one takes a small buffer. */
    private static long bytes(Collection<SinkRecord> records) {
        long bytes = 0;
        for (SinkRecord record : records) {
            bytes += RecordBytes.frameBytes(
                record, RecordBytes.key(record), RecordBytes.value(record));
        }
        return bytes;
    }
}
