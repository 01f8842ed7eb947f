import assert from 'node:assert/strict';
import { check, onStream, refusals, type Area, type Check } from '../check.ts';
import { shard, type Json } from '../endpoint.ts';

/** Even ranges as AWS cuts them: the first hash keys of a stream's shards. */
const STARTS: Readonly<Record<number, readonly string[]>> = {
  1: ['0'],
  2: ['0', '170141183460469231731687303715884105728'],
  3: ['0', '113427455640312821154458202477256070485', '226854911280625642308916404954512140970'],
  4: [
    '0',
    '85070591730234615865843651857942052864',
    '170141183460469231731687303715884105728',
    '255211775190703847597530955573826158592',
  ],
};
const LAST = '340282366920938463463374607431768211455';
const NAME_RULE = /Member must satisfy regular expression pattern: \[a-zA-Z0-9_\.-\]\+$/;

function evenRanges(count: number): Check {
  const starts = STARTS[count] ?? [];
  return onStream(`${count} shards own the hash keys evenly`, `even${count}`, count, async (endpoint, { name }) => {
    const { Shards } = await endpoint.active(name);
    const ids = Shards.map(({ ShardId }: Json) => ShardId);
    assert.deepEqual(
      ids,
      starts.map((_, index) => shard(index)),
    );
    const ranges = Shards.map(({ HashKeyRange }: Json) => [HashKeyRange.StartingHashKey, HashKeyRange.EndingHashKey]);
    const ends = [...starts.slice(1).map((start) => String(BigInt(start) - 1n)), LAST];
    assert.deepEqual(
      ranges,
      starts.map((start, index) => [start, ends[index]]),
    );
  });
}

const created: readonly Check[] = [
  ...[1, 2, 3, 4].map(evenRanges),
  onStream('sequence numbers of shards differ and have 56 digits', 'even4', 4, async (endpoint, { name }) => {
    const { Shards } = await endpoint.active(name);
    const numbers = Shards.map(({ SequenceNumberRange }: Json) => SequenceNumberRange.StartingSequenceNumber);
    assert.equal(new Set(numbers).size, 4);
    for (const number of numbers) assert.match(number, /^49\d{54}$/);
  }),
  check('tags and record size may come with CreateStream', async (endpoint) => {
    const StreamName = endpoint.name('with-tags');
    await endpoint.ok('CreateStream', { StreamName, ShardCount: 1, Tags: { a: 'b' }, MaxRecordSizeInKiB: 2048 });
    await endpoint.active(StreamName);
    const { Tags } = await endpoint.ok('ListTagsForStream', { StreamName });
    assert.deepEqual(Tags, [{ Key: 'a', Value: 'b' }]);
    const { StreamDescriptionSummary } = await endpoint.ok('DescribeStreamSummary', { StreamName });
    assert.equal(StreamDescriptionSummary.MaxRecordSizeInKiB, 2048);
  }),
  ...refusals('CreateStream', ({ name, missing }) => {
    const mode = (StreamMode: string): object => ({ StreamName: missing, StreamModeDetails: { StreamMode } });
    const exists = /^Stream \S+ under account \d{12} already exists\.$/;
    return [
      ['a name that is taken', { StreamName: name, ShardCount: 1 }, 'ResourceInUseException', exists],
      ['a name of 129 characters', { StreamName: 'a'.repeat(129), ShardCount: 1 }, 'ValidationException', /128$/],
      ['a name with a slash', { StreamName: 'a/b', ShardCount: 1 }, 'ValidationException', NAME_RULE],
      ['no name', { ShardCount: 1 }, 'ValidationException', /'streamName'.*Member must not be null$/],
      ['no shards', { StreamName: missing, ShardCount: 0 }, 'ValidationException', /greater than or equal to 1$/],
      ['no shard count', { StreamName: missing }, 'InvalidArgumentException', /ShardCount/],
      [
        'a count of an on-demand stream',
        { ...mode('ON_DEMAND'), ShardCount: 2 },
        'InvalidArgumentException|ValidationException',
        /ShardCount/,
      ],
      ['an unknown stream mode', { ...mode('X'), ShardCount: 1 }, 'ValidationException', /\[PROVISIONED, ON_DEMAND\]$/],
      [
        'more shards than an account has',
        { StreamName: missing, ShardCount: 1_000_000 },
        'LimitExceededException',
        /shard limit/,
      ],
    ];
  }),
];

