import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { ask, Ends, functionsOf, NodeBench, signed, SECRET, type Answer, type Handler } from '../harness.fixture.ts';
import { signStripe } from '../../../wire/webhook/stripe.ts';

async function open(handler: Handler, route: object = {}): Promise<NodeBench> {
  const verify = { github: { secrets: [SECRET] } };
  const gateway = { routes: { 'ANY /f/{proxy+}': { verify, function: 'f', ...route } } };
  return await new NodeBench().open({ gateway }, functionsOf({ f: handler }));
}

const BODY = '{"zen":"x"}';
const HOOK = { path: '/f/a/b', headers: signed('id-1', BODY), body: BODY };

test('the JSON body is the event, and what the function returns is the answer', async () => {
  const bench = await open((event) => ({ ShardId: 'shardId-000000000000', SequenceNumber: '1', saw: event }));
  const told = await ask(bench, HOOK);
  assert.deepEqual([told.status, told.json.saw, told.headers['content-type']], [200, { zen: 'x' }, 'application/json']);
});

test('the delivery id goes along as a header, each time that it comes', async () => {
  const ids: unknown[] = [];
  const bench = await open((event) => void ids.push(event.headers['x-millrace-delivery-id']), { event: 'proxy2' });
  await ask(bench, HOOK);
  await ask(bench, { ...HOOK, headers: { ...HOOK.headers, 'x-millrace-delivery-id': 'forged' } });
  assert.deepEqual(ids, ['id-1', 'id-1']);
});

test('how a function ends, and what the sender sees', async () => {
  const fails =
    (how: Ends['how']): Handler =>
    () => {
      throw new Ends(how);
    };
  const table: readonly (readonly [event: string, handler: Handler, status: number, body: object])[] = [
    ['proxy1', fails('throws'), 502, { message: 'Internal server error' }],
    ['proxy1', () => 'x', 502, { message: 'Internal server error' }],
    ['proxy1', fails('never'), 504, { message: 'Endpoint request timed out' }],
    ['proxy2', fails('throws'), 500, { message: 'Internal Server Error' }],
    ['proxy2', () => ({ statusCode: 'x' }), 500, { message: 'Internal Server Error' }],
    ['proxy2', fails('never'), 504, { message: 'Gateway Timeout' }],
    ['body', fails('throws'), 502, { error: 'FunctionFailed', message: 'the function of the route failed' }],
    ['body', () => 'raw:{', 502, { error: 'FunctionFailed', message: 'the function of the route failed' }],
    ['body', fails('never'), 504, { error: 'FunctionTimeout', message: 'the function of the route took too long' }],
    ['realm', () => ({}), 502, { error: 'FunctionFailed', message: 'the function of the route failed' }],
    ['body', fails('busy'), 503, { error: 'ServiceUnavailable', message: 'nothing was stored; try again' }],
  ];
  for (const [event, handler, status, body] of table) {
    const bench = await open(handler, { event });
    const told = await ask(bench, HOOK);
    assert.deepEqual([told.status, told.json], [status, body], event);
    assert.equal(told.headers['retry-after'], status === 503 ? '1' : undefined);
  }
});

test('times run out after 29 s for events 1.0 and 30 s for others', async () => {
  for (const [event, ms] of [['proxy1', 29_000], ['proxy2', 30_000], ['body', 30_000], ['realm', 30_000]] as const) {
    const bench = await open(() => {
      throw new Ends('never');
    }, { event });
    const { clock } = bench.simulation.environment;
    const startedAt = clock.monotonic();
    assert.equal((await ask(bench, HOOK)).status, 504);
    assert.equal(clock.monotonic() - startedAt, ms, event);
  } // prettier-ignore
});

