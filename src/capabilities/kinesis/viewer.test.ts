import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RequestError } from '../../kernel/errors.ts';
import { openBench, type Answer, type Bench } from './harness.fixture.ts';
import { streamRoutes } from './viewer.ts';

const UPPER = 2n ** 127n;

/** Asks an admin route of the bench as the api listener does. */
async function ask({ state }: Bench, path: string, query = '', signal?: AbortSignal): Promise<Answer> {
  const pattern = path.replace(/^(\/admin\/streams\/)[^/]+/, '$1{name}');
  const route = streamRoutes(state).find((one) => one.path === pattern) ?? assert.fail(`no route ${pattern}`);
  const name = path.split('/')[3] ?? '';
  return await route.handle({ name }, new URLSearchParams(query), signal ?? new AbortController().signal);
}

async function view(bench: Bench, query: string, signal?: AbortSignal): Promise<Answer> {
  return await ask(bench, '/admin/streams/a/records', query, signal);
}

function texts(answer: Answer): string {
  return answer.records.map(({ data }: Answer) => Buffer.from(data, 'base64').toString()).join(' ');
}

/** Two shards: the first holds `a0 a1 a2`, the second `b0 b1`; one second between any two, in turns. */
async function twoShards(): Promise<Bench> {
  const bench = await openBench();
  await bench.make('a', 2);
  for (const text of ['a0', 'b0', 'a1', 'b1', 'a2']) {
    await bench.fill('a', [text], text.startsWith('a') ? 0n : UPPER);
    bench.environment.advance(1000);
  }
  return bench;
}

test('the list and one stream', async () => {
  const bench = await twoShards();
  await bench.records.create({ name: '$own', mode: 'ON_DEMAND', shardCount: 1, retentionMs: 1, maxRecordBytes: 1 });
  const stream = {
    name: 'a',
    arn: 'arn:aws:kinesis:us-east-1:000000000000:stream/a',
    mode: 'PROVISIONED',
    managed: 'unmanaged',
    retentionHours: 24,
    createdAt: '2023-11-14T22:13:20.000Z',
    records: 5,
    shards: [
      { shardId: 'shardId-000000000000', records: 3, oldest: '0', end: '3' },
      { shardId: 'shardId-000000000001', records: 2, oldest: '0', end: '2' },
    ],
  };
  assert.deepEqual(await ask(bench, '/admin/streams'), { streams: [stream] });
  bench.state.named = new Set(['a']);
  assert.deepEqual(await ask(bench, '/admin/streams/a'), { ...stream, managed: 'file' });
});

test('a record in full', async () => {
  const bench = await openBench();
  await bench.make('a');
  const [sequenceNumber] = await bench.fill('a', ['\u0000ü']);
  const { records } = await view(bench, 'from=TRIM_HORIZON');
  const data = Buffer.from('\u0000ü').toString('base64');
  const arrival = '2023-11-14T22:13:20.000Z';
  assert.deepEqual(records, [{ shardId: 'shardId-000000000000', sequenceNumber, partitionKey: 'k', arrival, data }]);
});

test('where viewing starts', async () => {
  const bench = await twoShards();
  const table: readonly (readonly [query: string, texts: string])[] = [
    ['from=TRIM_HORIZON', 'a0 b0 a1 b1 a2'],
    ['from=LATEST', ''],
    ['', ''],
    ['from=2023-11-14T22:13:21Z', 'b0 a1 b1 a2'],
    ['from=2023-11-14T22:13:21.001Z', 'a1 b1 a2'],
    ['from=2023-11-15', ''],
    ['from=TRIM_HORIZON&limit=0', ''],
    ['from=TRIM_HORIZON&limit=999999999', 'a0 b0 a1 b1 a2'],
    ['from=TRIM_HORIZON&after=', 'a0 b0 a1 b1 a2'],
  ];
  for (const [query, seen] of table) assert.equal(texts(await view(bench, query)), seen, query);
});

