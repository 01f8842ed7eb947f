import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Functions } from '../../ports/functions.ts';
import { IngestBench } from './harness.fixture.ts';

const event = (id: string, more: object = {}): string => JSON.stringify({ ...more, meta: { id } });

test('events become records, by the partition key of their JSON, in order in each shard', async () => {
  const bench = await new IngestBench().open({}, { to: 'events', partitionKey: 'meta.id' });
  bench.feed.publish(...['a', 'b', 'a', 'c'].map((id, index) => event(id, { index })), 'no JSON', event(''));
  await bench.pass(500);
  const records = (await bench.stored()).flat();
  const own = records.filter(([key]) => ['a', 'b', 'c'].includes(key));
  assert.deepEqual(
    own.filter(([key]) => key === 'a').map(([, data]) => JSON.parse(data).index),
    [0, 2],
  );
  assert.equal(own.length, 4);
  assert.equal(records.length, 6, 'where there is no key, one is made up');
  const { state, received, stored, repeated, lastId, from, managed, kind, to } = await bench.view();
  assert.deepEqual(
    { state, received, stored, repeated, lastId, from, managed, kind, to },
    {
      state: 'connected',
      received: 6,
      stored: 6,
      repeated: 0,
      lastId: '6',
      from: 'http://127.0.0.1/feed',
      managed: 'file',
      kind: 'sse',
      to: 'events',
    },
  );
  await bench.node.close();
});

test('without a partition key no shard is hot', async () => {
  const bench = await new IngestBench().open();
  bench.feed.publish(...Array.from({ length: 200 }, (_, index) => `${index}`));
  await bench.pass(2000);
  const [left = [], right = []] = await bench.stored();
  assert.equal(left.length + right.length, 200);
  assert.ok(Math.min(left.length, right.length) > 60, `${left.length} and ${right.length}`);
  await bench.node.close();
});

test('a start goes on after what is durable, and drops what comes again', async () => {
  const bench = await new IngestBench(1, { overlap: 3 }).open();
  bench.feed.publish('a', 'b', 'c', 'd');
  await bench.pass(500);
  await bench.node.close();
  bench.feed.publish('e', 'e', 'f');
  await bench.open();
  await bench.pass(500);
  assert.equal(bench.feed.askedAfter, '4');
  assert.deepEqual(await bench.data(), ['a', 'b', 'c', 'd', 'e', 'e', 'f']);
  assert.deepEqual([(await bench.view()).repeated, (await bench.view()).stored], [3, 3]);
  await bench.node.close();
});

test('events of one key are stored once, whatever their id', async () => {
  const bench = await new IngestBench().open({ dedupeKey: 'meta.id' });
  bench.feed.publish(event('a'), event('b'), event('a', { again: true }), 'none', 'none');
  await bench.pass(500);
  assert.deepEqual(await bench.data(), [event('a'), event('b'), 'none', 'none'].toSorted());
  await bench.node.close();
  bench.feed.publish(event('b', { later: true }), event('c'));
  await bench.open({ dedupeKey: 'meta.id' });
  await bench.pass(500);
  assert.deepEqual(await bench.data(), [event('a'), event('b'), event('c'), 'none', 'none'].toSorted());
  await bench.node.close();
});

test('a connection that breaks loses nothing and doubles nothing', async () => {
  const bench = await new IngestBench(3, { overlap: 5, breaksAfterBytes: 300 }).open();
  const all = Array.from({ length: 100 }, (_, index) => `event ${String(index).padStart(3, '0')}`);
  bench.feed.publish(...all);
  await bench.pass(120_000);
  assert.deepEqual(await bench.data(), all);
  assert.ok((await bench.view()).reconnects > 5);
  await bench.node.close();
});

test('without ids every event is stored, and nothing is taken for a repeat', async () => {
  const bench = await new IngestBench(1, { hasNoIds: true }).open();
  await bench.pass(100);
  bench.feed.publish('a', 'a', 'a');
  await bench.pass(500);
  assert.deepEqual(await bench.data(), ['a', 'a', 'a']);
  assert.equal((await bench.view()).lastId, undefined);
  await bench.node.close();
});

test('a pause holds over a restart, and resume goes on where it stopped', async () => {
  const bench = await new IngestBench().open();
  bench.feed.publish('a');
  await bench.pass(500);
  assert.equal((await bench.change('pause')).state, 'paused');
  bench.feed.publish('b');
  await bench.pass(5000);
  await bench.node.close();
  await bench.open();
  await bench.pass(5000);
  assert.deepEqual([(await bench.view()).state, await bench.data()], ['paused', ['a']]);
  assert.deepEqual(bench.node.node.health(), { ok: true, problems: [] });
  await bench.change('resume');
  await bench.pass(500);
  assert.deepEqual(await bench.data(), ['a', 'b']);
  await assert.rejects(bench.node.admin('POST', '/admin/sources/{name}/pause', { name: 'other' }), {
    code: 'NotFound',
  });
  await bench.node.close();
});

