package dev.alluvium.connect;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class ConfigDocsTest {
    @Test
    void thePageIsTheConfigDefs() throws IOException {
        assertEquals(ConfigDocs.page(), read(ConfigDocs.PAGE), "stale: run `gradle configDocs`");
    }

    @Test
    void theListOfKeysIsTheConfigDefs() throws IOException {
        assertEquals(ConfigDocs.keys(), read(ConfigDocs.KEYS), "stale: run `gradle configDocs`");
    }

    private static String read(Path file) throws IOException {
        return new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
    }
}
