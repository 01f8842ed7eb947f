import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BufferPool } from '../../../kernel/bytes/buffer-pool.ts';
import { EnvironmentError } from '../../../kernel/errors.ts';
import type { RawAnswer } from '../../../ports/operation.ts';
import { textOf } from '../../../testing/text-of.ts';
import { invalid, openBench, refuses, tally, type Answer, type Bench, type Refusals } from '../harness.fixture.ts';
import { createStream } from './create-stream.ts';
import { getRecords } from './get-records.ts';
import { getShardIterator } from './get-shard-iterator.ts';
import { putRecord } from './put-record.ts';

const SHARD = 'shardId-000000000000';

async function iterator({ call }: Bench, StreamName = 'a', ShardIteratorType = 'TRIM_HORIZON'): Promise<string> {
  return (await call(getShardIterator, { StreamName, ShardId: SHARD, ShardIteratorType })).ShardIterator;
}

function texts(answer: Answer): string {
  return answer.Records.map(({ Data }: Answer) => Buffer.from(Data, 'base64').toString()).join(' ');
}

test('a record comes back as it was put', async () => {
  const { seen, count } = tally();
  const bench = await openBench(count);
  const { call, make, environment } = bench;
  await make('a');
  environment.advance(7);
  const Data = Buffer.from([0, 255, 10, 34]).toString('base64');
  const PartitionKey = 'a"\\\n\u0001ü𝕏';
  const { SequenceNumber } = await call(putRecord, { StreamName: 'a', Data, PartitionKey });
  const { Records, MillisBehindLatest } = await call(getRecords, { ShardIterator: await iterator(bench) });
  assert.deepEqual(Records, [{ SequenceNumber, ApproximateArrivalTimestamp: 1_700_000_000.007, PartitionKey, Data }]);
  assert.equal(MillisBehindLatest, 0);
  assert.equal(seen['kinesis_records_out_total a'], 1);
  assert.equal(seen['kinesis_out_bytes_total a'], 4 + Buffer.byteLength(PartitionKey));
});

test('reading on gives every record once, tells how far behind, and goes on at the tip', async () => {
  const bench = await openBench();
  const { call, make, fill, environment } = bench;
  await make('a');
  const transcript: string[] = [];
  for (const text of ['0', '1', '2', '3', '4']) {
    await fill('a', [text]);
    environment.advance(100);
  }
  let ShardIterator = await iterator(bench);
  const read = async (Limit: number): Promise<void> => {
    const answer = await call(getRecords, { ShardIterator, Limit });
    ShardIterator = answer.NextShardIterator;
    transcript.push(`${Limit}: ${texts(answer)} (${answer.MillisBehindLatest})`);
  };
  await read(2);
  await read(2);
  await read(2);
  await read(10_000);
  await fill('a', ['5', '6']);
  await read(1);
  await read(1);
  assert.deepEqual(transcript, ['2: 0 1 (400)', '2: 2 3 (200)', '2: 4 (0)', '10000:  (0)', '1: 5 (1)', '1: 6 (0)']);
});

test('an answer holds at most 10 MiB, and at least one record', async () => {
  const bench = await openBench();
  const { call, records } = bench;
  await call(createStream, { StreamName: 'a', ShardCount: 1, MaxRecordSizeInKiB: 10_240 });
  const sizes = [4, 4, 2, 10, 1, 1].map((mib) => mib * 1_048_576 - 1);
  for (const size of sizes) await records.append('a', [{ partitionKey: 'k', data: Buffer.alloc(size) }]);
  const seen: number[] = [];
  for (let ShardIterator = await iterator(bench), behind = 1; behind > 0 && seen.length < 10;) {
    const answer = await call(getRecords, { ShardIterator });
    seen.push(answer.Records.length);
    ShardIterator = answer.NextShardIterator;
    behind = answer.MillisBehindLatest;
  }
  assert.deepEqual(seen, [3, 1, 2]);
});

/** Fills one shard with numbered records of about a kibibyte, in runs of many sizes. */
async function fillMany({ records, environment }: Bench, count: number): Promise<void> {
  for (let from = 0, run = 1; from < count; from += run, run = (run * 7 + 3) % 90) {
    const inputs = Array.from({ length: Math.min(run, count - from) }, (_, index) => ({
      partitionKey: `key ${from + index}`,
      data: Buffer.alloc(1000 + ((from + index) % 50), `${from + index} `),
    }));
    await records.append('a', inputs);
    environment.advance(1);
  }
}