const described: readonly Check[] = [
  onStream('DescribeStream has all members', 'even4', 4, async (endpoint, { name, arn }) => {
    const description = await endpoint.active(name);
    const { Shards: _, StreamCreationTimestamp, KeyId: __, ...rest } = description;
    assert.deepEqual(rest, {
      StreamName: name,
      StreamARN: arn,
      StreamStatus: 'ACTIVE',
      StreamModeDetails: { StreamMode: 'PROVISIONED' },
      HasMoreShards: false,
      RetentionPeriodHours: 24,
      EnhancedMonitoring: [{ ShardLevelMetrics: [] }],
      EncryptionType: 'NONE',
    });
    assert.match(arn, /^arn:aws[^:]*:kinesis:[^:]+:\d{12}:stream\/conformance-/);
    assert.ok(Math.abs(StreamCreationTimestamp - Date.now() / 1000) < 3600, 'times are seconds since 1970');
  }),
  onStream('DescribeStream gives shards in pages', 'even4', 4, async (endpoint, { name }) => {
    const page = async (more: object): Promise<unknown[]> => {
      const { StreamDescription } = await endpoint.ok('DescribeStream', { StreamName: name, ...more });
      return [...StreamDescription.Shards.map(({ ShardId }: Json) => ShardId), StreamDescription.HasMoreShards];
    };
    assert.deepEqual(await page({ Limit: 2 }), [shard(0), shard(1), true]);
    assert.deepEqual(await page({ Limit: 2, ExclusiveStartShardId: shard(1) }), [shard(2), shard(3), false]);
  }),
  onStream('DescribeStreamSummary counts shards and consumers', 'even4', 4, async (endpoint, { name, arn }) => {
    const { StreamDescriptionSummary: summary } = await endpoint.ok('DescribeStreamSummary', { StreamName: name });
    assert.deepEqual(
      [summary.StreamARN, summary.StreamStatus, summary.OpenShardCount, summary.ConsumerCount],
      [arn, 'ACTIVE', 4, 0],
    );
    assert.equal('Shards' in summary, false);
  }),
  onStream('a stream is named by its ARN as well', 'even4', 4, async (endpoint, { name, arn }) => {
    for (const input of [{ StreamARN: arn }, { StreamARN: arn, StreamName: name }]) {
      const { StreamDescription } = await endpoint.ok('DescribeStream', input);
      assert.equal(StreamDescription.StreamName, name);
    }
  }),
  ...refusals('DescribeStream', ({ name, arn, missing }) => [
    [
      'a stream that is not there',
      { StreamName: missing },
      'ResourceNotFoundException',
      /^Stream \S+ under account \d{12} not found\.$/,
    ],
    ['neither name nor ARN', {}, 'InvalidArgumentException|ValidationException', /StreamName/],
    [
      'a name that is not the ARN’s',
      { StreamName: missing, StreamARN: arn },
      'InvalidArgumentException|ValidationException',
      /StreamARN/,
    ],
    ['an ARN of another service', { StreamARN: 'arn:aws:s3:::x' }, 'ValidationException', /'streamARN'/],
    ['a page of nothing', { StreamName: name, Limit: 0 }, 'ValidationException', /greater than or equal to 1$/],
    ['a page of 10,001', { StreamName: name, Limit: 10_001 }, 'ValidationException|InvalidArgumentException', /10000$/],
    ['a StreamId of another form', { StreamName: name, StreamId: 'short' }, 'ValidationException', /'streamId'/],
  ]),
  ...refusals('DescribeStreamSummary', ({ missing }) => [
    ['a stream that is not there', { StreamName: missing }, 'ResourceNotFoundException', /not found\.$/],
  ]),
];

const deleted: readonly Check[] = [
  check('a deleted stream is gone for every action, and a new one of its name is empty', async (endpoint) => {
    const name = endpoint.name('deleted');
    await endpoint.make(name, 1);
    await endpoint.put(name, 'x');
    await endpoint.remove(name);
    for (const action of ['DescribeStreamSummary', 'ListShards', 'DeleteStream']) {
      await endpoint.refuses(action, { StreamName: name }, 'ResourceNotFoundException');
    }
    await endpoint.make(name, 1);
    const { Records } = await endpoint.read(name, 'TRIM_HORIZON');
    assert.deepEqual(Records, []);
  }),
  check('a stream with consumers is deleted only when that is asked for', async (endpoint) => {
    const { name, arn } = await endpoint.make(endpoint.name('with-consumers'), 1);
    await endpoint.consumer(arn, 'c');
    await endpoint.refuses('DeleteStream', { StreamName: name }, 'ResourceInUseException', /EnforceConsumerDeletion/);
    await endpoint.remove(name);
  }),
  ...refusals('DeleteStream', ({ missing }) => [
    ['a stream that is not there', { StreamName: missing }, 'ResourceNotFoundException', /not found\.$/],
  ]),
];

/** Streams: made, described, deleted. */
export const streams: Area = { title: 'streams', checks: [...created, ...described, ...deleted] };
