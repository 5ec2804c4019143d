package dev.alluvium.connect;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.util.function.UnaryOperator;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class StructFramesTest {
    @ParameterizedTest
    @MethodSource("events")
    void eventsAreLaidDownAsTheFixturesSay(String name) throws IOException {
        assertArrayEquals(Files.readAllBytes(StructFrames.file(name)),
            StructFrames.frames(name, UnaryOperator.identity()),
            "the row binary has changed; if that is meant, run gradle structFrames");
    }

    static Iterable<String> events() {
        return StructFrames.EVENTS;
    }
}
