import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openBench, tally, type Answer, type Bench } from '../harness.fixture.ts';
import { createStream } from './create-stream.ts';
import { putRecords } from './put-records.ts';

const MIDDLE = '170141183460469231731687303715884105728';

function entry(text: string, ExplicitHashKey = '0'): object {
  return { Data: Buffer.from(text).toString('base64'), PartitionKey: 'k', ExplicitHashKey };
}

test('answers stand in the order of the request, sequence numbers in the order of each shard', async () => {
  const { seen, count } = tally();
  const { call, make, records } = await openBench(count);
  const stream = await make('a', 2);
  const Records = Array.from({ length: 500 }, (_, index) => entry(String(index), index % 3 === 0 ? MIDDLE : '0'));
  const answer = await call(putRecords, { StreamARN: stream.arn, Records });
  assert.deepEqual(Object.keys(answer), ['FailedRecordCount', 'Records']);
  assert.equal(answer.FailedRecordCount, 0);
  assert.deepEqual(
    answer.Records.map(({ ShardId }: Answer) => ShardId),
    Records.map((_, index) => (index % 3 === 0 ? 'shardId-000000000001' : 'shardId-000000000000')),
  );
  for (const [ordinal, shard] of stream.shards.entries()) {
    const numbers = answer.Records.filter(({ ShardId }: Answer) => ShardId === shard.id);
    const sorted = numbers.map(({ SequenceNumber }: Answer) => SequenceNumber as string);
    assert.deepEqual(sorted, sorted.toSorted());
    const slice = await records.read(stream, shard, 0n, { records: 1000, bytes: 1_000_000 });
    const wanted = Records.flatMap((_, index) => ((index % 3 === 0) === (ordinal === 1) ? [String(index)] : []));
    assert.deepEqual(
      slice.records.map(({ data }) => Buffer.from(data).toString()),
      wanted,
    );
  }
  assert.deepEqual(seen, { 'kinesis_records_in_total a': 500, 'kinesis_in_bytes_total a': 1390 + 500 });
});

test('a shard that takes nothing fails its own records only', async () => {
  const { seen, count } = tally();
  const { call, make, store } = await openBench(count);
  const { shards } = await make('a', 2);
  await call(putRecords, { StreamName: 'a', Records: [entry('x'), entry('y', MIDDLE)] });
  // Another owner took shard 0 over.
  await store.open(shards[0]?.ref ?? assert.fail(), 0n);
  const Records = [entry('1234'), entry('56', MIDDLE), entry('78')];
  const answer = await call(putRecords, { StreamName: 'a', Records });
  assert.equal(answer.FailedRecordCount, 2);
  const failure = {
    ErrorCode: 'ProvisionedThroughputExceededException',
    ErrorMessage: 'Rate exceeded for shard shardId-000000000000 in stream a under account 000000000000.',
  };
  assert.deepEqual([answer.Records[0], answer.Records[2]], [failure, failure]);
  assert.equal(answer.Records[1].ShardId, 'shardId-000000000001');
  assert.deepEqual(seen, {
    'kinesis_records_in_total a': 3,
    'kinesis_in_bytes_total a': 4 + 3,
    'kinesis_records_refused_total a': 2,
  });
});

test('one wrong record refuses all: nothing is stored', async () => {
  const { refusal, call, make, store } = await openBench();
  await make('a');
  await call(createStream, { StreamName: 'large', ShardCount: 1, MaxRecordSizeInKiB: 10_240 });
  const good = entry('x');
  const withKey = (PartitionKey: string): object => ({ ...good, PartitionKey });
  const withData = (bytes: number): object => ({ ...good, Data: Buffer.alloc(bytes).toString('base64') });
  const megabytes = Array.from({ length: 10 }, () => withData(1_048_575));
  const beyond = '340282366920938463463374607431768211456';
  const table: readonly (readonly [input: object, start: string, end: string])[] = [
    [{ StreamName: 'b', Records: [good] }, 'ResourceNotFoundException: Stream b', 'not found.'],
    [{ Records: [good] }, 'InvalidArgumentException: Either StreamARN or StreamName', 'must be provided.'],
    [{ StreamName: 'a' }, "Value null at 'records'", 'Member must not be null'],
    [{ StreamName: 'a', Records: [] }, "Value '[]' at 'records'", 'length greater than or equal to 1'],
    [{ StreamName: 'a', Records: Array(501).fill(good) }, "Value '[(data=java.nio.", 'less than or equal to 500'],
    [{ StreamName: 'a', Records: [good, withKey('')] }, "Value '' at 'records.2.member.partitionKey'", 'equal to 1'],
    [{ StreamName: 'a', Records: [good, null] }, "Value null at 'records.2.member'", 'Member must not be null'],
    [{ StreamName: 'a', Records: [good, entry('x', beyond)] }, 'InvalidArgumentException: Invalid Expl', beyond],
    [
      { StreamName: 'a', Records: [good, withData(1_048_576)] },
      'InvalidArgumentException: The record',
      '1048576 bytes.',
    ],
    [
      { StreamName: 'large', Records: [...megabytes, good] },
      'InvalidArgumentException: Records',
      'exceeds 10 MB limit',
    ],
  ];
  for (const [input, start, end] of table) {
    const sentence = await refusal(putRecords, input);
    const validation = start.startsWith('Value') ? 'ValidationException: 1 validation error detected: ' : '';
    assert.equal(sentence.slice(0, validation.length + start.length), validation + start);
    assert.equal(sentence.slice(-end.length), end);
  }
  assert.deepEqual(store.appends, []);
  const full = await call(putRecords, { StreamName: 'large', Records: megabytes });
  assert.equal(full.FailedRecordCount, 0, 'exactly 10 MiB');
});

