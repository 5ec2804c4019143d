package dev.alluvium.connect;

import java.nio.ByteBuffer;
import java.util.Map;
import org.apache.kafka.connect.data.ConnectSchema;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.sink.SinkRecord;

/**
 * The value of one record after another, as it is laid into a frame. In comes a SinkRecord after
 * all converters and transforms; out go the bytes Kafka holds, or those of a struct with the number
 * of its schema, and the schema itself where the frame does not know it yet. A value of a kind that
 * `input.format` does not take is refused by name: that is a mistake of configuration.
 */
final class RecordValue {
    /** What a struct begins with, and what is put before bytes that begin so by themselves. */
    private static final int MARK = 0xff;
    private static final int IS_STRUCT = 1;
    private static final int IS_BYTES = 0;
    private static final int STRUCT_HEADER_BYTES = 2 + Integer.BYTES + Integer.BYTES;

    /** The schemas of values that have none, by what Connect takes their class for. */
    private static final Map<Schema.Type, Schema> BARE = Map.of(
        Schema.Type.BOOLEAN, Schema.OPTIONAL_BOOLEAN_SCHEMA,
        Schema.Type.INT8, Schema.OPTIONAL_INT8_SCHEMA,
        Schema.Type.INT16, Schema.OPTIONAL_INT16_SCHEMA,
        Schema.Type.INT32, Schema.OPTIONAL_INT32_SCHEMA,
        Schema.Type.INT64, Schema.OPTIONAL_INT64_SCHEMA,
        Schema.Type.FLOAT32, Schema.OPTIONAL_FLOAT32_SCHEMA,
        Schema.Type.FLOAT64, Schema.OPTIONAL_FLOAT64_SCHEMA,
        Schema.Type.STRING, Schema.OPTIONAL_STRING_SCHEMA);

    private final InputFormat format;
    private final RowSchemas schemas = new RowSchemas();
    private final Scratch scratch = new Scratch();
    private byte[] bytes;
    private int length;
    /** Of a struct; null for bytes. */
    private RowSchema schema;

    RecordValue(InputFormat format) {
        this.format = format;
    }

    /** Takes the value of a record, until that of the next. */
    void of(SinkRecord record) {
        Object value = record.value();
        schema = null;
        if (value == null || (value instanceof byte[] && format.takesBytes())) {
            bytes = (byte[]) value;
            length = bytes == null ? 0 : bytes.length;
            return;
        }
        scratch.clear();
        if (value instanceof Struct && format.takesStructs()) {
            struct((Struct) value);
        } else if (value instanceof Map && format.takesStructs()) {
            Schema given = record.valueSchema();
            boolean isMap = given != null && given.type() == Schema.Type.MAP;
            new JsonText(scratch).value(isMap ? given : null, value);
        } else if (value instanceof String && format.takesBytes()) {
            scratch.utf8((String) value);
        } else if (value instanceof ByteBuffer && format.takesBytes()) {
            scratch.bytes((ByteBuffer) value);
        } else {
            bare(record, value);
        }
        bytes = scratch.array();
        length = scratch.length();
    }

    private void struct(Struct struct) {
        RowSchema known = schemas.of(struct.schema());
        if (known.isUneven()) {
            scratch.utf8("{\"schema\":");
            scratch.bytes(known.definition());
            scratch.utf8(",\"payload\":");
            new JsonText(scratch).value(struct.schema(), struct);
            scratch.utf8("}");
            return;
        }
        known.write(struct, scratch);
        schema = known;
    }

    private void bare(SinkRecord record, Object value) {
        if (format != InputFormat.CONNECT || value instanceof byte[]
                || value instanceof ByteBuffer) {
            throw RecordBytes.wrongValue(format, record);
        }
        Schema bare = record.valueSchema();
        Schema.Type type = bare == null ? ConnectSchema.schemaType(value.getClass()) : null;
        if (type != null) {
            bare = BARE.get(type);
        }
        if (bare == null) {
            throw RecordBytes.wrongValue(format, record);
        }
        schema = schemas.ofBare(bare);
        schema.write(0, value, scratch);
    }

    /** Bytes of the value in a frame; -1 for null. A null frame stands for a new one. */
    int bytesIn(RecordFrame frame) {
        if (bytes == null) {
            return -1;
        }
        if (schema == null) {
            return length + (isEscaped() ? 2 : 0);
        }
        boolean known = frame != null && schema.isKnownTo(frame);
        return STRUCT_HEADER_BYTES + (known ? 0 : schema.definition().length) + length;
    }

    /** Lays the value into a frame. */
    void layInto(RecordFrame frame) {
        ByteBuffer buffer = frame.buffer();
        if (schema != null) {
            boolean known = schema.isKnownTo(frame);
            buffer.put((byte) MARK).put((byte) IS_STRUCT).putInt(schema.numberIn(frame));
            buffer.putInt(known ? 0 : schema.definition().length);
            if (!known) {
                buffer.put(schema.definition());
            }
        } else if (isEscaped()) {
            buffer.put((byte) MARK).put((byte) IS_BYTES);
        }
        if (bytes != null) {
            buffer.put(bytes, 0, length);
        }
    }

    private boolean isEscaped() {
        return length > 0 && bytes[0] == (byte) MARK;
    }
}
