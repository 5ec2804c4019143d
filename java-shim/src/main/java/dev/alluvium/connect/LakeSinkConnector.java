package dev.alluvium.connect;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.Config;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.connect.connector.Task;
import org.apache.kafka.connect.errors.ConnectException;
import org.apache.kafka.connect.sink.SinkConnector;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The connector as Connect sees it: checks a configuration and hands it to the tasks. Moves no data
 * and never opens the store itself.
 */
public final class LakeSinkConnector extends SinkConnector {
    private static final Logger LOG = LoggerFactory.getLogger(LakeSinkConnector.class);

    private Map<String, String> config;

    @Override
    public String version() {
        return Version.version();
    }

    @Override
    public ConfigDef config() {
        return LakeSinkConfig.DEFINITION;
    }

    @Override
    public Config validate(Map<String, String> posted) {
        return Validation.of(posted);
    }

    @Override
    public void start(Map<String, String> posted) {
        config = Map.copyOf(withoutNulls(posted));
        PluginFolder.otherVersions().forEach(other -> LOG.warn(
            "this is Alluvium {}, and {} is another one: keep one of them in plugin.path",
            Version.version(), other));
        if (KafkaFacts.settings(config).isEmpty()) {
            LOG.warn("{} is not set, so these checks are off: a topic that was deleted and created "
                + "again (topic ids), another Kafka cluster, records that retention expired before "
                + "they were read, a commit log that is not the one the group was last committed "
                + "from, idle tails of transactions; and offsets cannot be altered over REST",
                LakeSinkConfig.ADMIN_SERVERS);
        }
    }

    @Override
    public Class<? extends Task> taskClass() {
        return LakeSinkTask.class;
    }

    @Override
    public List<Map<String, String>> taskConfigs(int maxTasks) {
        List<Map<String, String>> configs = new ArrayList<>();
        for (int task = 0; task < maxTasks; task++) {
            Map<String, String> each = new HashMap<>(config);
            each.put(LakeSinkTask.TASK_NUMBER, Integer.toString(task));
            configs.add(each);
        }
        return configs;
    }

    @Override
    public void stop() {
        // Nothing is held: the store belongs to the tasks.
    }

    /**
     * Connect asks before it changes the group, in which it may fail: the wish is noted, and the
     * next open of each log carries it out where the group was changed.
     */
    @Override
    public boolean alterOffsets(Map<String, String> posted, Map<TopicPartition, Long> offsets) {
        Map<String, String> given = withoutNulls(posted);
        if (KafkaFacts.settings(given).isEmpty()) {
            throw new ConnectException("offsets can be altered or reset over REST only with "
                + LakeSinkConfig.ADMIN_SERVERS + ": the commit log knows where to go on, and only "
                + "by a Kafka admin client can it be seen whether Connect really changed the group."
                + " Moving the group's offsets by Kafka's group tools does nothing");
        }
        List<Map<String, Object>> targets = new ArrayList<>();
        offsets.forEach((partition, offset) -> {
            Map<String, Object> target = new LinkedHashMap<>();
            target.put("topic", partition.topic());
            target.put("partition", partition.partition());
            target.put("offset", offset);
            targets.add(target);
        });
        NativeSink.requestReset(Json.bytes(Map.of("config", given, "targets", targets)));
        return true;
    }

    private static Map<String, String> withoutNulls(Map<String, String> posted) {
        Map<String, String> given = new HashMap<>(posted);
        given.values().removeIf(value -> value == null);
        return given;
    }
}
