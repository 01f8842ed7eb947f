import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Records } from '../../../ports/records.ts';
import { DedupeWindow } from '../dedupe-window.ts';
import { recover } from './recover.ts';

test('a look that is ended half way says nothing of where the source goes on', async () => {
  for (const abortsAt of [0, 1, 2, 3, undefined]) {
    const ending = new AbortController();
    let reads = 0;
    const records = {
      describe: () => ({ shards: [{ ref: { generation: 1, ordinal: 0 } }, { ref: { generation: 1, ordinal: 1 } }] }),
      bounds: () => ({ start: 0n, end: 2n }),
      read: async (_stream: unknown, _shard: unknown, at: bigint) => {
        if (reads === abortsAt) ending.abort();
        reads += 1;
        return { records: [], count: 1, next: at + 1n };
      },
    } as unknown as Records;
    const checkpoint = { stream: 's', batch: 7, positions: {}, window: {} };
    const window = new DedupeWindow(10, new Uint8Array(8));
    const found = await recover('source', checkpoint, records, window, ending.signal);
    if (abortsAt === undefined) assert.deepEqual(found, { token: undefined, batch: 7, records: 4 });
    else assert.equal(found, undefined, `read ${abortsAt}`);
  }
});
