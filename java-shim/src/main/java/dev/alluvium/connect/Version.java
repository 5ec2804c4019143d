package dev.alluvium.connect;

import java.io.IOException;
import java.io.InputStream;
import java.util.Properties;
import org.apache.kafka.connect.errors.ConnectException;

/**
 * The version of this plugin, as its jar says it. A resource and not the manifest: a class loader
 * may hide manifests, and tests run from folders.
 */
final class Version {
    private static final String VERSION = read();

    private Version() {
    }

    static String version() {
        return VERSION;
    }

    private static String read() {
        try (InputStream in = Version.class.getResourceAsStream("version.properties")) {
            if (in == null) {
                throw new IOException("not there");
            }
            Properties properties = new Properties();
            properties.load(in);
            return properties.getProperty("version");
        } catch (IOException e) {
            throw new ConnectException(
                "the plugin's jar is damaged: version.properties cannot be read", e);
        }
    }
}
