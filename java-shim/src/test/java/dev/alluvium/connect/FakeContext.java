package dev.alluvium.connect;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.connect.sink.ErrantRecordReporter;
import org.apache.kafka.connect.sink.SinkTaskContext;

/** Notes what a task asks of Connect, in order. */
final class FakeContext implements SinkTaskContext {
    final List<String> calls = new ArrayList<>();
    ErrantRecordReporter reporter;

    @Override
    public Map<String, String> configs() {
        throw new UnsupportedOperationException();
    }

    @Override
    public void offset(Map<TopicPartition, Long> offsets) {
        offsets.forEach(this::offset);
    }

    @Override
    public void offset(TopicPartition partition, long offset) {
        calls.add("offset " + partition + " " + offset);
    }

    @Override
    public void timeout(long timeoutMs) {
        calls.add("timeout " + timeoutMs);
    }

    @Override
    public Set<TopicPartition> assignment() {
        throw new UnsupportedOperationException();
    }

    @Override
    public void pause(TopicPartition... partitions) {
        calls.add("pause " + Arrays.toString(partitions));
    }

    @Override
    public void resume(TopicPartition... partitions) {
        calls.add("resume " + Arrays.toString(partitions));
    }

    @Override
    public void requestCommit() {
        calls.add("requestCommit");
    }

    @Override
    public ErrantRecordReporter errantRecordReporter() {
        return reporter;
    }
}
