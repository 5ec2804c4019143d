package dev.alluvium.connect;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.function.Supplier;
import org.apache.kafka.connect.errors.ConnectException;

/**
 * One task's pipeline in the Rust core, and the only class with native methods; docs/boundary.md
 * says what each of them takes, gives and throws. Used by the task thread alone. A call after
 * {@link #close()} is a bug and throws; nothing here ever hands a freed handle to the core.
 */
final class NativeSink implements Errants.Core, AutoCloseable {
    private long handle;

    private NativeSink(long handle) {
        this.handle = handle;
    }

    /** Makes the pipeline of one task: reads the configuration, opens and probes the store. */
    static NativeSink start(byte[] json) {
        NativeLibrary.load();
        return new NativeSink(logged(() -> create(json)));
    }

    /** The mistakes of a configuration; looks at the store, read only, 5 s at most. */
    static List<Mistake> mistakes(byte[] json) {
        NativeLibrary.load();
        List<Mistake> mistakes = WireReader.list(logged(() -> validate(json)), Mistake::new);
        CoreLog.drain();
        return mistakes;
    }

    /** Notes altered offsets of a sink that is stopped; 60 s at most. */
    static void requestReset(byte[] json) {
        NativeLibrary.load();
        logged(() -> {
            alterOffsets(json);
            return null;
        });
        CoreLog.drain();
    }

    /** Parses a frame and lays it down again: for the tests of the frame layout. */
    static byte[] echoed(ByteBuffer frame, int length, int count) {
        NativeLibrary.load();
        return logged(() -> echo(frame, length, count));
    }

    static String libraryVersion() {
        return version();
    }

    static List<CoreLog.Line> takeLog() {
        return WireReader.list(drainLog(), CoreLog.Line::new);
    }

    /** Begins to open topic-partitions; gives actions. */
    long[] open(byte[] json) {
        return logged(() -> open(live(), json));
    }

    /** Takes what the core has to say to the task thread; gives actions. */
    long[] events() {
        return logged(() -> put(live(), null, 0, 0, 0));
    }

    /** Hands a frame over; it belongs to the core until RELEASE names it. Gives actions. */
    long[] put(RecordFrame frame) {
        return logged(
            () -> put(live(), frame.buffer(), frame.length(), frame.count(), frame.id()));
    }

    /** Five longs a topic-partition with a safe offset: id, offset, seq, log id high and low. */
    long[] preCommit(long[] current) {
        return logged(() -> preCommit(live(), current));
    }

    /** Closes topic-partitions, waiting a little; to be called again until CLOSED is given. */
    long[] closePartitions(long[] ids, long waitMs) {
        return logged(() -> close(live(), ids, waitMs));
    }

    @Override
    public List<Errants.Errant> takeErrants() {
        return WireReader.list(logged(() -> takeErrants(live())), Errants.Errant::new);
    }

    @Override
    public void errantsDone(long[] ids) {
        logged(() -> {
            errantsDone(live(), ids);
            return null;
        });
    }

    /** Hands over what Kafka's admin client said to the questions among the actions. */
    void facts(byte[] json) {
        logged(() -> {
            facts(live(), json);
            return null;
        });
    }

    /** Ends the pipeline; every buffer is free afterwards. A second call does nothing. */
    @Override
    public void close() {
        if (handle != 0) {
            long last = handle;
            handle = 0;
            try {
                destroy(last);
            } finally {
                CoreLog.drain();
            }
        }
    }

    private long live() {
        if (handle == 0) {
            throw new ConnectException("the task was stopped; please report this call as a bug");
        }
        return handle;
    }

    /** What was logged before a throw explains it, so it comes out first. */
    private static <T> T logged(Supplier<T> call) {
        try {
            return call.get();
        } catch (RuntimeException e) {
            CoreLog.drain();
            throw e;
        }
    }

    /** A mistake in a configuration: the key it belongs to, and what would be right. */
    static final class Mistake {
        final String key;
        final String message;

        Mistake(WireReader reader) {
            this.key = reader.text();
            this.message = reader.text();
        }
    }

    private static native long create(byte[] json);

    private static native long[] open(long handle, byte[] json);

    private static native long[] put(
        long handle, ByteBuffer frame, int length, int count, long frameId);

    private static native long[] preCommit(long handle, long[] current);

    private static native long[] close(long handle, long[] ids, long waitMs);

    private static native void destroy(long handle);

    private static native byte[] takeErrants(long handle);

    private static native void errantsDone(long handle, long[] ids);

    private static native void facts(long handle, byte[] json);

    private static native byte[] validate(byte[] json);

    private static native void alterOffsets(byte[] json);

    private static native byte[] metrics(long handle);

    private static native byte[] drainLog();

    private static native String version();

    private static native byte[] echo(ByteBuffer frame, int length, int count);
}
