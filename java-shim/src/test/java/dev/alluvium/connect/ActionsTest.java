package dev.alluvium.connect;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.apache.kafka.connect.errors.ConnectException;
import org.junit.jupiter.api.Test;

class ActionsTest {
    private final FakeContext context = new FakeContext();
    private final Partitions partitions = new Partitions();
    private final FramePool pool = new FramePool(true);
    private final FakeErrants core = new FakeErrants();
    private final Actions actions = new Actions(
        context, partitions, pool, new Errants(core, pool, core), null);
    private final int[] ids =
        Records.ids(partitions.open(List.of(Records.partition(0), Records.partition(1))));

    @Test
    void theyAreCarriedOutInOrder() {
        assertFalse(actions.carryOut(new long[] {2, ids[1], 0, 1, ids[0], 42, 3, ids[1], 0}));
        assertEquals(List.of("pause [orders_cdc-1]", "offset orders_cdc-0 42",
            "resume [orders_cdc-1]"), context.calls);
    }

    @Test
    void noneConcernsAnAssignmentThatIsOver() {
        partitions.close(List.of(Records.partition(0)));
        partitions.open(List.of(Records.partition(0)));
        actions.carryOut(new long[] {1, ids[0], 42, 2, ids[0], 0, 3, ids[0], 0, 3, ids[1], 0});
        assertEquals(List.of("resume [orders_cdc-1]"), context.calls);
    }

    @Test
    void anErrantRecordIsReportedBeforeItsFrameIsReleased() {
        RecordFrame frame = pool.take(100);
        Records.append(frame, ids[0], Records.record(0, 7, "bad"), null, Records.bytes("bad"));
        core.waiting = Records.errants(new Object[] {1L, frame.id(), 0, "no JSON"});
        actions.carryOut(new long[] {5, 0, 0, 4, frame.id(), 0});
        assertEquals(List.of("orders_cdc-0 offset 7: no JSON"), core.reported);
        assertEquals(0, pool.lentFrames());
    }

    @Test
    void closedIsTold() {
        assertTrue(actions.carryOut(new long[] {2, ids[0], 0, 7, 0, 0}));
    }

    @Test
    void anUnknownActionIsABug() {
        assertThrows(ConnectException.class, () -> actions.carryOut(new long[] {99, 0, 0}));
    }
}
