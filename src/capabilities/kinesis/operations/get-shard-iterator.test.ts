import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeSequenceNumber } from '../../../kernel/stream/sequence-number.ts';
import { invalid, openBench, type Answer, type Bench } from '../harness.fixture.ts';
import { continuationNumber } from '../starting-point.ts';
import { getRecords } from './get-records.ts';
import { getShardIterator } from './get-shard-iterator.ts';

const SHARD = 'shardId-000000000000';

/** A stream of two shards; the first holds `0`, `1`, `2`, which came at 0.000, 0.250 and 0.500 s. */
async function threeRecords(): Promise<Bench & { readonly numbers: readonly string[] }> {
  const bench = await openBench();
  await bench.make('a', 2);
  const numbers: string[] = [];
  for (const text of ['0', '1', '2']) {
    numbers.push(...(await bench.fill('a', [text])));
    bench.environment.advance(250);
  }
  return { ...bench, numbers };
}

test('each type starts where it says', async () => {
  const { call, fill, numbers } = await threeRecords();
  const [zero, one, two] = numbers;
  const at = 1_700_000_000;
  const table: readonly (readonly [type: string, place: object, texts: string])[] = [
    ['TRIM_HORIZON', {}, '0 1 2 3'],
    ['LATEST', {}, '3'],
    ['AT_SEQUENCE_NUMBER', { StartingSequenceNumber: zero }, '0 1 2 3'],
    ['AT_SEQUENCE_NUMBER', { StartingSequenceNumber: two }, '2 3'],
    ['AFTER_SEQUENCE_NUMBER', { StartingSequenceNumber: one }, '2 3'],
    ['AFTER_SEQUENCE_NUMBER', { StartingSequenceNumber: two }, '3'],
    ['AT_TIMESTAMP', { Timestamp: 0 }, '0 1 2 3'],
    ['AT_TIMESTAMP', { Timestamp: at + 0.25 }, '1 2 3'],
    ['AT_TIMESTAMP', { Timestamp: at + 0.251 }, '2 3'],
    ['AT_TIMESTAMP', { Timestamp: at + 0.75 }, '3'],
  ];
  const iterators: string[] = [];
  for (const [ShardIteratorType, place] of table) {
    const request = { StreamName: 'a', ShardId: SHARD, ShardIteratorType, ...place };
    const { ShardIterator } = await call(getShardIterator, request);
    assert.ok(ShardIterator.length <= 512);
    iterators.push(ShardIterator);
  }
  await fill('a', ['3']);
  for (const [index, [type, place, texts]] of table.entries()) {
    const { Records } = await call(getRecords, { ShardIterator: iterators[index] });
    const seen = Records.map(({ Data }: Answer) => Buffer.from(Data, 'base64').toString());
    assert.equal(seen.join(' '), texts, `${type} ${JSON.stringify(place)}`);
  }
});

