package dev.alluvium.connect;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.kafka.connect.errors.ConnectException;
import org.apache.kafka.connect.sink.SinkRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** One pipeline of the core, called as the task calls it. */
class NativeSinkTest {
    @TempDir
    Path folder;

    private final FakeContext context = new FakeContext();
    private final Partitions partitions = new Partitions();
    private final FramePool pool = new FramePool(true);
    private final FakeErrants reporter = new FakeErrants();
    private NativeSink sink;
    private Errants errants;
    private Actions actions;

    @BeforeEach
    void start() throws InterruptedException {
        sink = NativeSink.start(Json.bytes(Map.of(
            "config", Map.of("lake.url", folder.resolve("lake").toUri().toString(),
                "commit.interval.ms", "200", "errors.tolerance", "all"),
            "owner", Map.of("connector", "orders-lake", "task", "0", "host", "h", "pid", 1,
                "version", Version.version(), "started_at", 0),
            "reporter", true)));
        errants = new Errants(sink, pool, reporter);
        actions = new Actions(context, partitions, pool, errants, null);
        actions.carryOut(sink.open(partitions.open(List.of(Records.partition(0)))));
        Await.that(() -> {
            actions.carryOut(sink.events());
            return context.calls.contains("resume [orders_cdc-0]");
        });
    }

    @AfterEach
    void close() {
        sink.close();
    }

    @Test
    void framesComeBack() throws InterruptedException {
        for (int i = 0; i < 50; i++) {
            write(Records.record(0, i, null, Records.changeEvent(i)));
        }
        assertTrue(pool.lentFrames() > 0, "the core reads them where they lie");
        Await.that(() -> {
            actions.carryOut(sink.events());
            return pool.lentFrames() == 0;
        });
    }

    @Test
    void anErrantRecordIsReportedAndOnlyThenPassed() throws InterruptedException {
        write(Records.record(0, 0, null, Records.changeEvent(0)));
        write(Records.record(0, 1, "not JSON"));
        Await.that(() -> {
            actions.carryOut(sink.events());
            return reporter.reported.size() == 1;
        });
        assertTrue(reporter.reported.get(0).startsWith("orders_cdc-0 offset 1: "),
            reporter.reported.toString());
        long[] current = {id(), 2};
        assertTrue(safeOffset(current) < 2, "it may still get lost");

        reporter.futures.get(0).complete(null);
        Await.that(() -> {
            errants.poll();
            actions.carryOut(sink.events());
            return safeOffset(current) == 2;
        });
    }

    @Test
    void aFrameTheCoreCannotReadIsOurBug() {
        RecordFrame frame = pool.take(100);
        Records.append(frame, id(), Records.record(0, 0, "v"), null, Records.bytes("v"));
        frame.buffer().putInt(0, 1_000_000);
        ConnectException e = assertThrows(ConnectException.class, () -> {
            actions.carryOut(sink.put(frame));
            for (int i = 0; i < 500; i++) {
                Thread.sleep(10);
                actions.carryOut(sink.events());
            }
        });
        assertTrue(e.getMessage().contains("report this bug"), e.getMessage());
    }

    @Test
    void aClosedSinkIsNeverCalled() {
        sink.close();
        sink.close();
        assertThrows(ConnectException.class, () -> sink.events());
        assertThrows(ConnectException.class, () -> sink.preCommit(new long[0]));
    }

    private void write(SinkRecord record) {
        new FrameWriter(
            partitions, pool, InputFormat.AUTO, frame -> actions.carryOut(sink.put(frame)))
            .write(List.of(record));
    }

    private int id() {
        return partitions.idOf(Records.record(0, 0, "v"));
    }

    private long safeOffset(long[] current) {
        long[] answer = sink.preCommit(current);
        assertEquals(0, answer.length % 5);
        return answer.length == 0 ? -1 : answer[1];
    }
}