test('a plain body comes to the same without a full parse', async () => {
  const [one, other] = [tally(), tally()];
  const [quick, full] = [await openBench(one.count), await openBench(other.count)];
  for (const bench of [quick, full]) await bench.make('a', 3);
  for (let round = 0; round < 3; round += 1) {
    const Records = Array.from({ length: 200 }, (_, index) => ({
      Data: Buffer.alloc((index * 37) % 300, `${round}`).toString('base64'),
      PartitionKey: `key ${index * 7}`,
      ...(index % 5 === 0 && { ExplicitHashKey: MIDDLE }),
    }));
    const answer = await quick.fast(putRecords, { StreamName: 'a', Records });
    assert.equal(answer.Records.length, 200);
    assert.deepEqual(answer, await full.call(putRecords, { StreamName: 'a', Records }));
  }
  assert.deepEqual(one.seen, other.seen);
  assert.deepEqual(await everything(quick), await everything(full));
});

test('the same in CBOR, plain or not', async () => {
  const [one, other] = [tally(), tally()];
  const [quick, full, json] = [await openBench(one.count), await openBench(other.count), await openBench()];
  for (const bench of [quick, full, json]) await bench.make('a', 3);
  const Records = Array.from({ length: 500 }, (_, index) => ({
    Data: Buffer.alloc((index * 37) % 300, `${index}`),
    PartitionKey: `key ${index * 7}`,
    ...(index % 5 === 0 && { ExplicitHashKey: MIDDLE }),
  }));
  const answer = await quick.fastCbor(putRecords, { StreamName: 'a', Records });
  assert.equal(answer.Records.length, 500);
  assert.deepEqual(answer, await full.callCbor(putRecords, { StreamName: 'a', Records }));
  const inBase64 = Records.map((record) => ({ ...record, Data: record.Data.toString('base64') }));
  assert.deepEqual(answer, await json.call(putRecords, { StreamName: 'a', Records: inBase64 }));
  assert.deepEqual(one.seen, other.seen);
  const wanted = await everything(json);
  assert.deepEqual(await everything(quick), wanted);
  assert.deepEqual(await everything(full), wanted);
  quick.store.refusing = true;
  const refused = await quick.fastCbor(putRecords, { StreamName: 'a', Records: Records.slice(0, 2) });
  assert.deepEqual([refused.FailedRecordCount, Object.keys(refused.Records[1])], [2, ['ErrorCode', 'ErrorMessage']]);
});

async function everything({ records }: Bench): Promise<string[]> {
  const stream = records.describe('a') ?? assert.fail();
  const slices = stream.shards.map((shard) => records.read(stream, shard, 0n, { records: 1000, bytes: 1_000_000 }));
  return (await Promise.all(slices)).flatMap((slice) =>
    slice.records.map(({ key, data, offset }) => `${offset} ${key.toString()} ${data.toString()}`),
  );
}

test('whatever is wrong with a plain body is left to the full parse, and nothing of it is stored', async () => {
  const { fast, refusal, make, store } = await openBench();
  await make('a', 2);
  const good = entry('x');
  const large = { ...good, Data: Buffer.alloc(1_048_576).toString('base64') };
  const fits = { ...good, Data: Buffer.alloc(1_048_575).toString('base64') };
  const bad = { ...good, Data: 'AA-A' };
  const table: readonly (readonly [input: object, refused: RegExp])[] = [
    [{ StreamName: 'a', Records: [good, bad, good] }, /^SerializationException: /],
    [{ StreamName: 'a', Records: [good, { ...good, Data: 'AAB=' }] }, /^SerializationException: /],
    [{ StreamName: 'b', Records: [good] }, /^ResourceNotFoundException: /],
    [{ StreamName: 'b', Records: [good, bad] }, /^SerializationException: /],
    [{ StreamName: 'a', Records: [good, large] }, /^InvalidArgumentException: The record of 1048577 bytes/],
    [{ StreamName: 'a', Records: [bad, large] }, /^SerializationException: /],
    [{ StreamName: 'a', Records: [entry('x', '9'.repeat(39))] }, /^InvalidArgumentException: Invalid ExplicitHashKey/],
    [
      { StreamName: 'a', Records: Array.from({ length: 11 }, () => fits) },
      /^InvalidArgumentException: Records size exc/,
    ],
  ];
  for (const [input, refused] of table) {
    assert.equal(await fast(putRecords, input), undefined);
    assert.match(await refusal(putRecords, input), refused);
  }
  assert.deepEqual(store.appends, []);
});

test('a shard that takes nothing fails its records on the way without a full parse as well', async () => {
  const { fast, make, store } = await openBench();
  await make('a', 2);
  store.refusing = true;
  const answer = await fast(putRecords, { StreamName: 'a', Records: [entry('x'), entry('y', MIDDLE)] });
  assert.equal(answer.FailedRecordCount, 2);
  assert.equal(answer.Records[1].ErrorCode, 'ProvisionedThroughputExceededException');
});

test('ten mebibytes in five hundred records keep the loop for a few milliseconds at a time', async () => {
  const { fast, make, environment } = await openBench();
  await make('a', 4);
  const Data = Buffer.alloc(20_900, 'x').toString('base64');
  const Records = Array.from({ length: 500 }, (_, index) => ({ Data, PartitionKey: `key ${index}` }));
  let turns = 0;
  let isOver = false;
  const turn = (): void => {
    turns += 1;
    if (!isOver) environment.clock.soon(turn);
  };
  environment.clock.soon(turn);
  const answer = await fast(putRecords, { StreamName: 'a', Records });
  isOver = true;
  assert.equal(answer.FailedRecordCount, 0);
  assert.ok(turns >= 20, `${turns} turns of the loop`);
});
