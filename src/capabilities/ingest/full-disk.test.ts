import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Functions } from '../../ports/functions.ts';
import { base64 } from '../../testing/node-bench.ts';
import { IngestBench } from './harness.fixture.ts';

const RESERVE_BYTES = 256 * 1024;
const IDLE_MS = 3000;

/** A source whose stream takes nothing any more: the disk is full, and the log has given its reserve up. */
async function fill(bench: IngestBench): Promise<void> {
  bench.node.simulation.limitDisk(0);
  const put = { StreamName: 'events', PartitionKey: 'k', Data: base64('x'.repeat(20_000)) };
  const refused = await bench.node.refusal('Kinesis_20131202.PutRecord', put);
  assert.match(refused, /^ProvisionedThroughputExceededException: The disk is full/);
}

async function cutPowerAndOpen(bench: IngestBench, source: object, functions?: Functions): Promise<void> {
  bench.node.simulation.crash();
  bench.node.simulation.restart();
  await bench.open({}, source, functions);
  await bench.pass(IDLE_MS);
}

test('on a full disk a function still gets events, and how far it is survives a power cut', async () => {
  const bench = new IngestBench(1, {}, { reserveBytes: RESERVE_BYTES });
  const calls: string[] = [];
  const functions: Functions = {
    has: () => true,
    invoke: async (_, bytes) => {
      calls.push(Buffer.from(bytes).toString());
      return { requestId: 'r', payload: Buffer.from('null'), logTail: '' };
    },
  };
  const source = { function: 'handler' };
  await bench.open({}, source, functions);
  bench.feed.publish('1');
  await bench.pass(IDLE_MS);
  await fill(bench);
  bench.feed.publish('2', '3');
  await bench.pass(IDLE_MS);
  await cutPowerAndOpen(bench, source, functions);
  assert.deepEqual([bench.feed.askedAfter, calls], ['3', ['1', '2', '3']]);
  assert.deepEqual(bench.lines('ingest.position-not-stored'), []);
  await bench.node.close();
});

test('on a full disk the position of what was stored before is written, and what came since is stored once there is room', async () => {
  const bench = new IngestBench(1, {}, { reserveBytes: RESERVE_BYTES });
  const source = { to: 'events' };
  await bench.open({}, source);
  bench.feed.publish('a', 'b');
  // Stored, and sooner than the position is written.
  await bench.pass(500);
  assert.deepEqual(await bench.data(), ['a', 'b']);
  await fill(bench);
  await bench.pass(IDLE_MS);
  bench.feed.publish('c');
  await bench.pass(IDLE_MS);
  await cutPowerAndOpen(bench, source);
  // The records themselves say only what was stored before their batch.
  assert.deepEqual([bench.feed.askedAfter, await bench.data()], ['2', ['a', 'b']]);
  bench.node.simulation.limitDisk(Infinity);
  await bench.pass(60_000);
  assert.deepEqual(await bench.data(), ['a', 'b', 'c']);
  assert.deepEqual(bench.node.node.health().problems, []);
  await bench.node.close();
});
