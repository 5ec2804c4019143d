package dev.alluvium.connect;

import java.util.ArrayList;
import java.util.HashMap;
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
        LOG.info("checks that are off in this release, with and without {}: topic ids, expired "
            + "ranges, offsets over REST", LakeSinkConfig.ADMIN_SERVERS);
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

    @Override
    public boolean alterOffsets(Map<String, String> posted, Map<TopicPartition, Long> offsets) {
        throw new ConnectException("offsets cannot be altered or reset over REST yet: that needs "
            + "the admin client, which comes with a later release. Moving the group's offsets by "
            + "Kafka's group tools does nothing either: the commit log knows where to go on");
    }

    private static Map<String, String> withoutNulls(Map<String, String> posted) {
        Map<String, String> given = new HashMap<>(posted);
        given.values().removeIf(value -> value == null);
        return given;
    }
}
