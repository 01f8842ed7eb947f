import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipInputStream;
import java.util.zip.ZipOutputStream;
import org.xerial.snappy.Snappy;
import org.xerial.snappy.SnappyHadoopCompatibleOutputStream;
import org.xerial.snappy.SnappyInputStream;
import org.xerial.snappy.SnappyOutputStream;

/**
 * What Java makes of objects and of patterns. Arguments:
 * encode FILE...: writes FILE.Snappy and FILE.HADOOP_SNAPPY.
 * decode FORMAT FILE: writes FILE.plain.
 * zip FILE NAME MILLISECONDS: writes FILE.ZIP, an archive of one entry of this name and time.
 * times FILE: for each line PATTERN, ZONE and MILLISECONDS, with tabs between them, prints what the pattern makes of the
 * time, or ! and why it is none.
 */
public final class Judge {
    private Judge() {}

    public static void main(String[] arguments) throws Exception {
        switch (arguments[0]) {
            case "encode" -> {
                for (var index = 1; index < arguments.length; index += 1) encode(Path.of(arguments[index]));
            }
            case "decode" -> {
                var file = Path.of(arguments[2]);
                Files.write(beside(file, "plain"), decode(arguments[1], file));
            }
            case "zip" -> zip(Path.of(arguments[1]), arguments[2], Long.parseLong(arguments[3]));
            case "times" -> {
                for (var line : Files.readAllLines(Path.of(arguments[1]))) System.out.println(time(line.split("\t", -1)));
            }
            default -> throw new IllegalArgumentException(arguments[0]);
        }
        System.out.println("ok");
    }

    private static Path beside(Path file, String ending) {
        return Path.of(file + "." + ending);
    }

    private static void encode(Path file) throws IOException {
        var plain = Files.readAllBytes(file);
        try (var out = new SnappyOutputStream(Files.newOutputStream(beside(file, "Snappy")))) {
            out.write(plain);
        }
        try (var out = new SnappyHadoopCompatibleOutputStream(Files.newOutputStream(beside(file, "HADOOP_SNAPPY")))) {
            out.write(plain);
        }
    }

    private static byte[] decode(String format, Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            return switch (format) {
                case "UNCOMPRESSED" -> in.readAllBytes();
                case "GZIP" -> new GZIPInputStream(in).readAllBytes();
                case "ZIP" -> unzip(file, in);
                case "Snappy" -> new SnappyInputStream(in).readAllBytes();
                case "HADOOP_SNAPPY" -> blocks(new DataInputStream(new ByteArrayInputStream(in.readAllBytes())));
                default -> throw new IllegalArgumentException(format);
            };
        }
    }

    /** Read from its begin, and by the directory at its end: both find one and the same file. */
    private static byte[] unzip(Path file, InputStream in) throws IOException {
        var streamed = new ZipInputStream(in);
        var entry = streamed.getNextEntry();
        var plain = streamed.readAllBytes();
        if (streamed.getNextEntry() != null) throw new IOException("a second entry");
        try (var archive = new ZipFile(file.toFile())) {
            if (archive.size() != 1) throw new IOException(archive.size() + " entries");
            var listed = archive.getEntry(entry.getName());
            if (listed.getSize() != plain.length) throw new IOException("listed with another size");
            if (!java.util.Arrays.equals(archive.getInputStream(listed).readAllBytes(), plain)) {
                throw new IOException("other bytes");
            }
        }
        java.util.UUID.fromString(entry.getName());
        return plain;
    }

    /** As Hadoop's BlockDecompressorStream reads: a block's length, then chunks until it is filled. */
    private static byte[] blocks(DataInputStream in) throws IOException {
        var out = new java.io.ByteArrayOutputStream();
        while (in.available() > 0) {
            var wanted = in.readInt();
            for (var filled = 0; filled < wanted;) {
                var chunk = Snappy.uncompress(in.readNBytes(in.readInt()));
                filled += chunk.length;
                out.write(chunk);
            }
        }
        return out.toByteArray();
    }

    private static void zip(Path file, String name, long at) throws IOException {
        try (var out = new ZipOutputStream(Files.newOutputStream(beside(file, "ZIP")))) {
            var entry = new ZipEntry(name);
            entry.setTime(at);
            out.putNextEntry(entry);
            out.write(Files.readAllBytes(file));
            out.closeEntry();
        }
    }

    private static String time(String[] parts) {
        try {
            var at = Instant.ofEpochMilli(Long.parseLong(parts[2])).atZone(ZoneId.of(parts[1]));
            return DateTimeFormatter.ofPattern(parts[0], Locale.US).format(at);
        } catch (IllegalArgumentException | DateTimeException error) {
            return "!" + error.getMessage();
        }
    }
}
