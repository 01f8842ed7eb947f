import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SimulatedCrash } from '../../environments/simulated/index.ts';
import { IngestBench } from './harness.fixture.ts';

const SEEDS = 8;
const LIVES = 4;
const EVENTS = 40;

/** Several lives of a node, each ended in the middle of a write; then one that comes to rest. */
async function live(bench: IngestBench, sse: object): Promise<readonly string[]> {
  const { simulation } = bench.node;
  const published: string[] = [];
  for (let life = 0; life < LIVES; life += 1) {
    for (let index = 0; index < EVENTS; index += 1) {
      published.push(JSON.stringify({ n: published.length, meta: { id: `id-${published.length}` } }));
    }
    try {
      simulation.crashAfterFileOperations(5 + simulation.random.below(60));
      await bench.open(sse, { to: 'events', partitionKey: 'meta.id' });
      for (const data of published.slice(-EVENTS)) {
        bench.feed.publish(data);
        await bench.pass(simulation.random.below(20));
      }
      await bench.pass(5000);
      simulation.crash();
    } catch (error) {
      if (!(error instanceof SimulatedCrash)) throw error;
      // What the crash kept from being published is.
      const missing = published.length - bench.feed.published;
      if (missing > 0) bench.feed.publish(...published.slice(-missing));
    }
    simulation.restart();
  }
  await bench.open(sse, { to: 'events', partitionKey: 'meta.id' });
  await bench.pass(40_000);
  return published;
}

for (const [name, options, sse] of [
  ['ids', { breaksAfterBytes: 2000 }, {}],
  ['ids that come again', { overlap: 7, breaksAfterBytes: 2000 }, {}],
  ['a key', { overlap: 50, breaksAfterBytes: 8000 }, { dedupeKey: 'meta.id' }],
] as const) {
  test(`with ${name}, crashes and broken connections lose nothing and double nothing`, async () => {
    let [repeated, marks] = [0, 0];
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const bench = new IngestBench(seed, options);
      const published = await live(bench, sse);
      assert.deepEqual(await bench.data(), published.toSorted(), `seed ${seed}`);
      for (const shard of await bench.stored()) {
        const numbers = shard.map(([, data]) => JSON.parse(data).n as number);
        assert.deepEqual(
          numbers,
          numbers.toSorted((a, b) => a - b),
          `order, seed ${seed}`,
        );
      }
      repeated += (await bench.view()).repeated;
      marks += bench.lines('ingest.started').filter(({ hasPosition }) => hasPosition).length;
      await bench.node.close();
    }
    assert.ok(repeated > SEEDS, `repeats were met: ${repeated}`);
    assert.ok(marks > SEEDS, `starts found a position: ${marks}`);
  });
}
