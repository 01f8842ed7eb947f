import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ask, NodeBench, oneRoute, send, signed, stored, type Answer } from '../harness.fixture.ts';
import { BODY, redeliver, requests, sendAs } from '../requests.fixture.ts';

const MIB = 1024 * 1024;
const MANY = '/admin/requests/redeliver';

function wide(requestLog: object): Readonly<Record<string, unknown>> {
  const { gateway } = oneRoute() as { gateway: object };
  return {
    streams: { hooks: { ShardCount: 2, MaxRecordSizeInKiB: 10_240 } },
    gateway: { ...gateway, requestLog },
  };
}

async function bodyOf(bench: NodeBench, id: string): Promise<Buffer> {
  const { pieces } = await bench.admin('GET', '/admin/requests/{id}/body', { id });
  const bytes: Uint8Array[] = [];
  for await (const piece of pieces) bytes.push(piece);
  return Buffer.concat(bytes);
}

test('five MiB of any bytes and a thousand headers are kept, downloaded and sent on as they came', async () => {
  const bench = await new NodeBench().open(wide({ bodyBytesMax: 8 * MIB }));
  const body = Buffer.alloc(
    5 * MIB,
    Uint8Array.from({ length: 251 }, (_, byte) => 255 - byte),
  );
  const many = Object.fromEntries(Array.from({ length: 1000 }, (_, number) => [`x-many-${number}`, 'é'.repeat(40)]));
  const headers = { ...signed('d-1', body), ...many };
  assert.equal((await ask(bench, { id: 'r-1', path: '/hook', headers, body })).status, 200);
  assert.ok((await bodyOf(bench, 'r-1')).equals(body));
  const { headers: kept } = await bench.admin('GET', '/admin/requests/{id}', { id: 'r-1' });
  assert.equal(kept['x-many-999'], 'é'.repeat(40));
  const again = await redeliver(bench, 'r-1', { again: 'true' });
  assert.equal(again.outcome, 'accepted');
  assert.ok((await bodyOf(bench, again.redeliveryId)).equals(body));
});

test('what was cut is found by its record, and makes no other one', async () => {
  const bench = await new NodeBench().open(wide({}));
  const body = Buffer.alloc(MIB + 1, 7);
  await ask(bench, { id: 'r-1', path: '/hook', headers: signed('d-1', body), body });
  assert.equal((await redeliver(bench, 'r-1')).outcome, 'duplicate');
  await assert.rejects(redeliver(bench, 'r-1', { again: 'true' }), { code: 'BodyNotKept' });
  const { results } = await bench.admin('POST', MANY, {}, { again: 'true' }, { ids: ['r-1'] });
  assert.deepEqual(results, [{ id: 'r-1', outcome: 'refused', code: 'BodyNotKept' }]);
  await assert.rejects(bench.admin('POST', '/admin/requests', {}, {}, { from: 'r-1' }), { code: 'BodyNotKept' });
});

test('ids that are none of the log, whatever they look like', async () => {
  const bench = await new NodeBench().open(oneRoute());
  await sendAs(bench, 'r-1', 'd-1');
  for (const id of ['', '-1', '999999999999999', '1e3', '../r-1', '__proto__', 'r-1\u0000', 'd-1', 'x'.repeat(5000)]) {
    await assert.rejects(redeliver(bench, id), { code: 'NotFound' }, id.slice(0, 20));
  }
  assert.equal((await stored(bench)).length, 1);
});

test('a stream that is made anew has no record of an earlier request: it gets one', async () => {
  const bench = await new NodeBench().open(oneRoute());
  await sendAs(bench, 'r-1', 'd-1');
  await requests(bench);
  await bench.call('Kinesis_20131202.DeleteStream', { StreamName: 'hooks' });
  await bench.simulation.pass(5000);
  await bench.close();
  await bench.open(oneRoute());
  const told = await redeliver(bench, 'r-1');
  assert.equal(told.outcome, 'accepted');
  assert.deepEqual((await stored(bench)).map(([, data]) => data), [BODY]); // prettier-ignore
});

test('with a full disk a call stops where it is, and says where to go on', async () => {
  const bench = await new NodeBench().open(oneRoute());
  const ids = ['r-1', 'r-2', 'r-3'];
  const body = 'x'.repeat(40_000);
  for (const id of ids) await ask(bench, { id, path: '/hook', headers: signed(id, body), body });
  await requests(bench);
  bench.simulation.limitDisk(0);
  const full = await bench.admin('POST', MANY, {}, { again: 'true' }, { ids });
  assert.deepEqual(full, { results: [], next: 'r-1' });
  const one = await redeliver(bench, 'r-1', { again: 'true' });
  assert.deepEqual([one.outcome, one.code], ['refused', 'ServiceUnavailable']);
  bench.simulation.limitDisk(Infinity);
  await bench.simulation.pass(60_000);
  const { results } = await bench.admin('POST', MANY, {}, { again: 'true' }, { ids });
  assert.deepEqual(results.map(({ outcome }: Answer) => outcome), ['accepted', 'accepted', 'accepted']); // prettier-ignore
});

test('killed between the answer and its entry: the record stands, its entry does not, and the sender may repeat', async () => {
  const bench = await new NodeBench().open(oneRoute());
  await sendAs(bench, 'r-1', 'd-1');
  bench.simulation.crash();
  bench.simulation.restart();
  await bench.open(oneRoute());
  assert.deepEqual(await requests(bench), []);
  assert.equal((await stored(bench)).length, 1);
  assert.equal((await send(bench, 'd-1', BODY))['duplicate'], true);
  await assert.rejects(redeliver(bench, 'r-1'), { code: 'NotFound' });
});

test('a node that stops in the middle of a call says where to go on, and what it did is done', async () => {
  const bench = await new NodeBench().open(oneRoute());
  const ids = ['r-1', 'r-2', 'r-3', 'r-4'];
  for (const id of ids) await sendAs(bench, id, id);
  const asked = bench.admin('POST', MANY, {}, { again: 'true', rate: '1' }, { ids });
  await bench.simulation.environment.clock.sleep(1500);
  await bench.close();
  const { results, next } = await asked;
  assert.deepEqual([results.map(({ id }: Answer) => id), next], [['r-1', 'r-2'], 'r-3']); // prettier-ignore
  await bench.open(oneRoute());
  assert.equal((await stored(bench)).length, 6);
});