test('a function that is not there fails the health check, and its senders are told to come again or not', async () => {
  const bench = await new NodeBench().open(
    { gateway: { routes: { 'POST /f': { function: 'none' } } } },
    functionsOf({}),
  );
  assert.match(bench.node.health().problems.join(), /POST \/f calls the function none, which does not exist/);
  assert.equal(
    (await ask(bench, { path: '/f', headers: { 'content-type': 'application/json' }, body: '{}' })).status,
    502,
  );
});

test('a body that is no JSON is no event', async () => {
  const bench = await open((event) => event);
  const told = await ask(bench, { path: '/f/x', headers: signed('id', 'x'), body: 'x' });
  assert.deepEqual([told.status, told.json.error], [400, 'InvalidBody']);
});

test('a body is handed over as it came, however it is encoded, unless somebody asks what it says', async () => {
  const packed = gzipSync('{"event":{"id":"e-1"}}');
  const half = packed.subarray(0, 15);
  const table: readonly (readonly [route: object, encoding: string, body: Uint8Array, status: number])[] = [
    [{ event: 'proxy1' }, 'zstd', packed, 200],
    [{ event: 'proxy1' }, 'gzip', half, 200],
    [{ event: 'proxy2' }, 'zstd', packed, 200],
    [{ event: 'proxy2' }, 'gzip', half, 200],
    [{ event: 'proxy2' }, 'gzip, gzip, gzip', packed, 200],
    [{ event: 'proxy2' }, 'gzip', Buffer.alloc(0), 200],
    [{ event: 'proxy2' }, 'gzip', packed, 200],
    [{ event: 'realm' }, 'zstd', packed, 200],
    [{ event: 'realm' }, 'gzip', half, 200],
    [{ event: 'body' }, 'gzip', packed, 200],
    [{ event: 'body' }, 'gzip', half, 400],
    [{ event: 'body' }, 'zstd', packed, 415],
  ];
  for (const [route, encoding, body, status] of table) {
    const seen: Answer[] = [];
    const bench = await open((event) => {
      seen.push(event);
      return event.realmWebhook === undefined ? { statusCode: 200 } : { statusCode: 200, headers: [], bodyBase64: '' };
    }, route);
    const headers = { ...signed('id', body), 'content-encoding': encoding };
    const what = `${JSON.stringify(route)} ${encoding}`;
    assert.equal((await ask(bench, { path: '/f/x', headers, body })).status, status, what);
    assert.equal(seen.length, status === 200 ? 1 : 0, what);
    const [event] = seen;
    const sent = event?.realmWebhook?.bodyBase64 ?? (event?.isBase64Encoded === true ? event.body : undefined);
    if (sent !== undefined) assert.equal(sent, Buffer.from(body).toString('base64'), what);
  }
});

test('an id that stands in a compressed body goes along, and the body as it came', async () => {
  const seen: Answer[] = [];
  const verify = { stripe: { secrets: ['s'] } };
  const bench = await open((event) => void seen.push(event), { event: 'proxy2', verify });
  const body = gzipSync('{"id":"evt_1"}');
  const seconds = String(Math.floor(bench.simulation.environment.clock.now() / 1000));
  const headers = { 'stripe-signature': signStripe('s', seconds, body), 'content-encoding': 'gzip' };
  await ask(bench, { path: '/f/x', headers, body });
  assert.deepEqual(
    seen.map((event) => [event.headers['x-millrace-delivery-id'], event.body]),
    [['evt_1', body.toString('base64')]],
  );
});

test('cookies stay apart, and a sender that goes away ends the run', async () => {
  const bench = await open(() => ({ statusCode: 200, cookies: ['a=1', 'b=2'], body: '' }), { event: 'proxy2' });
  assert.deepEqual((await ask(bench, HOOK)).cookies, ['a=1', 'b=2']);
  const gone = await open(() => {
    throw new Ends('never');
  });
  const away = new AbortController();
  away.abort();
  const { clock } = gone.simulation.environment;
  const startedAt = clock.monotonic();
  await ask(gone, { ...HOOK, signal: away.signal });
  assert.ok(clock.monotonic() - startedAt < 1000);
});
