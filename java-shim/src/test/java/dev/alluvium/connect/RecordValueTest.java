package dev.alluvium.connect;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.connect.data.Decimal;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaBuilder;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.data.Timestamp;
import org.apache.kafka.connect.errors.ConnectException;
import org.apache.kafka.connect.sink.SinkRecord;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RecordValueTest {
    private static final Schema POINT = SchemaBuilder.struct().optional()
        .field("x", Schema.FLOAT64_SCHEMA).field("name", Schema.OPTIONAL_STRING_SCHEMA).build();
    private static final Schema ROW = SchemaBuilder.struct().name("row")
        .field("id", Schema.INT32_SCHEMA)
        .field("price", Decimal.builder(2).optional().build())
        .field("at", Timestamp.SCHEMA)
        .field("state", SchemaBuilder.string().optional().defaultValue("new").build())
        .field("point", POINT)
        .build();

    private static Struct row(int id) {
        return new Struct(ROW).put("id", id).put("price", new BigDecimal("12.34"))
            .put("at", new Date(5)).put("state", null)
            .put("point", new Struct(POINT).put("x", 0.1).put("name", "a\"\u00fc\ud83c\udf6e"));
    }

    @Test
    void aStructIsLaidDownAsTheBoundarySays() {
        String text = "{\"x\":0.1,\"name\":\"a\\\"\u00fc\\uD83C\\uDF6E\"}";
        byte[] point = text.getBytes(StandardCharsets.UTF_8);
        ByteBuffer row = ByteBuffer.allocate(200).order(ByteOrder.LITTLE_ENDIAN);
        row.put((byte) 3).putInt(7);
        row.put((byte) 8).putInt(2).put(new byte[] {4, (byte) 0xd2});
        row.put((byte) 4).putLong(5);
        row.put((byte) 0);
        row.put((byte) 9).putInt(point.length).put(point);
        ByteBuffer laid = laid(InputFormat.AUTO, ROW, row(7));
        assertEquals((byte) 0xff, laid.get());
        assertEquals(1, laid.get());
        assertEquals(0, laid.getInt());
        byte[] definition = new byte[laid.getInt()];
        laid.get(definition);
        String schema = new String(definition, StandardCharsets.UTF_8);
        assertTrue(schema.startsWith("{\"type\":\"struct\",\"fields\":[{\"type\":\"int32\","
            + "\"optional\":false,\"field\":\"id\"},{\"type\":\"bytes\",\"optional\":true,"
            + "\"name\":\"org.apache.kafka.connect.data.Decimal\",\"version\":1,"
            + "\"parameters\":{\"scale\":\"2\"},\"field\":\"price\"}"), schema);
        row.flip();
        assertEquals(row, laid);
    }

    @Test
    void aSchemaIsToldOnceAFrameAndAgainInTheNext() {
        RecordValue value = new RecordValue(InputFormat.AUTO);
        RecordFrame frame = frame(1);
        int first = append(frame, value, ROW, row(1));
        int second = append(frame, value, ROW, row(2));
        assertTrue(first > second + 300, first + " and " + second);
        // A schema of another version in between, then an equal one that is another object.
        Schema other = SchemaBuilder.struct().field("id", Schema.INT32_SCHEMA).build();
        append(frame, value, other, new Struct(other).put("id", 1));
        Schema twin = SchemaBuilder.struct().field("id", Schema.INT32_SCHEMA).build();
        assertEquals(2 + 4 + 4 + 5, append(frame, value, twin, new Struct(twin).put("id", 2)));
        assertEquals(second, append(frame, value, ROW, row(3)));
        assertEquals(first, append(frame(2), value, ROW, row(4)));
    }

    @Test
    void schemasWithoutEndAreNotKeptWithoutEnd() {
        RecordValue value = new RecordValue(InputFormat.AUTO);
        for (int i = 0; i < 5_000; i++) {
            Schema schema = SchemaBuilder.struct().field("c" + i, Schema.INT32_SCHEMA).build();
            append(frame(i), value, schema, new Struct(schema).put("c" + i, i));
        }
        RowSchemas schemas = new RowSchemas();
        RowSchema first = schemas.of(ROW);
        for (int i = 0; i < 5_000; i++) {
            schemas.of(SchemaBuilder.struct().field("c" + i, Schema.INT32_SCHEMA).build());
        }
        assertTrue(schemas.of(ROW) != first, "it was forgotten, and is worked out again");
        assertTrue(schemas.size() <= 3 * 1_024, schemas.size() + " are kept");
    }

    @Test
    void anEventWhoseImagesDifferGoesAsJson() {
        Schema before = SchemaBuilder.struct().optional().field("a", Schema.INT32_SCHEMA).build();
        Schema after = SchemaBuilder.struct().optional().field("b", Schema.INT32_SCHEMA).build();
        Schema schema = SchemaBuilder.struct().field("before", before).field("after", after)
            .field("op", Schema.STRING_SCHEMA).build();
        Struct event = new Struct(schema).put("op", "c").put("after", new Struct(after).put("b", 1));
        String text = text(laid(InputFormat.AUTO, schema, event));
        assertTrue(text.startsWith("{\"schema\":{\"type\":\"struct\""), text);
        assertTrue(text.endsWith(
            "\"payload\":{\"before\":null,\"after\":{\"b\":1},\"op\":\"c\"}}"), text);
    }

    @Test
    void aMapIsTheJsonItStandsFor() {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("id", 7L);
        map.put("price", new BigDecimal("12.30"));
        map.put("raw", new byte[] {1, 2});
        map.put("at", new Date(1_500));
        map.put("nan", Double.NaN);
        map.put("tags", Arrays.asList("a", null, 1.5f, true));
        map.put("none", null);
        assertEquals("{\"id\":7,\"price\":\"12.30\",\"raw\":\"AQI=\","
            + "\"at\":\"1970-01-01T00:00:01.500Z\",\"nan\":\"NaN\",\"tags\":[\"a\",null,1.5,true],"
            + "\"none\":null}", text(laid(InputFormat.AUTO, null, map)));
    }

    @Test
    void textIsItsUtf8AndBytesThatBeginLikeAStructAreTold() {
        assertEquals("gr\u00fcn \ud83c\udf6e", text(laid(InputFormat.BYTES, null, "gr\u00fcn \ud83c\udf6e")));
        byte[] marked = {(byte) 0xff, 1, 2};
        ByteBuffer laid = laid(InputFormat.AUTO, null, marked);
        assertEquals(ByteBuffer.wrap(new byte[] {(byte) 0xff, 0, (byte) 0xff, 1, 2}), laid);
    }

    @ParameterizedTest
    @CsvSource({"BYTES, struct, value.converter", "BYTES, map, value.converter",
        "BYTES, number, value.converter", "AUTO, number, input.format", "AUTO, list, input.format",
        "CONNECT, bytes, input.format", "CONNECT, list, input.format"})
    void whatAFormatDoesNotTakeIsRefusedByName(InputFormat format, String kind, String key) {
        Map<String, Object> values = Map.of("struct", row(1), "map", Map.of("a", 1), "number", 7,
            "list", List.of(1), "bytes", new byte[] {1});
        SinkRecord record = record(null, values.get(kind));
        ConnectException e = assertThrows(
            ConnectException.class, () -> new RecordValue(format).of(record));
        assertTrue(e.getMessage().startsWith(key + ": the value at orders_cdc-0 offset 3 arrived"),
            e.getMessage());
        assertTrue(e.getMessage().contains("\"" + key + "\": \""), e.getMessage());
    }

    @Test
    void aBareValueIsOneColumn() {
        ByteBuffer laid = laid(InputFormat.CONNECT, null, 7L);
        laid.position(10 + laid.getInt(6));
        assertEquals(4, laid.get());
        assertEquals(7, laid.getLong());
        ByteBuffer text = laid(InputFormat.CONNECT, Schema.STRING_SCHEMA, "x");
        text.position(10 + text.getInt(6));
        assertEquals(7, text.get());
    }

    private static String text(ByteBuffer laid) {
        return StandardCharsets.UTF_8.decode(laid).toString();
    }

    private static SinkRecord record(Schema schema, Object value) {
        return new SinkRecord(
            Records.TOPIC, 0, null, null, schema, value, 3, 5L, TimestampType.CREATE_TIME);
    }

    private static RecordFrame frame(long id) {
        return new RecordFrame(id, ByteBuffer.allocateDirect(1 << 16), null);
    }

    /** Appends a value; gives its bytes. */
    private static int append(RecordFrame frame, RecordValue value, Schema schema, Object of) {
        SinkRecord record = record(schema, of);
        value.of(record);
        int before = frame.length();
        frame.append(1, record, null, value);
        return frame.length() - before - RecordFrame.HEADER_BYTES;
    }

    /** The value as it lies in a new frame. */
    private static ByteBuffer laid(InputFormat format, Schema schema, Object value) {
        RecordFrame frame = frame(1);
        int length = append(frame, new RecordValue(format), schema, value);
        ByteBuffer bytes = ByteBuffer.wrap(Records.filled(frame)).order(ByteOrder.LITTLE_ENDIAN);
        bytes.position(RecordFrame.HEADER_BYTES);
        assertEquals(length, bytes.remaining());
        return bytes.slice().order(ByteOrder.LITTLE_ENDIAN);
    }
}
