package dev.alluvium.connect;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.Set;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.connect.errors.ConnectException;
import org.apache.kafka.connect.sink.SinkConnector;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LakeSinkConnectorTest {
    private final LakeSinkConnector connector = new LakeSinkConnector();

    @Test
    void eachTaskGetsTheConfigurationAndItsNumber() {
        Map<String, String> config = new HashMap<>(Map.of("name", "orders-lake"));
        config.put("empty", null);
        connector.start(config);
        assertEquals(List.of(Map.of("name", "orders-lake", "alluvium.task", "0"),
            Map.of("name", "orders-lake", "alluvium.task", "1")), connector.taskConfigs(2));
        assertSame(LakeSinkTask.class, connector.taskClass());
    }

    @Test
    void offsetsCannotBeAlteredWithoutAnAdminClient() {
        ConnectException e = assertThrows(ConnectException.class,
            () -> connector.alterOffsets(Map.of(), Map.of(Records.partition(0), 0L)));
        assertTrue(e.getMessage().contains("admin.bootstrap.servers"), e.getMessage());
        assertTrue(e.getMessage().contains("group"), e.getMessage());
        assertTrue(e.getMessage().contains("commit log"), e.getMessage());
    }

    @Test
    void alteredOffsetsAreNotedBesideTheLogs(@TempDir Path folder) throws IOException {
        Map<String, String> config = Map.of("name", "orders-lake",
            "admin.bootstrap.servers", "localhost:1",
            "lake.url", folder.resolve("lake").toUri().toString());
        Map<TopicPartition, Long> offsets = new HashMap<>(Map.of(Records.partition(0), 5L));
        offsets.put(Records.partition(1), null);
        assertTrue(connector.alterOffsets(config, offsets));
        Path noted =
            folder.resolve("lake.alluvium/v1/logs/orders-lake/pending_reset.json");
        String json = new String(Files.readAllBytes(noted), StandardCharsets.UTF_8);
        assertTrue(json.contains("\"partition\":0,\"offset\":5"), json);
        assertTrue(json.contains("\"partition\":1,\"offset\":null"), json);
        assertTrue(connector.alterOffsets(config, Map.of()), "a later wish takes its place");
        String later = new String(Files.readAllBytes(noted), StandardCharsets.UTF_8);
        assertTrue(later.contains("\"targets\":[]"), later);
    }

    @Test
    void theVersionIsCargos() throws IOException {
        String cargo = new String(
            Files.readAllBytes(Paths.get("Cargo.toml")), StandardCharsets.UTF_8);
        assertTrue(cargo.contains("\nversion = \"" + connector.version() + "\""));
        assertEquals(connector.version(), new LakeSinkTask().version());
    }

    @Test
    void connectFindsItByItsServiceFile() {
        Set<Class<?>> found = new HashSet<>();
        ServiceLoader.load(SinkConnector.class).forEach(each -> found.add(each.getClass()));
        assertTrue(found.contains(LakeSinkConnector.class), found.toString());
    }

    @Test
    void otherVersionsBesideItAreFound(@TempDir Path plugins) throws IOException {
        Path folder = Files.createDirectory(plugins.resolve("alluvium-connect-0.1.0"));
        File jar = Files.createFile(folder.resolve("alluvium-connect-0.1.0.jar")).toFile();
        Files.createDirectory(plugins.resolve("debezium-connector-mysql"));
        Files.createFile(plugins.resolve("alluvium-connect-0.1.0.zip"));
        assertEquals(List.of(), PluginFolder.beside(jar));

        File other = Files.createDirectory(plugins.resolve("alluvium-connect-0.2.0")).toFile();
        assertEquals(List.of(other), PluginFolder.beside(jar));
        File bare = Files.createFile(plugins.resolve("alluvium-connect-0.3.0.jar")).toFile();
        assertEquals(Set.of(other, bare), new HashSet<>(PluginFolder.beside(jar)));
        assertEquals(Set.of(other, folder.toFile()), new HashSet<>(PluginFolder.beside(bare)));
    }
}
