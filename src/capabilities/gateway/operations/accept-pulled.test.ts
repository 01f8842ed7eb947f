import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stored, type Answer } from '../harness.fixture.ts';
import { MINUTE_MS, PullBench } from '../pull/pull-bench.fixture.ts';
import type { ScriptedAttempt } from '../pull/scripted-github.fixture.ts';

test('the record holds the JSON as GitHub writes it, and no signature of other bytes', async () => {
  const rows: readonly (readonly [attempt: Partial<ScriptedAttempt>, body: string, isSigned: boolean])[] = [
    [{ payload: '{"id":12345678901234567890,"a":1.0}' }, '{"id":12345678901234567890,"a":1.0}', true],
    [{ payload: '{"a": "ö"}', signed: '{"a":"\\u00f6"}' }, '{"a": "ö"}', false],
    [
      {
        payload: '{"a":"b c&d"}',
        contentType: 'application/x-www-form-urlencoded',
        signed: 'payload=%7B%22a%22%3A%22b+c%26d%22%7D',
      },
      'payload=%7B%22a%22%3A%22b+c%26d%22%7D',
      true,
    ],
  ];
  for (const [attempt, body, isSigned] of rows) {
    const bench = await new PullBench().open({ payload: 'envelope' });
    bench.missed(1, 60, attempt);
    await bench.pass(5000);
    const [record] = await stored(bench.node);
    const { method, path, query, headers, ...envelope } = JSON.parse(record?.[1] ?? '');
    assert.equal(Buffer.from(envelope.body, 'base64').toString(), body);
    assert.deepEqual([method, path, query], ['POST', '/hook', 'a=1']);
    assert.equal('x-hub-signature-256' in headers, isSigned, body);
    assert.deepEqual([headers['x-github-event'], headers['x-millrace-pulled-by']], ['push', 'wheel']);
    await bench.node.close();
  }
});

test('a function gets what was missed; what it fails on is given up after some times', async () => {
  const got: string[] = [];
  let failures = 0;
  const handlers = {
    taken: (event: Answer) => {
      got.push(event.headers['x-millrace-delivery-id']);
      return { statusCode: 200 };
    },
    failing: () => ({ statusCode: (failures += 1) > 0 ? 500 : 200 }),
  };
  const bench = await new PullBench().open({ function: 'taken', event: 'proxy2' }, {}, handlers);
  const guids = bench.missed(3, 60);
  await bench.pass(5000);
  assert.deepEqual(got, guids);
  await bench.node.close();
  const other = await new PullBench().open({ function: 'failing', event: 'proxy2' }, {}, handlers);
  other.missed(1, 60);
  await other.pass(2 * MINUTE_MS);
  assert.equal(failures, 5);
  assert.deepEqual([(await other.view()).refused, (await other.view()).stored], [1, 0]);
  await other.node.close();
});

test('the limit of a route holds for what is pulled, too', async () => {
  const bench = await new PullBench().open({ limit: { perSecond: 0.1, burst: 1 } });
  const guids = bench.missed(3, 600);
  await bench.pass(6000);
  assert.equal((await bench.ids()).length, 1);
  assert.equal((await bench.view()).problem, 'the limit of the route');
  await bench.pass(MINUTE_MS);
  assert.deepEqual(await bench.ids(), guids.toSorted());
  assert.equal((await bench.view()).problem, undefined);
  await bench.node.close();
});

test('parameters of the path are those of the address that the hook has', async () => {
  const got: Answer[] = [];
  const handlers = {
    taken: (event: Answer) => {
      got.push([event.rawPath, event.rawQueryString, event.pathParameters, event.requestContext.http.method]);
      return { statusCode: 204 };
    },
  };
  const bench = await new PullBench().open({ function: 'taken', event: 'proxy2' }, {}, handlers, 'ANY /{place}');
  bench.missed(1, 60);
  await bench.pass(5000);
  assert.deepEqual(got, [['/hook', 'a=1', { place: 'hook' }, 'POST']]);
  await bench.node.close();
});

test('what is pulled stands in the log of requests, with its verdict', async () => {
  const bench = await new PullBench().open();
  const [guid] = bench.missed(1, 60);
  await bench.pass(5000);
  const { requests } = await bench.node.admin('GET', '/admin/requests');
  assert.deepEqual(
    requests.map((one: Answer) => [one.route, one.outcome, one.deliveryId, one.status]),
    [['POST /hook', 'accepted', guid, 200]],
  );
  await bench.node.close();
});
