package dev.alluvium.connect;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.connect.errors.ConnectException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FramePoolTest {
    private final FramePool pool = new FramePool(true);

    @ParameterizedTest
    @CsvSource({"1, 65536", "65536, 65536", "65537, 131072", "131072, 131072", "500000, 524288",
        "1048576, 1048576", "1048577, 1048577", "3000000, 3000000"})
    void aBufferIsLittleLargerThanItsFrame(int bytes, int capacity) {
        RecordFrame frame = pool.take(bytes);
        assertEquals(capacity, frame.buffer().capacity());
        assertTrue(frame.buffer().isDirect());
    }

    @Test
    void aBufferIsUsedAgainOnlyAfterItsRelease() {
        RecordFrame first = pool.take(10);
        RecordFrame second = pool.take(10);
        assertNotSame(first.buffer(), second.buffer());
        Records.append(second, 1, Records.record(0, 1, "a"), null, Records.bytes("a"));
        pool.release(second.id());

        RecordFrame third = pool.take(10);
        assertSame(second.buffer(), third.buffer());
        assertEquals(0, third.length(), "it starts empty");
        assertEquals(0, third.count());
        assertNotEquals(second.id(), third.id());
        assertEquals(2, pool.lentFrames());
    }

    @Test
    void whatLiesIdleIsBoundedAndALargeBufferIsNotKept() {
        RecordFrame large = pool.take(10 << 20);
        pool.release(large.id());
        assertNotSame(large.buffer(), pool.take(10 << 20).buffer());
        List<RecordFrame> frames = new ArrayList<>();
        for (int i = 0; i < 17; i++) {
            frames.add(pool.take(1 << 20));
        }
        frames.forEach(frame -> pool.release(frame.id()));
        List<Object> again = new ArrayList<>();
        for (int i = 0; i < 17; i++) {
            again.add(pool.take(1 << 20).buffer());
        }
        long kept = frames.stream()
            .filter(frame -> again.stream().anyMatch(buffer -> buffer == frame.buffer())).count();
        assertEquals(16, kept);
    }

    @Test
    void recordsAreFoundUntilTheirFrameIsReleased() {
        RecordFrame frame = pool.take(100);
        Records.append(frame, 1, Records.record(0, 1, "a"), null, Records.bytes("a"));
        assertEquals(1, pool.record(frame.id(), 0).kafkaOffset());
        pool.release(frame.id());
        assertThrows(ConnectException.class, () -> pool.record(frame.id(), 0));
        assertThrows(ConnectException.class, () -> pool.release(frame.id()));
    }
}
