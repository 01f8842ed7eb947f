import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RequestError, ThrottleError } from '../../kernel/errors.ts';
import { encodeSequenceNumber } from '../../kernel/stream/sequence-number.ts';
import type { AdminRequest, AdminRoute } from '../../ports/capability.ts';
import type { ShardInfo } from '../../ports/records.ts';
import { Damaged } from '../../ports/stream-store.ts';
import { aggregated } from '../../wire/kpl/aggregated-record.fixture.ts';
import { fakeRequest } from '../../testing/fake-request.ts';
import { textOf } from '../../testing/text-of.ts';
import { RawAnswer } from '../../ports/operation.ts';
import { openBench, type Answer, type Bench } from './harness.fixture.ts';
import { continuationNumber } from './starting-point.ts';
import { openMark, sealMark } from './view-mark.ts';
import { streamRoutes } from './viewer.ts';

const UPPER = 2n ** 127n;

const routes = new WeakMap<Bench, readonly AdminRoute[]>();

/** Asks an admin route of the bench as the api listener does. */
async function ask(bench: Bench, path: string, query = '', asker: Partial<AdminRequest> = {}): Promise<Answer> {
  const pattern = path.replace(/^(\/admin\/streams\/)[^/]+/, '$1{name}');
  const known = routes.get(bench) ?? streamRoutes(bench.state);
  routes.set(bench, known);
  const route = known.find((one) => one.path === pattern) ?? assert.fail(`no route ${pattern}`);
  const name = path.split('/')[3] ?? '';
  const answer = await route.handle({ name }, new URLSearchParams(query), { ...fakeRequest({}), ...asker });
  return answer instanceof RawAnswer ? JSON.parse(textOf(answer.body)) : answer;
}

async function view(bench: Bench, query: string, asker?: Partial<AdminRequest>): Promise<Answer> {
  return await ask(bench, '/admin/streams/a/records', query, asker);
}

async function settle(): Promise<void> {
  await new Promise((resolve) => void setImmediate(resolve));
}

