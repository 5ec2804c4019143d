package dev.alluvium.connect;

import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.util.Date;
import java.util.List;
import org.apache.kafka.connect.data.Decimal;
import org.apache.kafka.connect.data.Field;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.data.Time;
import org.apache.kafka.connect.data.Timestamp;

/**
 * A schema, worked out once: how to lay down the structs that have it, as docs/boundary.md says. In
 * comes a struct, out go its values, each with a byte before it that says what it is. Looks up no
 * field by name and asks no value for its class but where a schema leaves that open.
 */
final class RowSchema {
    private static final int NULL = 0;
    private static final int FALSE = 1;
    private static final int TRUE = 2;
    private static final int INT32 = 3;
    private static final int INT64 = 4;
    private static final int FLOAT32 = 5;
    private static final int FLOAT64 = 6;
    private static final int TEXT = 7;
    private static final int BYTES = 8;
    private static final int JSON = 9;
    private static final int STRUCT = 10;
    private static final int NUMBER = 11;
    private static final List<String> IMAGES = List.of("before", "after", "source");
    private static final List<String> OPENED = List.of("transaction", "message");
    private static final long DAY_MS = 86_400_000;

    /** How the values of a field are laid down. */
    private enum Form {
        BOOLEAN, INT, INT64, FLOAT32, FLOAT64, TEXT, BYTES, DECIMAL, TIME, NESTED, JSON
    }

    private final byte[] definition;
    private final Field[] fields;
    private final Form[] forms;
    private final RowSchema[] nested;
    private final boolean[] defaulted;
    private final boolean uneven;
    /** The frame that knows the schema, and its number there. */
    private long frame = -1;
    private int number;

    RowSchema(Schema schema, byte[] definition) {
        this(schema, definition, isEvent(schema));
    }

    private RowSchema(Schema schema, byte[] definition, boolean event) {
        this.definition = definition;
        this.fields = schema.fields().toArray(new Field[0]);
        this.forms = new Form[fields.length];
        this.nested = new RowSchema[fields.length];
        this.defaulted = new boolean[fields.length];
        this.uneven = event && uneven(schema.field("before"), schema.field("after"));
        for (int i = 0; i < fields.length; i++) {
            Schema each = fields[i].schema();
            defaulted[i] = each.defaultValue() != null;
            forms[i] = form(each);
            if (event && isOpened(fields[i])) {
                forms[i] = Form.NESTED;
                nested[i] = new RowSchema(each, null, false);
            }
        }
    }

    /** Whether structs of a schema are Debezium's envelopes; the core asks the same. */
    static boolean isEvent(Schema schema) {
        return schema.field("op") != null
            && IMAGES.stream().anyMatch(name -> schema.field(name) != null);
    }

    /** Members of an envelope that are looked into; any other nested value is one column. */
    private static boolean isOpened(Field field) {
        boolean named = IMAGES.contains(field.name()) || OPENED.contains(field.name());
        return named && field.schema().type() == Schema.Type.STRUCT;
    }

    private static boolean uneven(Field before, Field after) {
        boolean both = before != null && after != null
            && before.schema().type() == Schema.Type.STRUCT
            && after.schema().type() == Schema.Type.STRUCT;
        return both && !before.schema().fields().equals(after.schema().fields());
    }

    private static Form form(Schema schema) {
        if (schema.name() != null && schema.name().startsWith("org.apache.kafka.connect.data.")) {
            switch (schema.name()) {
                case Decimal.LOGICAL_NAME:
                    return Form.DECIMAL;
                case org.apache.kafka.connect.data.Date.LOGICAL_NAME:
                case Time.LOGICAL_NAME:
                case Timestamp.LOGICAL_NAME:
                    return Form.TIME;
                default:
                    break;
            }
        }
        switch (schema.type()) {
            case BOOLEAN:
                return Form.BOOLEAN;
            case INT8:
            case INT16:
            case INT32:
                return Form.INT;
            case INT64:
                return Form.INT64;
            case FLOAT32:
                return Form.FLOAT32;
            case FLOAT64:
                return Form.FLOAT64;
            case STRING:
                return Form.TEXT;
            case BYTES:
                return Form.BYTES;
            default:
                return Form.JSON;
        }
    }

