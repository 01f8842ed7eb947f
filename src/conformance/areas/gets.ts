import assert from 'node:assert/strict';
import { check, onStream, refusals, type Area, type Check } from '../check.ts';
import { base64, pause, shard, texts, type Endpoint, type Json } from '../endpoint.ts';

const MIB = 1024 * 1024;

/** The sequence numbers of three records `0`, `1`, `2`, put once, a few ms apart. */
async function three(endpoint: Endpoint): Promise<{ name: string; records: readonly Json[] }> {
  const { name } = await endpoint.stream('three', 1);
  if ((await endpoint.read(name, 'TRIM_HORIZON')).Records.length === 0) {
    for (const text of ['0', '1', '2']) {
      await endpoint.put(name, text);
      await pause(5);
    }
  }
  const { Records } = await endpoint.read(name, 'TRIM_HORIZON');
  return { name, records: Records };
}

function position(title: string, type: string, expected: string, more: (records: readonly Json[]) => object): Check {
  return check(`an iterator ${title}`, async (endpoint) => {
    const { name, records } = await three(endpoint);
    assert.equal(texts(await endpoint.read(name, type, more(records))).join(' '), expected);
  });
}

const at = (index: number) => (records: readonly Json[]) => ({ StartingSequenceNumber: records[index].SequenceNumber });
const when = (index: number, later: number) => (records: readonly Json[]) => ({
  Timestamp: Math.round(records[index].ApproximateArrivalTimestamp * 1000 + later) / 1000,
});

const positions: readonly Check[] = [
  position('at TRIM_HORIZON reads all', 'TRIM_HORIZON', '0 1 2', () => ({})),
  position('at LATEST reads what comes later', 'LATEST', '', () => ({})),
  position('AT_SEQUENCE_NUMBER begins with that record', 'AT_SEQUENCE_NUMBER', '1 2', at(1)),
  position('AFTER_SEQUENCE_NUMBER begins behind it', 'AFTER_SEQUENCE_NUMBER', '2', at(1)),
  position('AT_TIMESTAMP finds the millisecond', 'AT_TIMESTAMP', '1 2', when(1, 0)),
  position('AT_TIMESTAMP a millisecond later begins behind it', 'AT_TIMESTAMP', '2', when(1, 1)),
  position('AT_TIMESTAMP of long ago reads all', 'AT_TIMESTAMP', '0 1 2', () => ({ Timestamp: 1 })),
  check('an iterator LATEST stays where it was made', async (endpoint) => {
    const { name } = await endpoint.make(endpoint.name('latest'), 1);
    await endpoint.put(name, 'before');
    const ShardIterator = await endpoint.iterator(name, 'LATEST');
    await endpoint.put(name, 'after');
    assert.deepEqual(texts(await endpoint.ok('GetRecords', { ShardIterator })), ['after']);
  }),
  ...refusals('GetShardIterator', ({ name, missing }) => {
    const start = { StreamName: name, ShardId: shard(0), ShardIteratorType: 'LATEST' };
    const type = (ShardIteratorType: string, more: object = {}): object => ({ ...start, ShardIteratorType, ...more });
    const five = { StartingSequenceNumber: '5' };
    return [
      ['a stream that is not there', { ...start, StreamName: missing }, 'ResourceNotFoundException', /not found\.$/],
      [
        'a shard that is not there',
        { ...start, ShardId: shard(1) },
        'ResourceNotFoundException',
        /^Could not find shard shardId-000000000001 in stream/,
      ],
      ['an unknown type', type('NEXT'), 'ValidationException', /'shardIteratorType'.*enum value set/],
      [
        'AT_SEQUENCE_NUMBER without one',
        type('AT_SEQUENCE_NUMBER'),
        'InvalidArgumentException',
        /no StartingSequenceNumber/,
      ],
      [
        'a sequence number that is none',
        type('AT_SEQUENCE_NUMBER', five),
        'InvalidArgumentException',
        /^StartingSequenceNumber 5 used in GetShardIterator on /,
      ],
      [
        'LATEST with a sequence number',
        type('LATEST', five),
        'InvalidArgumentException',
        /also a StartingSequenceNumber/,
      ],
      ['AT_TIMESTAMP without a time', type('AT_TIMESTAMP'), 'InvalidArgumentException', /no timestamp parameter/],
      [
        'a time that has not come',
        type('AT_TIMESTAMP', { Timestamp: 4e9 }),
        'InvalidArgumentException',
        /cannot be greater/,
      ],
    ];
  }),
  onStream('a sequence number of another shard is refused', 'foreign', 2, async (endpoint, { name }) => {
    const there = { ExplicitHashKey: String(2n ** 127n) };
    const { SequenceNumber, ShardId } = await endpoint.put(name, 'x', there);
    assert.equal(ShardId, shard(1));
    const type = { ShardIteratorType: 'AT_SEQUENCE_NUMBER', StartingSequenceNumber: SequenceNumber };
    const input = { StreamName: name, ShardId: shard(0), ...type };
    await endpoint.refuses('GetShardIterator', input, 'InvalidArgumentException', /It encodes shardId-000000000001/);
  }),
];

