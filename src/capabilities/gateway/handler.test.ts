import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { test } from 'node:test';
import { createByteBudget, type ByteBudget } from '../../kernel/flow/byte-budget.ts';
import { fakeRequest } from '../../testing/fake-request.ts';
import { ask, NodeBench, oneRoute, SECRET, signed, stored } from './harness.fixture.ts';
import { textOf } from '../../testing/text-of.ts';

test('who is refused, how, and that nothing is stored', async () => {
  const bench = await new NodeBench().open(oneRoute({ bodyBytesMax: 100 }));
  const good = signed('id', '{}');
  const without = (name: string): Record<string, string> =>
    Object.fromEntries(Object.entries(good).filter(([key]) => key !== name));
  const table: readonly (readonly [
    string,
    { path?: string; method?: string; headers?: object; body?: string },
    number,
  ])[] = [
    ['no signature', { headers: without('x-hub-signature-256') }, 401],
    ['another secret', { headers: signed('id', '{}', 'guess') }, 401],
    ['another body', { headers: signed('id', '[]') }, 401],
    ['the old SHA-1 form', { headers: { ...good, 'x-hub-signature-256': `sha1=${'0'.repeat(40)}` } }, 401],
    ['too short', { headers: { ...good, 'x-hub-signature-256': 'sha256=00' } }, 401],
    ['no hex', { headers: { ...good, 'x-hub-signature-256': `sha256=${'z'.repeat(64)}` } }, 401],
    ['unknown path', { path: '/nothing' }, 404],
    ['a path below', { path: '/hook/' }, 404],
    ['device path', { path: '/api/v1/x/telemetry' }, 404],
    ['GET', { method: 'GET' }, 405],
    ['too long', { headers: signed('id', 'x'.repeat(101)), body: 'x'.repeat(101) }, 413],
    ['XML', { headers: { ...good, 'content-type': 'text/xml' } }, 415],
    ['no type', { headers: without('content-type') }, 415],
    ['compressed, it says', { headers: { ...good, 'content-encoding': 'gzip' } }, 400],
    ['compressed in a way not known here', { headers: { ...good, 'content-encoding': 'zstd' } }, 415],
    ['an id too long', { headers: signed('i'.repeat(257), '{}') }, 400],
  ];
  for (const [name, { path = '/hook', method = 'POST', headers = good, body = '{}' }, status] of table) {
    const request = fakeRequest({ path, method, headers: headers as Record<string, string>, body });
    const answer = await bench.simulation.drive(bench.node.gateway(request));
    assert.equal(answer.status, status, name);
    assert.ok(!textOf(answer.body).includes(SECRET), name);
    assert.equal(answer.headers['content-type'], 'application/json', name);
    if (status === 405) assert.equal(answer.headers['allow'], 'POST');
  }
  assert.deepEqual(await stored(bench), []);
});

