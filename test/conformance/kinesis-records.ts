import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import { seal } from './sealed.ts';
import { base64, ok, refuses, repeated, violation, withStream, type Subject } from './subject.ts';

interface Stored {
  readonly ShardId: string;
  readonly SequenceNumber: string;
}

interface Read {
  readonly Records: readonly {
    readonly SequenceNumber: string;
    readonly ApproximateArrivalTimestamp: number;
    readonly PartitionKey: string;
    readonly Data: string;
  }[];
  readonly NextShardIterator: string;
  readonly MillisBehindLatest: number;
}

const MIB = 1024 * 1024;
const FIRST = 'shardId-000000000000';
const SECOND = 'shardId-000000000001';
/** The lowest hash key of each of two shards. */
const [TO_FIRST, TO_SECOND] = ['0', '170141183460469231731687303715884105728'];

async function put(subject: Subject, name: string, text: string, more: object = {}): Promise<Stored> {
  const input = { StreamName: name, Data: base64(text), PartitionKey: 'key', ...more };
  return await ok<Stored>(subject.kinesis('PutRecord', input));
}

async function iterator(subject: Subject, name: string, type: string, more: object = {}): Promise<string> {
  const input = { StreamName: name, ShardId: FIRST, ShardIteratorType: type, ...more };
  const { ShardIterator } = await ok<{ ShardIterator: string }>(subject.kinesis('GetShardIterator', input));
  assert.ok(ShardIterator.length <= 512);
  return ShardIterator;
}

async function read(subject: Subject, ShardIterator: string, Limit?: number): Promise<Read> {
  return await ok<Read>(subject.kinesis('GetRecords', { ShardIterator, Limit }));
}

function texts({ Records }: Read): string[] {
  return Records.map(({ Data }) => Buffer.from(Data, 'base64').toString());
}

/** Records: PutRecord, PutRecords, GetShardIterator, GetRecords. */
export function kinesisRecordsConformance(subject: Subject): void {
  describe('kinesis: records', () => {
    test('PutRecord answers exactly ShardId and SequenceNumber; numbers grow', async () => await numbers(subject));
    test('the MD5 of the key, or the explicit hash key, chooses the shard', async () => await routing(subject));
    test('PutRecords: in order, all or none when one is malformed', async () => await batches(subject));
    test('a partition key has up to 256 characters, however wide', async () => await keys(subject));
    test('the five types of iterators', async () => await iterators(subject));
    test('AT_TIMESTAMP finds the millisecond', async () => await atTimestamp(subject));
    test('GetRecords: shape, Limit, 0 ms behind at the tip', async () => await reads(subject));
    test('GetRecords answers at most 10 MiB, PutRecords takes at most 10 MiB', async () => await sizes(subject));
    test('iterators: garbage, another shard, expired', async () => await badIterators(subject));
  });
}

async function numbers(subject: Subject): Promise<void> {
  await withStream(subject, 1, async (name) => {
    let last = '';
    for (let count = 0; count < 20; count += 1) {
      const stored = await put(subject, name, `record ${count}`, { SequenceNumberForOrdering: last || undefined });
      assert.deepEqual(Object.keys(stored).sort(), ['SequenceNumber', 'ShardId']);
      assert.equal(stored.ShardId, FIRST);
      assert.match(stored.SequenceNumber, /^49\d{54}$/);
      assert.ok(stored.SequenceNumber > last, 'numbers grow');
      last = stored.SequenceNumber;
    }
    const all = await read(subject, await iterator(subject, name, 'TRIM_HORIZON'));
    assert.deepEqual(
      texts(all),
      Array.from({ length: 20 }, (_, count) => `record ${count}`),
    );
    assert.equal(all.Records.at(-1)?.SequenceNumber, last);
  });
}

async function routing(subject: Subject): Promise<void> {
  await withStream(subject, 4, async (name) => {
    for (const key of ['a', 'b', 'c', 'd', 'e', 'ü', '流']) {
      const shard = Math.floor((createHash('md5').update(key).digest()[0] ?? 0) / 64);
      assert.equal((await put(subject, name, 'x', { PartitionKey: key })).ShardId, `shardId-00000000000${shard}`, key);
    }
    const table: readonly (readonly [string, number])[] = [
      ['0', 0],
      ['85070591730234615865843651857942052863', 0],
      ['85070591730234615865843651857942052864', 1],
      ['255211775190703847597530955573826158591', 2],
      ['340282366920938463463374607431768211455', 3],
    ];
    for (const [ExplicitHashKey, shard] of table) {
      const { ShardId } = await put(subject, name, 'x', { ExplicitHashKey });
      assert.equal(ShardId, `shardId-00000000000${shard}`, ExplicitHashKey);
    }
  });
}

