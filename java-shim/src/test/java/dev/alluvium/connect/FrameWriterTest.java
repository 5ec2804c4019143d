package dev.alluvium.connect;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.kafka.connect.errors.ConnectException;
import org.apache.kafka.connect.sink.SinkRecord;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class FrameWriterTest {
    private final Partitions partitions = new Partitions();
    private final List<RecordFrame> frames = new ArrayList<>();
    private final FrameWriter writer =
        new FrameWriter(
            partitions, new FramePool(false), InputFormat.AUTO, frames::add);

    @BeforeEach
    void open() {
        partitions.open(List.of(Records.partition(0), Records.partition(1)));
    }

    @Test
    void anEmptyBatchMakesNoFrame() {
        writer.write(List.of());
        assertEquals(List.of(), frames);
    }

    @Test
    void aSmallBatchMakesOneSmallFrame() {
        writer.write(List.of(Records.record(0, 1, "a"), Records.record(1, 2, "b")));
        assertEquals(1, frames.size());
        assertEquals(2, frames.get(0).count());
        assertEquals(2 * 33, frames.get(0).length());
        assertEquals(1 << 16, frames.get(0).buffer().capacity());
    }

    @Test
    void aFrameEndsWhereTheNextRecordHasNoRoom() {
        List<SinkRecord> records = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            records.add(Records.record(0, i, null, new byte[500_000 - RecordFrame.HEADER_BYTES]));
        }
        writer.write(records);
        assertEquals(Arrays.asList(2, 2, 1), counts());
        assertEquals(1 << 19, frames.get(2).buffer().capacity(), "the last is as small as it can");
    }

    @Test
    void aLargeRecordIsAloneAndTheOrderStays() {
        writer.write(List.of(Records.record(0, 1, "a"),
            Records.record(0, 2, null, new byte[3_000_000]), Records.record(0, 3, "c")));
        assertEquals(Arrays.asList(1, 1, 1), counts());
        assertEquals(3_000_000 + RecordFrame.HEADER_BYTES, frames.get(1).buffer().capacity());
        for (int i = 0; i < 3; i++) {
            assertEquals(i + 1, frames.get(i).buffer().getLong(8));
        }
    }

    @Test
    void recordsOfAClosedPartitionAreLeftOut() {
        partitions.close(List.of(Records.partition(0)));
        writer.write(List.of(
            Records.record(0, 1, "a"), Records.record(1, 2, "b"), Records.record(0, 3, "c")));
        assertEquals(List.of(1), counts());
        assertEquals(2, frames.get(0).buffer().getLong(8));
    }

    @Test
    void aRecordOfANeverOpenedPartitionIsFatal() {
        ConnectException e = assertThrows(ConnectException.class,
            () -> writer.write(List.of(Records.record(0, 1, "a"), Records.record(7, 2, "b"))));
        assertTrue(e.getMessage().contains("transforms"), e.getMessage());
    }

    private List<Integer> counts() {
        List<Integer> counts = new ArrayList<>();
        frames.forEach(frame -> counts.add(frame.count()));
        return counts;
    }
}
