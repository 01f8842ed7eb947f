import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NodeBench, oneRoute, stored } from '../harness.fixture.ts';
import { sendAs } from '../requests.fixture.ts';

test('a window of time is sent on oldest first, paced, and page by page', async () => {
  const bench = await new NodeBench().open(oneRoute());
  const { clock } = bench.simulation.environment;
  for (let number = 0; number < 130; number += 1) await sendAs(bench, `r-${number}`, `d-${number}`);
  const path = '/admin/requests/redeliver';
  const from = new Date(0).toISOString();
  await assert.rejects(bench.admin('POST', path), /from/);
  const query = { from, to: new Date(clock.now() + 1).toISOString(), route: 'POST /hook', again: 'true' };
  const planned = await bench.admin('POST', path, {}, { ...query, dryRun: 'true' });
  assert.deepEqual([planned.matched, planned.results.length], [100, 0]);
  const startedAt = clock.monotonic();
  const first = await bench.admin('POST', path, {}, query);
  const second = await bench.admin('POST', path, {}, { ...query, after: first.next });
  assert.deepEqual([first.results.length, second.results.length, second.next], [100, 30, undefined]);
  assert.ok(clock.monotonic() - startedAt >= 1200, 'a hundred in a second');
  assert.equal(first.results[0].id, 'r-0');
  assert.equal((await stored(bench)).length, 260);
});
