import assert from 'node:assert/strict';
import { test } from 'node:test';
import { functionsOf, NodeBench, oneRoute, SECRET, stored, type Answer } from '../harness.fixture.ts';
import { fakeRequest } from '../../../testing/fake-request.ts';
import { BODY, redeliver, requests, sendAs } from '../requests.fixture.ts';

test('a redelivery finds its record, and with again makes another one', async () => {
  const bench = await new NodeBench().open(oneRoute({ payload: 'envelope' }));
  await sendAs(bench, 'r-1', 'd-1');
  const found = await redeliver(bench, 'r-1');
  assert.equal(found.outcome, 'duplicate');
  assert.equal((await stored(bench)).length, 1);
  const again = await redeliver(bench, 'r-1', { again: 'true' });
  assert.equal(again.outcome, 'accepted');
  assert.notEqual(again.sequenceNumber, found.sequenceNumber);
  const [, second] = (await stored(bench)).map(([, text]) => JSON.parse(text));
  assert.equal(second.headers['x-millrace-redelivery-of'], 'r-1');
  assert.equal(second.headers['x-hub-signature-256'], '***');
  assert.equal(second.deliveryId, 'd-1');
  const stream = bench.node.records.describe('hooks');
  const marks: string[] = [];
  for (const shard of stream?.shards ?? []) {
    const slice = await bench.simulation.drive(
      bench.node.records.read(stream as NonNullable<typeof stream>, shard, 0n, { records: 10, bytes: 1e6 }),
    );
    for (const { headers } of slice.records)
      marks.push(
        ...headers.filter(([name]) => name === 'redelivery-of').map(([, value]) => Buffer.from(value).toString()),
      );
  }
  assert.deepEqual(marks, ['r-1']);
  const [logged] = await requests(bench);
  assert.deepEqual([logged.redeliveryOf, logged.id], ['r-1', again.redeliveryId]);
  const third = await redeliver(bench, again.redeliveryId, { again: 'true' });
  assert.equal((await requests(bench))[0].redeliveryOf, 'r-1', 'of the first one');
  assert.equal(third.outcome, 'accepted');
});

test('without a window of ids the log knows the record', async () => {
  const bench = await new NodeBench().open(oneRoute({ dedupe: 'off' }));
  await sendAs(bench, 'r-1', 'd-1');
  const found = await redeliver(bench, 'r-1');
  const [[, only] = []] = await stored(bench);
  assert.deepEqual([found.outcome, only, (await stored(bench)).length], ['duplicate', BODY, 1]);
  assert.equal((await redeliver(bench, 'r-1', { again: 'true' })).outcome, 'accepted');
  assert.equal((await stored(bench)).length, 2);
});

test('a function is called again only when that is said, and is told of the first request', async () => {
  const seen: Answer[] = [];
  const functions = functionsOf({ f: (event) => void seen.push(event) });
  const verify = { github: { secrets: [SECRET] } };
  const routes = { 'POST /hook': { function: 'f', event: 'proxy2', verify } };
  const bench = await new NodeBench().open({ gateway: { routes } }, functions);
  await sendAs(bench, 'r-1', 'd-1');
  assert.equal((await redeliver(bench, 'r-1')).outcome, 'duplicate');
  assert.equal((await redeliver(bench, 'r-1', { again: 'true' })).outcome, 'answered');
  assert.deepEqual(seen.map(({ headers }) => headers['x-millrace-redelivery-of']), [undefined, 'r-1']); // prettier-ignore
});

test('a route that is gone, one that takes nothing now, and no log at all', async () => {
  const bench = await new NodeBench().open(oneRoute());
  await sendAs(bench, 'r-1', 'd-1');
  await bench.call('Kinesis_20131202.DeleteStream', { StreamName: 'hooks' });
  const refused = await redeliver(bench, 'r-1', { again: 'true' });
  assert.deepEqual([refused.outcome, refused.code], ['refused', 'ServiceUnavailable']);
  await bench.close();
  await bench.open({ gateway: { routes: {}, requestLog: 'off' } });
  await assert.rejects(redeliver(bench, 'r-1', { again: 'true' }), { code: 'NotFound' });
  await bench.close();
  const silent = await new NodeBench().open({
    ...oneRoute(),
    gateway: { ...(oneRoute()['gateway'] as object), requestLog: 'off' },
  });
  await sendAs(silent, 'r-1', 'd-1');
  assert.deepEqual(await requests(silent), []);
});

test('a request whose record its stream does not keep any more is new again; for its sender the window counts', async () => {
  const bench = await new NodeBench().open(oneRoute());
  await sendAs(bench, 'r-1', 'd-1');
  const before = await redeliver(bench, 'r-1');
  assert.equal(before.outcome, 'duplicate');
  await bench.simulation.drive(bench.simulation.environment.clock.sleep(25 * 3_600_000));
  assert.deepEqual(await stored(bench), []);
  assert.equal((await sendAs(bench, 'r-2', 'd-1')).json.duplicate, true);
  assert.equal((await redeliver(bench, 'r-1', { dryRun: 'true' })).outcome, 'ready');
  const { node, simulation } = bench;
  const both = await simulation.drive(
    Promise.all(
      ['r-1', 'r-2'].map(async (id) => {
        const route = node.admin.find(({ path }) => path === '/admin/requests/{id}/redeliver');
        return (await route?.handle({ id }, new URLSearchParams(), fakeRequest({}))) as Answer;
      }),
    ),
  );
  assert.deepEqual(new Set(both.map(({ outcome }) => outcome)), new Set(['accepted', 'duplicate']));
  assert.deepEqual(await stored(bench), [['d-1', BODY]]);
  const [made] = both.filter(({ outcome }) => outcome === 'accepted');
  const repeat = (await sendAs(bench, 'r-3', 'd-1')).json;
  assert.deepEqual([repeat.duplicate, repeat.SequenceNumber], [true, made?.sequenceNumber]);
});
