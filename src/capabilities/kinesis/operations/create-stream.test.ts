import assert from 'node:assert/strict';
import { test } from 'node:test';
import { invalid, openBench, refuses, type Refusals } from '../harness.fixture.ts';
import { createStream } from './create-stream.ts';

const HOUR = 3_600_000;

test('what is asked for is what stands', async () => {
  const { call, records } = await openBench();
  const onDemand = { StreamMode: 'ON_DEMAND' };
  const table: readonly (readonly [input: object, mode: string, shards: number, bytes: number])[] = [
    [{ ShardCount: 1 }, 'PROVISIONED', 1, 1_048_576],
    [{ ShardCount: 3, StreamModeDetails: { StreamMode: 'PROVISIONED' } }, 'PROVISIONED', 3, 1_048_576],
    [{ ShardCount: 500 }, 'PROVISIONED', 500, 1_048_576],
    [{ StreamModeDetails: onDemand }, 'ON_DEMAND', 4, 1_048_576],
    [{ StreamModeDetails: onDemand, MaxRecordSizeInKiB: 10_240, Tags: { a: 'b' } }, 'ON_DEMAND', 4, 10_485_760],
    [{ ShardCount: 2, MaxRecordSizeInKiB: 1024, Tags: null }, 'PROVISIONED', 2, 1_048_576],
  ];
  for (const [index, [input, mode, shards, bytes]] of table.entries()) {
    const name = `s.${index}_a-Z`;
    assert.equal(await call(createStream, { StreamName: name, ...input }), undefined, 'the answer is empty');
    const made = records.describe(name);
    assert.deepEqual(
      [made?.mode, made?.shards.length, made?.maxRecordBytes, made?.retentionMs],
      [mode, shards, bytes, 24 * HOUR],
    );
  }
});

const NAME_RULE = 'satisfy regular expression pattern: [a-zA-Z0-9_.-]+';
const MODES = 'value set: [PROVISIONED, ON_DEMAND]';
const LIMIT = 'This request would exceed the shard limit for the account 000000000000 in us-east-1. Limit: 500.';
const NO_NUMBER = 'SerializationException: class java.lang.String can not be converted to an Integer';
const REFUSED: Refusals = [
  [{ ShardCount: 1 }, invalid(null, 'streamName', 'not be null')],
  [{ StreamName: 'a b', ShardCount: 1 }, invalid('a b', 'streamName', NAME_RULE)],
  [{ StreamName: '$dedupe', ShardCount: 1 }, invalid('$dedupe', 'streamName', NAME_RULE)],
  [{ StreamName: 'n', ShardCount: 0 }, invalid('0', 'shardCount', 'have value greater than or equal to 1')],
  [
    { StreamName: 'n', StreamModeDetails: { StreamMode: 'on' } },
    invalid('on', 'streamModeDetails.streamMode', `satisfy enum ${MODES}`),
  ],
  [
    { StreamName: 'n', ShardCount: 1, MaxRecordSizeInKiB: 1023 },
    invalid('1023', 'maxRecordSizeInKiB', 'have value greater than or equal to 1024'),
  ],
  [{ StreamName: 'n' }, 'InvalidArgumentException: ShardCount must be provided for a stream in PROVISIONED mode.'],
  [
    { StreamName: 'n', ShardCount: 1, StreamModeDetails: { StreamMode: 'ON_DEMAND' } },
    'InvalidArgumentException: ShardCount cannot be provided for a stream in ON_DEMAND mode.',
  ],
  [{ StreamName: 'n', ShardCount: 501 }, `LimitExceededException: ${LIMIT}`],
  [
    { StreamName: 'n', ShardCount: 1, Tags: { 'a?': 'b' } },
    'InvalidArgumentException: Some tags contain invalid characters. Valid characters: Unicode letters, digits, ' +
      'white space, _ . / = + - % @.',
  ],
  [
    { StreamName: 'n', ShardCount: 1, WarmThroughputMiBps: 0 },
    'ValidationException: WarmThroughputMiBps can only be set for a stream in ON_DEMAND mode.',
  ],
  [
    { StreamName: 'n', StreamModeDetails: { StreamMode: 'ON_DEMAND' }, WarmThroughputMiBps: 0 },
    'ValidationException: WarmThroughputMiBps can only be set while account 000000000000 has ' +
      'MinimumThroughputBillingCommitment enabled.',
  ],
  [
    { StreamName: 'n', StreamModeDetails: { StreamMode: 'ON_DEMAND' }, RecordDistributionStrategy: 'AUTO' },
    'InvalidArgumentException: RecordDistributionStrategy AUTO is not built yet: leave it out.',
  ],
  [
    { StreamName: 'n', ShardCount: 1, RecordDistributionStrategy: 'USER_PARTITION_KEY' },
    'InvalidArgumentException: RecordDistributionStrategy can only be set for a stream in ON_DEMAND mode.',
  ],
  [{ StreamName: 'n', ShardCount: '1' }, NO_NUMBER],
];

test('what cannot be made is refused and leaves nothing', async () => {
  const bench = await openBench();
  await refuses(bench, createStream, REFUSED);
  assert.deepEqual(bench.records.list({ internal: true }), []);
});

test('a name is given once, also to callers at the same moment', async () => {
  const { call, refusal, records } = await openBench();
  const input = { StreamName: 'once', ShardCount: 2 };
  const [, loser] = await Promise.all([call(createStream, input), refusal(createStream, { ...input, ShardCount: 7 })]);
  const sentence = 'ResourceInUseException: Stream once under account 000000000000 already exists.';
  assert.equal(loser, sentence);
  assert.equal(await refusal(createStream, input), sentence);
  assert.equal(records.describe('once')?.shards.length, 2);
});

test('tags and sizes are there from the start', async () => {
  const { call, records } = await openBench();
  await call(createStream, { StreamName: 'n', ShardCount: 1, MaxRecordSizeInKiB: 2048, Tags: { a: 'b' } });
  const stream = records.describe('n');
  assert.deepEqual([stream?.tags, stream?.maxRecordBytes], [{ a: 'b' }, 2_097_152]);
});
