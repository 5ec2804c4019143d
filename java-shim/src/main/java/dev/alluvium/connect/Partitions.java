package dev.alluvium.connect;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.connect.errors.ConnectException;
import org.apache.kafka.connect.sink.SinkRecord;

/**
 * The ids under which one task's topic-partitions are known to the core: a new one for every
 * assignment, never used twice in the process, so that nothing that is still under way for an
 * earlier assignment can be taken for the present one. Keeps no other state of a topic-partition.
 */
final class Partitions {
    /** Id of a topic-partition this task had, and has no longer. */
    static final int CLOSED = -1;
    private static final int NEVER_OPENED = 0;
    private static final AtomicInteger LAST_ID = new AtomicInteger();

    private final Map<String, int[]> idsByTopic = new HashMap<>();
    private final Map<Long, TopicPartition> open = new HashMap<>();
    /** The last record's, since most records follow one of the same topic-partition. */
    private String lastTopic;
    private int lastPartition;
    private int lastId;

    /** Gives each topic-partition a new id; the answer is what {@code NativeSink.open} takes. */
    byte[] open(Collection<TopicPartition> opened) {
        List<Map<String, Object>> json = new ArrayList<>();
        for (TopicPartition partition : opened) {
            int id = LAST_ID.incrementAndGet();
            open.remove((long) replaceId(partition, id));
            open.put((long) id, partition);
            Map<String, Object> element = new LinkedHashMap<>();
            element.put("id", id);
            element.put("topic", partition.topic());
            element.put("partition", partition.partition());
            json.add(element);
        }
        return Json.bytes(json);
    }

    /** Ends assignments. Connect may name topic-partitions closed long ago: those are left out. */
    long[] close(Collection<TopicPartition> closed) {
        return closed.stream()
            .filter(partition -> id(partition) > NEVER_OPENED)
            .mapToLong(partition -> {
                long id = replaceId(partition, CLOSED);
                open.remove(id);
                return id;
            })
            .toArray();
    }

    /** The id of a record's original topic-partition, or {@link #CLOSED}. */
    int idOf(SinkRecord record) {
        String topic = record.originalTopic();
        int partition = record.originalKafkaPartition();
        if (partition != lastPartition || !topic.equals(lastTopic)) {
            int id = id(topic, partition);
            if (id == NEVER_OPENED) {
                throw new ConnectException("the record at " + RecordBytes.position(record)
                    + " is of a topic-partition this task was never given: a transform in "
                    + "`transforms` made a new record and lost the original topic, partition and "
                    + "offset; it must use SinkRecord.newRecord");
            }
            lastTopic = topic;
            lastPartition = partition;
            lastId = id;
        }
        return lastId;
    }

    /** The topic-partition behind an id, or null when that assignment is over. */
    TopicPartition opened(long id) {
        return open.get(id);
    }

    /** Connect's current offsets as pairs (id, offset), of what is open. */
    long[] idsAndOffsets(Map<TopicPartition, OffsetAndMetadata> current) {
        long[] pairs = new long[2 * current.size()];
        int filled = 0;
        for (Map.Entry<TopicPartition, OffsetAndMetadata> each : current.entrySet()) {
            int id = id(each.getKey());
            if (id > NEVER_OPENED) {
                pairs[filled++] = id;
                pairs[filled++] = each.getValue().offset();
            }
        }
        return Arrays.copyOf(pairs, filled);
    }

    /**
     * What preCommit gave (id, offset, seq, log id high and low), as Connect takes it; the mark goes
     * behind the metadata.
     */
    Map<TopicPartition, OffsetAndMetadata> safeOffsets(long[] answer, String mark) {
        Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
        for (int i = 0; i + 5 <= answer.length; i += 5) {
            TopicPartition partition = open.get(answer[i]);
            if (partition != null) {
                String log = new UUID(answer[i + 3], answer[i + 4]) + "/" + answer[i + 2];
                String metadata = "alluvium/" + log + mark;
                offsets.put(partition, new OffsetAndMetadata(answer[i + 1], metadata));
            }
        }
        return offsets;
    }

    private int id(TopicPartition partition) {
        return id(partition.topic(), partition.partition());
    }

    private int id(String topic, int partition) {
        int[] ids = idsByTopic.get(topic);
        return ids == null || partition >= ids.length ? NEVER_OPENED : ids[partition];
    }

    /** Notes the new id of a topic-partition and gives the one it had. */
    private int replaceId(TopicPartition partition, int id) {
        int index = partition.partition();
        int[] ids = idsByTopic.getOrDefault(partition.topic(), new int[0]);
        if (index >= ids.length) {
            ids = Arrays.copyOf(ids, index + 1);
        }
        int before = ids[index];
        ids[index] = id;
        idsByTopic.put(partition.topic(), ids);
        lastTopic = null;
        return before;
    }
}