test('pages that follow each other give every record once and leave room for every shard', async () => {
  const bench = await twoShards();
  const pages: string[] = [];
  let page = await view(bench, 'from=TRIM_HORIZON&limit=2');
  for (; page.records.length > 0; page = await view(bench, `limit=2&after=${page.next}`)) pages.push(texts(page));
  assert.deepEqual(pages, ['a0 a1', 'b0 b1', 'a2']);
  await bench.fill('a', ['b2'], UPPER);
  assert.equal(texts(await view(bench, `after=${page.next}`)), 'b2', 'the place after the last page is kept');
});

test('what cannot be asked', async () => {
  const bench = await twoShards();
  await bench.make('other');
  const { next } = await view(bench, 'from=LATEST');
  const [first = ''] = next.split(',');
  const foreign = (await ask(bench, '/admin/streams/other/records')).next;
  const altered = first.replace(/.$/, (digit: string) => String((Number(digit) + 1) % 10));
  const swapped = first.replace('shardId-000000000000', 'shardId-000000000001');
  const former = 'BadRequest: after is a former next of this stream, not:';
  const none = 'in stream a under account 000000000000.';
  const table: readonly (readonly [query: string, sentence: string])[] = [
    ['limit=-1', 'BadRequest: limit is a whole number, not: -1'],
    ['limit=1e3', 'BadRequest: limit is a whole number, not: 1e3'],
    ['waitMs=', 'BadRequest: waitMs is a whole number, not: '],
    ['limit=1234567890', 'BadRequest: limit is a whole number, not: 1234567890'],
    [
      'from=yesterday',
      'BadRequest: from is TRIM_HORIZON, LATEST or a time such as 2026-01-31T12:00:00Z, not: yesterday',
    ],
    [`after=${foreign}`, `${former} ${foreign}`],
    [`after=${altered}`, `${former} ${altered}`],
    [`after=${swapped}`, `${former} ${swapped}`],
    ['after=shardId-000000000000', `${former} shardId-000000000000`],
    ['after=shardId-000000000009:1', `ResourceNotFoundException: Could not find shard shardId-000000000009 ${none}`],
    ['after=,', `ResourceNotFoundException: Could not find shard  ${none}`],
  ];
  for (const [query, sentence] of table) {
    await assert.rejects(view(bench, query), (error) => {
      assert.ok(error instanceof RequestError, String(error));
      assert.equal(`${error.code}: ${error.message}`, sentence);
      return true;
    });
  }
  const gone = { code: 'ResourceNotFoundException', status: 400 };
  await assert.rejects(ask(bench, '/admin/streams/$own'), gone);
  await assert.rejects(ask(bench, '/admin/streams/b/records'), gone);
});

test('a held-open question is answered by the first record, of any shard', async () => {
  const bench = await twoShards();
  const slept: number[] = [];
  // Time does not pass: only a record, or the one who asked, can end the wait.
  bench.environment.clock.sleep = async (ms, signal) => {
    slept.push(ms);
    await new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve()));
  };
  const waiting = view(bench, 'from=LATEST&waitMs=999999');
  await bench.fill('a', ['b2'], UPPER);
  assert.equal(texts(await waiting), 'b2');
  assert.deepEqual(slept, [20_000], 'held open for 20 s at most');
  const there = await view(bench, 'from=TRIM_HORIZON&waitMs=5');
  assert.equal(texts(there), 'a0 b0 a1 b1 a2 b2', 'records that are there are not waited for');
});

test('who goes away is waited for no more', async () => {
  const bench = await twoShards();
  bench.environment.clock.sleep = async (_, signal) => {
    await new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve()));
  };
  const client = new AbortController();
  const waiting = view(bench, 'from=LATEST&waitMs=20000', client.signal);
  client.abort();
  assert.equal(texts(await waiting), '');
  assert.equal(texts(await view(bench, 'from=LATEST&waitMs=20000', client.signal)), '', 'gone before the wait');
});

test('a stream deleted while its records are waited for is not found', async () => {
  const bench = await twoShards();
  bench.environment.clock.sleep = async (_, signal) => {
    await new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve()));
  };
  const waiting = view(bench, 'from=LATEST&waitMs=20000');
  const refused = assert.rejects(waiting, { code: 'ResourceNotFoundException' });
  await bench.records.delete('a');
  await refused;
});