test('CBOR says the same as JSON: of none, of many reads, in the middle and at the end of a shard', async () => {
  const bench = await openBench();
  const { call, callCbor, make, split } = bench;
  await make('a');
  const inJson = ({ Records, ...rest }: Answer): Answer => ({
    Records: Records.map((record: Answer) => ({
      ...record,
      Data: record.Data.toString('base64'),
      ApproximateArrivalTimestamp: record.ApproximateArrivalTimestamp / 1000,
    })),
    ...rest,
  });
  const same = async (input: object): Promise<Answer> => {
    const answer = inJson(await callCbor(getRecords, input));
    assert.deepEqual(answer, await call(getRecords, input));
    return answer;
  };
  assert.deepEqual(texts(await same({ ShardIterator: await iterator(bench) })), '');
  await call(putRecord, { StreamName: 'a', Data: 'AP8=', PartitionKey: 'a"\\\n\u0001ü𝕏' });
  await fillMany(bench, 5000);
  for (const Limit of [1, 2, 300, 10_000]) {
    const { Records } = await same({ ShardIterator: await iterator(bench), Limit });
    assert.equal(Records.length, Math.min(Limit, 5001));
  }
  await split('a');
  const last = await same({ ShardIterator: await iterator(bench) });
  const { ChildShards, NextShardIterator } = await same({ ShardIterator: last.NextShardIterator });
  assert.deepEqual([ChildShards.length, NextShardIterator], [2, undefined]);
});

test('an answer of many reads is that of one, up to the last record asked for', async () => {
  const { seen, count } = tally();
  const bench = await openBench(count);
  const { call, make, store, records } = bench;
  const stream = await make('a');
  await fillMany(bench, 5000);
  const [shard = assert.fail()] = stream.shards;
  const all = (await records.read(stream, shard, 0n, { records: 5000, bytes: 100_000_000 })).records;
  const wanted = all.map(({ key, data, at }) => [
    Buffer.from(key).toString(),
    Buffer.from(data).toString('base64'),
    at,
  ]);
  const read = store.read.bind(store);
  let reads = 0;
  store.read = async (ref, from, limit) => {
    reads += 1;
    assert.ok(limit.bytes <= 1_048_576);
    return await read(ref, from, limit);
  };
  for (const Limit of [1, 1023, 1024, 2048, 4999, 5000, 10_000]) {
    const answer = await call(getRecords, { ShardIterator: await iterator(bench), Limit });
    const seenRecords = answer.Records.map((one: Answer) => [
      one.PartitionKey,
      one.Data,
      Math.round(one.ApproximateArrivalTimestamp * 1000),
    ]);
    assert.deepEqual(seenRecords, wanted.slice(0, Limit), `${Limit}`);
    const numbers = answer.Records.map(({ SequenceNumber }: Answer) => SequenceNumber as string);
    assert.deepEqual(numbers, numbers.toSorted());
    assert.equal(answer.MillisBehindLatest > 0, Limit < 5000);
    const rest = await call(getRecords, { ShardIterator: answer.NextShardIterator, Limit: 1 });
    assert.deepEqual(rest.Records.map(({ PartitionKey }: Answer) => PartitionKey), wanted.slice(Limit, Limit + 1).map(([key]) => key)); // prettier-ignore
  }
  assert.ok(reads > 20, `${reads} reads`);
  const put = all.reduce((sum, { key, data }) => sum + key.length + data.length, 0);
  assert.ok((seen['kinesis_out_bytes_total a'] ?? 0) > 2 * put);
  const asked = [1, 1023, 1024, 2048, 4999, 5000, 5000].reduce((sum, one) => sum + one, 0);
  assert.equal(seen['kinesis_records_out_total a'], asked + 5, 'the rest was read once more each, where there was one');
});

test('between the reads of one answer the loop turns, and the next read is under way', async () => {
  const bench = await openBench();
  const { call, make, store, environment } = bench;
  await make('a');
  await fillMany(bench, 4000);
  const transcript: string[] = [];
  const read = store.read.bind(store);
  store.read = async (ref, from, limit) => {
    transcript.push('read');
    return await read(ref, from, limit);
  };
  const { clock } = environment;
  const soon = clock.soon.bind(clock);
  clock.soon = (run) => {
    transcript.push('turn');
    soon(run);
  };
  const answer = await call(getRecords, { ShardIterator: await iterator(bench) });
  assert.equal(answer.Records.length, 4000);
  // 4 MiB, of which each read brings half a one; the answer is sent in a turn of its own.
  assert.deepEqual(transcript.join(' '), `read read turn${' read turn'.repeat(6)} turn`);
});

