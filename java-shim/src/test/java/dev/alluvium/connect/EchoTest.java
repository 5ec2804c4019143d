package dev.alluvium.connect;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.apache.kafka.connect.errors.ConnectException;
import org.apache.kafka.connect.sink.SinkRecord;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Frames over JNI: what Java lays down, the core reads and lays down again. */
class EchoTest {
    private final Partitions partitions = new Partitions();
    private final List<RecordFrame> frames = new ArrayList<>();
    private final FramePool pool = new FramePool(false);
    private final FrameWriter writer =
        new FrameWriter(partitions, pool, InputFormat.AUTO, frames::add);

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void randomBatchesComeBackAsTheyWent(long seed) {
        Random random = new Random(seed);
        partitions.open(List.of(Records.partition(0), Records.partition(1)));
        for (int batch = 0; batch < 20; batch++) {
            frames.clear();
            List<SinkRecord> records = randomBatch(random);
            writer.write(records);
            System.out.println("counted: records=" + records.size());
            assertEquals(records.size(), frames.stream().mapToInt(RecordFrame::count).sum());
            for (RecordFrame frame : frames) {
                assertArrayEquals(Records.filled(frame), echo(frame, frame.count()));
                pool.release(frame.id());
            }
        }
    }

    @Test
    void aRecordLargerThanAFrameComesBack() {
        partitions.open(List.of(Records.partition(0)));
        byte[] value = new byte[3 << 20];
        new Random(1).nextBytes(value);
        writer.write(List.of(Records.record(0, 1, Records.bytes("k"), value)));
        RecordFrame frame = frames.get(0);
        assertTrue(frame.length() > FramePool.FRAME_BYTES_MAX);
        assertArrayEquals(Records.filled(frame), echo(frame, 1));
    }

    @Test
    void aWrongCountIsRefused() {
        partitions.open(List.of(Records.partition(0)));
        writer.write(List.of(Records.record(0, 1, "v")));
        assertThrows(ConnectException.class, () -> echo(frames.get(0), 2));
        assertThrows(ConnectException.class, () -> echo(frames.get(0), 0));
    }

    @Test
    void aHeapBufferIsRefused() {
        assertThrows(ConnectException.class,
            () -> NativeSink.echoed(ByteBuffer.allocate(100), 33, 1));
    }

    private static byte[] echo(RecordFrame frame, int count) {
        return NativeSink.echoed(frame.buffer(), frame.length(), count);
    }

    private static List<SinkRecord> randomBatch(Random random) {
        List<SinkRecord> records = new ArrayList<>();
        int count = random.nextInt(200);
        for (int i = 0; i < count; i++) {
            long offset = random.nextBoolean() ? i : random.nextLong() >>> 1;
            Object key = random.nextInt(5) == 0 ? "key " + i : randomBytes(random, 40);
            records.add(Records.record(
                random.nextInt(2), offset, key, randomBytes(random, 1 << random.nextInt(17))));
        }
        return records;
    }

    private static byte[] randomBytes(Random random, int most) {
        if (random.nextInt(4) == 0) {
            return null;
        }
        byte[] bytes = new byte[random.nextInt(most)];
        random.nextBytes(bytes);
        return bytes;
    }
}
