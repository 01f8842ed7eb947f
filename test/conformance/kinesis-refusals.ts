import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isNull, ok, refusesAll, repeated, violation, withStream, type Refusals, type Subject } from './subject.ts';

const FIRST = 'shardId-000000000000';
const SECOND = 'shardId-000000000001';
const GARBAGE = 'AAAAAAAAAAGarbage';
const INVALID = 'InvalidArgumentException';
const NOT_FOUND = 'ResourceNotFoundException';
const WRONG = 'ValidationException';
const NAME_PATTERN = 'Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+';
const HASH_KEY = 'Member must satisfy regular expression pattern: ^(0|([1-9]\\d{0,38}))$';
const POSITIVE = 'Member must have value greater than or equal to 1';
const TOO_MANY = 'Member must have value less than or equal to 10000';
const TOO_LONG = 'Member must have length less than or equal to 128';
const MODES = 'Member must satisfy enum value set: [PROVISIONED, ON_DEMAND]';
const BEYOND = '340282366920938463463374607431768211456';

/** What Kinesis actions refuse: type and sentence of each error. */
export function kinesisRefusalsConformance(subject: Subject): void {
  const refuse = async (table: (name: string) => Refusals): Promise<void> => {
    await withStream(subject, 1, async (name) => {
      await refusesAll(async (action, input) => await subject.kinesis(action, input), table(name));
      const place = { StreamName: name, ShardId: FIRST };
      const start = { ...place, ShardIteratorType: 'TRIM_HORIZON' };
      const { ShardIterator } = await ok(subject.kinesis('GetShardIterator', start));
      const { Records } = await ok(subject.kinesis('GetRecords', { ShardIterator }));
      assert.deepEqual(Records, [], 'nothing of a refused request is stored');
    });
  };
  describe('kinesis: refusals, sentence by sentence', () => {
    test('of streams', async () => await refuse(ofStreams));
    test('of lists', async () => await refuse(ofLists));
    test('of records put', async () => await refuse(ofPuts));
    test('of records got', async () => await refuse(ofGets));
  });
}

function notFound(name: string): RegExp {
  return new RegExp(`^Stream ${name} under account \\d{12} not found\\.$`);
}

function ofStreams(name: string): Refusals {
  const missing = `no-${name}`;
  const long = 'a'.repeat(129);
  const exists = new RegExp(`^Stream ${name} under account \\d{12} already exists\\.$`);
  const mode = (StreamMode: string): object => ({ StreamName: missing, StreamModeDetails: { StreamMode } });
  const three = [
    `3 validation errors detected: Value '' at 'streamName' failed to satisfy constraint: ${NAME_PATTERN}`,
    "Value '' at 'streamName' failed to satisfy constraint: Member must have length greater than or equal to 1",
    `Value '0' at 'limit' failed to satisfy constraint: ${POSITIVE}`,
  ].join('; ');
  return {
    CreateStream: [
      [{ StreamName: name, ShardCount: 1 }, 'ResourceInUseException', exists],
      [{ StreamName: long, ShardCount: 1 }, WRONG, violation(long, 'streamName', TOO_LONG)],
      [{ StreamName: 'a/b', ShardCount: 1 }, WRONG, violation('a/b', 'streamName', NAME_PATTERN)],
      [{ ShardCount: 1 }, WRONG, isNull('streamName')],
      [{ StreamName: missing, ShardCount: 0 }, WRONG, violation('0', 'shardCount', POSITIVE)],
      [{ StreamName: missing }, INVALID, /ShardCount/],
      [{ ...mode('ON_DEMAND'), ShardCount: 2 }, INVALID, /ShardCount/],
      [{ ...mode('X'), ShardCount: 1 }, WRONG, violation('X', 'streamModeDetails.streamMode', MODES)],
      [{ StreamName: missing, ShardCount: 'one' }, 'SerializationException', /java\.lang\.String/],
      [{ StreamName: missing, ShardCount: 1_000_000 }, 'LimitExceededException', /shard limit/],
    ],
    DescribeStream: [
      [{ StreamName: missing }, NOT_FOUND, notFound(missing)],
      [{}, INVALID, /StreamName/],
      [{ StreamName: '$catalog' }, WRONG, violation('$catalog', 'streamName', NAME_PATTERN)],
      [{ StreamName: name, Limit: 0 }, WRONG, violation('0', 'limit', POSITIVE)],
      [{ StreamName: name, Limit: 10_001 }, WRONG, violation('10001', 'limit', TOO_MANY)],
      [{ StreamARN: 'arn:aws:s3:::x' }, WRONG, /streamARN/],
      [{ StreamName: '', Limit: 0 }, WRONG, three],
    ],
    DescribeStreamSummary: [[{ StreamName: missing }, NOT_FOUND, notFound(missing)]],
    DeleteStream: [[{ StreamName: missing }, NOT_FOUND, notFound(missing)]],
    MakeStream: [[{}, 'UnknownOperationException']],
  };
}

