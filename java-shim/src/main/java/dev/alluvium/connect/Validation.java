package dev.alluvium.connect;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.common.config.Config;
import org.apache.kafka.common.config.ConfigValue;
import org.apache.kafka.connect.errors.ConnectException;

/**
 * Checks a connector's configuration before it exists. In come the keys as posted, out come
 * ConfigValues with every mistake at its key: types and choices by the ConfigDef, unknown keys,
 * converters and consumer settings here, everything else (URLs, ranges, grammars, rules between
 * keys, a look at the store) by the core. A key the ConfigDef refuses is not told twice.
 */
final class Validation {
    private static final String ISOLATION = "consumer.override.isolation.level";
    private static final String RESET = "consumer.override.auto.offset.reset";
    private static final String VALUE_CONVERTER = "value.converter";
    private static final String KEY_CONVERTER = "key.converter";
    /** A converter may be named by its class, or by one of the aliases the worker makes. */
    private static final List<String> BYTES =
        List.of(RecordBytes.CONVERTER, "ByteArrayConverter", "ByteArray");
    private static final List<String> STRINGS = List.of(
        "org.apache.kafka.connect.storage.StringConverter", "StringConverter", "String");
    /** Kafka's converters of bare values. */
    private static final List<String> BARE =
        List.of("Boolean", "Short", "Integer", "Long", "Float", "Double");

    private final Map<String, String> given = new TreeMap<>();
    private final Map<String, ConfigValue> values = new LinkedHashMap<>();

    private Validation(Map<String, String> config) {
        given.putAll(config);
        given.values().removeIf(value -> value == null);
        for (ConfigValue value : LakeSinkConfig.DEFINITION.validate(config)) {
            values.put(value.name(), value);
        }
    }

    static Config of(Map<String, String> config) {
        Validation validation = new Validation(config);
        validation.unknownKeys();
        validation.converters();
        validation.consumer();
        validation.core();
        return new Config(new ArrayList<>(validation.values.values()));
    }

    private void unknownKeys() {
        UnknownKeys unknown = new UnknownKeys(LakeSinkConfig.DEFINITION.names());
        for (String key : given.keySet()) {
            String refusal = unknown.refusal(key);
            if (refusal != null) {
                refuse(key, refusal);
            }
        }
    }

    /** Converters left to the worker cannot be seen here: the task looks at its first record. */
    private void converters() {
        InputFormat format = InputFormat.of(given.getOrDefault(LakeSinkConfig.INPUT_FORMAT, "auto"));
        String value = given.get(VALUE_CONVERTER);
        String key = given.get(KEY_CONVERTER);
        if (value != null && !format.takesStructs() && !isAsItLies(value)) {
            refuse(VALUE_CONVERTER, VALUE_CONVERTER + " " + value + " takes the values apart, but "
                + LakeSinkConfig.INPUT_FORMAT + " " + given.get(LakeSinkConfig.INPUT_FORMAT)
                + " reads the bytes Kafka holds; paste: "
                + line(VALUE_CONVERTER, RecordBytes.CONVERTER));
        }
        if (value != null && format == InputFormat.AUTO && BARE.contains(shortName(value))) {
            refuse(VALUE_CONVERTER, VALUE_CONVERTER + " " + value + " makes numbers, which have no "
                + "columns; paste: " + line(VALUE_CONVERTER, RecordBytes.CONVERTER)
                + ", or, if the one column `value` is what you want, "
                + line(LakeSinkConfig.INPUT_FORMAT, "connect"));
        }
        if (value != null && !format.takesBytes() && BYTES.contains(value)) {
            refuse(LakeSinkConfig.INPUT_FORMAT, LakeSinkConfig.INPUT_FORMAT + " connect reads what "
                + "a converter took apart, but " + VALUE_CONVERTER + " " + value + " leaves the "
                + "values as they are; paste: " + line(LakeSinkConfig.INPUT_FORMAT, "auto"));
        }
        if (key != null && !format.takesStructs() && !isAsItLies(key)) {
            refuse(KEY_CONVERTER, KEY_CONVERTER + " " + key
                + " takes the keys apart, but Alluvium reads the bytes Kafka holds; paste: "
                + line(KEY_CONVERTER, RecordBytes.CONVERTER));
        }
    }

    private static boolean isAsItLies(String converter) {
        return BYTES.contains(converter) || STRINGS.contains(converter);
    }

    /** A converter's class without its package and without what aliases leave out. */
    private static String shortName(String converter) {
        String name = converter.substring(converter.lastIndexOf('.') + 1);
        return name.endsWith("Converter") ? name.substring(0, name.length() - 9) : name;
    }

    private void consumer() {
        String guarantee = given.getOrDefault(
            LakeSinkConfig.DELIVERY_GUARANTEE, LakeSinkConfig.EXACTLY_ONCE);
        if (guarantee.equals(LakeSinkConfig.EXACTLY_ONCE) && !given.containsKey(ISOLATION)) {
            refuse(ISOLATION, ISOLATION + " is missing: with exactly_once it must be said whether "
                + "records of aborted transactions are rows; paste: "
                + line(ISOLATION, "read_committed"));
        }
        if ("none".equals(given.get(RESET))) {
            refuse(RESET, RESET + " none stops the task at every topic-partition without a group "
                + "offset, though the commit log knows where to go on; use earliest or latest");
        }
    }

    private void core() {
        try {
            byte[] message = Json.bytes(Map.of("config", given));
            for (NativeSink.Mistake mistake : NativeSink.mistakes(message)) {
                ConfigValue value = values.get(mistake.key);
                if (value == null || value.errorMessages().isEmpty()) {
                    refuse(mistake.key, mistake.message);
                }
            }
        } catch (ConnectException | LinkageError e) {
            refuse("connector.class", "connector.class " + LakeSinkConnector.class.getName()
                + " cannot run on this worker: " + e.getMessage());
        }
    }

    /**
     * Adds a mistake. Keys outside of our ConfigDef go without their value: Connect would show it
     * by the type it knows for them, and fail at a string where that is a class.
     */
    private void refuse(String key, String message) {
        values.computeIfAbsent(
                key, name -> new ConfigValue(name, null, new ArrayList<>(), new ArrayList<>()))
            .addErrorMessage(message);
    }

    private static String line(String key, String value) {
        return "\"" + key + "\": \"" + value + "\"";
    }
}
