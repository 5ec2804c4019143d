package dev.alluvium.trace;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.connect.sink.SinkRecord;
import org.apache.kafka.connect.sink.SinkTask;

/** One line a call; partitions only, all are of one topic. Calls without records are left out. */
public final class TraceSinkTask extends SinkTask {
  private Path file;
  private String topic;
  private final Set<String> script = new LinkedHashSet<>();

  @Override
  public void start(Map<String, String> props) {
    file = Path.of(props.get("trace.file"));
    topic = props.get("topics");
    for (String entry : props.getOrDefault("trace.script", "").split(" ")) {
      if (!entry.isEmpty()) {
        script.add(entry);
      }
    }
  }

  @Override
  public void open(Collection<TopicPartition> tps) {
    write("open", partitions(tps));
    act("open");
  }

  @Override
  public void put(Collection<SinkRecord> records) {
    if (records.isEmpty()) {
      return;
    }
    write("put", records.stream()
        .map(r -> "[" + r.kafkaPartition() + "," + r.kafkaOffset() + "]")
        .collect(Collectors.joining(",", "[", "]")));
    records.forEach(r -> act(r.kafkaPartition() + ":" + r.kafkaOffset()));
  }

  @Override
  public Map<TopicPartition, OffsetAndMetadata> preCommit(
      Map<TopicPartition, OffsetAndMetadata> offsets) {
    Map<Integer, Long> sorted = new TreeMap<>();
    offsets.forEach((tp, offset) -> sorted.put(tp.partition(), offset.offset()));
    write("preCommit", sorted.entrySet().stream()
        .map(e -> "[" + e.getKey() + "," + e.getValue() + "]")
        .collect(Collectors.joining(",", "[", "]")));
    return offsets;
  }

  @Override
  public void close(Collection<TopicPartition> tps) {
    write("close", partitions(tps));
  }

  @Override
  public void stop() {}

  @Override
  public String version() {
    return "1";
  }

  /** Does once what the script says for this moment. */
  private void act(String when) {
    List<String> now =
        script.stream().filter(e -> e.startsWith(when + "=")).collect(Collectors.toList());
    script.removeAll(now);
    for (String entry : now) {
      String[] words = entry.substring(when.length() + 1).split(":");
      switch (words[0]) {
        case "commit" -> context.requestCommit();
        case "seek" -> context.offset(partition(words[1]), Long.parseLong(words[2]));
        case "pause" -> context.pause(partition(words[1]));
        case "resume" -> context.resume(partition(words[1]));
        default -> throw new IllegalArgumentException(entry);
      }
    }
  }

  private TopicPartition partition(String number) {
    return new TopicPartition(topic, Integer.parseInt(number));
  }

  private static String partitions(Collection<TopicPartition> tps) {
    return tps.stream().map(TopicPartition::partition).sorted().map(String::valueOf)
        .collect(Collectors.joining(",", "[", "]"));
  }

  private void write(String call, String what) {
    String line = "{\"" + call + "\":" + what + "}\n";
    try {
      Files.writeString(file, line, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
