package dev.alluvium.connect;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.kafka.connect.errors.ConnectException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NativeLibraryTest {
    private static final Machine LINUX = new Machine("Linux", "amd64", false);

    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource({"Linux, amd64, linux-x86_64", "Linux, x86_64, linux-x86_64",
        "Linux, aarch64, linux-aarch64", "Linux, riscv64,", "Linux, x86,", "Mac OS X, aarch64,",
        "Windows 11, amd64,"})
    void aMachineHasOneFolderInTheJarOrNone(String os, String arch, String classifier) {
        assertEquals(classifier, new Machine(os, arch, false).classifier());
        assertNull(new Machine(os, arch, true).classifier(), "none for musl");
    }

    @Test
    void anotherMachineIsNamedWithWhatIsSupported() {
        assertMessage(failure(new Machine("Mac OS X", "aarch64", false), null),
            "no native library for Mac OS X on aarch64", "Linux on x86_64 and aarch64");
    }

    @Test
    void muslIsNamed() {
        assertMessage(
            failure(new Machine("Linux", "amd64", true), null), "musl", "Alpine", "glibc");
    }

    @Test
    void muslIsSeenInTheProcess() throws IOException {
        Path maps = folder.resolve("maps");
        Files.write(maps, Records.bytes("7f00 r-xp /lib/ld-musl-x86_64.so.1\n"));
        assertTrue(Machine.usesMusl(maps));
        Files.write(maps, Records.bytes("7f00 r-xp /lib/x86_64-linux-gnu/libc.so.6\n"));
        assertFalse(Machine.usesMusl(maps));
        assertFalse(Machine.usesMusl(folder.resolve("absent")));
    }

    @Test
    void aJarWithoutTheLibraryIsNamed() {
        assertMessage(failure(LINUX, null), "/native/linux-x86_64/liballuvium.so");
    }

    @Test
    void aMissingFileIsNamedWithItsProperty() {
        assertMessage(failure(LINUX, "/nowhere/x.so"), "alluvium.library.path", "/nowhere/x.so");
    }

    @Test
    void aFolderThatCannotBeWrittenIsNamedWithItsSettings() throws IOException {
        String library = Files.createFile(folder.resolve("x.so")).toString();
        Path absent = folder.resolve("absent");
        ConnectException e = assertThrows(
            ConnectException.class, () -> NativeLibrary.load(LINUX, library, absent));
        assertMessage(e, absent.toString(), "-Dalluvium.native.dir", "ALLUVIUM_NATIVE_DIR");
    }

    @Test
    void aFileThatDoesNotLoadIsNamedAndLeavesNoCopy() throws IOException {
        Path garbage = Files.createFile(folder.resolve("garbage.so"));
        assertMessage(failure(LINUX, garbage.toString()),
            "could not be loaded", "noexec", "-Dalluvium.native.dir", "ALLUVIUM_NATIVE_DIR");
        assertArrayEquals(new String[] {"garbage.so"}, folder.toFile().list());
    }

    @Test
    void aLibraryOfAnotherVersionIsRefused() {
        NativeLibrary.checkVersion("1.2.3", "1.2.3");
        ConnectException e = assertThrows(
            ConnectException.class, () -> NativeLibrary.checkVersion("1.2.3", "1.2.4"));
        assertMessage(e, "1.2.3", "1.2.4");
    }

    private ConnectException failure(Machine machine, String path) {
        return assertThrows(
            ConnectException.class, () -> NativeLibrary.load(machine, path, folder));
    }

    private static void assertMessage(ConnectException e, String... parts) {
        for (String part : parts) {
            assertTrue(e.getMessage().contains(part), part + " in " + e.getMessage());
        }
    }
}
