package dev.alluvium.connect;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.utils.AppInfoParser;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** group.protocol=consumer, under which Connect 4 ends tasks whose last commit was asynchronous. */
class ConsumerProtocolTest {
    @TempDir
    Path folder;

    @Test
    void theWarningNamesTheVersionsAndWhatToDo() {
        for (String clients : List.of("4.0.0", "4.3.0", "4.4.0", "5.0.0", "8.3.0-ce")) {
            String said = ConsumerProtocol.warning(clients);
            for (String part : List.of(
                    "consumer.override.group.protocol", clients, "4.0 to 4.4.0", "clearOffsets",
                    "CooperativeStickyAssignor", "restarted")) {
                assertTrue(said.contains(part), part + " in " + said);
            }
        }
        assertNull(ConsumerProtocol.warning("3.7.2"), "that consumer hands back Connect's own map");
    }

    @Test
    void underItNoTwoAnswersAreTheSameSoThatEachRevocationCommits() throws Exception {
        Map<String, String> chosen = Map.of(ConsumerProtocol.KEY, "CONSUMER");
        assertNotEquals(answer(chosen), answer(chosen), "two tasks");
        LakeSinkTask task = running(chosen);
        OffsetAndMetadata first = answer(task);
        OffsetAndMetadata second = answer(task);
        assertNotEquals(first, second);
        assertEquals(first.offset(), second.offset());
        String uuid = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}";
        assertTrue(second.metadata().matches("alluvium/" + uuid + "/\\d+/\\d+"), second.metadata());
        task.stop();

        for (Map<String, String> other : List.of(
                Map.<String, String>of(), Map.of(ConsumerProtocol.KEY, "classic"))) {
            LakeSinkTask classic = running(other);
            OffsetAndMetadata before = answer(classic);
            assertEquals(before, answer(classic), "an idle group is not committed again");
            assertTrue(before.metadata().matches("alluvium/" + uuid + "/\\d+"), before.metadata());
            classic.stop();
        }
    }

    @Test
    void itIsSaidAtTheStartOfATaskOnceAndOnlyUnderIt() {
        boolean affected = !AppInfoParser.getVersion().startsWith("3.");
        String said = logged(() -> new ConsumerProtocol(Map.of(ConsumerProtocol.KEY, " consumer ")));
        assertEquals(affected, said.contains("WARN") && said.contains("clearOffsets"), said);
        assertEquals("", logged(() -> new ConsumerProtocol(Map.of(ConsumerProtocol.KEY, "classic"))));
        assertEquals("", logged(() -> new ConsumerProtocol(Map.of())));
        String started = logged(() -> running(Map.of(ConsumerProtocol.KEY, "consumer")));
        assertEquals(affected ? 2 : 1, started.split("clearOffsets", -1).length, started);
    }

    private OffsetAndMetadata answer(Map<String, String> more) throws InterruptedException {
        LakeSinkTask task = running(more);
        try {
            return answer(task);
        } finally {
            task.stop();
        }
    }

    /** What an idle topic-partition with a known next offset answers. */
    private static OffsetAndMetadata answer(LakeSinkTask task) throws InterruptedException {
        Map<TopicPartition, OffsetAndMetadata> current =
            Map.of(Records.partition(0), new OffsetAndMetadata(3));
        Await.that(() -> {
            task.put(List.of());
            OffsetAndMetadata safe = task.preCommit(current).get(Records.partition(0));
            return safe != null && safe.offset() == 3;
        });
        return task.preCommit(current).get(Records.partition(0));
    }

    /** A task that is given three records as soon as it takes them. */
    private LakeSinkTask running(Map<String, String> more) {
        Map<String, String> config = new HashMap<>(more);
        config.putAll(Map.of("name", "orders-lake", "topics", Records.TOPIC, "alluvium.task", "0",
            "lake.url", folder.resolve("lake").toUri().toString(), "commit.interval.ms", "100"));
        FakeContext context = new FakeContext();
        LakeSinkTask task = new LakeSinkTask();
        task.initialize(context);
        task.start(config);
        task.open(List.of(Records.partition(0)));
        try {
            Await.that(() -> {
                task.put(List.of());
                return context.calls.contains("resume [orders_cdc-0]");
            });
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
        if (!context.calls.contains("offset orders_cdc-0 3")) {
            task.put(List.of(Records.record(0, 0, null, Records.changeEvent(0)),
                Records.record(0, 1, null, Records.changeEvent(1)),
                Records.record(0, 2, null, Records.changeEvent(2))));
        }
        return task;
    }

    /** What is logged meanwhile: slf4j-simple writes to the error stream. */
    private static String logged(Supplier<Object> work) {
        PrintStream before = System.err;
        ByteArrayOutputStream captured = new ByteArrayOutputStream();
        System.setErr(new PrintStream(captured, true));
        try {
            Object made = work.get();
            if (made instanceof LakeSinkTask) {
                ((LakeSinkTask) made).stop();
            }
        } finally {
            System.setErr(before);
        }
        return captured.toString();
    }
}
