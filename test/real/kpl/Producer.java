import com.google.common.util.concurrent.ListenableFuture;
import java.math.BigInteger;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.kinesis.producer.KinesisProducer;
import software.amazon.kinesis.producer.KinesisProducerConfiguration;
import software.amazon.kinesis.producer.UserRecordResult;

/**
 * Puts numbered records through the Kinesis Producer Library, and tells a line for each one, once it is stored: PUT
 * NUMBER KEY HASH-KEY SHARD SEQUENCE-NUMBER ATTEMPTS, with - for no hash key. Arguments: URL STREAM DIRECTORY SECONDS
 * COUNT-A-SECOND. The directory takes the library's own program. It ends when its standard input does.
 */
public final class Producer {
    private static final int KEYS = 50;
    private static final BigInteger HASH_KEYS = BigInteger.ONE.shiftLeft(128);

    private Producer() {}

    private record Put(int number, String key, String hashKey, ListenableFuture<UserRecordResult> result) {}

    public static void main(String[] arguments) throws Exception {
        var producer = new KinesisProducer(configuration(URI.create(arguments[0]), arguments[2]));
        var puts = new ArrayList<Put>();
        int perTick = Integer.parseInt(arguments[4]) / 10;
        for (int tick = 0; tick < 10 * Integer.parseInt(arguments[3]); tick++) {
            for (int index = 0; index < perTick; index++) {
                puts.add(put(producer, arguments[1], tick * perTick + index));
            }
            Thread.sleep(100);
        }
        producer.flushSync();
        for (var put : puts) tell(put);
        while (System.in.read() >= 0) {}
        producer.destroy();
        System.exit(0);
    }

    private static KinesisProducerConfiguration configuration(URI endpoint, String directory) {
        var credentials = AwsBasicCredentials.create(System.getenv("AWS_ACCESS_KEY_ID"),
                System.getenv("AWS_SECRET_ACCESS_KEY"));
        return new KinesisProducerConfiguration().setKinesisEndpoint(endpoint.getHost())
                .setKinesisPort(endpoint.getPort()).setRegion("us-east-1").setVerifyCertificate(false)
                .setStsEndpoint(endpoint.getHost()).setStsPort(endpoint.getPort())
                .setCredentialsProvider(StaticCredentialsProvider.create(credentials))
                .setMetricsLevel("none").setTempDirectory(directory).setRecordTtl(60_000);
    }

    /** Every fifth record says where it belongs; the places go round the whole range. */
    private static Put put(KinesisProducer producer, String stream, int number) {
        var key = "key " + number % KEYS;
        var data = ByteBuffer.wrap(("record " + number + "\n").getBytes(StandardCharsets.UTF_8));
        if (number % 5 != 0) return new Put(number, key, "-", producer.addUserRecord(stream, key, data));
        var hashKey = HASH_KEYS.divide(BigInteger.valueOf(KEYS)).multiply(BigInteger.valueOf(number % KEYS)).toString();
        return new Put(number, key, hashKey, producer.addUserRecord(stream, key, hashKey, data));
    }

    private static void tell(Put put) throws Exception {
        var result = put.result().get();
        System.out.println(String.join("\t", List.of("PUT", String.valueOf(put.number()), put.key(), put.hashKey(),
                result.getShardId(), result.getSequenceNumber(), String.valueOf(result.getAttempts().size()))));
    }
}
