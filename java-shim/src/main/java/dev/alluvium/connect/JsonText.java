package dev.alluvium.connect;

import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.Date;
import java.util.Map;
import org.apache.kafka.connect.data.Decimal;
import org.apache.kafka.connect.data.Field;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.errors.DataException;

/**
 * JSON as JsonConverter spells it, letter by letter, so that a value says the same whether a worker
 * took it apart or not. In come schemas, and values with or without one; out goes text into a
 * {@link Scratch}. Rows do not take this way: only their schemas, once a frame, columns that land
 * as JSON text anyway, and maps without a schema.
 */
final class JsonText {
    private static final char[] HEX = "0123456789ABCDEF".toCharArray();

    private final Scratch out;

    JsonText(Scratch out) {
        this.out = out;
    }

    /** A value with its schema, if it has one, as JsonConverter writes both. */
    static byte[] wrapped(Schema schema, Object value) {
        Scratch scratch = new Scratch();
        JsonText text = new JsonText(scratch);
        if (schema != null) {
            text.ascii("{\"schema\":");
            text.schema(schema, null);
            text.ascii(",\"payload\":");
        }
        text.value(schema, value);
        text.ascii(schema == null ? "" : "}");
        return Arrays.copyOf(scratch.array(), scratch.length());
    }

    /** A schema; {@code field} is its name in a struct, or null. */
    void schema(Schema schema, String field) {
        ascii("{\"type\":\"" + literal(schema) + '"');
        switch (schema.type()) {
            case ARRAY:
                ascii(",\"items\":");
                schema(schema.valueSchema(), null);
                break;
            case MAP:
                ascii(",\"keys\":");
                schema(schema.keySchema(), null);
                ascii(",\"values\":");
                schema(schema.valueSchema(), null);
                break;
            case STRUCT:
                ascii(",\"fields\":[");
                String separator = "";
                for (Field each : schema.fields()) {
                    ascii(separator);
                    schema(each.schema(), each.name());
                    separator = ",";
                }
                ascii("]");
                break;
            default:
                break;
        }
        ascii(",\"optional\":" + schema.isOptional());
        member("name", schema.name());
        if (schema.version() != null) {
            ascii(",\"version\":" + schema.version());
        }
        parameters(schema.parameters());
        if (schema.defaultValue() != null) {
            ascii(",\"default\":");
            value(schema, schema.defaultValue());
        }
        member("field", field);
        ascii("}");
    }

    private void parameters(Map<String, String> parameters) {
        if (parameters == null || parameters.isEmpty()) {
            return;
        }
        String separator = ",\"parameters\":{";
        for (Map.Entry<String, String> each : parameters.entrySet()) {
            ascii(separator);
            quoted(each.getKey());
            ascii(":");
            quoted(each.getValue());
            separator = ",";
        }
        ascii("}");
    }

    private void member(String name, String value) {
        if (value != null) {
            ascii(",\"" + name + "\":");
            quoted(value);
        }
    }

    private static String literal(Schema schema) {
        switch (schema.type()) {
            case FLOAT32:
                return "float";
            case FLOAT64:
                return "double";
            default:
                return schema.type().getName();
        }
    }

    /** A value; its schema may be null. Defaults do not stand in for nulls. */
    void value(Schema schema, Object value) {
        if (value == null) {
            ascii("null");
        } else if (value instanceof String) {
            quoted((String) value);
        } else if (value instanceof Float || value instanceof Double) {
            floating((Number) value);
        } else if (value instanceof Integer || value instanceof Long || value instanceof Boolean
                || value instanceof Short || value instanceof Byte) {
            ascii(value.toString());
        } else if (value instanceof Struct) {
            struct((Struct) value);
        } else if (value instanceof Map) {
            map(schema, (Map<?, ?>) value);
        } else if (value instanceof Iterable) {
            list(schema, (Iterable<?>) value);
        } else if (value instanceof byte[]) {
            ascii('"' + Base64.getEncoder().encodeToString((byte[]) value) + '"');
        } else if (value instanceof ByteBuffer) {
            ByteBuffer encoded = Base64.getEncoder().encode(((ByteBuffer) value).duplicate());
            ascii('"' + StandardCharsets.ISO_8859_1.decode(encoded).toString() + '"');
        } else if (value instanceof BigDecimal) {
            decimal(schema, (BigDecimal) value);
        } else if (value instanceof Date) {
            time(schema, (Date) value);
        } else {
            throw new DataException("a value of " + value.getClass() + " is none of Connect's");
        }
    }

    private void struct(Struct struct) {
        String separator = "{";
        for (Field field : struct.schema().fields()) {
            ascii(separator);
            quoted(field.name());
            ascii(":");
            value(field.schema(), struct.getWithoutDefault(field.name()));
            separator = ",";
        }
        ascii(separator.equals("{") ? "{}" : "}");
    }

    /** An object where the keys are text, else a list of pairs. */
    private void map(Schema schema, Map<?, ?> map) {
        boolean object = schema == null
            ? map.keySet().stream().allMatch(key -> key instanceof String)
            : schema.keySchema().type() == Schema.Type.STRING && !map.containsKey(null);
        Schema keys = schema == null ? null : schema.keySchema();
        Schema values = schema == null ? null : schema.valueSchema();
        String separator = "";
        ascii(object ? "{" : "[");
        for (Map.Entry<?, ?> each : map.entrySet()) {
            ascii(object ? separator : separator + "[");
            value(keys, each.getKey());
            ascii(object ? ":" : ",");
            value(values, each.getValue());
            ascii(object ? "" : "]");
            separator = ",";
        }
        ascii(object ? "}" : "]");
    }

    private void list(Schema schema, Iterable<?> list) {
        String separator = "[";
        for (Object each : list) {
            ascii(separator);
            value(schema == null ? null : schema.valueSchema(), each);
            separator = ",";
        }
        ascii(separator.equals("[") ? "[]" : "]");
    }

    /** JSON has no number for what is none. */
    private void floating(Number value) {
        boolean finite = Double.isFinite(value.doubleValue());
        ascii(finite ? value.toString() : '"' + value.toString() + '"');
    }

    /** With a schema as JsonConverter; without one as exact text. */
    private void decimal(Schema schema, BigDecimal value) {
        if (schema == null) {
            quoted(value.toString());
        } else {
            value(null, Decimal.fromLogical(schema, value));
        }
    }

    /** With a schema the number that stands for it; without one the instant as ISO text. */
    private void time(Schema schema, Date value) {
        if (schema == null) {
            quoted(value.toInstant().toString());
        } else {
            ascii(Long.toString(RowSchema.number(schema.name(), value)));
        }
    }

    private void ascii(String text) {
        out.utf8(text);
    }

    /** A string with Jackson's escapes. */
    void quoted(String text) {
        out.u8('"');
        int plainFrom = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c < ' ' || c == '"' || c == '\\' || Character.isSurrogate(c)) {
                out.utf8(text.substring(plainFrom, i));
                escaped(c);
                plainFrom = i + 1;
            }
        }
        out.utf8(plainFrom == 0 ? text : text.substring(plainFrom));
        out.u8('"');
    }

    private void escaped(char c) {
        int letter = "\b\t\n\f\r\"\\".indexOf(c);
        out.u8('\\');
        if (letter >= 0) {
            out.u8("btnfr\"\\".charAt(letter));
        } else {
            out.u8('u');
            for (int shift = 12; shift >= 0; shift -= 4) {
                out.u8(HEX[c >> shift & 0xf]);
            }
        }
    }
}
