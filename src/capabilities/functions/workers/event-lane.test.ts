import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Records, ShardInfo, StreamInfo } from '../../../ports/records.ts';
import type { Offset, StoredRecord } from '../../../ports/stream-store.ts';
import { quietEnvironment } from '../../../testing/quiet-environment.ts';
import { functionsLimits as limits } from '../limits.ts';
import { EventLane } from './event-lane.ts';

const EVENTS = 5000n;

/** A shard of `EVENTS` events, each of a function of its own. */
const records = {
  bounds: () => ({ start: 0n, end: EVENTS }),
  read: async (_stream: StreamInfo, _shard: ShardInfo, from: bigint, limit: { readonly records: number }) => {
    const end = from + BigInt(limit.records) < EVENTS ? from + BigInt(limit.records) : EVENTS;
    const found = Array.from({ length: Number(end - from) }, (_, at) => {
      const offset = from + BigInt(at);
      return { offset, key: Buffer.from(`f${offset}`), data: Buffer.from('{}'), headers: [], at: 0 };
    });
    return { runs: [], records: found, start: 0n, next: end, end: EVENTS };
  },
  waitForMore: async (_shard: ShardInfo, _from: bigint, signal: AbortSignal) =>
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true })),
} as unknown as Records;

const NOTHING = { until: 0n, open: [] };

const turn = async (): Promise<void> => await new Promise((resolve) => void setImmediate(resolve));

test('what was done behind a slow event is remembered no more', async () => {
  let end: (isDone: boolean) => void = () => assert.fail('it was not begun');
  let done = 0;
  const stop = new AbortController();
  const serve = async ({ offset }: StoredRecord): Promise<boolean> => {
    if (offset === 0n) return await new Promise<boolean>((resolve) => (end = resolve));
    done += 1;
    return true;
  };
  const common = { records, environment: quietEnvironment(), stream: {} as StreamInfo, shard: {} as ShardInfo };
  const lane = new EventLane(
    { ...common, serve, lost: () => assert.fail(), moved: () => undefined, stopped: stop.signal },
    0n,
    NOTHING,
  );
  const running = lane.run();
  while (done < Number(EVENTS) - 1) await turn();
  assert.equal(lane.position, 0n);
  assert.ok(EVENTS > limits.laneEventsMax);
  const seen = { isSettled: false };
  const settled = lane.settle().then(() => (seen.isSettled = true));
  await turn();
  assert.equal(seen.isSettled, false);
  end(true);
  for (let steps = 0; steps < 50 && !seen.isSettled; steps += 1) await Promise.resolve();
  assert.ok(seen.isSettled);
  assert.equal(lane.position, EVENTS);
  stop.abort();
  lane.wake();
  await Promise.all([running, settled]);
  await lane.settle();
});

test('what is done is told by a few open events, and by those that were not come to again', async () => {
  const began: Offset[] = [];
  const stop = new AbortController();
  const serve = async ({ offset }: StoredRecord): Promise<boolean> => {
    began.push(offset);
    return await Promise.resolve(offset !== 70n);
  };
  const common = { records, environment: quietEnvironment(), stream: {} as StreamInfo, shard: {} as ShardInfo };
  const parts = { ...common, serve, lost: () => assert.fail(), moved: () => undefined, stopped: stop.signal };
  const before = { until: EVENTS - 2n, open: [3n, 70n, 75n, 4000n] };
  const lane = new EventLane(parts, 1n, before);
  assert.deepEqual(lane.done(9), before);
  assert.deepEqual(lane.done(2), { until: 75n, open: [3n, 70n] });
  const running = lane.run();
  while (began.length < 6) await turn();
  assert.deepEqual(began, [...before.open, EVENTS - 2n, EVENTS - 1n]);
  assert.deepEqual(lane.done(9), { until: EVENTS, open: [70n] });
  assert.equal(lane.position, 70n);
  stop.abort();
  lane.wake();
  await running;
});
