package dev.alluvium.connect;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.connect.data.SchemaAndValue;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.json.JsonConverter;
import org.apache.kafka.connect.sink.SinkRecord;

/**
 * Captured events as the shim lays them down when the worker's JsonConverter took them apart, in
 * tests/fixtures/structs. {@link StructFramesTest} compares what the shim does now with the files;
 * the core's tests read them and compare the rows with those of the very same events as JSON.
 * Run as a program (gradle structFrames), it writes them anew.
 */
final class StructFrames {
    static final List<String> EVENTS =
        List.of("basic_types", "basic_types.modes", "basic_types.connect", "orders",
            "transactions", "schema_changes", "transaction_metadata", "postgres.builders",
            "sqlserver.builders");
    private static final Path FIXTURES = Path.of("tests/fixtures");

    private StructFrames() {
    }

    public static void main(String[] arguments) throws IOException {
        for (String name : EVENTS) {
            Files.write(file(name), frames(name, UnaryOperator.identity()));
        }
        Files.write(file("orders.unwrapped"), frames("orders", StructFrames::unwrapped));
    }

    static Path file(String name) {
        return FIXTURES.resolve("structs").resolve(name + ".frames");
    }

    /** All frames of a fixture: each with its length and count before it. */
    static byte[] frames(String name, UnaryOperator<SinkRecord> transform) throws IOException {
        Partitions partitions = new Partitions();
        int id = Records.ids(partitions.open(List.of(new TopicPartition(name, 0))))[0];
        FramePool pool = new FramePool(false);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        FrameWriter writer = new FrameWriter(
            partitions, pool, InputFormat.AUTO, frame -> append(frame, id, out));
        List<SinkRecord> records = new ArrayList<>();
        for (SinkRecord record : records(name)) {
            SinkRecord left = transform.apply(record);
            if (left != null) {
                records.add(left);
            }
        }
        // Two batches, so that each schema is told twice.
        writer.write(records.subList(0, records.size() / 2));
        writer.write(records.subList(records.size() / 2, records.size()));
        return out.toByteArray();
    }

    /** The ids of topic-partitions count through a process: here it is always 1. */
    private static void append(RecordFrame frame, int id, ByteArrayOutputStream out) {
        ByteBuffer bytes = ByteBuffer.wrap(Records.filled(frame)).order(ByteOrder.LITTLE_ENDIAN);
        for (int at = 0; at < bytes.capacity(); at += 4 + bytes.getInt(at)) {
            if (bytes.getInt(at + 4) != id) {
                throw new IllegalStateException("not the topic-partition's id");
            }
            bytes.putInt(at + 4, 1);
        }
        ByteBuffer head = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
        out.writeBytes(head.putInt(bytes.capacity()).putInt(frame.count()).array());
        out.writeBytes(bytes.array());
    }

    /** The records of a fixture, taken apart. */
    static List<SinkRecord> records(String name) throws IOException {
        Path plain = FIXTURES.resolve("debezium").resolve(name + ".jsonl");
        Path path = Files.exists(plain)
            ? plain : FIXTURES.resolve("debezium").resolve(name + ".schemas.jsonl");
        ObjectMapper mapper = new ObjectMapper();
        List<SinkRecord> records = new ArrayList<>();
        try (JsonConverter converter = new JsonConverter()) {
            converter.configure(Map.of("schemas.enable", "true",
                "replace.null.with.default", "false", "converter.type", "value"), false);
            for (String line : Files.readAllLines(path)) {
                JsonNode record = mapper.readTree(line);
                JsonNode value = record.get("value");
                byte[] bytes = value == null || value.isNull()
                    ? null : value.asText().getBytes(StandardCharsets.UTF_8);
                SchemaAndValue apart = converter.toConnectData(name, bytes);
                records.add(new SinkRecord(name, 0, null, null, apart.schema(), apart.value(),
                    record.get("offset").asLong(), 5L, TimestampType.CREATE_TIME));
            }
        }
        return records;
    }

    /** As Debezium's own transform unwraps events, less what it can add; null = dropped. */
    private static SinkRecord unwrapped(SinkRecord record) {
        Struct event = (Struct) record.value();
        Struct after = event == null ? null : event.getStruct("after");
        return after == null ? null : record.newRecord("elsewhere", 7, null, null, after.schema(),
            after, record.timestamp());
    }
}
