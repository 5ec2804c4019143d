package dev.alluvium.connect;

import java.util.Map;
import org.apache.kafka.common.utils.AppInfoParser;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What group.protocol=consumer asks of a sink task. In comes its configuration, out come what is
 * said at the start and what is written behind the metadata of each answer to preCommit.
 *
 * <p>Connect keeps the map that the last commit of offsets was told with, and takes revoked
 * topic-partitions out of it (WorkerSinkTask's clearOffsets). Since 4.0 the consumer of this
 * protocol tells an asynchronous commit with a map that cannot be changed, and the task dies. A
 * synchronous commit is told with a map of Connect's own: at a revocation there is one when the
 * answer of preCommit differs from the last that was committed. So here it always does.
 */
final class ConsumerProtocol {
    static final String KEY = "consumer.override.group.protocol";
    private static final Logger LOG = LoggerFactory.getLogger(ConsumerProtocol.class);
    private static final String CONSUMER = "consumer";

    private final boolean chosen;
    private long answers;

    ConsumerProtocol(Map<String, String> config) {
        String given = config.get(KEY);
        chosen = given != null && given.trim().equalsIgnoreCase(CONSUMER);
        if (chosen) {
            String said = warning(AppInfoParser.getVersion());
            if (said != null) {
                LOG.warn(said);
            }
        }
    }

    /** What an operator of a worker with these Kafka clients must know; null for nothing. */
    static String warning(String clients) {
        // The consumer of this protocol told commits with Connect's own map then.
        if (clients.startsWith("3.")) {
            return null;
        }
        return KEY + "=consumer, and the worker's Kafka clients are " + clients + ": Connect 4.0 to "
            + "4.4.0 at least (no later one was looked at) ends a sink task under this protocol "
            + "with an UnsupportedOperationException in WorkerSinkTask's clearOffsets when "
            + "topic-partitions are taken from it. This sink avoids it by committing the group's "
            + "offsets at each revocation. Where it has nothing to commit, because topic-partitions "
            + "are lost or revoked before they were opened, the task still dies: nothing is lost, "
            + "and it must be restarted. To be safe from it, leave " + KEY + " out; "
            + "consumer.override.partition.assignment.strategy=org.apache.kafka.clients.consumer."
            + "CooperativeStickyAssignor moves as few topic-partitions";
    }

    /** Goes behind the metadata of an answer to preCommit: never the same twice, if need be. */
    String mark() {
        return chosen ? "/" + ++answers : "";
    }
}