const reads: readonly Check[] = [
  onStream('a record comes back as it was put, with its arrival', 'shape', 1, async (endpoint, { name }) => {
    const Data = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)).toString('base64');
    const { SequenceNumber } = await endpoint.put(name, '', { Data });
    const { ApproximateArrivalTimestamp, ...rest } = (await endpoint.read(name, 'TRIM_HORIZON')).Records[0];
    const { EncryptionType = 'NONE', ...record } = rest;
    assert.deepEqual(record, { SequenceNumber, PartitionKey: 'k', Data });
    assert.equal(EncryptionType, 'NONE');
    assert.ok(Math.abs(ApproximateArrivalTimestamp - Date.now() / 1000) < 3600, 'seconds since 1970');
  }),
  check('Limit ends a page, the next iterator goes on, and can be used again', async (endpoint) => {
    const { name } = await three(endpoint);
    const first = await endpoint.read(name, 'TRIM_HORIZON', {}, 1);
    assert.deepEqual(texts(first), ['0']);
    for (let time = 0; time < 2; time += 1) {
      const ShardIterator = first.NextShardIterator;
      assert.deepEqual(texts(await endpoint.ok('GetRecords', { ShardIterator })), ['1', '2']);
    }
  }),
  check('MillisBehindLatest is above 0 behind the tip, and 0 there', async (endpoint) => {
    const { name } = await three(endpoint);
    const first = await endpoint.read(name, 'TRIM_HORIZON', {}, 1);
    assert.ok(first.MillisBehindLatest > 0, 'behind');
    const { MillisBehindLatest } = await endpoint.ok('GetRecords', { ShardIterator: first.NextShardIterator });
    assert.equal(MillisBehindLatest, 0);
  }),
  onStream('GetRecords answers at most 10 MiB', 'large', 1, async (endpoint, { name }) => {
    const record = { Data: base64(Buffer.alloc(MIB - 1, 'x')), PartitionKey: 'k' };
    for (let time = 0; time < 12; time += 1) {
      // AWS takes one MiB a second; SDKs wait and try again as well.
      await endpoint.eventually(async () => {
        const { FailedRecordCount } = await endpoint.ok('PutRecords', { StreamName: name, Records: [record] });
        assert.equal(FailedRecordCount, 0, 'a record of 1 MiB is not taken');
      });
    }
    const first = await endpoint.read(name, 'TRIM_HORIZON');
    assert.ok(first.Records.length <= 10, `${first.Records.length} records of 1 MiB`);
    assert.ok(first.MillisBehindLatest > 0, 'behind');
  }),
  onStream('PutRecords takes at most 10 MiB', 'large', 1, async (endpoint, { name }) => {
    const record = { Data: base64(Buffer.alloc(MIB - 1, 'x')), PartitionKey: 'k' };
    const Records = [...Array.from({ length: 10 }, () => record), { Data: 'YQ==', PartitionKey: 'k' }];
    const types = 'InvalidArgumentException|ValidationException';
    await endpoint.refuses('PutRecords', { StreamName: name, Records }, types, /^Records size exceeds 10 MB limit$/);
  }),
  check('DryRun reads nothing', async (endpoint) => {
    const { name } = await three(endpoint);
    const ShardIterator = await endpoint.iterator(name, 'TRIM_HORIZON');
    await endpoint.refuses('GetRecords', { ShardIterator, DryRun: true }, 'DryRunOperationException');
  }),
  check('an iterator is refused with the ARN of another stream', async (endpoint) => {
    const { name } = await three(endpoint);
    const { arn } = await endpoint.stream('shape', 1);
    const ShardIterator = await endpoint.iterator(name, 'TRIM_HORIZON');
    const types = 'InvalidArgumentException|ResourceNotFoundException';
    await endpoint.refuses('GetRecords', { ShardIterator, StreamARN: arn }, types);
  }),
  ...refusals('GetRecords', () => [
    ['no iterator', {}, 'ValidationException', /'shardIterator'.*must not be null$/],
    ['an iterator that is none', { ShardIterator: 'AAAA' }, 'InvalidArgumentException', /^Invalid ShardIterator\.$/],
    ['an iterator of 513 characters', { ShardIterator: 'x'.repeat(513) }, 'ValidationException', /512$/],
    [
      'more than 10,000 records',
      { ShardIterator: 'x', Limit: 10_001 },
      'ValidationException|InvalidArgumentException',
      /10000$/,
    ],
    ['a limit of nothing', { ShardIterator: 'x', Limit: 0 }, 'ValidationException', /greater than or equal to 1$/],
  ]),
];

/** Iterators and records read. */
export const gets: Area = { title: 'iterators and gets', checks: [...positions, ...reads] };
