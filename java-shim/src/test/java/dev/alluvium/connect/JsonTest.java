package dev.alluvium.connect;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class JsonTest {
    @Test
    void anotherReaderReadsTheSame() throws IOException {
        Map<String, Object> document = new LinkedHashMap<>();
        document.put("empty", Map.of());
        document.put("list", Arrays.asList(1, "two", true, null, List.of()));
        document.put("quote\" and \\ back", "line\nbreak, tab\t, bell\u0007, grün, \ud83d\ude00");
        document.put("number", 1 << 30);
        assertEquals(document, new ObjectMapper().readValue(Json.bytes(document), Map.class));
    }
}
