package dev.alluvium.connect;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.connect.json.JsonConverter;
import org.apache.kafka.connect.sink.SinkRecord;

/**
 * What the shim takes to lay down the structs of a Debezium topic, on the one thread it has: run as
 * a program (gradle structBench). Beside it, what the worker's JsonConverter takes to make such a
 * struct. Best of the rounds: noise only adds.
 */
final class StructBench {
    private static final int ROUNDS = 40;
    private static final int BATCH = 5_000;

    private StructBench() {
    }

    public static void main(String[] arguments) throws IOException {
        List<SinkRecord> captured = new ArrayList<>(StructFrames.records("orders"));
        captured.removeIf(record -> record.value() == null);
        List<SinkRecord> batch = new ArrayList<>();
        for (int i = 0; i < BATCH; i++) {
            SinkRecord record = captured.get(i % captured.size());
            batch.add(new SinkRecord("orders", 0, null, null, record.valueSchema(),
                record.value(), i, 5L, TimestampType.CREATE_TIME));
        }
        Partitions partitions = new Partitions();
        partitions.open(List.of(new TopicPartition("orders", 0)));
        FramePool pool = new FramePool(false);
        long[] bytes = new long[1];
        FrameWriter writer = new FrameWriter(partitions, pool, InputFormat.AUTO, frame -> {
            bytes[0] += frame.length();
            pool.release(frame.id());
        });
        long shim = best(() -> writer.write(batch));
        System.out.printf("structs into frames: %d ns a record, %.0f records/s, %d bytes each%n",
            shim / BATCH, 1e9 * BATCH / shim, bytes[0] / (ROUNDS * (long) BATCH));

        try (JsonConverter converter = new JsonConverter()) {
            converter.configure(Map.of("schemas.enable", "true"), false);
            byte[] json = converter.fromConnectData(
                "orders", captured.get(0).valueSchema(), captured.get(0).value());
            int count = BATCH / 10;
            long made = best(() -> {
                for (int i = 0; i < count; i++) {
                    converter.toConnectData("orders", json);
                }
            });
            System.out.printf("JsonConverter makes a struct: %d ns a record, %.0f records/s%n",
                made / count, 1e9 * count / made);
        }
    }

    private static long best(Runnable round) {
        long best = Long.MAX_VALUE;
        for (int i = 0; i < ROUNDS; i++) {
            long start = System.nanoTime();
            round.run();
            best = Math.min(best, System.nanoTime() - start);
        }
        return best;
    }
}
