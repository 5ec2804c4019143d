package dev.alluvium.connect;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.time.Instant;
import java.util.function.BooleanSupplier;

/** Waits for what the core's own threads bring about. */
final class Await {
    private static final Duration LIMIT = Duration.ofSeconds(30);

    private Await() {
    }

    static void that(BooleanSupplier condition) throws InterruptedException {
        Instant end = Instant.now().plus(LIMIT);
        while (!condition.getAsBoolean()) {
            assertTrue(Instant.now().isBefore(end), "not within " + LIMIT);
            Thread.sleep(20);
        }
    }
}
