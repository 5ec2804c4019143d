package dev.alluvium.connect;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.ListOffsetsResult;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.InvalidOffsetException;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * Kafka's own clients behind {@link AdminFacts}: the settings under {@code admin.} in, facts out.
 * The consumer for a tail belongs to no group and commits nothing.
 */
final class KafkaFacts implements AdminFacts.Source {
    private static final String PREFIX = "admin.";
    /** Connect's own: settings of the client for its dead letter queue. */
    private static final String CONNECTS = "admin.override.";
    private static final String CONSUMER = "consumer.override.";
    private static final long LIMIT_SECONDS = 60;
    private static final Duration TAIL_LIMIT = Duration.ofSeconds(30);
    private static final Duration POLL = Duration.ofMillis(500);

    private final Map<String, Object> settings;
    private final String group;
    private final String isolation;
    private final Admin admin;

    KafkaFacts(Map<String, Object> settings, Map<String, String> config) {
        this.settings = settings;
        this.group = group(config);
        this.isolation = config.getOrDefault(
            CONSUMER + ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_uncommitted");
        this.admin = Admin.create(settings);
    }

    /** The admin client's settings; empty when it is not configured. */
    static Map<String, Object> settings(Map<String, String> config) {
        String servers = config.get(LakeSinkConfig.ADMIN_SERVERS);
        Map<String, Object> settings = new HashMap<>();
        if (servers != null && !servers.isBlank()) {
            config.forEach((key, value) -> {
                if (key.startsWith(PREFIX) && !key.startsWith(CONNECTS) && value != null) {
                    settings.put(key.substring(PREFIX.length()), value);
                }
            });
        }
        return settings;
    }

    /** The sink's consumer group, by Connect's own rule. */
    static String group(Map<String, String> config) {
        String given = config.get(CONSUMER + ConsumerConfig.GROUP_ID_CONFIG);
        return given == null ? "connect-" + config.get("name") : given;
    }

    @Override
    public Map<TopicPartition, Map<String, Object>> facts(Iterable<TopicPartition> asked)
            throws Exception {
        List<TopicPartition> partitions = new ArrayList<>();
        asked.forEach(partitions::add);
        String cluster = get(admin.describeCluster().clusterId());
        Map<String, String> topics = topicIds(partitions);
        // A topic that is not there yet, or any more, is asked for again.
        partitions.removeIf(partition -> !topics.containsKey(partition.topic()));
        ListOffsetsResult earliest = offsets(partitions, OffsetSpec.earliest());
        ListOffsetsResult end = offsets(partitions, OffsetSpec.latest());
        Map<TopicPartition, OffsetAndMetadata> committed = get(
            admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata());
        Map<TopicPartition, Map<String, Object>> facts = new HashMap<>();
        for (TopicPartition partition : partitions) {
            try {
                Map<String, Object> each = new LinkedHashMap<>();
                each.put("cluster_id", cluster);
                each.put("topic_id", topics.get(partition.topic()));
                each.put("earliest", get(earliest.partitionResult(partition)).offset());
                each.put("end", get(end.partitionResult(partition)).offset());
                each.put("group", group(committed.get(partition)));
                facts.put(partition, each);
            } catch (ExecutionException e) {
                throwUnlessUnknown(e);
            }
        }
        return facts;
    }

    private Map<String, String> topicIds(List<TopicPartition> partitions) throws Exception {
        Set<String> names =
            partitions.stream().map(TopicPartition::topic).collect(Collectors.toSet());
        Map<String, String> ids = new HashMap<>();
        for (var topic : admin.describeTopics(names).topicNameValues().entrySet()) {
            try {
                ids.put(topic.getKey(), get(topic.getValue()).topicId().toString());
            } catch (ExecutionException e) {
                throwUnlessUnknown(e);
            }
        }
        return ids;
    }

    private static void throwUnlessUnknown(ExecutionException e) throws ExecutionException {
        if (!(e.getCause() instanceof UnknownTopicOrPartitionException)) {
            throw e;
        }
    }

    private static Map<String, Object> group(OffsetAndMetadata committed) {
        return committed == null ? null
            : Map.of("offset", committed.offset(), "metadata", committed.metadata());
    }

    /** Offsets a consumer of committed records may see. */
    private ListOffsetsResult offsets(List<TopicPartition> partitions, OffsetSpec spec) {
        return admin.listOffsets(
            partitions.stream().collect(Collectors.toMap(partition -> partition, each -> spec)),
            new ListOffsetsOptions(IsolationLevel.READ_COMMITTED));
    }

    @Override
    public Long emptyTail(TopicPartition partition, long from) {
        Map<String, Object> consumerSettings = new HashMap<>(settings);
        consumerSettings.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, isolation);
        consumerSettings.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, "false");
        consumerSettings.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "none");
        List<TopicPartition> one = List.of(partition);
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(
                consumerSettings, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            consumer.assign(one);
            consumer.seek(partition, from);
            long end = consumer.endOffsets(one).get(partition);
            long limit = System.nanoTime() + TAIL_LIMIT.toNanos();
            while (consumer.position(partition) < end && System.nanoTime() < limit) {
                if (!consumer.poll(POLL).isEmpty()) {
                    return null;
                }
            }
            return consumer.position(partition) < end ? null : Long.valueOf(end);
        } catch (InvalidOffsetException e) {
            // Expired meanwhile.
            return null;
        }
    }

    @Override
    public void close() {
        admin.close(Duration.ZERO);
    }

    private static <T> T get(KafkaFuture<T> future) throws Exception {
        return future.get(LIMIT_SECONDS, TimeUnit.SECONDS);
    }
}
