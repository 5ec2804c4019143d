package dev.alluvium.connect;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.Locale;

/**
 * What machine this is, as far as a native library cares: operating system, processor, C library.
 * In come the names the JVM gives them, out comes the folder of the library in the jar, or a word
 * on why there is none.
 */
final class Machine {
    static final String SUPPORTED = "Linux on x86_64 and aarch64 with glibc 2.17 or later";

    private final String os;
    private final String arch;
    private final boolean musl;

    Machine(String os, String arch, boolean musl) {
        this.os = os;
        this.arch = arch;
        this.musl = musl;
    }

    static Machine here() {
        return new Machine(System.getProperty("os.name"), System.getProperty("os.arch"),
            usesMusl(Paths.get("/proc/self/maps")));
    }

    /** Folder of the library below /native, or null: {@link #whyNot()} says why. */
    String classifier() {
        String processor = processor();
        return isLinux() && !musl && processor != null ? "linux-" + processor : null;
    }

    String whyNot() {
        if (isLinux() && musl) {
            return "this Java runs on musl libc (Alpine?), and the library needs glibc: use an "
                + "image with glibc, such as the Debezium or Apache Kafka one";
        }
        return "there is no native library for " + os + " on " + arch;
    }

    private boolean isLinux() {
        return os.toLowerCase(Locale.ROOT).startsWith("linux");
    }

    private String processor() {
        switch (arch.toLowerCase(Locale.ROOT)) {
            case "amd64":
            case "x86_64":
                return "x86_64";
            case "aarch64":
            case "arm64":
                return "aarch64";
            default:
                return null;
        }
    }

    /** Asks what this very process runs on: a glibc machine may have musl installed beside it. */
    static boolean usesMusl(Path maps) {
        try {
            return new String(Files.readAllBytes(maps), StandardCharsets.ISO_8859_1)
                .contains("/ld-musl-");
        } catch (IOException e) {
            return false;
        }
    }
}
