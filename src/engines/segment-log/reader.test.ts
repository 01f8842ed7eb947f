import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Simulation } from '../../environments/simulated/index.ts';
import { IndexCache } from './index-cache.ts';
import { LogReader } from './reader.ts';
import { SegmentSet } from './segment-set.ts';
import { Slabs } from './slabs.ts';

test('all damaged places count, and the first hundred are named', () => {
  const { environment, metrics, logged } = new Simulation(1);
  const segments = new SegmentSet(environment, { directory: '/log', epoch: 1, segmentBytesMax: 1000 }, [], 1);
  const reader = new LogReader({
    environment,
    segments,
    indexes: new IndexCache(environment, segments),
    slabs: new Slabs(),
  });
  const places = Array.from({ length: 250 }, (_, index) => `the log is damaged: /log/a at byte ${index}`);
  for (const [index, place] of [...places, ...places].entries()) {
    reader.noteDamage(place);
    assert.equal(metrics.get('log_damaged_places{}'), Math.min(index + 1, 250));
    if (index === 99) assert.deepEqual(reader.problems(), places.slice(0, 100));
  }
  assert.deepEqual(reader.problems(), [...places.slice(0, 100), 'the log is damaged: in 150 more places']);
  assert.equal(logged.length, 100);
});