function shards({ records }: Bench): readonly ShardInfo[] {
  return records.describe('a')?.shards ?? assert.fail('no stream a');
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
      { shardId: 'shardId-000000000000', records: 3, oldest: '0', end: '3', open: true },
      { shardId: 'shardId-000000000001', records: 2, oldest: '0', end: '2', open: true },
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

test('of a webhook that was sent on again the first request is named', async () => {
  const bench = await openBench();
  await bench.make('a');
  const record = { partitionKey: 'k', data: Buffer.from('x') };
  await bench.records.append('a', [
    { ...record, headers: [['other', Buffer.from('y')]] },
    { ...record, headers: [['redelivery-of', Buffer.from('r-1')]] },
  ]);
  const { records } = await view(bench, 'from=TRIM_HORIZON');
  assert.deepEqual(
    records.map((one: Answer) => [one.redeliveryOf, 'redeliveryOf' in one]),
    [
      [undefined, false],
      ['r-1', true],
    ],
  );
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
  const foreign = (await ask(bench, '/admin/streams/other/records')).next;
  const altered = next.replace(/^./, (letter: string) => (letter === 'A' ? 'B' : 'A'));
  const { ref } = shards(bench)[0] ?? assert.fail();
  const ahead = sealMark([[ref, { offset: 5n, sub: 0 }]]);
  const unknown = sealMark([
    [
      { ...ref, ordinal: 9 },
      { offset: 0n, sub: 0 },
    ],
  ]);
  const former = 'BadRequest: after is a former next of this stream, not:';
  const places = 'TRIM_HORIZON, LATEST, a sequence number or a time such as 2026-01-31T12:00:00Z';
  const [number = ''] = await bench.fill('a', ['a3']);
  const [elsewhere = ''] = await bench.fill('other', ['x']);
  const far = encodeSequenceNumber(shards(bench)[0]?.ref ?? assert.fail(), 2n ** 64n - 1n, 0xff_ffff);
  const none = 'in stream a under account 000000000000.';
  const table: readonly (readonly [query: string, sentence: string])[] = [
    ['limit=-1', 'BadRequest: limit is a whole number, not: -1'],
    ['limit=1e3', 'BadRequest: limit is a whole number, not: 1e3'],
    ['waitMs=', 'BadRequest: waitMs is a whole number, not: '],
    ['limit=1234567890', 'BadRequest: limit is a whole number, not: 1234567890'],
    ['from=yesterday', `BadRequest: from is ${places}, not: yesterday`],
    [`from=${elsewhere}`, `BadRequest: from is no sequence number of this stream: ${elsewhere}`],
    [`from=${far}`, `BadRequest: from is no sequence number of this stream: ${far}`],
    ['from=1', `BadRequest: from is ${places}, not: 1`],
    ['from=0', `BadRequest: from is ${places}, not: 0`],
    ['from=-1', `BadRequest: from is ${places}, not: -1`],
    [`from=${'1'.repeat(56)}`, `BadRequest: from is no sequence number of this stream: ${'1'.repeat(56)}`],
    [
      `from=${number}&shard=shardId-000000000001`,
      'BadRequest: from is a sequence number of shardId-000000000000, not of shardId-000000000001',
    ],
    [`content=${'x'.repeat(201)}`, 'BadRequest: content has at most 200 bytes, not 201'],
    [`content=${'%C3%BC'.repeat(101)}`, 'BadRequest: content has at most 200 bytes, not 202'],
    ['scan=many', 'BadRequest: scan is a whole number, not: many'],
    ['shard=', `ResourceNotFoundException: Could not find shard  ${none}`],
    ['shard=shardId-000000000007', `ResourceNotFoundException: Could not find shard shardId-000000000007 ${none}`],
    [`after=${foreign}`, `${former} ${foreign}`],
    [`after=${altered}`, `${former} ${altered}`],
    [`after=${ahead}`, `${former} ${ahead}`],
    ['after=shardId-000000000000', `${former} shardId-000000000000`],
    [`after=${unknown}`, `ResourceNotFoundException: Could not find shard shardId-000000000009 ${none}`],
    ['after=,', `${former} ,`],
    [`after=${'A'.repeat(1000)}`, `${former} ${'A'.repeat(200)}`],
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

test('one shard, and what follows a sequence number in its shard', async () => {
  const bench = await twoShards();
  const [first = '', second = ''] = await bench.fill('a', ['a3', 'a4']);
  const behind = continuationNumber(shards(bench)[0]?.ref ?? assert.fail(), 1n);
  const table: readonly (readonly [query: string, texts: string])[] = [
    ['shard=shardId-000000000001&from=TRIM_HORIZON', 'b0 b1'],
    ['shard=shardId-000000000001&from=2023-11-14T22:13:21.001Z', 'b1'],
    [`from=${first}`, 'a3 a4'],
    [`from=${second}&shard=shardId-000000000000`, 'a4'],
    [`from=${second}&limit=1`, 'a4'],
    [`from=${behind}`, 'a1 a2 a3 a4'],
  ];
  for (const [query, seen] of table) assert.equal(texts(await view(bench, query)), seen, query);
});

test('a search by key and content looks at so many records a page, and says when it has seen all', async () => {
  const bench = await openBench();
  await bench.make('a');
  const inputs = ['red apple', 'green apple', 'red pear', '\u00e4pfel'].map((text, index) => ({
    partitionKey: index < 2 ? 'apples' : 'others',
    data: Buffer.from(text),
  }));
  await bench.records.append('a', inputs);
  const table: readonly (readonly [query: string, texts: string, scanned: number, atEnd: boolean])[] = [
    ['key=apples', 'red apple green apple', 4, true],
    ['key=apple', '', 4, true],
    ['key=', '', 4, true],
    ['content=red', 'red apple red pear', 4, true],
    ['content=%C3%A4pfel', '\u00e4pfel', 4, true],
    ['content=', 'red apple green apple red pear \u00e4pfel', 4, true],
    ['content=red&key=others', 'red pear', 4, true],
    ['content=red&scan=2', 'red apple', 2, false],
    ['content=red&limit=1', 'red apple', 1, false],
    ['content=red&scan=0', 'red apple', 1, false],
  ];
  for (const [query, seen, scanned, atEnd] of table) {
    const page = await view(bench, `from=TRIM_HORIZON&${query}`);
    assert.deepEqual([texts(page), page.scanned, page.atEnd], [seen, scanned, atEnd], query);
  }
  const { next } = await view(bench, 'from=TRIM_HORIZON&content=red&scan=2');
  assert.equal(texts(await view(bench, `content=red&after=${next}`)), 'red pear');
});

test('records that a producer packed into one are shown one by one, over pages', async () => {
  const bench = await openBench();
  await bench.make('a');
  const packed = aggregated(
    ['k1', 'k2'],
    ['p0', 'p1', 'p2'].map((data, index) => ({ key: index % 2, data })),
  );
  const data = [Buffer.from('first'), packed, Buffer.from('last')];
  await bench.records.append(
    'a',
    data.map((bytes) => ({ partitionKey: 'k', data: bytes })),
  );
  const whole = await view(bench, 'from=TRIM_HORIZON');
  const shown = whole.records.map(({ partitionKey, subSequenceNumber }: Answer) => [partitionKey, subSequenceNumber]);
  assert.deepEqual(shown, [
    ['k', undefined],
    ['k1', 0],
    ['k2', 1],
    ['k1', 2],
    ['k', undefined],
  ]);
  assert.equal(texts(whole), 'first p0 p1 p2 last');
  assert.equal(new Set(whole.records.map(({ sequenceNumber }: Answer) => sequenceNumber)).size, 3);
  for (const bound of ['limit', 'scan']) {
    const pages: string[] = [];
    for (let page = await view(bench, `from=TRIM_HORIZON&${bound}=2`); ;) {
      pages.push(texts(page));
      if (page.atEnd) break;
      page = await view(bench, `${bound}=2&after=${page.next}`);
    }
    assert.deepEqual(pages, ['first p0', 'p1 p2', 'last'], bound);
  }
  assert.equal(texts(await view(bench, 'from=TRIM_HORIZON&key=k2')), 'p1');
});

test('what a page may take in memory is held before it is read, and not while it is waited for', async () => {
  const bench = await openBench();
  await bench.make('a');
  const steps: string[] = [];
  const read = bench.records.read.bind(bench.records);
  bench.records.read = async (...parts) => {
    steps.push('read');
    return await read(...parts);
  };
  const hold = async (bytes: number): Promise<void> => void steps.push(`hold ${bytes}`);
  const waiting = view(bench, 'from=LATEST&waitMs=20000', { hold });
  await settle();
  assert.deepEqual(steps, []);
  await bench.fill('a', ['a0']);
  await waiting;
  assert.deepEqual(steps, ['hold 12582912', 'read']);
  const busy = async (): Promise<void> => await Promise.reject(new ThrottleError('ServiceUnavailable', 'full'));
  await assert.rejects(view(bench, 'from=TRIM_HORIZON', { hold: busy }), ThrottleError);
  assert.equal(steps.length, 2, 'nothing is read without room');
});

test('only so many questions are held open until a record comes; the others look again each second', async () => {
  const bench = await twoShards();
  const slept: number[] = [];
  bench.environment.clock.sleep = async (ms, signal) => {
    slept.push(ms);
    if (ms === 1000) return;
    await new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve()));
  };
  const waiting = Array.from({ length: 64 }, async () => await view(bench, 'from=LATEST&waitMs=20000'));
  await settle();
  assert.equal(texts(await view(bench, 'from=LATEST&waitMs=20000')), '');
  assert.deepEqual(slept.slice(63), [20_000, 1000]);
  await bench.fill('a', ['a3']);
  assert.deepEqual(new Set((await Promise.all(waiting)).map(texts)), new Set(['a3']));
  const again = view(bench, 'from=LATEST&waitMs=20000');
  await settle();
  await bench.fill('a', ['a4']);
  assert.equal(texts(await again), 'a4');
  assert.equal(slept.at(-1), 20_000, 'there is room again');
});

test('others get their turn while much is looked at', async () => {
  const bench = await openBench();
  await bench.make('a');
  const large = { partitionKey: 'k', data: Buffer.alloc(1024 * 1024, 'x') };
  for (let index = 0; index < 4; index += 1) await bench.records.append('a', [large]);
  const tiny = Array.from({ length: 9000 }, () => ({ key: 0, data: '' }));
  await bench.records.append('a', [{ partitionKey: 'k', data: aggregated(['k'], tiny) }]);
  let turns = 0;
  const soon = bench.environment.clock.soon.bind(bench.environment.clock);
  bench.environment.clock.soon = (run) => {
    turns += 1;
    soon(run);
  };
  const { scanned, atEnd } = await view(bench, `from=TRIM_HORIZON&content=${'y'.repeat(200)}`);
  // After each of the large ones, 18 while the packed one is opened, every 511 of the tiny ones, and at the end.
  assert.deepEqual([scanned, atEnd, turns], [9004, true, 40]);
});

test('a page ends before it is too large, in the middle of records that were packed into one too', async () => {
  const bench = await openBench();
  await bench.make('a');
  const large = Buffer.alloc(600_000, 'x');
  const packed = aggregated(
    ['k'],
    Array.from({ length: 15 }, () => ({ key: 0, data: large })),
  );
  await bench.records.append('a', [{ partitionKey: 'k', data: packed }]);
  const counts: number[] = [];
  for (let page = await view(bench, 'from=TRIM_HORIZON'); ; page = await view(bench, `after=${page.next}`)) {
    counts.push(page.records.length);
    if (page.atEnd) break;
  }
  assert.deepEqual(counts, [7, 7, 1]);
});

test('a place that cannot be read is named and passed over', async () => {
  const bench = await openBench();
  await bench.make('a');
  const numbers = await bench.fill('a', ['a0', 'a1', 'a2']);
  const read = bench.records.read.bind(bench.records);
  bench.records.read = async (stream, shard, from, limit, into) => {
    if (from === 1n) throw new Damaged('the disk does not hold what was written', 2n);
    return await read(stream, shard, from, from === 0n ? { ...limit, records: 1 } : limit, into);
  };
  const page = await view(bench, 'from=TRIM_HORIZON');
  assert.equal(texts(page), 'a0 a2');
  assert.deepEqual(page.damaged, [{ shardId: 'shardId-000000000000', from: numbers[1], next: numbers[2] }]);
});

test('a shard is followed by its children, after its own records', async () => {
  const bench = await openBench();
  await bench.make('a');
  await bench.fill('a', ['old']);
  const before = await view(bench, 'from=TRIM_HORIZON');
  const latest = await view(bench, 'from=LATEST');
  const only = (await view(bench, 'from=LATEST&shard=shardId-000000000000')).next;
  await bench.fill('a', ['last']);
  await bench.split('a');
  await bench.fill('a', ['low'], 0n);
  await bench.fill('a', ['high'], UPPER);
  const table: readonly (readonly [query: string, texts: string])[] = [
    ['from=TRIM_HORIZON', 'old last low high'],
    ['from=TRIM_HORIZON&limit=3', 'old last low'],
    [`after=${before.next}`, 'last low high'],
    [`after=${latest.next}`, 'last low high'],
    [`after=${only}&shard=shardId-000000000000`, 'last'],
    ['from=LATEST', ''],
    ['from=TRIM_HORIZON&shard=shardId-000000000000', 'old last'],
  ];
  for (const [query, seen] of table) assert.equal(texts(await view(bench, query)), seen, query);
  const end = await view(bench, 'from=TRIM_HORIZON');
  const places = openMark(end.next)?.places.map(([ordinal, { offset }]) => [ordinal, offset]);
  assert.deepEqual(places, [
    [1, 1n],
    [2, 1n],
  ]);
  await bench.records.reshard('a', { merge: 'shardId-000000000001', with: 'shardId-000000000002' });
  await bench.fill('a', ['merged']);
  assert.equal(texts(await view(bench, `after=${end.next}`)), 'merged');
  assert.equal(texts(await view(bench, 'from=TRIM_HORIZON')), 'old last low high merged');
});

test('a closed shard is not waited for without end', async () => {
  const bench = await openBench();
  await bench.make('a');
  await bench.split('a');
  const slept: number[] = [];
  bench.environment.clock.sleep = async (ms) => void slept.push(ms);
  await view(bench, 'from=LATEST&shard=shardId-000000000000&waitMs=20000');
  assert.deepEqual(slept, [1000]);
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
  await settle();
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
  const waiting = view(bench, 'from=LATEST&waitMs=20000', { signal: client.signal });
  client.abort();
  assert.equal(texts(await waiting), '');
  assert.equal(
    texts(await view(bench, 'from=LATEST&waitMs=20000', { signal: client.signal })),
    '',
    'gone before the wait',
  );
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
