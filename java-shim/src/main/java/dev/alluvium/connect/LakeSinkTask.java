package dev.alluvium.connect;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.connect.sink.ErrantRecordReporter;
import org.apache.kafka.connect.sink.SinkRecord;
import org.apache.kafka.connect.sink.SinkTask;

/**
 * The task as Connect sees it: hands on every call to the core and carries out what it answers.
 * Decides nothing about delivery; docs/boundary.md says who does.
 *
 * <p>Every start, put and preCommit ends with {@code context.timeout}: the core works on its own
 * threads, and only a poll that ends soon lets this thread hear of it.
 */
public final class LakeSinkTask extends SinkTask {
    /** The number of a task, given to it by the connector. */
    static final String TASK_NUMBER = "alluvium.task";

    private static final long POLL_MS = 1_000;
    private static final long CLOSE_WAIT_MS = 50;

    private NativeSink sink;
    private Partitions partitions;
    private FrameWriter writer;
    private Actions actions;
    private Errants errants;
    private AdminFacts facts;
    private ConsumerProtocol protocol;

    @Override
    public String version() {
        return Version.version();
    }

    @Override
    public void start(Map<String, String> config) {
        // Refuses what was not validated, and logs the values, secrets hidden.
        LakeSinkConfig parsed = new LakeSinkConfig(config);
        String tolerance = parsed.errorsTolerance();
        protocol = new ConsumerProtocol(config);
        ErrantRecordReporter reporter = context.errantRecordReporter();
        boolean keepRecords = reporter != null && tolerance.equalsIgnoreCase("all");
        sink = NativeSink.start(startMessage(config, reporter != null));
        partitions = new Partitions();
        FramePool pool = new FramePool(keepRecords);
        errants = new Errants(sink, pool, reporter);
        facts = AdminFacts.of(config);
        actions = new Actions(context, partitions, pool, errants, facts);
        writer = new FrameWriter(partitions, pool, parsed.inputFormat(),
            frame -> actions.carryOut(sink.put(frame)));
        context.timeout(POLL_MS);
    }

    @Override
    public void open(Collection<TopicPartition> opened) {
        actions.carryOut(sink.open(partitions.open(opened)));
    }

    @Override
    public void put(Collection<SinkRecord> records) {
        errants.poll();
        errants.failIfAnyFailed();
        handOverFacts();
        actions.carryOut(sink.events());
        writer.write(records);
        context.timeout(POLL_MS);
    }

    @Override
    public Map<TopicPartition, OffsetAndMetadata> preCommit(
            Map<TopicPartition, OffsetAndMetadata> current) {
        errants.poll();
        long[] answer = sink.preCommit(partitions.idsAndOffsets(current));
        context.timeout(POLL_MS);
        return partitions.safeOffsets(answer, protocol.mark());
    }

    @Override
    public void close(Collection<TopicPartition> closed) {
        long[] ids = partitions.close(closed);
        if (facts != null) {
            facts.forget(ids);
        }
        boolean done = ids.length == 0;
        while (!done) {
            errants.poll();
            done = actions.carryOut(sink.closePartitions(ids, CLOSE_WAIT_MS));
        }
    }

    private void handOverFacts() {
        byte[] answers = facts == null ? null : facts.take();
        if (answers != null) {
            sink.facts(answers);
        }
    }

    @Override
    public void stop() {
        if (facts != null) {
            facts.close();
        }
        if (sink != null) {
            sink.close();
        }
    }

    private static byte[] startMessage(Map<String, String> config, boolean reporter) {
        Map<String, Object> message = new LinkedHashMap<>();
        Map<String, String> given = new TreeMap<>(config);
        String number = given.remove(TASK_NUMBER);
        given.values().removeIf(value -> value == null);
        Map<String, Object> owner = new LinkedHashMap<>();
        owner.put("connector", config.get("name"));
        owner.put("task", Objects.requireNonNull(number, TASK_NUMBER));
        owner.put("host", host());
        owner.put("pid", ProcessHandle.current().pid());
        owner.put("version", Version.version());
        owner.put("started_at", System.currentTimeMillis());
        message.put("config", given);
        message.put("owner", owner);
        message.put("reporter", reporter);
        return Json.bytes(message);
    }

    private static String host() {
        try {
            return InetAddress.getLocalHost().getHostName();
        } catch (UnknownHostException e) {
            return "unknown";
        }
    }
}
