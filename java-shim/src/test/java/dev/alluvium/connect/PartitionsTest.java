package dev.alluvium.connect;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.connect.errors.ConnectException;
import org.apache.kafka.connect.sink.SinkRecord;
import org.junit.jupiter.api.Test;

class PartitionsTest {
    private final Partitions partitions = new Partitions();

    @Test
    void openTellsTheCoreIdTopicAndPartition() {
        byte[] message = partitions.open(
            List.of(new TopicPartition("a\"b", 0), new TopicPartition("t", 12)));
        int[] ids = Records.ids(message);
        assertEquals("[{\"id\":" + ids[0] + ",\"topic\":\"a\\\"b\",\"partition\":0},{\"id\":"
            + ids[1] + ",\"topic\":\"t\",\"partition\":12}]",
            new String(message, StandardCharsets.UTF_8));
        assertTrue(ids[0] > 0 && ids[1] > ids[0]);
    }

    @Test
    void everyAssignmentHasAnIdOfItsOwn() {
        int first = open(0);
        assertEquals(first, partitions.idOf(Records.record(0, 1, "v")));
        assertEquals(Records.partition(0), partitions.opened(first));

        assertArrayEquals(new long[] {first}, partitions.close(List.of(Records.partition(0))));
        assertEquals(Partitions.CLOSED, partitions.idOf(Records.record(0, 2, "v")));
        assertNull(partitions.opened(first));

        int second = open(0);
        assertTrue(second > first);
        assertEquals(second, partitions.idOf(Records.record(0, 3, "v")));
        assertNull(partitions.opened(first), "the earlier assignment stays over");
        assertTrue(Records.ids(new Partitions().open(List.of(Records.partition(0))))[0] > second,
            "another task has ids of its own");
    }

    @Test
    void recordsThatAlternateAreToldApart() {
        int[] ids = {open(0), open(1)};
        for (int i = 0; i < 6; i++) {
            assertEquals(ids[i % 2], partitions.idOf(Records.record(i % 2, i, "v")));
        }
    }

    @Test
    void aRecordOfANeverOpenedPartitionNamesTransforms() {
        open(0);
        SinkRecord lost = Records.record(5, 17, "v");
        ConnectException e = assertThrows(ConnectException.class, () -> partitions.idOf(lost));
        assertTrue(e.getMessage().contains("transforms"), e.getMessage());
        assertTrue(e.getMessage().contains("orders_cdc-5 offset 17"), e.getMessage());
    }

    @Test
    void theOriginalPartitionCounts() {
        int id = open(0);
        SinkRecord routed =
            Records.record(0, 1, "v").newRecord("elsewhere", 9, null, null, null, null, 5L);
        assertEquals(id, partitions.idOf(routed));
    }

    @Test
    void whatIsNotOpenIsNotClosed() {
        int id = open(1);
        assertArrayEquals(new long[] {id}, partitions.close(
            List.of(Records.partition(0), Records.partition(1), new TopicPartition("x", 3))));
        assertArrayEquals(new long[0], partitions.close(List.of(Records.partition(1))));
    }

    @Test
    void currentOffsetsOfWhatIsOpenGoDown() {
        int id = open(1);
        Map<TopicPartition, OffsetAndMetadata> current = new LinkedHashMap<>();
        current.put(Records.partition(0), new OffsetAndMetadata(10));
        current.put(Records.partition(1), new OffsetAndMetadata(20));
        assertArrayEquals(new long[] {id, 20}, partitions.idsAndOffsets(current));
    }

    @Test
    void safeOffsetsNameTheLogAndTheSeq() {
        int id = open(1);
        long[] answer = {
            id, 600, 12, 0x0123456789abcdefL, 0x8000000000000001L, id + 100, 5, 1, 2, 3};
        assertEquals(
            Map.of(Records.partition(1), new OffsetAndMetadata(
                600, "alluvium/01234567-89ab-cdef-8000-000000000001/12")),
            partitions.safeOffsets(answer, ""));
    }

    private int open(int partition) {
        return Records.ids(partitions.open(List.of(Records.partition(partition))))[0];
    }
}
