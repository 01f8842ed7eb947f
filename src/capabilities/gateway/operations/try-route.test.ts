import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { functionsOf, NodeBench, oneRoute, SECRET, stored, type Answer } from '../harness.fixture.ts';
import { BODY, requests, sendAs } from '../requests.fixture.ts';

async function attempt(bench: NodeBench, trial: unknown): Promise<Answer> {
  return await bench.admin('POST', '/admin/requests', {}, {}, trial);
}

test('a route is tried with a request signed by its own secret; what it does is done', async () => {
  const bench = await new NodeBench().open(oneRoute());
  const told = await attempt(bench, { route: 'POST /hook', body: { a: 1 }, event: 'ping', deliveryId: 'd-1' });
  assert.equal(told.status, 200);
  assert.equal(JSON.parse(told.body).deliveryId, 'd-1');
  assert.deepEqual(await stored(bench), [['d-1', '{"a":1}']]);
  const [entry] = await requests(bench);
  assert.deepEqual([entry.id, entry.headers['x-github-event']], [told.requestId, 'ping']);
});

test('a request of the log is tried as it came, with a new id and whatever else is said', async () => {
  const bench = await new NodeBench().open(oneRoute());
  await sendAs(bench, 'r-1', 'd-1');
  assert.equal((await attempt(bench, { from: 'r-1' })).status, 200);
  assert.equal((await attempt(bench, { from: 'r-1', body: 'other' })).status, 200);
  assert.deepEqual((await stored(bench)).map(([, text]) => text).sort(), ['other', BODY, BODY].sort());
  const wrong = await attempt(bench, { from: 'r-1', headers: { 'X-Hub-Signature-256': 'sha256=00' } });
  assert.equal(wrong.status, 401);
});

test('the id of a request of the log is made new wherever a header holds it; one that the body says stays', async () => {
  for (const verify of [{ basic: { username: 'u', secrets: ['s3cret'] } }, { apiKey: { secrets: ['s3cret'] } }]) {
    const bench = await new NodeBench().open(oneRoute({ verify, dedupe: { id: 'header:X-Event-Id' } }));
    const first = await attempt(bench, { route: 'POST /hook', body: 'a', headers: { 'x-event-id': 'd-1' } });
    const again = await attempt(bench, { from: first.requestId });
    const named = await attempt(bench, { from: first.requestId, deliveryId: 'd-1' });
    const duplicates = [first, again, named].map(({ body }) => JSON.parse(body).duplicate);
    assert.deepEqual(duplicates, [false, false, true], JSON.stringify(verify));
    assert.equal((await stored(bench)).length, 2);
    await bench.close();
  }
  const bench = await new NodeBench().open(oneRoute({ dedupe: { id: 'event.id' } }));
  const first = await attempt(bench, { route: 'POST /hook', body: { event: { id: 'e-1' } } });
  const again = await attempt(bench, { from: first.requestId });
  const other = await attempt(bench, { from: first.requestId, body: { event: { id: 'e-2' } } });
  assert.deepEqual([again, other].map(({ body }) => JSON.parse(body).duplicate), [true, false]); // prettier-ignore
});

test('another body is not taken for compressed because that of the log was', async () => {
  const bench = await new NodeBench().open(oneRoute({ payload: 'json' }));
  const encoding = { 'content-encoding': 'gzip' };
  const bodyBase64 = gzipSync('{"n":1}').toString('base64');
  const first = await attempt(bench, { route: 'POST /hook', bodyBase64, headers: encoding });
  const { requestId: from } = first;
  const rest = [{ from }, { from, body: { n: 2 } }, { from, bodyBase64, headers: encoding }];
  for (const trial of rest) assert.equal((await attempt(bench, trial)).status, 200, JSON.stringify(trial));
  const texts = (await stored(bench)).map(([, text]) => text);
  assert.deepEqual(texts.toSorted(), ['{"n":1}', '{"n":1}', '{"n":1}', '{"n":2}']);
});

test('parameters of paths, bytes and functions', async () => {
  const seen: Answer[] = [];
  const functions = functionsOf({ f: (event) => (seen.push(event), { statusCode: 201, body: 'made' }) });
  const verify = { github: { secrets: [SECRET] } };
  const routes = { 'ANY /hooks/{id}': { function: 'f', event: 'proxy2', verify } };
  const bench = await new NodeBench().open({ gateway: { routes } }, functions);
  const trial = { route: 'ANY /hooks/{id}', path: '/hooks/7', query: 'a=1', bodyBase64: '/wA=' };
  const told = await attempt(bench, { ...trial, headers: { 'content-type': 'application/octet-stream' } });
  assert.deepEqual([told.status, told.body], [201, 'made']);
  assert.deepEqual([seen[0].pathParameters, seen[0].rawQueryString, seen[0].body], [{ id: '7' }, 'a=1', '/wA=']);
});

test('what is no trial', async () => {
  const bench = await new NodeBench().open(oneRoute());
  const table: readonly (readonly [trial: unknown, code: string])[] = [
    [[], 'BadRequest'],
    [{}, 'BadRequest'],
    [{ route: 7 }, 'BadRequest'],
    [{ route: 'POST /hook', other: 1 }, 'BadRequest'],
    [{ route: 'POST /hook', body: 'a', bodyBase64: 'YQ==' }, 'BadRequest'],
    [{ route: 'POST /hook', bodyBase64: '*' }, 'BadRequest'],
    [{ route: 'POST /hook', headers: { 'a b': 'c' } }, 'BadRequest'],
    [{ route: 'POST /hook', headers: { a: 'b\r\nc: d' } }, 'BadRequest'],
    [{ route: 'POST /hook', path: '/other' }, 'BadRequest'],
    [{ route: 'POST /hook', path: 'hook' }, 'BadRequest'],
    [{ route: 'POST /other' }, 'NotFound'],
    [{ from: 'r-9' }, 'NotFound'],
  ];
  for (const [trial, code] of table) await assert.rejects(attempt(bench, trial), { code }, JSON.stringify(trial));
});

test('a body of JSON goes as it is written', async () => {
  const bench = await new NodeBench().open(oneRoute());
  const deep = '['.repeat(50_000) + ']'.repeat(50_000);
  for (const body of ['{ "id": 12345678901234567890 }', deep, '7', 'null']) {
    const text = `{"route":"POST /hook","body": ${body} ,"event":"ping"}`;
    const told = await bench.admin('POST', '/admin/requests', {}, {}, Buffer.from(text));
    assert.equal(told.status, 200, body.slice(0, 40));
    assert.ok((await stored(bench)).some(([, data]) => data === body), body.slice(0, 40)); // prettier-ignore
  }
});

test('a request comes from this machine, or from the address that is said', async () => {
  const verify = { github: { secrets: [SECRET] }, ip: { allow: ['192.0.2.0/24', '2001:db8::/32'] } };
  const bench = await new NodeBench().open(oneRoute({ verify }));
  const status = async (more: object): Promise<number> =>
    (await attempt(bench, { route: 'POST /hook', body: {}, ...more })).status;
  assert.equal(await status({}), 403);
  assert.equal(await status({ remoteAddress: '198.51.100.7' }), 403);
  assert.equal(await status({ remoteAddress: '192.0.2.7' }), 200);
  assert.equal(await status({ remoteAddress: '2001:db8::7' }), 200);
  assert.equal((await requests(bench))[0].remoteAddress, '2001:db8::7');
  await assert.rejects(status({ remoteAddress: 'elsewhere' }), /remoteAddress is an address such as/);
});
