package dev.alluvium.connect;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.apache.kafka.connect.errors.ConnectException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ErrantsTest {
    private final FakeErrants core = new FakeErrants();
    private final FramePool pool = new FramePool(true);
    private final Errants errants = new Errants(core, pool, core);

    @BeforeEach
    void threeRecordsTwoOfThemErrant() {
        RecordFrame frame = pool.take(1000);
        for (int offset = 0; offset < 3; offset++) {
            Records.append(frame, 1, Records.record(0, offset, "v"), null, Records.bytes("v"));
        }
        core.waiting = Records.errants(new Object[] {11L, frame.id(), 0, "first"},
            new Object[] {12L, frame.id(), 2, "second"});
    }

    @Test
    void theRightRecordsAreReported() {
        errants.take();
        assertEquals(List.of("orders_cdc-0 offset 0: first", "orders_cdc-0 offset 2: second"),
            core.reported);
    }

    @Test
    void theCoreHearsOfEachThatArrivedOnceAndOfNoOther() {
        errants.take();
        errants.poll();
        assertEquals(List.of(), core.done);
        core.futures.get(1).complete(null);
        errants.poll();
        assertEquals(List.of(12L), core.done);
        core.futures.get(0).complete(null);
        errants.poll();
        errants.poll();
        assertEquals(List.of(12L, 11L), core.done);
        errants.failIfAnyFailed();
    }

    @Test
    void aFailedReportIsNeverDoneAndFailsTheNextPut() {
        errants.take();
        IllegalStateException cause = new IllegalStateException("no leader");
        core.futures.get(0).completeExceptionally(cause);
        core.futures.get(1).complete(null);
        errants.poll();
        assertEquals(List.of(12L), core.done);
        ConnectException e =
            assertThrows(ConnectException.class, errants::failIfAnyFailed);
        assertSame(cause, e.getCause());
        assertTrue(e.getMessage().contains("orders_cdc-0 offset 0"), e.getMessage());
    }

    @Test
    void aReporterThatRefusesFailsTheNextPut() {
        Errants refused = new Errants(core, pool, (record, error) -> {
            throw new ConnectException("tolerance exceeded");
        });
        refused.take();
        refused.poll();
        assertEquals(List.of(), core.done);
        assertThrows(ConnectException.class, refused::failIfAnyFailed);
    }
}
