package dev.alluvium.trace;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.connect.connector.Task;
import org.apache.kafka.connect.sink.SinkConnector;

/** A sink that writes down what Connect calls, for tests that imitate Connect. */
public final class TraceSinkConnector extends SinkConnector {
  private Map<String, String> settings;

  @Override
  public void start(Map<String, String> props) {
    settings = props;
  }

  @Override
  public Class<? extends Task> taskClass() {
    return TraceSinkTask.class;
  }

  @Override
  public List<Map<String, String>> taskConfigs(int tasks) {
    List<Map<String, String>> configs = new ArrayList<>();
    for (int task = 0; task < tasks; task++) {
      configs.add(new HashMap<>(settings));
    }
    return configs;
  }

  @Override
  public void stop() {}

  @Override
  public ConfigDef config() {
    return new ConfigDef()
        .define("trace.file", ConfigDef.Type.STRING, ConfigDef.Importance.HIGH, "written to")
        .define("trace.script", ConfigDef.Type.STRING, "", ConfigDef.Importance.HIGH,
            "what the task does: '0:4=seek:0:2' = when offset 4 of partition 0 comes first");
  }

  @Override
  public String version() {
    return "1";
  }
}
