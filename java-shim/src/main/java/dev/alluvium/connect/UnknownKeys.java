package dev.alluvium.connect;

import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Tells keys of ours that do not exist from keys of Connect and of other plugins. In comes a key,
 * out comes why it is refused, or null. A key counts as ours when its first word is one of ours.
 */
final class UnknownKeys {
    /** Keys of later releases; one that ends with a dot stands for all below it. */
    private static final List<String> LATER = List.of(
        "schema.registry.", "watermark.max.out.of.order.ms",
        "watermark.idle.ms", "watermark.dead.ms", "late.allowed.ms", "late.policy",
        "future.max.ms", "complete.marker", "filter", "transform.sql", "lookup.");
    /** All settings of Kafka's admin client may follow, and Connect's own admin.override.*. */
    private static final String ADMIN = "admin.";

    private final Collection<String> known;
    private final Set<String> firstWords = new HashSet<>();

    UnknownKeys(Collection<String> known) {
        this.known = known;
        known.forEach(key -> firstWords.add(firstWord(key)));
        LATER.forEach(key -> firstWords.add(firstWord(key)));
        firstWords.add(firstWord(LakeSinkTask.TASK_NUMBER));
    }

    /** Why a key is refused, or null when it is known or not ours. */
    String refusal(String key) {
        if (known.contains(key) || key.startsWith(ADMIN) || !firstWords.contains(firstWord(key))) {
            return null;
        }
        if (LATER.stream().anyMatch(later -> covers(later, key))) {
            return key + " comes with a later release";
        }
        return "there is no key " + key + "; did you mean " + nearest(key) + "?";
    }

    private String nearest(String key) {
        return known.stream().min(Comparator.comparingInt(each -> distance(each, key))).get();
    }

    private static boolean covers(String later, String key) {
        return later.endsWith(".") ? key.startsWith(later) : key.equals(later);
    }

    private static String firstWord(String key) {
        int dot = key.indexOf('.');
        return dot < 0 ? key : key.substring(0, dot);
    }

    /**
     * Levenshtein's distance from what is known to what was given, where a letter too many or a
     * wrong one counts twice: people leave words out of a key more often than they add some.
     */
    static int distance(String known, String given) {
        int[] row = new int[given.length() + 1];
        for (int j = 0; j < row.length; j++) {
            row[j] = 2 * j;
        }
        for (int i = 1; i <= known.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= given.length(); j++) {
                boolean same = known.charAt(i - 1) == given.charAt(j - 1);
                int replaced = diagonal + (same ? 0 : 2);
                diagonal = row[j];
                row[j] = Math.min(replaced, Math.min(row[j] + 1, row[j - 1] + 2));
            }
        }
        return row[given.length()];
    }
}