async function batches(subject: Subject): Promise<void> {
  await withStream(subject, 2, async (name) => {
    const whole = Array.from({ length: 500 }, (_, index) => ({
      Data: base64(`${index}`),
      PartitionKey: `key ${index}`,
      ...(index % 3 === 0 && { ExplicitHashKey: index % 2 === 0 ? TO_FIRST : TO_SECOND }),
    }));
    const answer = await ok<{ FailedRecordCount: number; Records: readonly Stored[] }>(
      subject.kinesis('PutRecords', { StreamName: name, Records: whole }),
    );
    assert.equal(answer.FailedRecordCount, 0);
    assert.equal(answer.Records.length, 500);
    for (const stored of answer.Records) assert.deepEqual(Object.keys(stored).sort(), ['SequenceNumber', 'ShardId']);
    const bad = [{ PartitionKey: 'no data' }, { Data: '?', PartitionKey: 'a' }, { Data: 'YQ==', PartitionKey: '' }];
    for (const member of bad) {
      const { status } = await subject.kinesis('PutRecords', { StreamName: name, Records: [whole[0], member] });
      assert.equal(status, 400, JSON.stringify(member));
    }
    for (const ShardId of [FIRST, SECOND]) {
      const all = await read(subject, await iterator(subject, name, 'TRIM_HORIZON', { ShardId }));
      const expected = answer.Records.flatMap((stored, index) => (stored.ShardId === ShardId ? [`${index}`] : []));
      assert.deepEqual(texts(all), expected, 'in the order of the call, and nothing of a refused one');
    }
  });
}

async function keys(subject: Subject): Promise<void> {
  await withStream(subject, 1, async (name) => {
    const wide = ['流'.repeat(256), '😀'.repeat(256), '"\\\u0000\u001f'.repeat(64), 'ü'];
    for (const PartitionKey of wide) await put(subject, name, 'x', { PartitionKey });
    const all = await read(subject, await iterator(subject, name, 'TRIM_HORIZON'));
    assert.deepEqual(
      all.Records.map(({ PartitionKey }) => PartitionKey),
      wide,
    );
    const long = '流'.repeat(257);
    const sentence = violation(long, 'partitionKey', 'Member must have length less than or equal to 256');
    const refused = subject.kinesis('PutRecord', { StreamName: name, Data: '', PartitionKey: long });
    await refuses(refused, 'ValidationException', sentence);
  });
}

async function iterators(subject: Subject): Promise<void> {
  await withStream(subject, 1, async (name) => {
    const latest = await iterator(subject, name, 'LATEST');
    const { Shards } = await ok<{ Shards: readonly { SequenceNumberRange: { StartingSequenceNumber: string } }[] }>(
      subject.kinesis('ListShards', { StreamName: name }),
    );
    const start = Shards[0]?.SequenceNumberRange.StartingSequenceNumber;
    await put(subject, name, 'one');
    const { SequenceNumber } = await put(subject, name, 'two');
    await put(subject, name, 'three');
    const table: readonly (readonly [type: string, more: object, expected: readonly string[]])[] = [
      ['TRIM_HORIZON', {}, ['one', 'two', 'three']],
      ['LATEST', {}, []],
      ['AT_SEQUENCE_NUMBER', { StartingSequenceNumber: SequenceNumber }, ['two', 'three']],
      ['AFTER_SEQUENCE_NUMBER', { StartingSequenceNumber: SequenceNumber }, ['three']],
      ['AT_SEQUENCE_NUMBER', { StartingSequenceNumber: start }, ['one', 'two', 'three']],
      ['AT_TIMESTAMP', { Timestamp: 0 }, ['one', 'two', 'three']],
    ];
    for (const [type, more, expected] of table) {
      assert.deepEqual(texts(await read(subject, await iterator(subject, name, type, more))), expected, type);
    }
    assert.deepEqual(texts(await read(subject, latest)), ['one', 'two', 'three'], 'LATEST of then');
  });
}

async function atTimestamp(subject: Subject): Promise<void> {
  await withStream(subject, 1, async (name) => {
    for (let count = 0; count < 30; count += 1) await put(subject, name, `${count}`);
    const all = await read(subject, await iterator(subject, name, 'TRIM_HORIZON'));
    const arrivals = [...new Set(all.Records.map((record) => record.ApproximateArrivalTimestamp))];
    assert.ok(arrivals.length > 3, 'the records came at several times');
    const newest = Math.max(...arrivals);
    for (const arrival of arrivals) {
      // One millisecond later stands after all records of this one; the newest could still lie in the future then.
      for (const time of arrival === newest ? [arrival] : [arrival, Math.round(arrival * 1000 + 1) / 1000]) {
        const found = await read(subject, await iterator(subject, name, 'AT_TIMESTAMP', { Timestamp: time }), 1);
        const expected = all.Records.find((record) => record.ApproximateArrivalTimestamp >= time);
        assert.equal(found.Records[0]?.SequenceNumber, expected?.SequenceNumber, String(time));
      }
    }
  });
}

