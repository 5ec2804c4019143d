package dev.alluvium.connect;

import java.io.File;
import java.net.URISyntaxException;
import java.security.CodeSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Where this plugin lies, and which other versions of it lie beside it: a worker with two takes one
 * of them and says nothing.
 */
final class PluginFolder {
    private static final String NAME = "alluvium-connect-";

    private PluginFolder() {
    }

    /** Jars and folders of other versions, next to this jar or next to its folder. */
    static List<File> otherVersions() {
        try {
            CodeSource source = LakeSinkConnector.class.getProtectionDomain().getCodeSource();
            return source == null ? List.of() : beside(new File(source.getLocation().toURI()));
        } catch (SecurityException | URISyntaxException | IllegalArgumentException e) {
            return List.of();
        }
    }

    static List<File> beside(File jar) {
        List<File> others = new ArrayList<>(siblings(jar));
        File folder = jar.getParentFile();
        if (folder != null && folder.getName().startsWith(NAME)) {
            others.addAll(siblings(folder));
        }
        return others;
    }

    private static List<File> siblings(File own) {
        File[] found = own.getParentFile() == null ? null : own.getParentFile().listFiles(
            file -> !file.equals(own) && file.getName().startsWith(NAME)
                && (file.isDirectory() || file.getName().endsWith(".jar")));
        return found == null ? List.of() : Arrays.asList(found);
    }
}
