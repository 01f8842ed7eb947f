import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NodeBench, oneRoute, stored, type Answer } from '../harness.fixture.ts';
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
  assert.deepEqual([planned.results.length, planned.results[0].outcome], [100, 'ready']);
  const startedAt = clock.monotonic();
  const first = await bench.admin('POST', path, {}, query);
  const second = await bench.admin('POST', path, {}, { ...query, after: first.next });
  assert.deepEqual([first.results.length, second.results.length, second.next], [100, 30, undefined]);
  assert.ok(clock.monotonic() - startedAt >= 1200, 'a hundred in a second');
  assert.equal(first.results[0].id, 'r-0');
  assert.equal((await stored(bench)).length, 260);
});

test('requests by their ids, in the order they are named; a rate that is none, and lists that are none', async () => {
  const bench = await new NodeBench().open(oneRoute());
  for (const number of [1, 2, 3]) await sendAs(bench, `r-${number}`, `d-${number}`);
  const path = '/admin/requests/redeliver';
  const many = async (ids: unknown, query = {}): Promise<Answer> => await bench.admin('POST', path, {}, query, { ids });
  const { results, next } = await many(['r-3', 'unknown', 'r-1'], { again: 'true', rate: '1' });
  const told = results.map(({ id, outcome, code }: Answer) => [id, outcome, code]);
  const expected = [['r-3', 'accepted', undefined], ['unknown', 'refused', 'NotFound'], ['r-1', 'accepted', undefined]]; // prettier-ignore
  assert.deepEqual([told, next], [expected, undefined]);
  assert.equal((await stored(bench)).length, 5);
  for (const ids of [undefined, [], 'r-1', [1], Array.from({ length: 101 }, () => 'r-1')])
    await assert.rejects(many(ids), { code: 'BadRequest' });
  for (const rate of ['0', '-1', '0.5', '10001', 'fast'])
    await assert.rejects(many(['r-1'], { rate }), { code: 'BadRequest' });
  await assert.rejects(many(['r-1'], { dryRun: 'yes' }), { code: 'BadRequest' });
});

test('a request that is named twice, by its id and its number too, is sent on once', async () => {
  const bench = await new NodeBench().open(oneRoute());
  for (const id of ['r-1', 'r-2']) await sendAs(bench, id, id);
  const { requests } = await bench.admin('GET', '/admin/requests', {}, { text: 'r-1' });
  const ids = ['r-1', requests[0].number, 'r-1', 'none', 'r-2', 'none'];
  const { results } = await bench.admin('POST', '/admin/requests/redeliver', {}, { again: 'true' }, { ids });
  assert.deepEqual(results.map(({ id }: Answer) => id), ['r-1', 'none', 'r-2']); // prettier-ignore
  assert.equal((await stored(bench)).length, 4);
});

test('a call that takes long says where to go on', async () => {
  const bench = await new NodeBench().open(oneRoute());
  const ids = Array.from({ length: 30 }, (_, number) => `r-${number}`);
  for (const id of ids) await sendAs(bench, id, id);
  const query = { again: 'true', rate: '1' };
  const told = await bench.admin('POST', '/admin/requests/redeliver', {}, query, { ids });
  assert.equal(told.next, ids[told.results.length]);
  assert.ok(told.results.length >= 20 && told.results.length < 25);
});

test('what only tested the address is no part of a window', async () => {
  const verify = { slack: { secrets: ['s'] } };
  const bench = await new NodeBench().open(oneRoute({ verify }));
  const told = await bench.admin('POST', '/admin/requests', {}, {}, {
    route: 'POST /hook',
    body: { type: 'url_verification', challenge: 'c' },
  }); // prettier-ignore
  assert.deepEqual([told.status, told.body], [200, 'c']);
  const window = await bench.admin('POST', '/admin/requests/redeliver', {}, { from: new Date(0).toISOString() });
  assert.deepEqual(window.results, []);
});

test('what was sent several times becomes one more record, where repeats are not asked for', async () => {
  const bench = await new NodeBench().open(oneRoute());
  for (const id of ['r-1', 'r-2', 'r-3']) await sendAs(bench, id, 'd-1');
  const ids = async (query: object): Promise<readonly string[]> => {
    const all = { from: new Date(0).toISOString(), dryRun: 'true', ...query };
    const { results } = await bench.admin('POST', '/admin/requests/redeliver', {}, all);
    return results.map(({ id }: Answer) => id);
  };
  assert.deepEqual(await ids({ again: 'true' }), ['r-1']);
  assert.deepEqual(await ids({ again: 'true', outcome: 'duplicate' }), ['r-2', 'r-3']);
  assert.deepEqual(await ids({}), ['r-1', 'r-2', 'r-3']);
});

test('a call that can do nothing takes a second', async () => {
  const bench = await new NodeBench().open(oneRoute());
  const { clock } = bench.simulation.environment;
  await sendAs(bench, 'r-1', 'd-1');
  await bench.call('Kinesis_20131202.DeleteStream', { StreamName: 'hooks' });
  await bench.simulation.drive(clock.sleep(10_000));
  const startedAt = clock.monotonic();
  const told = await bench.admin('POST', '/admin/requests/redeliver', {}, { from: new Date(0).toISOString() });
  assert.deepEqual([told.results, told.next], [[], '0']);
  assert.ok(clock.monotonic() - startedAt >= 1000);
});

test('a window of a route that is not there is refused: nothing would be sent on, and that looks like done', async () => {
  const bench = await new NodeBench().open(oneRoute());
  await sendAs(bench, 'r-1', 'd-1');
  const all = { from: new Date(0).toISOString(), again: 'true' };
  const sent = async (query: Readonly<Record<string, string>>): Promise<Answer> =>
    await bench.admin('POST', '/admin/requests/redeliver', {}, { ...all, ...query });
  await assert.rejects(sent({ route: 'POST /hok' }), {
    code: 'NotFound',
    message: 'no route POST /hok; there are POST /hook',
  });
  await assert.rejects(sent({ route: 'POST /hok', dryRun: 'true' }), { code: 'NotFound' });
  assert.equal((await sent({ route: 'POST /hook' })).results.length, 1);
});
