package dev.alluvium.connect;

import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.connect.errors.ConnectException;
import org.apache.kafka.connect.sink.SinkTaskContext;

/**
 * Carries out what the core asks of the task thread: triples (op, a, b) come in, calls of Connect's
 * context, of the frame pool, of the errant records and of Kafka's admin go out, in order. Decides nothing. An action
 * on an assignment that is over is left out: Connect throws at topic-partitions it took away.
 */
final class Actions {
    private static final int SEEK = 1;
    private static final int PAUSE = 2;
    private static final int RESUME = 3;
    private static final int RELEASE = 4;
    private static final int ERRANTS = 5;
    private static final int LOG = 6;
    private static final int CLOSED = 7;
    private static final int FACTS = 8;
    private static final int TAIL = 9;
    private static final int LONGS = 3;

    private final SinkTaskContext context;
    private final Partitions partitions;
    private final FramePool pool;
    private final Errants errants;
    private final AdminFacts facts;

    /** {@code facts} is null where no admin client is configured; then the core asks nothing. */
    Actions(SinkTaskContext context, Partitions partitions, FramePool pool, Errants errants,
            AdminFacts facts) {
        this.context = context;
        this.partitions = partitions;
        this.pool = pool;
        this.errants = errants;
        this.facts = facts;
    }

    /** Carries out all of them; true when CLOSED is among them. */
    boolean carryOut(long[] actions) {
        boolean closed = false;
        for (int i = 0; i + LONGS <= actions.length; i += LONGS) {
            closed |= actions[i] == CLOSED;
            carryOut((int) actions[i], actions[i + 1], actions[i + 2]);
        }
        return closed;
    }

    private void carryOut(int op, long a, long b) {
        TopicPartition partition =
            op <= RESUME || op == FACTS || op == TAIL ? partitions.opened(a) : null;
        switch (op) {
            case SEEK:
                if (partition != null) {
                    context.offset(partition, b);
                }
                break;
            case PAUSE:
                if (partition != null) {
                    context.pause(partition);
                }
                break;
            case RESUME:
                if (partition != null) {
                    context.resume(partition);
                }
                break;
            case RELEASE:
                pool.release(a);
                break;
            case ERRANTS:
                errants.take();
                break;
            case LOG:
                CoreLog.drain();
                break;
            case CLOSED:
                break;
            case FACTS:
                if (partition != null) {
                    facts.ask(a, partition, b);
                }
                break;
            case TAIL:
                if (partition != null) {
                    facts.askTail(a, partition, b);
                }
                break;
            default:
                throw new ConnectException(
                    "the core asks for the unknown action " + op + "; please report this bug");
        }
    }
}