test('refusals', async () => {
  const { refusal, make, fill, records, numbers } = await threeRecords();
  await make('other');
  const [foreign = ''] = await fill('other', ['x']);
  const second = records.describe('a')?.shards[1] ?? assert.fail();
  const sibling = encodeSequenceNumber(second.ref, 0n);
  const first = records.describe('a')?.shards[0] ?? assert.fail();
  const beyond = encodeSequenceNumber(first.ref, 4n);
  const last = encodeSequenceNumber(first.ref, 2n ** 64n - 1n, 0xff_ffff);
  const must =
    'InvalidArgumentException: Must either specify (1) AT_SEQUENCE_NUMBER or AFTER_SEQUENCE_NUMBER and ' +
    'StartingSequenceNumber or (2) TRIM_HORIZON or LATEST and no StartingSequenceNumber. Request specified';
  const unusable = (number: string): string =>
    `InvalidArgumentException: StartingSequenceNumber ${number} used in GetShardIterator on shard ${SHARD} ` +
    'in stream a under account 000000000000 is invalid.';
  const noShard = (id: string): string =>
    `ResourceNotFoundException: Could not find shard ${id} in stream a under account 000000000000.`;
  const table: readonly (readonly [change: object, sentence: string])[] = [
    [{ StreamName: 'b' }, 'ResourceNotFoundException: Stream b under account 000000000000 not found.'],
    [{ ShardId: 'shardId-000000000002' }, noShard('shardId-000000000002')],
    [{ ShardId: 'nonsense' }, noShard('nonsense')],
    [
      { ShardIteratorType: 'EARLIEST' },
      invalid(
        'EARLIEST',
        'shardIteratorType',
        'satisfy enum value set: [AFTER_SEQUENCE_NUMBER, LATEST, AT_TIMESTAMP, AT_SEQUENCE_NUMBER, TRIM_HORIZON]',
      ),
    ],
    [{ StartingSequenceNumber: numbers[0] }, `${must} LATEST and also a StartingSequenceNumber.`],
    [{ ShardIteratorType: 'AT_SEQUENCE_NUMBER' }, `${must} AT_SEQUENCE_NUMBER and no StartingSequenceNumber.`],
    [{ ShardIteratorType: 'AT_SEQUENCE_NUMBER', StartingSequenceNumber: '0' }, unusable('0')],
    [{ ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', StartingSequenceNumber: foreign }, unusable(foreign)],
    [{ ShardIteratorType: 'AT_SEQUENCE_NUMBER', StartingSequenceNumber: beyond }, unusable(beyond)],
    [{ ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', StartingSequenceNumber: last }, unusable(last)],
    [
      { ShardIteratorType: 'AT_SEQUENCE_NUMBER', StartingSequenceNumber: sibling },
      'InvalidArgumentException: Invalid StartingSequenceNumber. It encodes shardId-000000000001, ' +
        `while it was used in a call to a shard with ${SHARD}`,
    ],
    [
      { ShardIteratorType: 'AT_TIMESTAMP' },
      'InvalidArgumentException: Must specify timestampInMillis parameter for iterator of type AT_TIMESTAMP. ' +
        'Current request has no timestamp parameter.',
    ],
    [
      { ShardIteratorType: 'AT_TIMESTAMP', Timestamp: 1_700_000_000.751 },
      'InvalidArgumentException: The timestampInMillis parameter cannot be greater than the ' +
        'currentTimestampInMillis. timestampInMillis: 1700000000751, currentTimestampInMillis: 1700000000750',
    ],
  ];
  for (const [change, sentence] of table) {
    const request = { StreamName: 'a', ShardId: SHARD, ShardIteratorType: 'LATEST', ...change };
    assert.equal(await refusal(getShardIterator, request), sentence);
  }
});

test('the end of a shard is a place, whatever the number that says so', async () => {
  const { call, fill, records } = await threeRecords();
  const { ref } = records.describe('a')?.shards[0] ?? assert.fail();
  const numbers = [
    encodeSequenceNumber(ref, 3n),
    continuationNumber(ref, 3n),
    encodeSequenceNumber(ref, 2n, 0xff_ffff),
  ];
  const iterators: string[] = [];
  for (const StartingSequenceNumber of numbers) {
    for (const ShardIteratorType of ['AT_SEQUENCE_NUMBER', 'AFTER_SEQUENCE_NUMBER']) {
      const request = { StreamName: 'a', ShardId: SHARD, ShardIteratorType, StartingSequenceNumber };
      iterators.push((await call(getShardIterator, request)).ShardIterator);
    }
  }
  await fill('a', ['3']);
  for (const ShardIterator of iterators) {
    const { Records } = await call(getRecords, { ShardIterator });
    assert.deepEqual(
      Records.map(({ Data }: Answer) => Buffer.from(Data, 'base64').toString()),
      ['3'],
    );
  }
});

test('a number of an earlier stream of the same name is none of this one', async () => {
  const { refusal, make, records, numbers } = await threeRecords();
  await records.delete('a');
  await make('a', 2);
  const request = { ShardId: SHARD, ShardIteratorType: 'AT_SEQUENCE_NUMBER', StartingSequenceNumber: numbers[0] };
  assert.match(
    await refusal(getShardIterator, { StreamName: 'a', ...request }),
    /^InvalidArgumentException: .*invalid\.$/,
  );
});

test('a stream deleted while its place is looked up is not found', async () => {
  const { refusal, store, records } = await threeRecords();
  const positionAt = store.positionAt.bind(store);
  store.positionAt = async (ref, timeMs) => {
    await records.delete('a');
    return await positionAt(ref, timeMs);
  };
  const request = { StreamName: 'a', ShardId: SHARD, ShardIteratorType: 'AT_TIMESTAMP', Timestamp: 1 };
  const gone = 'ResourceNotFoundException: Stream a under account 000000000000 not found.';
  assert.equal(await refusal(getShardIterator, request), gone);
});
