package dev.alluvium.connect;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/**
 * Reads the lists the core answers with: an i32 count, then the elements, little endian. What it
 * cannot read is our own bug and ends in an unchecked exception.
 */
final class WireReader {
    private final ByteBuffer buffer;

    private WireReader(byte[] bytes) {
        this.buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    static <T> List<T> list(byte[] bytes, Function<WireReader, T> element) {
        WireReader reader = new WireReader(bytes);
        int count = reader.i32();
        List<T> list = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            list.add(element.apply(reader));
        }
        return list;
    }

    int u8() {
        return buffer.get() & 0xff;
    }

    int i32() {
        return buffer.getInt();
    }

    long i64() {
        return buffer.getLong();
    }

    /** An i32 length in bytes, then UTF-8. */
    String text() {
        byte[] bytes = new byte[i32()];
        buffer.get(bytes);
        return new String(bytes, StandardCharsets.UTF_8);
    }
}
