package dev.alluvium.connect;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.nio.file.StandardCopyOption;
import org.apache.kafka.connect.errors.ConnectException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings the Rust library into the JVM: once per class loader, from a file of its own, since the
 * JVM refuses to load one file for two class loaders, and a worker may hold the plugin twice. The
 * file is deleted as soon as it is loaded: a worker that is killed leaves nothing behind.
 *
 * <p>A failure is a ConnectException that says what is missing and what to do; it is not
 * remembered, so that the next try finds a repaired machine.
 */
final class NativeLibrary {
    /** A library file to use instead of the one in the jar; for tests and for trying a build. */
    static final String PATH_PROPERTY = "alluvium.library.path";
    /** Folder for the library's copy, when the default one is mounted noexec. */
    static final String FOLDER_PROPERTY = "alluvium.native.dir";
    static final String FOLDER_VARIABLE = "ALLUVIUM_NATIVE_DIR";

    private static final Logger LOG = LoggerFactory.getLogger(NativeLibrary.class);
    private static final String FILE_NAME = "liballuvium.so";
    private static boolean loaded;

    private NativeLibrary() {
    }

    static synchronized void load() {
        if (loaded) {
            return;
        }
        load(Machine.here(), System.getProperty(PATH_PROPERTY), folder());
        checkVersion(NativeSink.libraryVersion(), Version.version());
        loaded = true;
        LOG.info("Alluvium {}: native library loaded", Version.version());
    }

    static void load(Machine machine, String path, Path folder) {
        Path copy = copyOf(machine, path, folder);
        try {
            System.load(copy.toAbsolutePath().toString());
        } catch (UnsatisfiedLinkError e) {
            throw new ConnectException("the native library could not be loaded from " + folder
                + ": " + e.getMessage() + ". If that folder is mounted noexec, name another by -D"
                + FOLDER_PROPERTY + "=… or " + FOLDER_VARIABLE + "; supported is "
                + Machine.SUPPORTED, e);
        } finally {
            delete(copy);
        }
    }

    static void checkVersion(String library, String plugin) {
        if (!plugin.equals(library)) {
            throw new ConnectException("the native library is version " + library
                + ", the plugin is version " + plugin + ": install one plugin folder as a whole");
        }
    }

    /** Where the copy goes: the property, else the environment, else Java's temporary folder. */
    private static Path folder() {
        String named = System.getProperty(FOLDER_PROPERTY, System.getenv(FOLDER_VARIABLE));
        return Paths.get(named != null ? named : System.getProperty("java.io.tmpdir"));
    }

    private static Path copyOf(Machine machine, String path, Path folder) {
        Path copy = null;
        try (InputStream library = open(machine, path)) {
            copy = Files.createTempFile(folder, "alluvium-", ".so");
            Files.copy(library, copy, StandardCopyOption.REPLACE_EXISTING);
            return copy;
        } catch (IOException e) {
            delete(copy);
            throw new ConnectException("the native library could not be copied into " + folder
                + " (" + e + "): name a folder that can be written to by -D" + FOLDER_PROPERTY
                + "=… or " + FOLDER_VARIABLE, e);
        }
    }

    private static InputStream open(Machine machine, String path) throws IOException {
        if (path != null) {
            Path file = Paths.get(path);
            if (!Files.isReadable(file)) {
                throw new ConnectException(
                    "-D" + PATH_PROPERTY + " names " + file + ", which is not a readable file");
            }
            return Files.newInputStream(file);
        }
        if (machine.classifier() == null) {
            throw new ConnectException(machine.whyNot() + "; supported is " + Machine.SUPPORTED);
        }
        String resource = "/native/" + machine.classifier() + "/" + FILE_NAME;
        InputStream library = NativeLibrary.class.getResourceAsStream(resource);
        if (library == null) {
            throw new ConnectException("this plugin was built without " + resource
                + ": use a released plugin, or build one on this kind of machine");
        }
        return library;
    }

    private static void delete(Path file) {
        try {
            if (file != null) {
                Files.deleteIfExists(file);
            }
        } catch (IOException e) {
            LOG.warn("{} is no longer needed and could not be deleted", file, e);
        }
    }
}
