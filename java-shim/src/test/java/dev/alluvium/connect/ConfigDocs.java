package dev.alluvium.connect;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigDef.ConfigKey;

/** Writes docs/config.md and docs/config-keys.json; {@link ConfigDocsTest} tells stale ones. */
final class ConfigDocs {
    static final Path PAGE = Paths.get("docs", "config.md");
    static final Path KEYS = Paths.get("docs", "config-keys.json");

    private static final String HEAD = "# Configuration\n\n"
        + "The keys of the sink connector, written from its ConfigDef by `gradle configDocs`: do "
        + "not edit.\nKeys of Kafka Connect itself (`topics`, `tasks.max`, `errors.*`, "
        + "`consumer.override.*`, …) come on top.\n";

    private ConfigDocs() {
    }

    public static void main(String[] args) throws IOException {
        Files.write(PAGE, page().getBytes(StandardCharsets.UTF_8));
        Files.write(KEYS, keys().getBytes(StandardCharsets.UTF_8));
    }

    /** For people: a section a group, a paragraph a key. */
    static String page() {
        StringBuilder page = new StringBuilder(HEAD);
        String group = null;
        for (ConfigKey key : inOrder()) {
            if (!key.group.equals(group)) {
                group = key.group;
                page.append("\n## ").append(group).append('\n');
            }
            page.append("\n### `").append(key.name).append("`\n").append(facts(key)).append('\n');
            page.append(key.documentation).append('\n');
        }
        return page.toString();
    }

    /** For programs: the keys in order, one a line. A default stands as it would be configured. */
    static String keys() {
        return inOrder().stream().map(key -> {
            Map<String, Object> json = new LinkedHashMap<>();
            json.put("key", key.name);
            json.put("type", type(key));
            json.put("default", preset(key));
            json.put("required", !key.hasDefault());
            json.put("group", key.group);
            return "  " + Json.string(json);
        }).collect(Collectors.joining(",\n", "[\n", "\n]\n"));
    }

    private static String facts(ConfigKey key) {
        List<String> facts = new ArrayList<>();
        facts.add(type(key));
        if (!key.hasDefault()) {
            facts.add("required");
        } else if (key.defaultValue != null) {
            facts.add("default `" + preset(key) + "`");
        }
        if (key.validator != null) {
            facts.add("values: " + key.validator);
        }
        return "*" + String.join("; ", facts) + "*  ";
    }

    private static String type(ConfigKey key) {
        return key.type.name().toLowerCase(Locale.ROOT);
    }

    private static String preset(ConfigKey key) {
        return key.hasDefault() ? ConfigDef.convertToString(key.defaultValue, key.type) : null;
    }

    private static List<ConfigKey> inOrder() {
        Map<String, List<ConfigKey>> groups = new LinkedHashMap<>();
        LakeSinkConfig.DEFINITION.groups().forEach(group -> groups.put(group, new ArrayList<>()));
        LakeSinkConfig.DEFINITION.configKeys().values().stream()
            .sorted((a, b) -> Integer.compare(a.orderInGroup, b.orderInGroup))
            .forEach(key -> groups.get(key.group).add(key));
        return groups.values().stream().flatMap(List::stream).collect(Collectors.toList());
    }
}
