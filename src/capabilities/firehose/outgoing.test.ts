import assert from 'node:assert/strict';
import { test } from 'node:test';
import { positionKey, Damaged } from '../../ports/stream-store.ts';
import { aggregated } from '../../wire/kpl/aggregated-record.fixture.ts';
import { Bench, toBucket } from './harness.fixture.ts';
import { firehoseLimits } from './limits.ts';
import { isFirstOfStored, outgoingRecords } from './outgoing.ts';
import { type Intent } from './model.ts';

const RECORDS = ['one;', 'two;', 'three;'];
const packed = aggregated(
  ['k1', 'k2'],
  RECORDS.map((data, index) => ({ key: index % 2, data })),
);

async function putRecord(bench: Bench, data: Buffer): Promise<void> {
  const Data = data.toString('base64');
  await bench.call('Kinesis_20131202.PutRecord', { StreamName: 'events', PartitionKey: 'k', Data });
}

async function contents(bench: Bench): Promise<readonly string[]> {
  return Array.from((await bench.objects('archive')).values(), String);
}

test('what a producer packed into one record arrives as the records it packed', async () => {
  const sections = { streams: { events: {} }, deliveries: { d: { from: 'events', ...toBucket('archive', 1) } } };
  const bench = await new Bench().open(sections);
  await putRecord(bench, Buffer.from('alone;'));
  await putRecord(bench, packed);
  await bench.simulation.pass(5000);
  assert.deepEqual(await contents(bench), ['alone;one;two;three;']);
  const { recordsDelivered } = (await bench.admin('GET', '/admin/deliveries/{name}', { name: 'd' })) as {
    recordsDelivered: number;
  };
  assert.equal(recordsDelivered, 4);
  assert.deepEqual(bench.node.health().problems, [], 'nothing is taken for lost');
});

test('what is put directly leaves as it came', async () => {
  const bench = await new Bench().open({ deliveries: { d: toBucket('archive', 1) } });
  await bench.call('PutRecord', { DeliveryStreamName: 'd', Record: { Data: packed.toString('base64') } });
  await bench.simulation.pass(5000);
  assert.deepEqual([...(await bench.objects('archive')).values()], [packed]);
});

test('each record says which one of its stored record it is, and never too many are held at once', async () => {
  const bench = await new Bench().open({ streams: { events: { ShardCount: 1 } } });
  const many = 2 * firehoseLimits.readRecords + 1;
  await putRecord(bench, Buffer.from('alone;'));
  await putRecord(
    bench,
    aggregated(
      ['k'],
      Array.from({ length: many }, (_, index) => ({ key: 0, data: `${index}` })),
    ),
  );
  const { records } = bench.node;
  const stream = records.describe('events') ?? assert.fail('no stream');
  const [shard = assert.fail('no shard')] = stream.shards;
  const range = { ...shard.ref, from: 0n, to: 2n };
  assert.equal(positionKey(range), positionKey(shard.ref));
  let turns = 0;
  const turn = async (): Promise<void> => void (turns += 1);
  const options = { form: 'packed' as const, gone: () => assert.fail('nothing is damaged'), turn };
  const groups = [];
  for await (const group of outgoingRecords(records, stream, { ranges: [range] }, options)) {
    groups.push(group);
  }
  assert.deepEqual(
    groups.map(({ length }) => length),
    [firehoseLimits.readRecords, firehoseLimits.readRecords, 2],
  );
  assert.equal(turns, 6, 'others get their turn while it is opened, and between the groups');
  const all = groups.flat();
  assert.deepEqual(
    all.map(({ subSequenceNumber }) => subSequenceNumber),
    [undefined, ...Array.from({ length: many }, (_, index) => index)],
  );
  assert.equal(all.filter(isFirstOfStored).length, 2);
  assert.equal(new Set(all.map(({ sequenceNumber }) => sequenceNumber)).size, 2, 'one number for each stored record');
});

test('records that hold much come in groups of bounded bytes, keys counted', async () => {
  const bench = await new Bench().open({ streams: { events: { ShardCount: 1 } } });
  const key = 'k'.repeat(256);
  const many = 2600;
  const record = { key: 0, data: Buffer.alloc(1000) };
  for (const data of [
    Buffer.alloc(1_040_000),
    aggregated(
      [key],
      Array.from({ length: 800 }, () => record),
    ),
  ]) {
    await putRecord(bench, data);
  }
  const { records } = bench.node;
  const stream = records.describe('events') ?? assert.fail('no stream');
  const [shard = assert.fail('no shard')] = stream.shards;
  const intent = { ranges: [{ ...shard.ref, from: 0n, to: 2n }] } as unknown as Intent;
  // As one read that gave both.
  const both: typeof records = Object.create(records, {
    read: {
      value: async (...[one, of, from]: Parameters<typeof records.read>) =>
        await records.read(one, of, from, { records: many, bytes: 4 * firehoseLimits.readBytes }),
    },
  });
  const options = {
    form: 'packed' as const,
    gone: () => assert.fail('nothing is damaged'),
    turn: async () => undefined,
  };
  const counts: number[] = [];
  for await (const group of outgoingRecords(both, stream, intent, options)) counts.push(group.length);
  assert.deepEqual(counts, [7, 794]);
});

test('a damaged place is passed over and said', async () => {
  const bench = await new Bench().open({ streams: { events: { ShardCount: 1 } } });
  for (const text of ['one;', 'two;', 'three;']) await putRecord(bench, Buffer.from(text));
  const { records } = bench.node;
  const stream = records.describe('events') ?? assert.fail('no stream');
  const [shard = assert.fail('no shard')] = stream.shards;
  const intent = { ranges: [{ ...shard.ref, from: 0n, to: 3n }] } as unknown as Intent;
  const torn: typeof records = Object.create(records, {
    read: {
      value: async (...[one, of, from, ...rest]: Parameters<typeof records.read>) => {
        if (from < 2n) throw new Damaged('the disk does not hold what was written', 2n);
        return await records.read(one, of, from, ...rest);
      },
    },
  });
  let places = 0;
  const texts: string[] = [];
  const options = { form: 'plain' as const, gone: () => void (places += 1), turn: async () => undefined };
  for await (const group of outgoingRecords(torn, stream, intent, options)) {
    texts.push(...group.map(({ data }) => Buffer.from(data).toString()));
  }
  assert.deepEqual([places, texts], [1, ['three;']]);
});
