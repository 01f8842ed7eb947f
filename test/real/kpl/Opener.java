import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import software.amazon.kinesis.retrieval.AggregatorUtil;
import software.amazon.kinesis.retrieval.KinesisClientRecord;

/**
 * Opens records as the Kinesis Client Library does, and tells a line for each one in them: SEQUENCE-NUMBER
 * SUB-SEQUENCE-NUMBER KEY DATA, with - for what was not packed. Argument: a file with a line for each record,
 * SEQUENCE-NUMBER KEY DATA. Data are in base64.
 */
public final class Opener {
    private Opener() {}

    public static void main(String[] arguments) throws Exception {
        var records = new ArrayList<KinesisClientRecord>();
        for (var line : Files.readAllLines(Path.of(arguments[0]))) {
            var parts = line.split("\t");
            records.add(KinesisClientRecord.builder().sequenceNumber(parts[0]).partitionKey(parts[1])
                    .data(ByteBuffer.wrap(Base64.getDecoder().decode(parts[2]))).build());
        }
        for (var record : new AggregatorUtil().deaggregate(records)) {
            var data = new byte[record.data().remaining()];
            record.data().duplicate().get(data);
            var sub = record.aggregated() ? String.valueOf(record.subSequenceNumber()) : "-";
            System.out.println(String.join("\t", record.sequenceNumber(), sub, record.partitionKey(),
                    new String(Base64.getEncoder().encode(data), StandardCharsets.US_ASCII)));
        }
    }
}
