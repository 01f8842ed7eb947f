import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NodeBench, oneRoute, send, signed, stored } from '../harness.fixture.ts';

test('a webhook is one record under its delivery id, and its repeat gets the first answer', async () => {
  const bench = await new NodeBench().open(oneRoute());
  const first = await send(bench, 'id-1', '{"a":1}');
  assert.equal(first.status, 200);
  assert.match(first.ShardId, /^shardId-00000000000[01]$/);
  assert.match(first.SequenceNumber, /^49\d{54}$/);
  assert.deepEqual([first.deliveryId, first.duplicate], ['id-1', false]);
  const again = await send(bench, 'id-1', '{"a":1}');
  assert.deepEqual({ ...again, duplicate: false }, first);
  assert.equal(again.duplicate, true);
  assert.deepEqual(await stored(bench), [['id-1', '{"a":1}']]);
});

test('many at once with one id append once', async () => {
  const bench = await new NodeBench().open(oneRoute());
  const copies = Array.from({ length: 50 }, async () => await bench.gateway('/hook', signed('same', '{}'), '{}'));
  const answers = await bench.simulation.drive(Promise.all(copies));
  assert.equal(new Set(answers.map(({ SequenceNumber }) => SequenceNumber)).size, 1);
  assert.equal(answers.filter(({ duplicate }) => duplicate === false).length, 1);
  assert.equal((await stored(bench)).length, 1);
});

test('ids are known after a power cut, whether they were checkpointed or not', async () => {
  const bench = await new NodeBench().open(oneRoute());
  const early = await send(bench, 'early', '{}');
  await bench.simulation.pass(30_000);
  const late = await send(bench, 'late', '{}');
  bench.simulation.crash();
  bench.simulation.restart();
  await bench.open(oneRoute());
  for (const [id, first] of [
    ['early', early],
    ['late', late],
  ] as const) {
    const again = await send(bench, id, '{}');
    assert.deepEqual([again.SequenceNumber, again.duplicate], [first.SequenceNumber, true]);
  }
  assert.equal((await stored(bench)).length, 2);
});

test('an id is new again once its window has passed', async () => {
  const bench = await new NodeBench().open(oneRoute({ dedupe: { windowHours: 1 } }));
  await send(bench, 'id', '{}');
  await bench.simulation.pass(3_599_000);
  assert.equal((await send(bench, 'id', '{}')).duplicate, true);
  await bench.simulation.pass(10_000);
  assert.equal((await send(bench, 'id', '{}')).duplicate, false);
});

test('idsMax shortens the window; a metric and a warning say so', async () => {
  const bench = await new NodeBench().open(oneRoute({ dedupe: { idsMax: 3 } }));
  for (const id of ['1', '2', '3', '4']) await send(bench, id, '{}');
  assert.equal((await send(bench, '2', '{}')).duplicate, true);
  assert.equal((await send(bench, '1', '{}')).duplicate, false, 'the oldest fell out');
  await bench.simulation.pass(60_000);
  const warned = bench.simulation.logged.find(({ level, event }) => level === 'warn' && event.includes('window'));
  assert.ok(warned !== undefined, 'a warning names it');
  const [, windowMs = Infinity] = [...bench.simulation.metrics].find(([name]) => /window_ms/.test(name)) ?? [];
  assert.ok(windowMs < 100_000, `the real window: ${windowMs} ms`);
});

test('dedupe: off stores every request', async () => {
  const bench = await new NodeBench().open(oneRoute({ dedupe: 'off' }));
  for (let index = 0; index < 3; index += 1) assert.equal((await send(bench, 'id', '{}')).duplicate, false);
  assert.equal((await stored(bench)).length, 3);
});

test('the same id on two routes is two webhooks', async () => {
  const verify = { github: { secrets: ['It is a secret to everybody'] } };
  const bench = await new NodeBench().open({
    streams: { hooks: { ShardCount: 2 } },
    gateway: { routes: { 'POST /hook': { verify, to: 'hooks' }, 'POST /other': { verify, to: 'hooks' } } },
  });
  assert.equal((await bench.post('/hook', signed('id', '{}'), '{}')).duplicate, false);
  assert.equal((await bench.post('/other', signed('id', '{}'), '{}')).duplicate, false);
  assert.equal((await stored(bench)).length, 2);
});

test('a stream deleted and made again forgets its ids with its records', async () => {
  const bench = await new NodeBench().open(oneRoute());
  await send(bench, 'id', '{}');
  await bench.call('Kinesis_20131202.DeleteStream', { StreamName: 'hooks' });
  assert.equal((await send(bench, 'id', '{}')).status, 503);
  await bench.call('Kinesis_20131202.CreateStream', { StreamName: 'hooks', ShardCount: 2 });
  assert.equal((await send(bench, 'id', '{}')).duplicate, false);
});

test('a disk that is full is a 503 that stores nothing; the repeat is stored', async () => {
  const bench = await new NodeBench().open(oneRoute());
  bench.simulation.failNext('write', 'ENOSPC');
  const refused = await send(bench, 'id', '{}');
  assert.deepEqual([refused.status, refused.error, refused.headers['retry-after']], [503, 'ServiceUnavailable', '1']);
  assert.deepEqual(await stored(bench), []);
  assert.equal((await send(bench, 'id', '{}')).duplicate, false);
});

test('a record that the stream would not take is a 413', async () => {
  const bench = await new NodeBench().open(oneRoute());
  const mib = 1024 * 1024;
  assert.equal((await send(bench, 'id', 'x'.repeat(mib - 1))).status, 413, 'body and id do not fit together');
  assert.equal((await send(bench, 'id', 'x'.repeat(mib - 2))).status, 200);
});
