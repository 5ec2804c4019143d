package dev.alluvium.connect;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The thread that asks Kafka, over a Kafka that answers as it is told. */
class AdminFactsTest {
    private final TopicPartition orders = new TopicPartition("orders", 0);
    private final TopicPartition unknown = new TopicPartition("unknown", 0);
    private final FakeKafka kafka = new FakeKafka();
    private final AdminFacts facts = new AdminFacts("test-facts", () -> {
        kafka.opened++;
        return kafka;
    });

    @AfterEach
    void close() {
        facts.close();
    }

    @Test
    void anAnswerNamesTheAssignmentAndTheQuestion() throws InterruptedException {
        facts.ask(7, orders, 3);
        assertEquals("[{\"earliest\":5,\"id\":7,\"ticket\":3}]", taken());
        assertNull(facts.take(), "told once");
    }

    @Test
    void whatKafkaDoesNotAnswerIsAskedAgainOnANewWay() throws InterruptedException {
        kafka.failures = 2;
        facts.ask(7, orders, 0);
        assertEquals("[{\"earliest\":5,\"id\":7,\"ticket\":0}]", taken());
        assertEquals(3, kafka.opened);
        assertEquals(2, kafka.closed);
    }

    @Test
    void aTopicThatIsNotThereDoesNotHoldTheOthers() throws InterruptedException {
        facts.ask(1, unknown, 0);
        facts.ask(7, orders, 0);
        assertEquals("[{\"earliest\":5,\"id\":7,\"ticket\":0}]", taken());
        kafka.topics.put(unknown, 8L);
        assertEquals("[{\"earliest\":8,\"id\":1,\"ticket\":0}]", taken());
    }

    @Test
    void nothingIsAskedOfAnAssignmentThatIsOver() throws InterruptedException {
        facts.ask(1, unknown, 0);
        Await.that(() -> kafka.asked.contains(unknown));
        facts.forget(new long[] {1});
        kafka.topics.put(unknown, 8L);
        facts.ask(7, orders, 0);
        assertEquals("[{\"earliest\":5,\"id\":7,\"ticket\":0}]", taken());
    }

    @Test
    void onlyALaterAnswerCountsForALaterQuestion() throws InterruptedException {
        kafka.gate = new CountDownLatch(1);
        facts.ask(7, orders, 1);
        Await.that(() -> kafka.asked.size() == 1);
        facts.ask(7, orders, 2);
        kafka.gate.countDown();
        assertEquals("[{\"earliest\":5,\"id\":7,\"ticket\":2}]", taken());
        assertTrue(kafka.asked.size() >= 2, "asked again after the question");
    }

    @Test
    void aTailIsToldOnlyWhenItIsEmpty() throws InterruptedException {
        facts.askTail(7, orders, 99);
        facts.askTail(8, orders, 50);
        assertEquals(Map.of("from", "99", "end", "101", "id", "7"), fields(taken()));
        facts.ask(8, orders, 4);
        assertEquals("[{\"earliest\":5,\"id\":8,\"ticket\":4}]", taken(), "nothing of the other");
    }

    @Test
    void settingsAreThoseOfTheAdminClientOnly() {
        Map<String, String> config = new HashMap<>(Map.of("name", "orders-lake",
            "admin.bootstrap.servers", "kafka:9092", "admin.override.client.id", "connects",
            "admin.security.protocol", "SSL", "topics", "orders"));
        assertEquals(Map.of("bootstrap.servers", "kafka:9092", "security.protocol", "SSL"),
            KafkaFacts.settings(config));
        assertEquals("connect-orders-lake", KafkaFacts.group(config));
        config.put("consumer.override.group.id", "mine");
        assertEquals("mine", KafkaFacts.group(config));
        config.put("admin.bootstrap.servers", " ");
        assertEquals(Map.of(), KafkaFacts.settings(config));
    }

    private String taken() throws InterruptedException {
        List<byte[]> taken = new ArrayList<>();
        Await.that(() -> {
            byte[] answers = facts.take();
            if (answers != null) {
                taken.add(answers);
            }
            return !taken.isEmpty();
        });
        return new String(taken.get(0), StandardCharsets.UTF_8);
    }

    /** The members of the one object in a list, whatever their order. */
    private static Map<String, String> fields(String json) {
        Map<String, String> fields = new HashMap<>();
        for (String member : json.replaceAll("[\\[\\]{}\"]", "").split(",")) {
            fields.put(member.split(":")[0], member.split(":")[1]);
        }
        return fields;
    }

    private static final class FakeKafka implements AdminFacts.Source {
        final Map<TopicPartition, Long> topics =
            Collections.synchronizedMap(new HashMap<>(Map.of(new TopicPartition("orders", 0), 5L)));
        final List<TopicPartition> asked = Collections.synchronizedList(new ArrayList<>());
        volatile int failures;
        volatile CountDownLatch gate = new CountDownLatch(0);
        volatile int opened;
        volatile int closed;

        @Override
        public Map<TopicPartition, Map<String, Object>> facts(Iterable<TopicPartition> partitions)
                throws InterruptedException {
            Map<TopicPartition, Map<String, Object>> facts = new HashMap<>();
            partitions.forEach(asked::add);
            gate.await();
            if (failures-- > 0) {
                throw new IllegalStateException("no broker");
            }
            partitions.forEach(partition -> {
                if (topics.containsKey(partition)) {
                    facts.put(partition, Map.of("earliest", topics.get(partition)));
                }
            });
            return facts;
        }

        @Override
        public Long emptyTail(TopicPartition partition, long from) {
            return from >= 99 ? 101L : null;
        }

        @Override
        public void close() {
            closed++;
        }
    }
}
