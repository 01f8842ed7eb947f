import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.TimeUnit;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.http.Protocol;
import software.amazon.awssdk.http.nio.netty.NettyNioAsyncHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.cloudwatch.CloudWatchAsyncClient;
import software.amazon.awssdk.services.dynamodb.DynamoDbAsyncClient;
import software.amazon.awssdk.services.kinesis.KinesisAsyncClient;
import software.amazon.kinesis.common.ConfigsBuilder;
import software.amazon.kinesis.common.InitialPositionInStream;
import software.amazon.kinesis.common.InitialPositionInStreamExtended;
import software.amazon.kinesis.common.KinesisClientUtil;
import software.amazon.kinesis.coordinator.Scheduler;
import software.amazon.kinesis.exceptions.ShutdownException;
import software.amazon.kinesis.lifecycle.events.InitializationInput;
import software.amazon.kinesis.lifecycle.events.LeaseLostInput;
import software.amazon.kinesis.lifecycle.events.ProcessRecordsInput;
import software.amazon.kinesis.lifecycle.events.ShardEndedInput;
import software.amazon.kinesis.lifecycle.events.ShutdownRequestedInput;
import software.amazon.kinesis.metrics.MetricsLevel;
import software.amazon.kinesis.processor.RecordProcessorCheckpointer;
import software.amazon.kinesis.processor.ShardRecordProcessor;
import software.amazon.kinesis.processor.SingleStreamTracker;
import software.amazon.kinesis.retrieval.KinesisClientRecord;
import software.amazon.kinesis.retrieval.RetrievalSpecificConfig;
import software.amazon.kinesis.retrieval.fanout.FanOutConfig;
import software.amazon.kinesis.retrieval.polling.PollingConfig;

/**
 * One KCL worker that tells on its standard output, a line each, what it was given and what it checkpointed:
 * EVENT MILLISECONDS SHARD REST. It ends when its standard input does. Arguments: KINESIS-URL DYNAMODB-URL STREAM
 * APPLICATION WORKER, then polling or fanout, json-http1 or default, and how many shards it takes at most.
 */
public final class Worker {
    /** As short as the library's own rules still hold, so that a killed worker's leases move within seconds. */
    private static final long FAILOVER_MILLISECONDS = 3_000;

    private Worker() {}

    public static void main(String[] arguments) throws Exception {
        var kinesis = kinesisClient(URI.create(arguments[0]), arguments[6]);
        var scheduler = scheduler(arguments, kinesis);
        var thread = new Thread(scheduler, "scheduler");
        thread.start();
        while (System.in.read() >= 0) {}
        scheduler.startGracefulShutdown().get(30, TimeUnit.SECONDS);
        System.exit(0);
    }

    private static Scheduler scheduler(String[] arguments, KinesisAsyncClient kinesis) {
        var dynamo = DynamoDbAsyncClient.builder().endpointOverride(URI.create(arguments[1]))
                .region(Region.US_EAST_1).credentialsProvider(credentials()).build();
        // Never called: metrics are off.
        var metrics = CloudWatchAsyncClient.builder().endpointOverride(URI.create(arguments[1]))
                .region(Region.US_EAST_1).credentialsProvider(credentials()).build();
        var start = InitialPositionInStreamExtended.newInitialPosition(InitialPositionInStream.TRIM_HORIZON);
        var configs = new ConfigsBuilder(new SingleStreamTracker(arguments[2], start), arguments[3], kinesis,
                dynamo, metrics, arguments[4], Teller::new);
        var leases = configs.leaseManagementConfig().failoverTimeMillis(FAILOVER_MILLISECONDS)
                .leaseAssignmentIntervalMillis(1_000L).maxLeasesForWorker(Integer.parseInt(arguments[7]));
        // The killed worker leads, too: by default its lead lasts two minutes.
        leases.dynamoDbLockBasedLeaderLeaseDurationInMillis(2 * FAILOVER_MILLISECONDS)
                .dynamoDbLockBasedLeaderHeartbeatPeriodInMillis(FAILOVER_MILLISECONDS / 2);
        leases.workerUtilizationAwareAssignmentConfig().disableWorkerMetrics(true);
        return new Scheduler(configs.checkpointConfig(),
                configs.coordinatorConfig().parentShardPollIntervalMillis(500), leases,
                configs.lifecycleConfig(), configs.metricsConfig().metricsLevel(MetricsLevel.NONE),
                configs.processorConfig().callProcessRecordsEvenForEmptyRecordList(false),
                configs.retrievalConfig().retrievalSpecificConfig(retrieval(arguments, kinesis)));
    }

    private static RetrievalSpecificConfig retrieval(String[] arguments, KinesisAsyncClient kinesis) {
        if (arguments[5].equals("fanout")) {
            return new FanOutConfig(kinesis).streamName(arguments[2]).applicationName(arguments[3]);
        }
        return new PollingConfig(arguments[2], kinesis).idleTimeBetweenReadsInMillis(200);
    }

    private static KinesisAsyncClient kinesisClient(URI endpoint, String protocol) {
        var builder = KinesisAsyncClient.builder().endpointOverride(endpoint).region(Region.US_EAST_1)
                .credentialsProvider(credentials());
        if (protocol.equals("json-http1")) {
            return builder.httpClientBuilder(NettyNioAsyncHttpClient.builder().protocol(Protocol.HTTP1_1)).build();
        }
        return KinesisClientUtil.createKinesisAsyncClient(builder);
    }

    private static StaticCredentialsProvider credentials() {
        return StaticCredentialsProvider.create(AwsBasicCredentials.create(System.getenv("AWS_ACCESS_KEY_ID"),
                System.getenv("AWS_SECRET_ACCESS_KEY")));
    }

    /** Tells of one shard; checkpoints after each batch. */
    private static final class Teller implements ShardRecordProcessor {
        private String shard;

        @Override
        public void initialize(InitializationInput input) {
            shard = input.shardId();
            tell("START", input.extendedSequenceNumber().sequenceNumber());
        }

        @Override
        public void processRecords(ProcessRecordsInput input) {
            List<KinesisClientRecord> records = input.records();
            for (var record : records) {
                tell("RECORD", record.sequenceNumber() + ":" + record.subSequenceNumber() + " "
                        + StandardCharsets.UTF_8.decode(record.data().duplicate()));
            }
            if (records.isEmpty()) return;
            var last = records.get(records.size() - 1);
            if (checkpoint(input.checkpointer())) tell("CHECKPOINT", last.sequenceNumber());
        }

        @Override
        public void leaseLost(LeaseLostInput input) {
            tell("LOST", "");
        }

        @Override
        public void shardEnded(ShardEndedInput input) {
            if (checkpoint(input.checkpointer())) tell("END", "");
        }

        @Override
        public void shutdownRequested(ShutdownRequestedInput input) {
            checkpoint(input.checkpointer());
        }

        /** False when the lease is another worker's by now. */
        private boolean checkpoint(RecordProcessorCheckpointer checkpointer) {
            try {
                checkpointer.checkpoint();
                return true;
            } catch (ShutdownException lost) {
                return false;
            } catch (Exception other) {
                tell("PROBLEM", other.toString());
                return false;
            }
        }

        private void tell(String event, String rest) {
            synchronized (System.out) {
                System.out.println(event + " " + System.currentTimeMillis() + " " + shard + " " + rest);
            }
        }
    }
}