test('what goes wrong behind records that are read is met by the next call', async () => {
  const bench = await openBench();
  const { call, make, store } = bench;
  await make('a');
  await fillMany(bench, 3000);
  const ShardIterator = await iterator(bench);
  const read = store.read.bind(store);
  store.read = async (ref, from, limit) => {
    if (from > 1500n) throw new Error('a place is damaged');
    return await read(ref, from, limit);
  };
  const first = await call(getRecords, { ShardIterator });
  assert.ok(first.Records.length > 1500 && first.Records.length < 2500 && first.MillisBehindLatest > 0);
  await assert.rejects(call(getRecords, { ShardIterator: first.NextShardIterator }), /a place is damaged/);
  store.read = read;
  const rest = await call(getRecords, { ShardIterator: first.NextShardIterator });
  assert.equal(first.Records.length + rest.Records.length, 3000);
});

test('a closed shard ends with its children and without a next iterator', async () => {
  const bench = await openBench();
  const { call, make, fill, split } = bench;
  await make('a');
  await fill('a', ['0', '1']);
  await split('a');
  const first = await call(getRecords, { ShardIterator: await iterator(bench), Limit: 1 });
  assert.equal('ChildShards' in first, false, 'there is more to read');
  const second = await call(getRecords, { ShardIterator: first.NextShardIterator });
  assert.deepEqual([texts(second), second.MillisBehindLatest, 'ChildShards' in second], ['1', 0, false]);
  const last = await call(getRecords, { ShardIterator: second.NextShardIterator });
  assert.deepEqual(last.Records, [], 'some clients throw away what comes without a next iterator');
  assert.equal('NextShardIterator' in last, false);
  assert.equal(last.MillisBehindLatest, 0);
  assert.deepEqual(last.ChildShards, [
    {
      ShardId: 'shardId-000000000001',
      ParentShards: [SHARD],
      HashKeyRange: { StartingHashKey: '0', EndingHashKey: '170141183460469231731687303715884105727' },
    },
    {
      ShardId: 'shardId-000000000002',
      ParentShards: [SHARD],
      HashKeyRange: {
        StartingHashKey: '170141183460469231731687303715884105728',
        EndingHashKey: '340282366920938463463374607431768211455',
      },
    },
  ]);
});

test('records older than the retention are passed over', async () => {
  const bench = await openBench();
  const { call, make, fill, environment } = bench;
  await make('a');
  await fill('a', ['old']);
  environment.advance(86_400_000);
  await fill('a', ['new']);
  const ShardIterator = await iterator(bench);
  assert.equal(texts(await call(getRecords, { ShardIterator })), 'old new');
  environment.advance(1);
  assert.equal(texts(await call(getRecords, { ShardIterator })), 'new');
});

test('an iterator is good for five minutes and for this very stream', async () => {
  const bench = await openBench();
  const { call, refusal, make, records, environment } = bench;
  await make('a');
  const ShardIterator = await iterator(bench);
  environment.advance(300_000);
  await call(getRecords, { ShardIterator });
  environment.advance(1);
  const sentence =
    'ExpiredIteratorException: Iterator expired. The iterator was created at time Tue Nov 14 22:13:20 UTC 2023 while ' +
    'right now it is Tue Nov 14 22:18:20 UTC 2023 which is further in the future than the tolerated delay of ' +
    '300000 milliseconds.';
  assert.equal(await refusal(getRecords, { ShardIterator }), sentence);
  const fresh = await iterator(bench);
  await records.delete('a');
  const gone = 'ResourceNotFoundException: Stream a under account 000000000000 not found.';
  assert.equal(await refusal(getRecords, { ShardIterator: fresh }), gone);
  await make('a');
  const other =
    'ResourceNotFoundException: Could not find shard of generation 1 in stream a under account 000000000000.';
  assert.equal(await refusal(getRecords, { ShardIterator: fresh }), other);
});

test('a stream deleted during the read is not found', async () => {
  const bench = await openBench();
  const { refusal, make, records, store } = bench;
  await make('a');
  const ShardIterator = await iterator(bench);
  const read = store.read.bind(store);
  store.read = async (ref, from, limit) => {
    await records.delete('a');
    return await read(ref, from, limit);
  };
  const gone = 'ResourceNotFoundException: Stream a under account 000000000000 not found.';
  assert.equal(await refusal(getRecords, { ShardIterator }), gone);
});

