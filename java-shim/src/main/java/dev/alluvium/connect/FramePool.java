package dev.alluvium.connect;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.connect.errors.ConnectException;
import org.apache.kafka.connect.sink.SinkRecord;

/**
 * The frames of one task: takes a wish for room, gives frames over direct buffers, and knows every
 * frame the core still holds. Buffers come in powers of two from 64 KiB to 1 MiB, so that small
 * batches do not hold large buffers while they queue in the core; a larger record gets a buffer of
 * its own, which is not kept. Never hands out a buffer the core has not released. Used by the task
 * thread alone.
 */
final class FramePool {
    static final int FRAME_BYTES_MAX = 1 << 20;
    private static final int FRAME_BYTES_MIN = 1 << 16;
    /** What lies idle at most; more than that is left to the garbage collector. */
    private static final int IDLE_BYTES_MAX = 16 << 20;

    private final boolean keepRecords;
    private final Map<Integer, Deque<ByteBuffer>> idle = new HashMap<>();
    private final Map<Long, RecordFrame> lent = new HashMap<>();
    private int idleBytes;
    private long lastId;

    FramePool(boolean keepRecords) {
        this.keepRecords = keepRecords;
    }

    /** A frame with room for {@code bytes}. */
    RecordFrame take(int bytes) {
        RecordFrame frame =
            new RecordFrame(++lastId, buffer(bytes), keepRecords ? new ArrayList<>() : null);
        lent.put(frame.id(), frame);
        return frame;
    }

    /** The core is done with a frame. */
    void release(long id) {
        ByteBuffer buffer = lent(id).buffer();
        lent.remove(id);
        int bytes = buffer.capacity();
        if (bytes <= FRAME_BYTES_MAX && idleBytes + bytes <= IDLE_BYTES_MAX) {
            buffer.clear();
            idle.computeIfAbsent(bytes, any -> new ArrayDeque<>()).push(buffer);
            idleBytes += bytes;
        }
    }

    /** A record of a frame the core still holds. */
    SinkRecord record(long frame, int index) {
        SinkRecord record = lent(frame).record(index);
        if (record == null) {
            throw new ConnectException("the core wants a record reported, but none are kept; "
                + "please report this bug");
        }
        return record;
    }

    /** Number of frames the core holds. */
    int lentFrames() {
        return lent.size();
    }

    private RecordFrame lent(long id) {
        RecordFrame frame = lent.get(id);
        if (frame == null) {
            throw new ConnectException(
                "the core names frame " + id + ", which it does not hold; please report this bug");
        }
        return frame;
    }

    private ByteBuffer buffer(int bytes) {
        if (bytes > FRAME_BYTES_MAX) {
            return allocate(bytes);
        }
        int size = Math.max(FRAME_BYTES_MIN, Integer.highestOneBit(bytes * 2 - 1));
        Deque<ByteBuffer> known = idle.get(size);
        if (known == null || known.isEmpty()) {
            return allocate(size);
        }
        idleBytes -= size;
        return known.pop();
    }

    private static ByteBuffer allocate(int bytes) {
        try {
            return ByteBuffer.allocateDirect(bytes);
        } catch (OutOfMemoryError e) {
            // The JVM's limit on direct memory, not the heap: nothing else in the worker is hurt.
            throw new ConnectException("no room for " + bytes + " bytes of direct memory: raise "
                + "-XX:MaxDirectMemorySize of the worker or lower memory.limit.bytes", e);
        }
    }
}
