import * as s from '../../kernel/schema/declare.ts';
import { kinesisLimits } from './limits.ts';

/** The `X-Amz-Target` prefix of all Kinesis Data Streams actions. */
export const TARGET = 'Kinesis_20131202';

/** Shapes that several actions share; bounds and patterns are those of AWS's service model. */

/** A stream's name. */
export const streamName = s.string({ min: 1, max: 128, pattern: '[a-zA-Z0-9_.-]+' });
/** A stream's ARN; account ids of 11 to 13 digits are accepted, where AWS wants exactly 12. */
export const streamArn = s.string({ min: 1, max: 2048, pattern: 'arn:aws.*:kinesis:.*:\\d{11,13}:stream/\\S+' });
/** Reserved by AWS for later: its form is checked, and it names no stream. */
export const streamId = s.string({ min: 1, max: 24, pattern: '[a-z0-9]{20}-[a-z0-9]{3}' });
/** The ARN of a stream or of one of its consumers; those of channels and queues fit as well, but there are none. */
export const resourceArn = s.string({
  min: 1,
  max: 2048,
  pattern: 'arn:aws.*:kinesis:.*:\\d{11,13}:.*(stream|channel|queue)/\\S+',
});
/** A consumer's name. */
export const consumerName = s.string({ min: 1, max: 128, pattern: '[a-zA-Z0-9_.-]+' });
/** A consumer's ARN; account ids of 11 to 13 digits are accepted, as in a stream's. */
export const consumerArn = s.string({
  min: 1,
  max: 2048,
  pattern: '^(arn):aws.*:kinesis:.*:\\d{11,13}:.*stream\\/[a-zA-Z0-9_.-]+\\/consumer\\/[a-zA-Z0-9_.-]+:[0-9]+',
});
/** A shard's id. */
export const shardId = s.string({ min: 1, max: 128, pattern: '[a-zA-Z0-9_.-]+' });
/** 1 to 256 characters. */
export const partitionKey = s.string({ min: 1, max: 256 });
/** A whole number of 0 .. 2^128 - 1 in decimal digits. */
export const hashKey = s.string({ pattern: '^(0|([1-9]\\d{0,38}))$' });
/** A position in a shard, in decimal digits. */
export const sequenceNumber = s.string({ pattern: '^(0|([1-9]\\d{0,128}))$' });
/** The bytes of one record. */
export const data = s.blob({ min: 0, max: kinesisLimits.recordBytesMax });
/** Where a list went on. */
export const nextToken = s.string({ min: 1, max: 1048576 });

const hashKeyRange = s.struct({ StartingHashKey: hashKey, EndingHashKey: hashKey });
const sequenceNumberRange = s.struct({
  StartingSequenceNumber: sequenceNumber,
  EndingSequenceNumber: s.optional(sequenceNumber),
});

/** A shard as AWS describes it. */
export const shard = s.struct({
  ShardId: shardId,
  ParentShardId: s.optional(shardId),
  AdjacentParentShardId: s.optional(shardId),
  HashKeyRange: hashKeyRange,
  SequenceNumberRange: sequenceNumberRange,
});

/** Whether records are said to be encrypted. */
export const encryptionType = s.string({ values: ['NONE', 'KMS'] });
/** A KMS key by id, ARN or alias. */
export const keyId = s.string({ min: 1, max: 2048 });

/** A record as GetRecords and SubscribeToShard give it. */
export const record = s.struct({
  SequenceNumber: sequenceNumber,
  ApproximateArrivalTimestamp: s.timestamp(),
  Data: data,
  PartitionKey: partitionKey,
  EncryptionType: s.optional(encryptionType),
});

/** A shard that took over from the one that was read to its end. */
export const childShard = s.struct({ ShardId: shardId, ParentShards: s.list(shardId), HashKeyRange: hashKeyRange });

/** A tag's key. */
export const tagKey = s.string({ min: 1, max: 128 });
/** A tag as lists give it. */
export const tag = s.struct({ Key: tagKey, Value: s.optional(s.string({ min: 0, max: 256 })) });
/** Keys of tags. */
export const tagKeys = s.list(tagKey, { min: 1, max: 50 });
/** Tags by key. */
export const tagMap = s.map(s.string({ min: 0, max: 256 }), { key: tagKey, min: 1, max: 200 });

/** A consumer as AWS describes it. */
export const consumer = {
  ConsumerName: consumerName,
  ConsumerARN: consumerArn,
  ConsumerStatus: s.string({ values: ['CREATING', 'DELETING', 'ACTIVE'] }),
  ConsumerCreationTimestamp: s.timestamp(),
} as const;

/** Provisioned or on-demand. */
export const streamModeDetails = s.struct({ StreamMode: s.string({ values: ['PROVISIONED', 'ON_DEMAND'] }) });

/** The metrics that enhanced monitoring knows; the last one means all others. */
export const shardLevelMetrics = [
  'IncomingBytes',
  'IncomingRecords',
  'OutgoingBytes',
  'OutgoingRecords',
  'WriteProvisionedThroughputExceeded',
  'ReadProvisionedThroughputExceeded',
  'IteratorAgeMilliseconds',
  'ALL',
] as const;
/** Some of `shardLevelMetrics`. */
export const metricNames = s.list(s.string({ values: shardLevelMetrics }), { min: 1, max: 7 });
/** What actions of enhanced monitoring answer. */
export const monitored = s.struct({
  StreamName: s.optional(streamName),
  CurrentShardLevelMetrics: s.optional(metricNames),
  DesiredShardLevelMetrics: s.optional(metricNames),
  StreamARN: s.optional(streamArn),
});
/** The account's commitment to a minimum of throughput. */
export const commitment = s.struct({
  Status: s.string({ values: ['ENABLED', 'DISABLED', 'ENABLED_UNTIL_EARLIEST_ALLOWED_END'] }),
  StartedAt: s.optional(s.timestamp()),
  EndedAt: s.optional(s.timestamp()),
  EarliestAllowedEndAt: s.optional(s.timestamp()),
});
/** What a stream is said to be ready for, in MiB of writes a second. */
export const warmThroughput = s.struct({
  TargetMiBps: s.optional(s.integer({ min: 0 })),
  CurrentMiBps: s.optional(s.integer({ min: 0 })),
});
/** How an on-demand stream chooses the shard of a record. */
export const distributionStrategy = s.string({ values: ['AUTO', 'USER_PARTITION_KEY'] });

/** Members that every description of a stream has. */
export const describedStream = {
  StreamName: streamName,
  StreamARN: streamArn,
  StreamStatus: s.string({ values: ['CREATING', 'DELETING', 'ACTIVE', 'UPDATING'] }),
  StreamModeDetails: s.optional(streamModeDetails),
  RetentionPeriodHours: s.integer(),
  StreamCreationTimestamp: s.timestamp(),
  EnhancedMonitoring: s.list(s.struct({ ShardLevelMetrics: s.optional(metricNames) })),
  EncryptionType: s.optional(encryptionType),
  KeyId: s.optional(keyId),
} as const;
