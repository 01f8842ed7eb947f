import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { ShardState } from './shard-table.ts';
import { Slabs } from './slabs.ts';
import { TailCache } from './tail-cache.ts';

const BYTES_MAX = 1_000_000;

function shard(id: number): ShardState {
  return new ShardState(id, { stream: 'a', generation: 1, ordinal: id });
}

for (const [runBytes, count] of [
  [1, 20_000],
  [56, 20_000],
  [1000, 5000],
  [300_000, 20],
] as const) {
  test(`runs of ${runBytes} bytes take what they may, with what keeping them takes`, () => {
    const slabs = new Slabs();
    const cache = new TailCache(slabs, BYTES_MAX);
    const shards = [shard(1), shard(2)];
    for (let first = 0; first < count; first += 1) {
      const bytes = slabs.lend(runBytes);
      slabs.hold(bytes);
      cache.add(shards[first % 7 === 0 ? 1 : 0] as ShardState, {
        bytes,
        from: 0,
        to: runBytes,
        first,
        count: 1,
        at: 1,
      });
    }
    const kept = shards.flatMap(({ tail }) => Array.from({ length: tail.length }, (_, index) => tail.at(index)?.first));
    // A run is two objects with their places in two lists, and a view of its memory: hardly below 200 bytes.
    assert.ok(kept.length * (runBytes + 200) <= BYTES_MAX, `${kept.length} runs`);
    assert.ok((kept.length + 1) * (runBytes + 400) > BYTES_MAX, `only ${kept.length} runs`);
    const newest = Array.from({ length: kept.length }, (_, index) => count - kept.length + index);
    assert.deepEqual(
      kept.sort((left, right) => Number(left) - Number(right)),
      newest,
    );
  });
}

test('shards whose runs have left memory keep next to nothing of it', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const cache = new TailCache(new Slabs(), 100_000);
  const shards = Array.from({ length: 500 }, (_, index) => shard(index + 1));
  const bytes = Buffer.alloc(8);
  collect();
  const before = process.memoryUsage().heapUsed;
  for (let first = 0; first < 1000; first += 1) {
    for (const state of shards) cache.add(state, { bytes, from: 0, to: 8, first, count: 1, at: 1 });
  }
  collect();
  const kept = (process.memoryUsage().heapUsed - before) / shards.length;
  assert.ok(kept < 3000, `${Math.round(kept)} bytes a shard`);
});
