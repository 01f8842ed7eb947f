import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Catalog } from '../../ports/catalog.ts';
import type { ShardInfo } from '../../ports/records.ts';
import { quietEnvironment } from '../../testing/quiet-environment.ts';
import { EventPositions } from './event-positions.ts';
import type { FunctionsState } from './model.ts';

test('a position that could not be written is written the next time, and only then its events go', async () => {
  const quiet = quietEnvironment();
  const environment = Object.assign(quiet, { clock: { ...quiet.clock, timer: () => () => undefined } });
  const trimmed: bigint[] = [];
  const records = { trim: async (_shard: ShardInfo, position: bigint) => void trimmed.push(position) };
  const written: unknown[] = [];
  let isFull = true;
  const catalog = {
    get: () => undefined,
    propose: async ([{ put }]: [{ put: unknown }]) => {
      if (isFull) throw new Error('the disk is full');
      written.push(put);
      return { accepted: true, revision: 1 };
    },
  } as unknown as Catalog;
  const failed: unknown[] = [];
  const state = { environment, records } as unknown as FunctionsState;
  const positions = new EventPositions(state, catalog, (error) => void failed.push(error));
  const shard = { ref: { stream: 's', incarnation: 1, shard: 0 } } as unknown as ShardInfo;
  positions.moved(shard, 7n);
  await positions.store();
  assert.equal(failed.length, 1);
  assert.deepEqual(trimmed, []);
  isFull = false;
  await positions.store();
  assert.deepEqual(
    written.map((put) => Object.values(put as object)),
    [['7']],
  );
  assert.deepEqual(trimmed, [7n]);
  await positions.store();
  assert.equal(written.length, 1, 'what has not moved is not written');
});
