package dev.alluvium.connect;

import java.util.List;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigException;

/** A value out of a few; those a later release brings are refused by name. */
final class OneOf implements ConfigDef.Validator {
    private final List<String> values;
    private final List<String> later;

    private OneOf(List<String> values, List<String> later) {
        this.values = values;
        this.later = later;
    }

    static OneOf of(String... values) {
        return new OneOf(List.of(values), List.of());
    }

    OneOf later(String... names) {
        return new OneOf(values, List.of(names));
    }

    String first() {
        return values.get(0);
    }

    @Override
    public void ensureValid(String name, Object value) {
        if (values.contains(value)) {
            return;
        }
        String why = later.contains(value) ? "comes with a later release; " : "";
        throw new ConfigException(name, value, why + "must be " + this);
    }

    @Override
    public String toString() {
        return String.join(" or ", values);
    }
}