function ofLists(name: string): Refusals {
  const filter = (ShardFilter: object): object => ({ StreamName: name, ShardFilter });
  return {
    ListStreams: [
      [{ Limit: 0 }, WRONG, violation('0', 'limit', POSITIVE)],
      [{ NextToken: GARBAGE }, INVALID, /NextToken/],
    ],
    ListShards: [
      [{ NextToken: GARBAGE }, INVALID, /NextToken/],
      [{ StreamName: name, MaxResults: 0 }, WRONG, violation('0', 'maxResults', POSITIVE)],
      [filter({ Type: 'X' }), WRONG, /shardFilter\.type.*enum value set/],
      [filter({}), WRONG, isNull('shardFilter.type')],
      [filter({ Type: 'AFTER_SHARD_ID' }), INVALID, /ShardId/],
      [filter({ Type: 'AT_TIMESTAMP' }), INVALID, /Timestamp/],
      [{ StreamName: name, StreamCreationTimestamp: 1 }, NOT_FOUND, /StreamCreationTimestamp/],
    ],
  };
}

function ofPuts(name: string): Refusals {
  const missing = `no-${name}`;
  const record = { StreamName: name, Data: 'YQ==', PartitionKey: 'a' };
  const outOfRange = `Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. Specified value was ${BEYOND}`;
  const tooFew = violation('[]', 'records', 'Member must have length greater than or equal to 1');
  return {
    PutRecord: [
      [{ ...record, StreamName: missing }, NOT_FOUND, notFound(missing)],
      [{ ...record, PartitionKey: undefined }, WRONG, isNull('partitionKey')],
      [{ ...record, Data: undefined }, WRONG, isNull('data')],
      [{ ...record, Data: '=' }, 'SerializationException', /can not be converted to a Blob/],
      [{ ...record, Data: 1 }, 'SerializationException', /can not be converted to a Blob/],
      [{ ...record, ExplicitHashKey: '00' }, WRONG, violation('00', 'explicitHashKey', HASH_KEY)],
      [{ ...record, ExplicitHashKey: '-1' }, WRONG, violation('-1', 'explicitHashKey', HASH_KEY)],
      [{ ...record, ExplicitHashKey: BEYOND }, INVALID, outOfRange],
      [{ ...record, SequenceNumberForOrdering: '5' }, INVALID, /^ExclusiveMinimumSequenceNumber 5 /],
    ],
    PutRecords: [
      [{ StreamName: missing, Records: [record] }, NOT_FOUND, notFound(missing)],
      [{ StreamName: name, Records: [] }, WRONG, tooFew],
      [{ StreamName: name, Records: repeated(501, record) }, WRONG, /less than or equal to 500$/],
      [{ StreamName: name, Records: [record, { Data: '' }] }, WRONG, isNull('records.2.member.partitionKey')],
    ],
  };
}

function ofGets(name: string): Refusals {
  const missing = `no-${name}`;
  const start = { StreamName: name, ShardId: FIRST, ShardIteratorType: 'LATEST' };
  const noShard = new RegExp(`^Could not find shard ${SECOND} in stream ${name} under account \\d{12}\\.$`);
  const atTime = { ...start, ShardIteratorType: 'AT_TIMESTAMP' };
  const atNumber = { ...start, ShardIteratorType: 'AT_SEQUENCE_NUMBER' };
  return {
    GetShardIterator: [
      [{ ...start, StreamName: missing }, NOT_FOUND, notFound(missing)],
      [{ ...start, ShardId: SECOND }, NOT_FOUND, noShard],
      [{ ...start, ShardIteratorType: 'NEXT' }, WRONG, /enum value set: \[AFTER_SEQUENCE_NUMBER, /],
      [atNumber, INVALID, /no StartingSequenceNumber/],
      [{ ...atNumber, StartingSequenceNumber: '5' }, INVALID, /^StartingSequenceNumber 5 used in GetShardIterator on /],
      [{ ...start, StartingSequenceNumber: '1' }, INVALID, /also a StartingSequenceNumber/],
      [atTime, INVALID, /no timestamp parameter/],
      [{ ...atTime, Timestamp: 4e9 }, INVALID, /cannot be greater/],
    ],
    GetRecords: [
      [{}, WRONG, isNull('shardIterator')],
      [{ ShardIterator: 'x', Limit: 10_001 }, WRONG, violation('10001', 'limit', TOO_MANY)],
      [{ ShardIterator: 'x'.repeat(513) }, WRONG, /'shardIterator'.*less than or equal to 512$/],
    ],
  };
}
