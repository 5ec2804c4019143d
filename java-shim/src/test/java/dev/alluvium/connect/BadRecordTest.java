package dev.alluvium.connect;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.connect.errors.ConnectException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A record that is no change event, between two that are, for each tolerance and reporter. */
class BadRecordTest {
    @TempDir
    Path folder;

    private final FakeContext context = new FakeContext();
    private final LakeSinkTask task = new LakeSinkTask();
    private final List<String> reported = new ArrayList<>();
    private String failure;
    private long position;
    private long safe = -1;

    @AfterEach
    void stop() {
        task.stop();
    }

    @ParameterizedTest
    @CsvSource({"none, false", "none, true", "all, false", "all, true"})
    void isTreatedAsToleranceAndReporterSay(String tolerance, boolean reporter) throws Exception {
        if (reporter) {
            context.reporter = (record, error) -> {
                reported.add(RecordBytes.position(record) + ": " + error.getMessage());
                return CompletableFuture.completedFuture(null);
            };
        }
        task.initialize(context);
        task.start(Map.of("name", "orders-lake", "topics", Records.TOPIC, "alluvium.task", "0",
            "lake.url", folder.resolve("lake").toUri().toString(), "commit.interval.ms", "200",
            "errors.tolerance", tolerance));
        task.open(List.of(Records.partition(0)));
        Await.that(() -> turn() && context.calls.contains("resume [orders_cdc-0]"));
        task.put(List.of(Records.record(0, 0, null, Records.changeEvent(0)),
            Records.record(0, 1, "not JSON"), Records.record(0, 2, null, Records.changeEvent(2))));
        position = 3;
        boolean stops = tolerance.equals("none");
        Await.that(() -> !turn() || safe == 3);

        assertEquals(stops, failure != null, failure);
        if (stops) {
            for (String part : List.of("topic=orders_cdc", "partition=0", "offset=1")) {
                assertTrue(failure.contains(part), failure);
            }
            assertEquals(1, safeNow(), "what was before it is committed, nothing behind it");
        }
        assertEquals(!stops && reporter ? 1 : 0, reported.size(), reported.toString());
        assertTrue(reported.stream().allMatch(it -> it.startsWith("orders_cdc-0 offset 1: ")),
            reported.toString());
    }

    /** One call of put and preCommit; false once the task has failed. */
    private boolean turn() {
        try {
            task.put(List.of());
        } catch (ConnectException e) {
            failure = e.getMessage();
            return false;
        }
        safe = safeNow();
        return true;
    }

    private long safeNow() {
        OffsetAndMetadata now =
            task.preCommit(Map.of(Records.partition(0), new OffsetAndMetadata(position)))
                .get(Records.partition(0));
        return now == null ? -1 : now.offset();
    }
}
