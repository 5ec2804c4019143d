package dev.alluvium.connect;

import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigDef.Importance;
import org.apache.kafka.common.config.ConfigDef.Type;
import org.apache.kafka.common.config.ConfigDef.Width;

/**
 * Writes a ConfigDef down as a list: a group, then its keys in order. Ranges and grammars are not
 * said here: the core reads the values, and its word on them is asked for in {@link Validation}.
 */
final class ConfigKeys {
    private final ConfigDef definition = new ConfigDef();
    private String group;
    private int order;

    ConfigKeys group(String name) {
        group = name;
        order = 0;
        return this;
    }

    /** A key that must be given. */
    ConfigKeys required(String name, Type type, String doc) {
        return define(name, type, ConfigDef.NO_DEFAULT_VALUE, null, Importance.HIGH, doc);
    }

    ConfigKeys key(String name, Type type, Object preset, String doc) {
        return define(name, type, preset, null, Importance.MEDIUM, doc);
    }

    /** A key whose default is worked out elsewhere; {@code otherwise} says it in words. */
    ConfigKeys unset(String name, Type type, String otherwise, String doc) {
        return define(
            name, type, null, null, Importance.MEDIUM, doc + " Default: " + otherwise + ".");
    }

    /** A key with a few values, the first of which is the default. */
    ConfigKeys choice(String name, OneOf values, String doc) {
        return define(name, Type.STRING, values.first(), values, Importance.MEDIUM, doc);
    }

    ConfigDef definition() {
        return definition;
    }

    private ConfigKeys define(String name, Type type, Object preset, ConfigDef.Validator validator,
            Importance importance, String doc) {
        definition.define(name, type, preset, validator, importance, doc, group, ++order,
            Width.MEDIUM, name);
        return this;
    }
}
