/** A service with all actions its model names. */
export interface KnownService {
  readonly title: string;
  /** The \`X-Amz-Target\` prefix. */
  readonly target: string;
  readonly groups: readonly { readonly title: string; readonly actions: readonly string[] }[];
}

const CLASSIC_KINESIS = `AddTagsToStream CreateStream DecreaseStreamRetentionPeriod DeleteResourcePolicy DeleteStream
  DeregisterStreamConsumer DescribeAccountSettings DescribeLimits DescribeStream DescribeStreamConsumer
  DescribeStreamSummary DisableEnhancedMonitoring EnableEnhancedMonitoring GetRecords GetResourcePolicy GetShardIterator
  IncreaseStreamRetentionPeriod ListShards ListStreamConsumers ListStreams ListTagsForResource ListTagsForStream
  MergeShards PutRecord PutRecords PutResourcePolicy RegisterStreamConsumer RemoveTagsFromStream SplitShard
  StartStreamEncryption StopStreamEncryption SubscribeToShard TagResource UntagResource UpdateAccountSettings
  UpdateMaxRecordSize UpdateShardCount UpdateStreamMode UpdateStreamWarmThroughput`;

const NEWER_KINESIS = `AcknowledgeDeadLetterQueueRecords AcknowledgeQueueRecords CreateChannel CreateQueue DeleteChannel
  DeleteQueue DescribeChannel DescribeQueue ListChannels ListQueues ReceiveDeadLetterQueueRecords ReceiveQueueRecords
  RestoreDeadLetterQueueRecords UpdateChannel UpdateDeadLetterQueueRecordsVisibility UpdateQueue
  UpdateQueueRecordsVisibility UpdateStreamRecordDistributionStrategy`;

const FIREHOSE = `CreateDeliveryStream DeleteDeliveryStream DescribeDeliveryStream ListDeliveryStreams
  ListTagsForDeliveryStream PutRecord PutRecordBatch StartDeliveryStreamEncryption StopDeliveryStreamEncryption
  TagDeliveryStream UntagDeliveryStream UpdateDestination`;

/** The services millrace speaks for: Kinesis Data Streams 2013-12-02 and Data Firehose 2015-08-04. */
export const knownServices: readonly KnownService[] = [
  {
    title: 'Kinesis Data Streams',
    target: 'Kinesis_20131202',
    groups: [
      { title: 'streams, shards, records, consumers', actions: CLASSIC_KINESIS.split(/\s+/) },
      { title: 'queues, channels, distribution strategy', actions: NEWER_KINESIS.split(/\s+/) },
    ],
  },
  {
    title: 'Data Firehose',
    target: 'Firehose_20150804',
    groups: [{ title: 'delivery streams', actions: FIREHOSE.split(/\s+/) }],
  },
];