    /** Whether rows and old rows differ in their fields: such events go as JSON text. */
    boolean isUneven() {
        return uneven;
    }

    /** The schema's text. */
    byte[] definition() {
        return definition;
    }

    /** Whether a frame knows the schema. */
    boolean isKnownTo(RecordFrame other) {
        return frame == other.id();
    }

    /** Its number in a frame, which knows it from now on. */
    int numberIn(RecordFrame other) {
        if (frame != other.id()) {
            frame = other.id();
            number = other.nextSchema();
        }
        return number;
    }

    /** Lays down the values of a struct. */
    void write(Struct struct, Scratch out) {
        for (int i = 0; i < fields.length; i++) {
            Field field = fields[i];
            Object value =
                defaulted[i] ? struct.getWithoutDefault(field.name()) : struct.get(field);
            write(i, value, out);
        }
    }

    /** Lays down the value of the i-th field. */
    void write(int i, Object value, Scratch out) {
        if (value == null) {
            out.u8(NULL);
            return;
        }
        switch (forms[i]) {
            case BOOLEAN:
                out.u8((Boolean) value ? TRUE : FALSE);
                break;
            case INT:
                out.u8(INT32);
                out.i32(((Number) value).intValue());
                break;
            case INT64:
                integer((Long) value, out);
                break;
            case FLOAT32:
                out.u8(FLOAT32);
                out.i32(Float.floatToRawIntBits((Float) value));
                break;
            case FLOAT64:
                out.u8(FLOAT64);
                out.i64(Double.doubleToRawLongBits((Double) value));
                break;
            case TEXT:
                text(TEXT, (String) value, out);
                break;
            default:
                writeLonger(i, value, out);
        }
    }

    private void writeLonger(int i, Object value, Scratch out) {
        switch (forms[i]) {
            case BYTES:
                bytes(value, out);
                break;
            case DECIMAL:
                decimal(fields[i].schema(), (BigDecimal) value, out);
                break;
            case TIME:
                integer(number(fields[i].schema().name(), (Date) value), out);
                break;
            case NESTED:
                out.u8(STRUCT);
                int inside = out.lengthPlace();
                nested[i].write((Struct) value, out);
                out.lengthFrom(inside);
                break;
            default:
                out.u8(JSON);
                int text = out.lengthPlace();
                new JsonText(out).value(fields[i].schema(), value);
                out.lengthFrom(text);
        }
    }

    private static void integer(long value, Scratch out) {
        out.u8(INT64);
        out.i64(value);
    }

    private static void text(int tag, String value, Scratch out) {
        out.u8(tag);
        int place = out.lengthPlace();
        out.utf8(value);
        out.lengthFrom(place);
    }

    private static void bytes(Object value, Scratch out) {
        out.u8(BYTES);
        int place = out.lengthPlace();
        if (value instanceof ByteBuffer) {
            out.bytes((ByteBuffer) value);
        } else {
            out.bytes((byte[]) value);
        }
        out.lengthFrom(place);
    }

    /** The unscaled value; one of another scale as a number's text, which the core fits
     * in or refuses. */
    private static void decimal(Schema schema, BigDecimal value, Scratch out) {
        String scale = schema.parameters().get(Decimal.SCALE_FIELD);
        if (Integer.toString(value.scale()).equals(scale)) {
            bytes(value.unscaledValue().toByteArray(), out);
        } else {
            text(NUMBER, value.toString(), out);
        }
    }

    /** The number that stands for a time: days, milliseconds of the day or since 1970. */
    static long number(String name, Date value) {
        boolean isDate = org.apache.kafka.connect.data.Date.LOGICAL_NAME.equals(name);
        return isDate ? Math.floorDiv(value.getTime(), DAY_MS) : value.getTime();
    }
}