test('204 ends it for good, and says so; resume asks again', async () => {
  const bench = new IngestBench();
  bench.feed.refusals.push({ status: 204 });
  await bench.open();
  await bench.pass(60_000);
  assert.deepEqual([(await bench.view()).state, bench.feed.seen.length], ['ended', 1]);
  assert.equal(bench.lines('sse.ended').length, 1);
  bench.feed.publish('a');
  await bench.change('resume');
  await bench.pass(500);
  assert.deepEqual(await bench.data(), ['a']);
  await bench.node.close();
});

test('what cannot be stored waits, and is stored when it can be', async () => {
  const bench = await new IngestBench().open({}, { to: 'later' });
  bench.feed.publish('a', 'b');
  await bench.pass(10_000);
  assert.deepEqual(bench.node.node.health().problems, ['source feed: no stream later']);
  assert.deepEqual((await bench.view()).problem, 'no stream later');
  await bench.node.call('Kinesis_20131202.CreateStream', { StreamName: 'later', ShardCount: 2 });
  await bench.pass(5000);
  assert.deepEqual(await bench.data('later'), ['a', 'b']);
  assert.deepEqual(bench.node.node.health().problems, []);
  await bench.node.close();
});

test('an event that no record holds is counted, and the rest goes on', async () => {
  const bench = await new IngestBench().open({ maxEventBytes: 2_000_000 });
  bench.feed.publish('a', 'x'.repeat(1_048_577), 'b');
  await bench.pass(60_000);
  assert.deepEqual(await bench.data(), ['a', 'b']);
  assert.equal((await bench.view()).failed, 1);
  await bench.node.close();
});

test('a changed source goes on where it was; one that leaves the file keeps its position', async () => {
  const bench = await new IngestBench().open();
  bench.feed.publish('a');
  await bench.pass(500);
  const changed = (sources: object): Promise<void> =>
    bench.node.simulation.drive(bench.node.node.reload({ streams: { events: { ShardCount: 2 } }, sources }));
  const url = 'http://127.0.0.1/feed';
  await changed({ feed: { sse: { url }, to: 'events' } });
  assert.equal(bench.feed.seen.length, 1, 'what did not change is left alone');
  await changed({ feed: { sse: { url, types: 'message' }, to: 'events' } });
  bench.feed.publish('b');
  await bench.pass(500);
  assert.deepEqual([bench.feed.seen.length, bench.feed.askedAfter, await bench.data()], [2, '1', ['a', 'b']]);
  await changed({});
  const { state, managed } = await bench.view();
  assert.deepEqual([state, managed], ['stopped', 'unmanaged']);
  bench.feed.publish('c');
  await changed({ feed: { sse: { url }, to: 'events' } });
  await bench.pass(500);
  assert.deepEqual([bench.feed.askedAfter, await bench.data()], ['2', ['a', 'b', 'c']]);
  await changed({ feed: { sse: { url: `${url}?other` }, to: 'events' } });
  await bench.pass(500);
  assert.equal(bench.feed.askedAfter, undefined, 'ids of another feed mean nothing');
  await bench.node.close();
});

interface Call {
  readonly name: string;
  readonly event: unknown;
}

/** Functions that fail as the script says: one word for each call. */
function scripted(words: readonly string[], calls: Call[]): Functions {
  const left = [...words];
  return {
    has: () => true,
    invoke: async (name, bytes) => {
      calls.push({ name, event: JSON.parse(Buffer.from(bytes).toString()) as unknown });
      const isFailure = left.shift() === 'fail';
      const failure = { type: 'TypeError', message: 'no' };
      return { requestId: 'r', payload: Buffer.from('null'), logTail: '', ...(isFailure && { failure }) };
    },
  };
}

test('a function is called with each event, in order, again when it fails, and not for ever', async () => {
  const calls: Call[] = [];
  const functions = scripted(['ok', 'fail', 'fail', 'ok', 'fail', 'fail', 'fail', 'fail', 'fail'], calls);
  const bench = await new IngestBench().open({}, { function: 'handler' }, functions);
  bench.feed.publish('{"a":1}', 'text', '3', '4');
  await bench.pass(60_000);
  assert.deepEqual(
    calls.map(({ event: given }) => given),
    [{ a: 1 }, 'text', 'text', 'text', 3, 3, 3, 3, 3, 4],
  );
  const { stored, failed, function: name, lastId } = await bench.view();
  assert.deepEqual({ stored, failed, name, lastId }, { stored: 3, failed: 1, name: 'handler', lastId: '4' });
  await bench.node.close();
  await bench.open({}, { function: 'handler' }, functions);
  await bench.pass(500);
  assert.deepEqual([bench.feed.askedAfter, calls.length], ['4', 10]);
  await bench.node.close();
});

test('a source writes to no stream of millrace itself', async () => {
  await assert.rejects(new IngestBench().open({}, { to: '$requests' }), {
    code: 'InvalidConfig',
    message: 'sources.feed.to: names a stream of millrace itself: name another one',
  });
});
