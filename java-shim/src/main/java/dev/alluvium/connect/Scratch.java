package dev.alluvium.connect;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.apache.kafka.connect.errors.DataException;

/**
 * Memory in which one value after another is laid down, little endian, before it goes into a frame:
 * only then is it known whether it has room there. Grows with a large value and gives that back
 * with the next; otherwise nothing is allocated.
 */
final class Scratch {
    private static final int KEPT_BYTES_MAX = 4 << 20;
    private static final VarHandle INT =
        MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle LONG =
        MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private byte[] bytes = new byte[1 << 12];
    private int length;

    void clear() {
        length = 0;
        if (bytes.length > KEPT_BYTES_MAX) {
            bytes = new byte[1 << 12];
        }
    }

    byte[] array() {
        return bytes;
    }

    int length() {
        return length;
    }

    void u8(int value) {
        room(1);
        bytes[length++] = (byte) value;
    }

    void i32(int value) {
        room(Integer.BYTES);
        INT.set(bytes, length, value);
        length += Integer.BYTES;
    }

    void i64(long value) {
        room(Long.BYTES);
        LONG.set(bytes, length, value);
        length += Long.BYTES;
    }

    void bytes(byte[] value) {
        room(value.length);
        System.arraycopy(value, 0, bytes, length, value.length);
        length += value.length;
    }

    /** What remains of a buffer, which is left as it was. */
    void bytes(ByteBuffer value) {
        int size = value.remaining();
        room(size);
        value.duplicate().get(bytes, length, size);
        length += size;
    }

    /** A place for a length, to be filled by {@link #lengthFrom}. */
    int lengthPlace() {
        i32(0);
        return length;
    }

    /** Puts the number of bytes behind a place for a length into it. */
    void lengthFrom(int place) {
        INT.set(bytes, place - Integer.BYTES, length - place);
    }

    /** UTF-8. Half a surrogate pair becomes three bytes that no UTF-8 has: the core refuses it. */
    void utf8(String text) {
        int chars = text.length();
        room(3L * chars);
        int i = 0;
        while (i < chars && text.charAt(i) < 0x80) {
            bytes[length++] = (byte) text.charAt(i++);
        }
        while (i < chars) {
            char c = text.charAt(i++);
            if (Character.isHighSurrogate(c) && i < chars
                    && Character.isLowSurrogate(text.charAt(i))) {
                supplementary(Character.toCodePoint(c, text.charAt(i++)));
            } else {
                basic(c);
            }
        }
    }

    private void basic(int c) {
        if (c < 0x80) {
            bytes[length++] = (byte) c;
        } else if (c < 0x800) {
            bytes[length++] = (byte) (0xc0 | c >> 6);
            bytes[length++] = (byte) (0x80 | c & 0x3f);
        } else {
            bytes[length++] = (byte) (0xe0 | c >> 12);
            bytes[length++] = (byte) (0x80 | c >> 6 & 0x3f);
            bytes[length++] = (byte) (0x80 | c & 0x3f);
        }
    }

    private void supplementary(int c) {
        bytes[length++] = (byte) (0xf0 | c >> 18);
        bytes[length++] = (byte) (0x80 | c >> 12 & 0x3f);
        bytes[length++] = (byte) (0x80 | c >> 6 & 0x3f);
        bytes[length++] = (byte) (0x80 | c & 0x3f);
    }

    private void room(long size) {
        long wanted = length + size;
        if (wanted > bytes.length) {
            if (wanted > RecordBytes.BYTES_MAX) {
                throw new DataException("a value of over " + RecordBytes.BYTES_MAX
                    + " bytes is too large for a frame");
            }
            long grown = Math.min(RecordBytes.BYTES_MAX, Math.max(wanted, 2L * bytes.length));
            bytes = Arrays.copyOf(bytes, (int) grown);
        }
    }
}
