package dev.alluvium.connect;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.connect.sink.SinkRecord;
import org.junit.jupiter.api.Test;

class RecordFrameTest {
    @Test
    void aRecordIsLaidDownAsTheBoundarySays() {
        RecordFrame frame = new RecordFrame(9, ByteBuffer.allocateDirect(64), null);
        byte[] key = Records.bytes("k");
        byte[] value = Records.bytes("value");
        Records.append(frame, 7, Records.record(3, 1L << 40, key, value), key, value);

        ByteBuffer expected = ByteBuffer.allocate(38).order(ByteOrder.LITTLE_ENDIAN);
        expected.putInt(34).putInt(7).putLong(1L << 40).putLong(5).putInt(1).putInt(5);
        expected.put(key).put(value);
        assertArrayEquals(expected.array(), Records.filled(frame));
        assertEquals(9, frame.id());
        assertEquals(1, frame.count());
        assertNull(frame.record(0), "no record is kept");
    }

    @Test
    void nullIsNotEmpty() {
        RecordFrame frame = new RecordFrame(1, ByteBuffer.allocateDirect(64), null);
        SinkRecord record = new SinkRecord(
            "t", 0, null, null, null, null, 4, null, TimestampType.NO_TIMESTAMP_TYPE);
        Records.append(frame, 7, record, null, null);
        Records.append(frame, 7, record, new byte[0], new byte[0]);

        ByteBuffer expected = ByteBuffer.allocate(64).order(ByteOrder.LITTLE_ENDIAN);
        expected.putInt(28).putInt(7).putLong(4).putLong(-1).putInt(-1).putInt(-1);
        expected.putInt(28).putInt(7).putLong(4).putLong(-1).putInt(0).putInt(0);
        assertArrayEquals(expected.array(), Records.filled(frame));
    }

    @Test
    void roomIsToldToTheByte() {
        RecordFrame frame = new RecordFrame(1, ByteBuffer.allocateDirect(40), null);
        assertTrue(frame.hasRoom(40));
        assertFalse(frame.hasRoom(41));
    }

    @Test
    void theOriginalCoordinatesCount() {
        SinkRecord routed = new SinkRecord("elsewhere", 0, null, null, null, null, 99, 5L,
            TimestampType.CREATE_TIME, null, Records.TOPIC, 3, 17);
        RecordFrame frame = new RecordFrame(1, ByteBuffer.allocateDirect(64), null);
        Records.append(frame, 7, routed, null, null);
        assertEquals(17, frame.buffer().getLong(8));
    }

    @Test
    void recordsAreKeptWhereAskedFor() {
        RecordFrame frame =
            new RecordFrame(1, ByteBuffer.allocateDirect(100), new ArrayList<>());
        SinkRecord first = Records.record(0, 1, "a");
        SinkRecord second = Records.record(0, 2, "b");
        Records.append(frame, 7, first, null, (byte[]) first.value());
        Records.append(frame, 7, second, null, (byte[]) second.value());
        assertSame(first, frame.record(0));
        assertSame(second, frame.record(1));
    }
}
