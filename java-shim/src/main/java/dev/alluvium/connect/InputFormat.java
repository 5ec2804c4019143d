package dev.alluvium.connect;

import org.apache.kafka.connect.sink.SinkRecord;

/** What `input.format` lets a value be; docs/inputs.md has the table. */
enum InputFormat {
    /** Bytes and text as they lie in Kafka, structs and maps as a converter made them. */
    AUTO,
    /** Bytes and text only. */
    BYTES,
    /** What a converter took apart, bare values too. */
    CONNECT;

    static InputFormat of(String name) {
        switch (name) {
            case "auto":
                return AUTO;
            case "connect":
                return CONNECT;
            default:
                return BYTES;
        }
    }

    boolean takesStructs() {
        return this != BYTES;
    }

    boolean takesBytes() {
        return this != CONNECT;
    }

    /**
     * The bytes of a key. One that was taken apart is read only where the value is null, by
     * tombstones=row: then it goes as JSON with its schema, else not at all.
     */
    byte[] key(SinkRecord record) {
        Object key = record.key();
        boolean isBytes = key == null || key instanceof byte[] || key instanceof String;
        if (!takesStructs() || isBytes) {
            return RecordBytes.key(record);
        }
        return record.value() == null ? JsonText.wrapped(record.keySchema(), key) : null;
    }
}
