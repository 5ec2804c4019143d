package dev.alluvium.connect;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import org.apache.kafka.connect.errors.ConnectException;
import org.apache.kafka.connect.errors.DataException;
import org.apache.kafka.connect.sink.SinkRecord;
import org.junit.jupiter.api.Test;

class RecordBytesTest {
    @Test
    void bytesAndNullsOfAKeyPassUncopied() {
        byte[] value = {1, 2};
        assertSame(value, RecordBytes.key(Records.record(0, 1, value, null)));
        assertNull(RecordBytes.key(Records.record(0, 1, null, value)));
    }

    @Test
    void aStringKeyBecomesUtf8() {
        SinkRecord record = Records.record(0, 1, "grün", null);
        assertArrayEquals(Records.bytes("grün"), RecordBytes.key(record));
    }

    @Test
    void aValueTakenApartNamesTheConverter() {
        SinkRecord record = Records.record(2, 17, null, Map.of("a", 1));
        RecordValue value = new RecordValue(InputFormat.BYTES);
        ConnectException e = assertThrows(ConnectException.class, () -> value.of(record));
        assertFalse(e instanceof DataException, "a DataException could go to the DLQ");
        for (String part : new String[] {"value.converter", "orders_cdc-2 offset 17",
            Map.of("a", 1).getClass().getName(), "transforms",
            "\"value.converter\": \"org.apache.kafka.connect.converters.ByteArrayConverter\""}) {
            assertTrue(e.getMessage().contains(part), part + " in " + e.getMessage());
        }
    }

    @Test
    void aKeyTakenApartNamesTheConverter() {
        SinkRecord record = Records.record(2, 17, Map.of("id", 1), null);
        ConnectException e = assertThrows(ConnectException.class, () -> RecordBytes.key(record));
        assertTrue(e.getMessage().startsWith("key.converter: the key at orders_cdc-2 offset 17"),
            e.getMessage());
    }

    @Test
    void aRecordNoBufferHoldsIsADataException() {
        SinkRecord record = Records.record(2, 17, "v");
        int most = Integer.MAX_VALUE - 64;
        assertEquals(most, RecordBytes.checked(record, 0, most - RecordFrame.HEADER_BYTES));
        DataException e = assertThrows(DataException.class,
            () -> RecordBytes.checked(record, 1, most - RecordFrame.HEADER_BYTES));
        assertTrue(e.getMessage().contains("orders_cdc-2 offset 17"), e.getMessage());
        assertThrows(DataException.class,
            () -> RecordBytes.checked(record, Integer.MAX_VALUE, Integer.MAX_VALUE));
    }
}
