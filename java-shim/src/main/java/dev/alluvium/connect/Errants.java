package dev.alluvium.connect;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.apache.kafka.connect.errors.ConnectException;
import org.apache.kafka.connect.errors.DataException;
import org.apache.kafka.connect.sink.ErrantRecordReporter;
import org.apache.kafka.connect.sink.SinkRecord;

/**
 * Brings errant records to Connect's dead letter queue: takes them from the core, reports them, and
 * tells the core which have safely arrived, since no cut goes past one that has not. A report that
 * fails is never told to the core; it ends the task at the next {@code put}. Never waits.
 */
final class Errants {
    /** The two calls of the core that are about errant records. */
    interface Core {
        List<Errant> takeErrants();

        void errantsDone(long[] ids);
    }

    private final Core core;
    private final FramePool pool;
    private final ErrantRecordReporter reporter;
    private final Deque<Reported> underway = new ArrayDeque<>();
    private ConnectException failure;

    Errants(Core core, FramePool pool, ErrantRecordReporter reporter) {
        this.core = core;
        this.pool = pool;
        this.reporter = reporter;
    }

    /** Takes what waits in the core and reports it. */
    void take() {
        for (Errant errant : core.takeErrants()) {
            SinkRecord record = pool.record(errant.frame, errant.index);
            try {
                Future<Void> future = reporter.report(record, new DataException(errant.reason));
                underway.add(new Reported(errant.id, record, future));
            } catch (ConnectException e) {
                fail(notReported(record, e));
            }
        }
    }

    /** Tells the core which records have arrived. */
    void poll() {
        long[] done = new long[underway.size()];
        int count = 0;
        for (Iterator<Reported> each = underway.iterator(); each.hasNext();) {
            Reported reported = each.next();
            if (reported.future.isDone()) {
                each.remove();
                if (arrived(reported)) {
                    done[count++] = reported.id;
                }
            }
        }
        if (count > 0) {
            tell(Arrays.copyOf(done, count));
        }
    }

    /** Throws if a record could not be reported: rows behind it may not become visible. */
    void failIfAnyFailed() {
        if (failure != null) {
            throw failure;
        }
    }

    /** Runs in close, too, which may not throw: a broken core is heard of at the next put. */
    private void tell(long[] done) {
        try {
            core.errantsDone(done);
        } catch (ConnectException e) {
            fail(e);
        }
    }

    private boolean arrived(Reported reported) {
        try {
            reported.future.get();
            return true;
        } catch (ExecutionException e) {
            fail(notReported(reported.record, e.getCause()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            fail(notReported(reported.record, e));
        }
        return false;
    }

    private void fail(ConnectException first) {
        if (failure == null) {
            failure = first;
        }
    }

    private static ConnectException notReported(SinkRecord record, Throwable cause) {
        return new ConnectException("the errant record at " + RecordBytes.position(record)
            + " could not be reported to the dead letter queue", cause);
    }

    /** A record for the dead letter queue: where it lies in a frame of ours, and why. */
    static final class Errant {
        final long id;
        final long frame;
        final int index;
        final String reason;

        Errant(WireReader reader) {
            this.id = reader.i64();
            this.frame = reader.i64();
            this.index = reader.i32();
            this.reason = reader.text();
        }
    }

    /** An errant record on its way. */
    private static final class Reported {
        final long id;
        final SinkRecord record;
        final Future<Void> future;

        Reported(long id, SinkRecord record, Future<Void> future) {
            this.id = id;
            this.record = record;
            this.future = future;
        }
    }
}
