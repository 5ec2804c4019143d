package dev.alluvium.connect;

import java.nio.charset.StandardCharsets;
import java.util.Iterator;
import java.util.Map;

/**
 * Writes the few JSON documents that go down to the core: strings, numbers, booleans, maps and
 * lists come in, UTF-8 comes out. Never reads JSON; a library would be one more jar in the plugin.
 */
final class Json {
    private final StringBuilder text = new StringBuilder();

    private Json() {
    }

    static byte[] bytes(Object value) {
        return string(value).getBytes(StandardCharsets.UTF_8);
    }

    static String string(Object value) {
        Json json = new Json();
        json.value(value);
        return json.text.toString();
    }

    private void value(Object value) {
        if (value instanceof Map) {
            object((Map<?, ?>) value);
        } else if (value instanceof Iterable) {
            array((Iterable<?>) value);
        } else if (value == null || value instanceof Number || value instanceof Boolean) {
            text.append(value);
        } else {
            quoted(value.toString());
        }
    }

    private void object(Map<?, ?> map) {
        String separator = "{";
        for (Map.Entry<?, ?> member : map.entrySet()) {
            text.append(separator);
            quoted(member.getKey().toString());
            text.append(':');
            value(member.getValue());
            separator = ",";
        }
        text.append(map.isEmpty() ? "{}" : "}");
    }

    private void array(Iterable<?> elements) {
        text.append('[');
        for (Iterator<?> each = elements.iterator(); each.hasNext();) {
            value(each.next());
            text.append(each.hasNext() ? "," : "");
        }
        text.append(']');
    }

    private void quoted(String string) {
        text.append('"');
        for (int i = 0; i < string.length(); i++) {
            char c = string.charAt(i);
            if (c == '"' || c == '\\') {
                text.append('\\').append(c);
            } else if (c < ' ') {
                text.append(String.format("\\u%04x", (int) c));
            } else {
                text.append(c);
            }
        }
        text.append('"');
    }
}