test('refusals', async () => {
  const bench = await openBench();
  await bench.make('a');
  const ShardIterator = await iterator(bench);
  const long = 'a'.repeat(513);
  const table: Refusals = [
    [{ ShardIterator: 'garbage' }, 'InvalidArgumentException: Invalid ShardIterator.'],
    [{}, invalid(null, 'shardIterator', 'not be null')],
    [{ ShardIterator: long }, invalid(long, 'shardIterator', 'have length less than or equal to 512')],
    [{ ShardIterator, Limit: 0 }, invalid('0', 'limit', 'have value greater than or equal to 1')],
    [{ ShardIterator, Limit: 10_001 }, invalid('10001', 'limit', 'have value less than or equal to 10000')],
  ];
  await refuses(bench, getRecords, table);
});

test('a shard that is being closed this moment is read on from, not to its end: it has no children yet', async () => {
  const bench = await openBench();
  const { call, make, fill, split, catalog } = bench;
  await make('a');
  await fill('a', ['0']);
  const ShardIterator = await iterator(bench);
  const propose = catalog.propose.bind(catalog);
  const seen: Answer[] = [];
  catalog.propose = async (ops) => {
    if (ops[0]?.key === 'stream/a') seen.push(await call(getRecords, { ShardIterator }));
    return await propose(ops);
  };
  await split('a');
  assert.equal(seen.length, 2, 'before the parent is closed, and before its children open');
  for (const answer of seen) assert.deepEqual([texts(answer), 'ChildShards' in answer], ['0', false]);
  const { NextShardIterator, ChildShards } = await call(getRecords, { ShardIterator: seen[1].NextShardIterator });
  assert.deepEqual([NextShardIterator, ChildShards.length], [undefined, 2]);
});

/** Pools whose memory is overwritten as soon as it comes back, and that say how much of it is out. */
class Poisoned extends BufferPool {
  out = 0;

  override take(): Buffer {
    this.out += 1;
    return super.take();
  }

  override giveBack(piece: Buffer): void {
    this.out -= 1;
    super.giveBack(piece.fill(0xdd));
  }
}

async function poisonedBench(): Promise<Bench & { readonly pools: Record<'reads' | 'answers', Poisoned> }> {
  const bench = await openBench();
  const pools = { reads: new Poisoned(70_000, 100), answers: new Poisoned(50_000, 100) };
  const state = { ...bench.state, memory: { ...bench.state.memory, ...pools } };
  await bench.make('a');
  await fillMany(bench, 3000);
  return { ...bench, state, pools };
}

async function ask({ state }: Bench, ShardIterator: string): Promise<RawAnswer> {
  const { signal } = new AbortController();
  const call = { requestId: '', form: 'text', signal, state, hold: async () => undefined } as const;
  return (await getRecords.handle({ ShardIterator }, call)) as RawAnswer;
}

test('an answer stands as it is until it was sent, whoever asks meanwhile; then its memory is used again', async () => {
  const bench = await poisonedBench();
  const { pools } = bench;
  const ShardIterator = await iterator(bench);
  const answers = await Promise.all([0, 1, 2].map(async () => await ask(bench, ShardIterator)));
  assert.deepEqual([pools.reads.out, pools.answers.out > 200], [0, true]);
  const texts = answers.map(({ body }) => textOf(body));
  answers[0]?.sent?.();
  const more = await ask(bench, ShardIterator);
  answers[1]?.sent?.();
  const records = (text: string): Answer => JSON.parse(text).Records;
  const wanted = records(texts[0] ?? '');
  assert.equal(wanted.length, 3000);
  for (const text of [...texts, textOf(answers[2]?.body ?? ''), textOf(more.body)]) {
    assert.deepEqual(records(text), wanted);
  }
  for (const answer of [...answers.slice(2), more]) answer.sent?.();
  assert.equal(pools.answers.out, 0);
});

test('what a read that fails was lent is left to the collector', async () => {
  const bench = await poisonedBench();
  const { pools, store } = bench;
  const ShardIterator = await iterator(bench);
  const read = store.read.bind(store);
  store.read = async (ref, from, limit, into) => {
    await read(ref, from, limit, into);
    throw new EnvironmentError('EIO', 'no');
  };
  await assert.rejects(ask(bench, ShardIterator), { code: 'EIO' });
  assert.ok(pools.reads.out > 0);
  assert.equal(pools.answers.out, 1);
});
