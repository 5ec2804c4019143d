package dev.alluvium.connect;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings the core's waiting log lines into SLF4J. Runs on the thread that asks for it: threads of
 * the core never enter the JVM. Lines name their own connector and topic-partition, since the ring
 * is shared by all tasks of the loaded library.
 */
final class CoreLog {
    private static final Logger LOG = LoggerFactory.getLogger("dev.alluvium.core");

    private CoreLog() {
    }

    /** One line: level 1 (error) to 5 (trace), and its text. */
    static final class Line {
        final int level;
        final String text;

        Line(WireReader reader) {
            this.level = reader.u8();
            this.text = reader.text();
        }
    }

    static void drain() {
        for (Line line : NativeSink.takeLog()) {
            switch (line.level) {
                case 1:
                    LOG.error("{}", line.text);
                    break;
                case 2:
                    LOG.warn("{}", line.text);
                    break;
                case 3:
                    LOG.info("{}", line.text);
                    break;
                case 4:
                    LOG.debug("{}", line.text);
                    break;
                default:
                    LOG.trace("{}", line.text);
            }
        }
    }
}