test('JSON and forms are stored byte for byte', async () => {
  const bench = await new NodeBench().open(oneRoute());
  const json = ' {"ü": "\\u00fc"}\r\n';
  const form = 'payload=%7B%22a%22%3A1%7D';
  await bench.post('/hook', signed('json', json), json);
  const headers = { ...signed('form', form), 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' };
  assert.equal((await bench.post('/hook', headers, form)).status, 200);
  assert.deepEqual(
    new Map(await stored(bench)),
    new Map([
      ['json', json],
      ['form', form],
    ]),
  );
});

test('every active secret verifies, others do not, and a secret outside its time does not', async () => {
  const secrets = [
    { value: 'now' },
    { value: 'past', notAfter: '2025-01-01T00:00:00Z' },
    { value: 'to come', notBefore: '2027-01-01T00:00:00Z' },
  ];
  const bench = await new NodeBench().open(oneRoute({ verify: { github: { secrets } } }));
  const status = async (secret: string): Promise<number> =>
    (await bench.post('/hook', signed(secret, '{}', secret), '{}')).status;
  assert.deepEqual([await status('now'), await status('past'), await status('to come')], [200, 401, 401]);
});

test('a reload takes routes over without losing ids, and a wrong one changes nothing', async () => {
  const bench = await new NodeBench().open(oneRoute());
  await bench.post('/hook', signed('id', '{}'), '{}');
  const reload = async (routes: object): Promise<void> =>
    await bench.simulation.drive(bench.node.reload({ ...oneRoute(), gateway: { routes } }));
  await reload({});
  assert.equal((await bench.post('/hook', signed('id', '{}'), '{}')).status, 404);
  await assert.rejects(reload({ 'FETCH /hook': { to: 'hooks' } }), /FETCH is no method/);
  await reload((oneRoute()['gateway'] as { routes: object }).routes);
  assert.equal((await bench.post('/hook', signed('id', '{}'), '{}')).duplicate, true);
});

test('a route to no stream is a 503 and a failed health check', async () => {
  const bench = await new NodeBench().open({ ...oneRoute(), streams: {} });
  assert.equal((await bench.post('/hook', signed('id', '{}'), '{}')).status, 503);
  assert.match(bench.node.health().problems.join(), /POST \/hook writes to the stream hooks, which does not exist/);
});

test('a request for which there is no memory says so, and not that something else is wrong', async () => {
  const bench = await new NodeBench().open(oneRoute());
  const budget = createByteBudget(100);
  budget.charge(100);
  const told = await ask(bench, { path: '/hook', headers: signed('id', '{}'), body: '{}', budget });
  assert.deepEqual([told.status, told.headers['retry-after']], [503, '1']);
  const refused = bench.simulation.logged.find(({ event }) => event === 'gateway.refused');
  assert.equal(refused?.fields?.['cause'], 'memory');
  const { requests } = await bench.admin('GET', '/admin/requests');
  assert.equal(requests[0].reason, 'memory');
});

test('the copy that a public-key signature is checked on counts with what the request holds', async () => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const open = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32).toString('base64');
  const bench = await new NodeBench().open(oneRoute({ verify: { standard: { secrets: [`whpk_${open}`] } } }));
  const body = JSON.stringify({ text: 'x'.repeat(1000) });
  const timestamp = String(Math.floor(bench.simulation.environment.clock.now() / 1000));
  const bytes = Buffer.from(`m.${timestamp}.${body}`);
  const signature = `v1a,${sign(null, bytes, privateKey).toString('base64')}`;
  const headers = { 'content-type': 'application/json', 'webhook-id': 'm', 'webhook-timestamp': timestamp };
  const post = async (budget: ByteBudget): Promise<number> =>
    (await ask(bench, { path: '/hook', headers: { ...headers, 'webhook-signature': signature }, body, budget })).status;
  // A body is held twice, and its copy once.
  const small = createByteBudget(3 * body.length - 1);
  assert.equal(await post(small), 503);
  const large = createByteBudget(3 * body.length);
  assert.equal(await post(large), 200);
  assert.equal(large.usedBytes, 2 * body.length, 'the copy is given back');
});

test('a route of known addresses alone is a verified one', async () => {
  const verify = { ip: { allow: ['192.0.2.0/24'] } };
  const routes = { 'POST /known': { verify, to: 'hooks' }, 'POST /all': { verify: 'none', to: 'hooks' } };
  const bench = await new NodeBench().open({ ...oneRoute(), gateway: { routes } });
  const warned = bench.simulation.logged.filter(({ event }) => event === 'gateway.unverified-route');
  assert.deepEqual(
    warned.map(({ fields }) => fields?.['route']),
    ['POST /all'],
  );
  const told = await bench.admin('GET', '/admin/routes');
  assert.deepEqual(
    told.routes.map(({ key, verify: way }: { key: string; verify: string }) => [key, way]),
    [
      ['POST /known', 'ip'],
      ['POST /all', 'none'],
    ],
  );
});
