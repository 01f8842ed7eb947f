import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeSequenceNumber } from '../../../kernel/stream/sequence-number.ts';
import { invalid, openBench, refuses, tally, type Refusals } from '../harness.fixture.ts';
import { createStream } from './create-stream.ts';
import { putRecord } from './put-record.ts';

const LIMIT = { records: 10, bytes: 1_000_000 };

test('answers exactly where the record stands, and it stands there', async () => {
  const { seen, count } = tally();
  const { call, make, records } = await openBench(count);
  const stream = await make('a', 2);
  const request = { StreamName: 'a', Data: Buffer.from('hello').toString('base64'), PartitionKey: 'ключ' };
  const answer = await call(putRecord, request);
  const shard = records.route(stream, { partitionKey: 'ключ' });
  assert.deepEqual(answer, { ShardId: shard.id, SequenceNumber: encodeSequenceNumber(shard.ref, 0n) });
  const [stored] = (await records.read(stream, shard, 0n, LIMIT)).records;
  const texts = [stored?.data ?? [], stored?.key ?? []].map((bytes) => Buffer.from(bytes).toString());
  assert.deepEqual(texts, ['hello', 'ключ']);
  assert.deepEqual(seen, { 'kinesis_records_in_total a': 1, 'kinesis_in_bytes_total a': 13 });
});

test('keys choose the shard: the explicit hash key before the partition key', async () => {
  const { call, make } = await openBench();
  await make('a', 2);
  const table: readonly (readonly [key: object, shard: number])[] = [
    [{ PartitionKey: 'a', ExplicitHashKey: '0' }, 0],
    [{ PartitionKey: 'a', ExplicitHashKey: '170141183460469231731687303715884105727' }, 0],
    [{ PartitionKey: 'a', ExplicitHashKey: '170141183460469231731687303715884105728' }, 1],
    [{ PartitionKey: 'a', ExplicitHashKey: '340282366920938463463374607431768211455' }, 1],
    // MD5 of `a` is 0cc175b9..., that of `b` is 92eb5ffe...
    [{ PartitionKey: 'a' }, 0],
    [{ PartitionKey: 'b' }, 1],
    [{ PartitionKey: '𝕏'.repeat(256), ExplicitHashKey: '0' }, 0],
  ];
  for (const [key, shard] of table) {
    const { ShardId } = await call(putRecord, { StreamName: 'a', Data: '', ...key });
    assert.equal(ShardId, `shardId-${String(shard).padStart(12, '0')}`, JSON.stringify(key));
  }
});

test('the stream sets the size of a record: data and key together', async () => {
  const { call, refusal, make } = await openBench();
  await make('small');
  await call(createStream, { StreamName: 'large', ShardCount: 1, MaxRecordSizeInKiB: 2048 });
  const data = (bytes: number): string => Buffer.alloc(bytes).toString('base64');
  const put = (StreamName: string, bytes: number): object => ({ StreamName, PartitionKey: 'ü', Data: data(bytes) });
  await call(putRecord, put('small', 1_048_574));
  await call(putRecord, put('large', 1_048_575));
  const sentence =
    "InvalidArgumentException: The record of 1048577 bytes is larger than the stream's limit of 1048576 bytes.";
  assert.equal(await refusal(putRecord, put('small', 1_048_575)), sentence);
  const bytes = 'java.nio.HeapByteBuffer[pos=0 lim=10485761 cap=10485761]';
  const tooLong = invalid(bytes, 'data', 'have length less than or equal to 10485760');
  assert.equal(await refusal(putRecord, put('large', 10_485_761)), tooLong);
});

test('the number for ordering is one of this stream', async () => {
  const { call, refusal, make, split } = await openBench();
  await make('other');
  await make('a');
  const put = { StreamName: 'a', Data: '', PartitionKey: 'k' };
  const { SequenceNumber } = await call(putRecord, put);
  await call(putRecord, { ...put, SequenceNumberForOrdering: SequenceNumber });
  await split('a');
  await call(putRecord, { ...put, SequenceNumberForOrdering: SequenceNumber });
  const foreign = (await call(putRecord, { ...put, StreamName: 'other' })).SequenceNumber;
  const wrongCheck = SequenceNumber.replace(/.$/, (digit: string) => String((Number(digit) + 1) % 10));
  for (const number of [foreign, wrongCheck, '0', '1'.repeat(129)]) {
    const sentence =
      `InvalidArgumentException: ExclusiveMinimumSequenceNumber ${number} used in PutRecord on stream a ` +
      'under account 000000000000 is invalid.';
    assert.equal(await refusal(putRecord, { ...put, SequenceNumberForOrdering: number }), sentence);
  }
});