async function reads(subject: Subject): Promise<void> {
  await withStream(subject, 1, async (name) => {
    const before = Date.now() / 1000;
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    const binary = await put(subject, name, '', { Data: bytes.toString('base64') });
    await put(subject, name, '');
    const first = await read(subject, await iterator(subject, name, 'TRIM_HORIZON'), 1);
    assert.deepEqual(Object.keys(first).sort(), ['MillisBehindLatest', 'NextShardIterator', 'Records']);
    assert.ok(first.MillisBehindLatest > 0, 'behind');
    const [record] = first.Records;
    const { ApproximateArrivalTimestamp: arrival = 0, ...rest } = record ?? {};
    const expected = { SequenceNumber: binary.SequenceNumber, PartitionKey: 'key', Data: bytes.toString('base64') };
    assert.deepEqual(rest, expected);
    assert.ok(arrival >= Math.floor(before) && arrival <= Date.now() / 1000 + 1, 'seconds since the epoch');
    const second = await read(subject, first.NextShardIterator);
    assert.deepEqual([texts(second), second.MillisBehindLatest], [[''], 0]);
    const tip = await read(subject, second.NextShardIterator);
    assert.deepEqual([texts(tip), tip.MillisBehindLatest], [[], 0]);
    await put(subject, name, 'later');
    assert.deepEqual(texts(await read(subject, tip.NextShardIterator)), ['later'], 'an iterator goes on from the tip');
    assert.deepEqual(texts(await read(subject, first.NextShardIterator)), ['', 'later'], 'and can be used again');
  });
}

async function sizes(subject: Subject): Promise<void> {
  await withStream(subject, 1, async (name) => {
    const largest = { Data: base64(Buffer.alloc(MIB - 1, 'x')), PartitionKey: 'k' };
    const six = { StreamName: name, Records: repeated(6, largest) };
    await ok(subject.kinesis('PutRecords', six));
    await ok(subject.kinesis('PutRecords', six));
    const first = await read(subject, await iterator(subject, name, 'TRIM_HORIZON'));
    assert.equal(first.Records.length, 10);
    assert.ok(first.MillisBehindLatest > 0);
    const second = await read(subject, first.NextShardIterator);
    assert.deepEqual([second.Records.length, second.MillisBehindLatest], [2, 0]);
    const tooLarge = { StreamName: name, Data: base64(Buffer.alloc(MIB)), PartitionKey: 'k' };
    await refuses(subject.kinesis('PutRecord', tooLarge), 'InvalidArgumentException', /1048576/);
    const more = [...repeated(10, largest), { Data: 'YQ==', PartitionKey: 'k' }];
    const refused = subject.kinesis('PutRecords', { StreamName: name, Records: more });
    await refuses(refused, 'InvalidArgumentException', 'Records size exceeds 10 MB limit');
  });
}

async function badIterators(subject: Subject): Promise<void> {
  await withStream(subject, 2, async (name) => {
    for (const ShardIterator of ['x', 'AAAA', base64('{}'), `${await iterator(subject, name, 'LATEST')}A`]) {
      const refused = subject.kinesis('GetRecords', { ShardIterator });
      await refuses(refused, 'InvalidArgumentException', 'Invalid ShardIterator.');
    }
    const { SequenceNumber } = await put(subject, name, 'x', { ExplicitHashKey: TO_SECOND });
    for (const type of ['AT_SEQUENCE_NUMBER', 'AFTER_SEQUENCE_NUMBER']) {
      const input = {
        StreamName: name,
        ShardId: FIRST,
        ShardIteratorType: type,
        StartingSequenceNumber: SequenceNumber,
      };
      const sentence = `Invalid StartingSequenceNumber. It encodes ${SECOND}, while it was used in a call to a shard with ${FIRST}`;
      await refuses(subject.kinesis('GetShardIterator', input), 'InvalidArgumentException', sentence);
    }
    if (subject.node === undefined) return;
    // Five minutes cannot be waited for: an iterator as this node would have made it then.
    const old = { s: name, g: 1, o: 0, f: '0', t: Date.now() - 300_001 };
    const expired = subject.kinesis('GetRecords', { ShardIterator: seal('iterator', JSON.stringify(old)) });
    await refuses(expired, 'ExpiredIteratorException', /^Iterator expired\. The iterator was created at time .* UTC /);
  });
}
