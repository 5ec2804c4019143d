package dev.alluvium.connect;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.connect.errors.ConnectException;
import org.apache.kafka.connect.sink.SinkRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A task over the native core and a table in a folder, called as Connect calls it. */
class LakeSinkTaskTest {
    @TempDir
    Path folder;

    private final FakeContext context = new FakeContext();
    private final LakeSinkTask task = new LakeSinkTask();
    private final Map<String, String> config = new HashMap<>();

    @AfterEach
    void stop() {
        task.stop();
    }

    @Test
    void recordsBecomeFilesAndSafeOffsets() throws Exception {
        start(Map.of("commit.interval.ms", "200"));
        assertEquals("timeout 1000", lastCall());
        task.open(List.of(Records.partition(0)));
        deliver(100);

        OffsetAndMetadata safe = settled(100);
        String uuid = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}";
        assertTrue(safe.metadata().matches("alluvium/" + uuid + "/\\d+"), safe.metadata());
        assertTrue(!files().isEmpty());
        assertTrue(files().stream().allMatch(file -> file.endsWith(".parquet")), "" + files());
    }

    @Test
    void closeCommitsWhatWasDelivered() throws Exception {
        start(Map.of("commit.interval.ms", "600000"));
        task.open(List.of(Records.partition(0)));
        deliver(100);
        assertEquals(List.of(), files(), "the interval is far away");
        task.close(List.of(Records.partition(0), Records.partition(9)));
        assertTrue(!files().isEmpty());
        assertEquals(Map.of(), task.preCommit(current(100)), "nothing is open any more");
    }

    @Test
    void whatWasCommittedIsSoughtAfterARestart() throws Exception {
        closeCommitsWhatWasDelivered();
        task.stop();
        assertSoughtByTheNextTask(100);
    }

    @Test
    void closeWaitsForErrantRecordsToArrive() throws Exception {
        context.reporter = (record, error) -> CompletableFuture.runAsync(() -> { },
            CompletableFuture.delayedExecutor(300, TimeUnit.MILLISECONDS));
        start(Map.of("commit.interval.ms", "600000", "errors.tolerance", "all"));
        task.open(List.of(Records.partition(0)));
        untilResumed();
        task.put(List.of(Records.record(0, 0, null, Records.changeEvent(0)),
            Records.record(0, 1, "not JSON")));
        task.close(List.of(Records.partition(0)));
        task.stop();
        assertSoughtByTheNextTask(2);
    }

    @Test
    void everyPutAndPreCommitAsksToBeCalledAgainSoon() {
        start(Map.of());
        task.open(List.of(Records.partition(0)));
        for (int i = 0; i < 3; i++) {
            context.calls.clear();
            task.put(List.of());
            assertEquals("timeout 1000", lastCall());
            context.calls.clear();
            task.preCommit(Map.of());
            assertEquals("timeout 1000", lastCall());
        }
    }

    @Test
    void aPartitionIsPausedWhileItOpens() {
        start(Map.of());
        task.open(List.of(Records.partition(0)));
        assertTrue(context.calls.contains("pause [orders_cdc-0]"), context.calls.toString());
    }

    @Test
    void aWrongConverterStopsTheTask() {
        start(Map.of("errors.tolerance", "all", "input.format", "debezium-json"));
        task.open(List.of(Records.partition(0)));
        SinkRecord record = Records.record(0, 0, null, Map.of("id", 1));
        ConnectException e =
            assertThrows(ConnectException.class, () -> task.put(List.of(record)));
        assertTrue(e.getMessage().startsWith("value.converter"), e.getMessage());
    }

    @Test
    void aRecordThatCannotBeReportedStopsTheTask() throws InterruptedException {
        CompletableFuture<Void> failed = new CompletableFuture<>();
        failed.completeExceptionally(new IllegalStateException("no leader"));
        context.reporter = (record, error) -> failed;
        start(Map.of("errors.tolerance", "ALL"));
        task.open(List.of(Records.partition(0)));
        untilResumed();
        task.put(List.of(Records.record(0, 0, "not JSON")));
        List<ConnectException> thrown = new ArrayList<>();
        Await.that(() -> {
            try {
                task.put(List.of());
            } catch (ConnectException e) {
                thrown.add(e);
            }
            return !thrown.isEmpty();
        });
        assertTrue(thrown.get(0).getMessage().contains("orders_cdc-0 offset 0"), "" + thrown);
        assertTrue(thrown.get(0).getMessage().contains("dead letter queue"), "" + thrown);
    }

    @Test
    void aBadConfigurationNamesItsKey() {
        ConnectException e = assertThrows(
            ConnectException.class, () -> start(Map.of("partition.timezone", "Mars/Base")));
        assertTrue(e.getMessage().contains("partition.timezone"), e.getMessage());
    }

    @Test
    void aPanicPoisonsTheTaskAndNothingElse() {
        start(Map.of("alluvium.inject", "panic-in-put"));
        task.open(List.of(Records.partition(0)));
        task.put(List.of());
        List<SinkRecord> records = List.of(Records.record(0, 0, "{}"));
        List<ConnectException> first = new ArrayList<>();
        String logged = logged(() ->
            first.add(assertThrows(ConnectException.class, () -> task.put(records))));
        assertTrue(first.get(0).getMessage().contains("panic-in-put"), first.toString());
        assertTrue(logged.contains("ERROR dev.alluvium.core - panic"), logged);
        assertTrue(logged.contains("pipeline.rs"), "where it happened: " + logged);
        assertThrows(ConnectException.class, () -> task.put(List.of()), "it stays broken");
        assertEquals(Map.of(), task.preCommit(current(1)), "preCommit never throws");
        task.close(List.of(Records.partition(0)));
        task.stop();
        assertEquals(List.of(), NativeSink.mistakes(Json.bytes(Map.of("config", goodConfig()))),
            "the library goes on");
    }

    @Test
    void aStoppedTaskIsNotCalledIntoTheCore() {
        start(Map.of());
        task.stop();
        task.stop();
        assertThrows(ConnectException.class, () -> task.put(List.of()));
    }

    private void start(Map<String, String> more) {
        config.putAll(goodConfig());
        config.putAll(more);
        task.initialize(context);
        task.start(config);
    }

    private Map<String, String> goodConfig() {
        return Map.of("name", "orders-lake", "topics", Records.TOPIC, "alluvium.task", "0",
            "lake.url", folder.resolve("lake").toUri().toString());
    }

    private void assertSoughtByTheNextTask(long offset) throws InterruptedException {
        LakeSinkTask next = new LakeSinkTask();
        next.initialize(context);
        next.start(config);
        try {
            next.open(List.of(Records.partition(0)));
            Await.that(() -> {
                next.put(List.of());
                return context.calls.stream().anyMatch(call -> call.startsWith("offset "));
            });
            assertTrue(context.calls.contains("offset orders_cdc-0 " + offset),
                context.calls.toString());
        } finally {
            next.stop();
        }
    }

    /** Puts the records 0 to count as soon as the topic-partition is open. */
    private void deliver(int count) throws InterruptedException {
        untilResumed();
        List<SinkRecord> records = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            byte[] key = Records.bytes("{\"id\":" + i + "}");
            records.add(Records.record(0, i, key, Records.changeEvent(i)));
        }
        task.put(records);
    }

    private void untilResumed() throws InterruptedException {
        Await.that(() -> {
            task.put(List.of());
            return context.calls.contains("resume [orders_cdc-0]");
        });
    }

    private OffsetAndMetadata settled(int count) throws InterruptedException {
        List<OffsetAndMetadata> safe = new ArrayList<>();
        Await.that(() -> {
            task.put(List.of());
            OffsetAndMetadata now = task.preCommit(current(count)).get(Records.partition(0));
            if (now != null && now.offset() == count) {
                safe.add(now);
            }
            return !safe.isEmpty();
        });
        return safe.get(0);
    }

    /** What is logged meanwhile: slf4j-simple writes to the error stream. */
    private static String logged(Runnable work) {
        PrintStream before = System.err;
        ByteArrayOutputStream captured = new ByteArrayOutputStream();
        System.setErr(new PrintStream(captured, true));
        try {
            work.run();
        } finally {
            System.setErr(before);
        }
        return captured.toString();
    }

    private static Map<TopicPartition, OffsetAndMetadata> current(long offset) {
        return Map.of(Records.partition(0), new OffsetAndMetadata(offset));
    }

    private String lastCall() {
        return context.calls.get(context.calls.size() - 1);
    }

    private List<String> files() throws IOException {
        Path lake = folder.resolve("lake");
        if (!Files.exists(lake)) {
            return List.of();
        }
        try (Stream<Path> files = Files.walk(lake)) {
            return files.filter(Files::isRegularFile).map(Path::toString)
                .collect(Collectors.toList());
        }
    }
}