test('refusals', async () => {
  const bench = await openBench();
  await bench.make('a');
  const put = { StreamName: 'a', Data: '', PartitionKey: 'k' };
  const long = 'k'.repeat(257);
  const digits = String.raw`satisfy regular expression pattern: ^(0|([1-9]\d{0,38}))$`;
  const beyond = '340282366920938463463374607431768211456';
  const table: Refusals = [
    [{ ...put, StreamName: 'b' }, 'ResourceNotFoundException: Stream b under account 000000000000 not found.'],
    [{ ...put, Data: undefined }, invalid(null, 'data', 'not be null')],
    [{ ...put, PartitionKey: '' }, invalid('', 'partitionKey', 'have length greater than or equal to 1')],
    [{ ...put, PartitionKey: long }, invalid(long, 'partitionKey', 'have length less than or equal to 256')],
    [{ ...put, ExplicitHashKey: '-1' }, invalid('-1', 'explicitHashKey', digits)],
    [{ ...put, ExplicitHashKey: '01' }, invalid('01', 'explicitHashKey', digits)],
    [
      { ...put, ExplicitHashKey: beyond },
      'InvalidArgumentException: Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. ' +
        `Specified value was ${beyond}`,
    ],
    [
      { ...put, Data: '?' },
      "SerializationException: '?' can not be converted to a Blob: " +
        'Base64 encoded length is expected a multiple of 4 bytes but found: 1',
    ],
  ];
  await refuses(bench, putRecord, table);
});

test('a log that takes nothing now slows the client down', async () => {
  const { seen, count } = tally();
  const { refusal, make, store } = await openBench(count);
  await make('a');
  store.refusing = true;
  const sentence =
    'ProvisionedThroughputExceededException: Rate exceeded for shard shardId-000000000000 in stream a ' +
    'under account 000000000000.';
  assert.equal(await refusal(putRecord, { StreamName: 'a', Data: 'AAAA', PartitionKey: 'k' }), sentence);
  assert.equal(seen['kinesis_records_refused_total a'], 1);
  assert.equal(seen['kinesis_in_bytes_total a'], 0);
});

test('a stream deleted while the record waits for its writer is not found', async () => {
  const { refusal, make, store, records, environment } = await openBench();
  let deleting: Promise<void> | undefined;
  await make('a');
  const open = store.open.bind(store);
  store.open = async (ref, lease) => {
    deleting = records.delete('a');
    while (store.shards().length > 0) await environment.clock.sleep(0);
    return await open(ref, lease);
  };
  const gone = 'ResourceNotFoundException: Stream a under account 000000000000 not found.';
  assert.equal(await refusal(putRecord, { StreamName: 'a', Data: '', PartitionKey: 'k' }), gone);
  await deleting;
});

test('a plain body comes to the same without a full parse; anything wrong is left to it', async () => {
  const [quick, full] = [await openBench(), await openBench()];
  for (const bench of [quick, full]) await bench.make('a', 2);
  const put = { StreamName: 'a', Data: 'AAEC', PartitionKey: 'k' };
  for (const input of [put, { ...put, PartitionKey: 'b' }, { ...put, ExplicitHashKey: '0' }, put]) {
    const answer = await quick.fast(putRecord, input);
    assert.ok(answer.SequenceNumber.length === 56);
    assert.deepEqual(answer, await full.call(putRecord, input));
  }
  const stored = quick.store.appends.length;
  const left = [
    { ...put, Data: 'AA_A' },
    { ...put, StreamName: 'b' },
    { ...put, PartitionKey: 'ü' },
    { ...put, ExplicitHashKey: '9'.repeat(39) },
    { ...put, SequenceNumberForOrdering: '0' },
    { ...put, Data: Buffer.alloc(1_048_577).toString('base64') },
  ];
  for (const input of left)
    assert.equal(await quick.fast(putRecord, input), undefined, JSON.stringify(input).slice(0, 99));
  assert.equal(quick.store.appends.length, stored);
  quick.store.refusing = true;
  const code = 'ProvisionedThroughputExceededException';
  await assert.rejects(quick.fast(putRecord, put), { name: 'ThrottleError', code });
});

test('the same in CBOR, plain or not', async () => {
  const [quick, full, json] = [await openBench(), await openBench(), await openBench()];
  for (const bench of [quick, full, json]) await bench.make('a', 2);
  const put = { StreamName: 'a', Data: Buffer.from([0, 255]), PartitionKey: 'k' };
  for (const input of [put, { ...put, PartitionKey: 'b' }, { ...put, ExplicitHashKey: '0', Data: Buffer.alloc(0) }]) {
    const answer = await quick.fastCbor(putRecord, input);
    assert.ok(answer.SequenceNumber.length === 56);
    assert.deepEqual(answer, await full.callCbor(putRecord, input));
    assert.deepEqual(answer, await json.call(putRecord, { ...input, Data: input.Data.toString('base64') }));
  }
  assert.deepEqual(quick.store.appends, json.store.appends);
  assert.deepEqual(full.store.appends, json.store.appends);
  for (const change of [{ StreamName: 'b' }, { PartitionKey: 'ü' }, { SequenceNumberForOrdering: '0' }]) {
    assert.equal(await quick.fastCbor(putRecord, { ...put, ...change }), undefined);
  }
  assert.equal(await quick.fastCbor(putRecord, { ...put, Data: 'AAAA' }), undefined);
});
