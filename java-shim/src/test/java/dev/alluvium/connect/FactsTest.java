package dev.alluvium.connect;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** From the core's question to Kafka's answer and back, over the native core. */
class FactsTest {
    @TempDir
    Path folder;

    private final FakeContext context = new FakeContext();
    private final Partitions partitions = new Partitions();
    private final FramePool pool = new FramePool(false);

    @Test
    void aPartitionIsOpenedWhenKafkaHasAnswered() throws Exception {
        CountDownLatch gate = new CountDownLatch(1);
        Map<String, Object> config = new HashMap<>(config());
        try (AdminFacts facts = new AdminFacts("test-facts", () -> new GatedKafka(gate));
                NativeSink sink = NativeSink.start(Json.bytes(Map.of("config", config,
                    "owner", Map.of("connector", "orders-lake", "task", "0", "host", "h",
                        "pid", 1, "version", Version.version(), "started_at", 0),
                    "reporter", false)))) {
            Actions actions = new Actions(
                context, partitions, pool, new Errants(sink, pool, null), facts);
            actions.carryOut(sink.open(partitions.open(List.of(Records.partition(0)))));
            for (int i = 0; i < 20; i++) {
                Thread.sleep(10);
                actions.carryOut(sink.events());
            }
            assertFalse(resumed(), context.calls.toString());
            gate.countDown();
            Await.that(() -> {
                byte[] answers = facts.take();
                if (answers != null) {
                    sink.facts(answers);
                }
                actions.carryOut(sink.events());
                return resumed();
            });
        }
        Path object = folder.resolve("lake.alluvium/v1/topics/orders_cdc/0001.json");
        String text = new String(Files.readAllBytes(object), StandardCharsets.UTF_8);
        assertTrue(text.contains("\"topic_id\":\"t-1\"") && text.contains("\"k-1\""), text);
    }

    @Test
    void aKafkaThatIsAwayIsWaitedForWithAWarningWithoutSecrets() {
        Map<String, String> config = new HashMap<>(config());
        config.putAll(Map.of("alluvium.task", "0", "admin.default.api.timeout.ms", "600",
            "admin.request.timeout.ms", "500", "admin.sasl.jaas.config",
            "org.x.Module required password=\"hush-4711\";"));
        LakeSinkTask task = new LakeSinkTask();
        PrintStream before = System.err;
        ByteArrayOutputStream captured = new ByteArrayOutputStream();
        System.setErr(new PrintStream(captured, true));
        try {
            task.initialize(context);
            task.start(config);
            task.open(List.of(Records.partition(0)));
            Await.that(() -> {
                task.put(List.of());
                return captured.toString().contains("1 topic-partitions wait for it");
            });
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        } finally {
            task.stop();
            System.setErr(before);
        }
        assertFalse(resumed(), context.calls.toString());
        assertTrue(captured.toString().contains("admin.bootstrap.servers"), captured.toString());
        assertFalse(captured.toString().contains("hush-4711"), "a secret was logged");
    }

    private Map<String, String> config() {
        return Map.of("name", "orders-lake", "topics", Records.TOPIC,
            "admin.bootstrap.servers", "localhost:1",
            "lake.url", folder.resolve("lake").toUri().toString());
    }

    private boolean resumed() {
        return context.calls.contains("resume [orders_cdc-0]");
    }

    private static final class GatedKafka implements AdminFacts.Source {
        private final CountDownLatch gate;

        GatedKafka(CountDownLatch gate) {
            this.gate = gate;
        }

        @Override
        public Map<TopicPartition, Map<String, Object>> facts(Iterable<TopicPartition> asked)
                throws InterruptedException {
            gate.await();
            Map<TopicPartition, Map<String, Object>> facts = new HashMap<>();
            asked.forEach(partition -> facts.put(partition, Map.of("cluster_id", "k-1",
                "topic_id", "t-1", "earliest", 0, "end", 5)));
            return facts;
        }

        @Override
        public Long emptyTail(TopicPartition partition, long from) {
            return null;
        }

        @Override
        public void close() {
        }
    }
}
