package dev.alluvium.connect;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks Kafka what the core wants to know of topic-partitions, on a thread of its own. In come
 * questions, out come answers for {@code NativeSink.facts}, whenever the task thread fetches them.
 * A question Kafka does not answer is asked again until it does: there is no other path. Knows
 * nothing of delivery, and never logs a setting.
 */
final class AdminFacts implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(AdminFacts.class);
    private static final Duration FIRST_PAUSE = Duration.ofMillis(500);
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(30);

    /** The way to Kafka: closed when it fails, and made anew. */
    interface Source extends AutoCloseable {
        /**
         * Facts of these topic-partitions, in the core's words and without id and ticket. What is
         * not among them is asked again.
         *
         * @throws Exception Kafka did not answer
         */
        Map<TopicPartition, Map<String, Object>> facts(Iterable<TopicPartition> partitions)
            throws Exception;

        /**
         * The end of a topic-partition, when no record lies from an offset to there; else null.
         *
         * @throws Exception Kafka did not answer
         */
        Long emptyTail(TopicPartition partition, long from) throws Exception;

        @Override
        void close();
    }

    /** Makes the way to Kafka. */
    interface Sources {
        Source open() throws Exception;
    }

    private final Sources sources;
    private final Thread thread;
    /** By id and kind: a later question about an assignment stands for the earlier ones. */
    private final Map<String, Question> questions = new LinkedHashMap<>();
    private final List<Map<String, Object>> answers = new ArrayList<>();
    private boolean ended;
    private Source source;

    AdminFacts(String name, Sources sources) {
        this.sources = sources;
        this.thread = new Thread(this::run, name);
        thread.setDaemon(true);
        thread.start();
    }

    /** The facts of a task's configuration, or null where no admin client is configured. */
    static AdminFacts of(Map<String, String> config) {
        Map<String, Object> settings = KafkaFacts.settings(config);
        if (settings.isEmpty()) {
            return null;
        }
        String name = "alluvium-facts-" + config.get("name");
        return new AdminFacts(name, () -> new KafkaFacts(settings, config));
    }

    /** Asks for all facts of a topic-partition. */
    void ask(long id, TopicPartition partition, long ticket) {
        put("facts " + id, new Question(id, partition, ticket, false));
    }

    /** Asks whether any record lies from an offset on. */
    void askTail(long id, TopicPartition partition, long from) {
        put("tail " + id, new Question(id, partition, from, true));
    }

    /** Assignments are over: nothing is asked of them any more. */
    synchronized void forget(long[] ids) {
        for (long id : ids) {
            questions.remove("facts " + id);
            questions.remove("tail " + id);
        }
    }

    /** The answers since the last call, as {@code NativeSink.facts} takes them; null for none. */
    synchronized byte[] take() {
        if (answers.isEmpty()) {
            return null;
        }
        byte[] json = Json.bytes(answers);
        answers.clear();
        return json;
    }

    /** Ends the thread; a call to Kafka that is under way is not waited for. */
    @Override
    public void close() {
        synchronized (this) {
            ended = true;
        }
        thread.interrupt();
    }

    private synchronized void put(String key, Question question) {
        questions.put(key, question);
        notifyAll();
    }

    private void run() {
        Duration pause = FIRST_PAUSE;
        try {
            while (true) {
                Map<String, Question> asked = waitForQuestions();
                boolean answered = answer(asked);
                if (answered) {
                    pause = FIRST_PAUSE;
                } else {
                    rest(pause);
                    pause = pause.multipliedBy(2);
                    pause = pause.compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : pause;
                }
            }
        } catch (InterruptedException e) {
            // The end of the task.
        } finally {
            closeSource();
        }
    }

    private synchronized Map<String, Question> waitForQuestions() throws InterruptedException {
        while (questions.isEmpty() && !ended) {
            wait();
        }
        if (ended) {
            throw new InterruptedException();
        }
        return new LinkedHashMap<>(questions);
    }

    /** Until the pause is over, or something new is asked: that need not wait for what failed. */
    private synchronized void rest(Duration pause) throws InterruptedException {
        if (!ended) {
            wait(pause.toMillis());
        }
    }

    /** Answers what Kafka answers; true when that is all. */
    private boolean answer(Map<String, Question> asked) throws InterruptedException {
        try {
            if (source == null) {
                source = sources.open();
            }
            Map<TopicPartition, Map<String, Object>> facts = facts(asked);
            Set<String> missing = new TreeSet<>();
            for (Map.Entry<String, Question> each : asked.entrySet()) {
                Question question = each.getValue();
                if (question.tail) {
                    Long end = source.emptyTail(question.partition, question.argument);
                    done(each, end == null ? null : Map.of("from", question.argument, "end", end));
                } else if (facts.containsKey(question.partition)) {
                    done(each, facts.get(question.partition));
                } else {
                    missing.add(question.partition.toString());
                }
            }
            if (!missing.isEmpty()) {
                LOG.warn("Kafka does not know {}; they wait, and it is asked again", missing);
            }
            return missing.isEmpty();
        } catch (InterruptedException e) {
            throw e;
        } catch (Exception | LinkageError e) {
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
            LOG.warn("Kafka's admin client does not answer, and {} topic-partitions wait for it "
                + "({}): {}", asked.size(), LakeSinkConfig.ADMIN_SERVERS, told(e));
            closeSource();
            return false;
        }
    }

    private Map<TopicPartition, Map<String, Object>> facts(Map<String, Question> asked)
            throws Exception {
        Map<String, TopicPartition> partitions = new TreeMap<>();
        asked.values().stream().filter(question -> !question.tail)
            .forEach(each -> partitions.put(each.partition.toString(), each.partition));
        return partitions.isEmpty() ? Map.of() : source.facts(partitions.values());
    }

    /** Notes an answer; null says that there is nothing to say. */
    private synchronized void done(
            Map.Entry<String, Question> asked, Map<String, Object> facts) {
        Question question = asked.getValue();
        // Asked again meanwhile: this answer may be of a time before that question.
        if (questions.remove(asked.getKey(), question) && facts != null) {
            Map<String, Object> answer = new LinkedHashMap<>(facts);
            answer.put("id", question.id);
            if (!question.tail) {
                answer.put("ticket", question.argument);
            }
            answers.add(answer);
        }
    }

    private void closeSource() {
        if (source != null) {
            source.close();
            source = null;
        }
    }

    /** Kafka wraps what went wrong; its messages hold names, never settings. */
    private static String told(Throwable thrown) {
        Throwable cause = thrown.getCause() == null ? thrown : thrown.getCause();
        return cause.getClass().getSimpleName() + ": " + cause.getMessage();
    }

    /** What is asked of one assignment: its ticket, or the offset a tail begins at. */
    private static final class Question {
        final long id;
        final TopicPartition partition;
        final long argument;
        final boolean tail;

        Question(long id, TopicPartition partition, long argument, boolean tail) {
            this.id = id;
            this.partition = partition;
            this.argument = argument;
            this.tail = tail;
        }
    }
}
