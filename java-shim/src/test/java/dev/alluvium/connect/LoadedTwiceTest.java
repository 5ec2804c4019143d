package dev.alluvium.connect;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.lang.reflect.Method;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.connect.connector.Connector;
import org.apache.kafka.connect.runtime.isolation.PluginClassLoader;
import org.apache.kafka.connect.runtime.isolation.Plugins;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The plugin in class loaders of its own, as a worker holds it. */
class LoadedTwiceTest {
    private static final Path CLASSES =
        new File(LakeSinkTask.class.getProtectionDomain().getCodeSource().getLocation().getPath())
            .toPath();

    @Test
    void twoClassLoadersInOneWorkerBothWork() throws Exception {
        try (URLClassLoader first = isolated(); URLClassLoader second = isolated()) {
            assertNotSame(sink(first), sink(second));
            echo(first);
            echo(second);
            echo(first);
        }
    }

    @Test
    void aWorkerFindsThePluginAndItValidatesInItsLoader(@TempDir Path plugins) throws Exception {
        copyClassesTo(plugins.resolve("alluvium-connect-test"));
        Plugins worker = new Plugins(
            Map.of("plugin.path", plugins.toString(), "plugin.discovery", "service_load"));
        List<ClassLoader> loaders = worker.sinkConnectors().stream()
            .filter(plugin -> plugin.className().equals(LakeSinkConnector.class.getName()))
            .map(plugin -> plugin.loader())
            .filter(loader -> loader instanceof PluginClassLoader)
            .collect(Collectors.toList());
        assertTrue(loaders.size() == 1, loaders.toString());

        Class<?> isolated = loaders.get(0).loadClass(LakeSinkConnector.class.getName());
        assertSame(loaders.get(0), isolated.getClassLoader());
        Connector connector = (Connector) isolated.getDeclaredConstructor().newInstance();
        String told = connector.validate(Map.of("name", "n", "lake.url", "ftp://x"))
            .configValues().toString();
        assertTrue(told.contains("must be s3://bucket/path"), told);
    }

    private static Class<?> sink(ClassLoader loader) throws ClassNotFoundException {
        return loader.loadClass(NativeSink.class.getName());
    }

    private static void echo(ClassLoader loader) throws ReflectiveOperationException {
        Method echoed =
            sink(loader).getDeclaredMethod("echoed", ByteBuffer.class, int.class, int.class);
        echoed.setAccessible(true);
        RecordFrame frame = new RecordFrame(1, ByteBuffer.allocateDirect(100), null);
        Records.append(frame, 1, Records.record(0, 1, "v"), null, Records.bytes("v"));
        assertArrayEquals(
            Records.filled(frame), (byte[]) echoed.invoke(null, frame.buffer(), frame.length(), 1));
    }

    /** Sees everything but our classes through the loader of the tests. */
    private static URLClassLoader isolated() throws IOException {
        ClassLoader withoutOurs = new ClassLoader(LoadedTwiceTest.class.getClassLoader()) {
            @Override
            protected Class<?> loadClass(String name, boolean resolve)
                    throws ClassNotFoundException {
                if (name.startsWith("dev.alluvium.")) {
                    throw new ClassNotFoundException(name);
                }
                return super.loadClass(name, resolve);
            }
        };
        return new URLClassLoader(new URL[] {CLASSES.toUri().toURL()}, withoutOurs);
    }

    private static void copyClassesTo(Path plugin) throws IOException {
        Path resources = new File(
            LakeSinkTask.class.getResource("version.properties").getPath()).toPath();
        for (Path root : List.of(CLASSES, resources.resolve("../../../..").normalize())) {
            try (Stream<Path> files = Files.walk(root)) {
                for (Path file : files.filter(Files::isRegularFile).collect(Collectors.toList())) {
                    Path copy = plugin.resolve(root.relativize(file).toString());
                    Files.createDirectories(copy.getParent());
                    Files.copy(file, copy);
                }
            }
        }
    }
}
