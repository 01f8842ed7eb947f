import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ask, Ends, functionsOf, NodeBench, stored, type Answer, type Handler } from './harness.fixture.ts';

const POLICY = (event: Answer, effect: string): object => ({
  principalId: 'me',
  policyDocument: { Version: '2012-10-17', Statement: [{ Action: 'execute-api:Invoke', Effect: effect, Resource: event.routeArn ?? event.methodArn }] },
  context: { who: 'me' },
}); // prettier-ignore

interface Opened {
  readonly bench: NodeBench;
  readonly seen: Answer[];
  readonly calls: readonly string[];
}

async function open(check: Handler, authorizer: object = {}, route: object = { to: 'hooks' }): Promise<Opened> {
  const seen: Answer[] = [];
  const functions = functionsOf({
    check: (event) => {
      seen.push(event);
      return check(event);
    },
    echo: (event) => event,
  });
  const routes = { 'POST /hook/{id}': { authorizer: { function: 'check', ...authorizer }, ...route } };
  const bench = await new NodeBench().open({ streams: { hooks: { ShardCount: 2 } }, gateway: { routes } }, functions);
  return { bench, seen, calls: functions.calls };
}

const HOOK = { path: '/hook/7', headers: { 'content-type': 'application/json', authorization: 'a' }, body: '{"ü":1}' };

test('what an authorizer says, and what becomes of the request', async () => {
  const table: readonly (readonly [what: string, check: Handler, status: number])[] = [
    ['yes', () => ({ isAuthorized: true }), 200],
    ['no', () => ({ isAuthorized: false, context: { a: 1 } }), 403],
    ['a policy that allows', (event) => POLICY(event, 'Allow'), 200],
    ['a policy that denies', (event) => POLICY(event, 'Deny'), 403],
    ['throws', () => { throw new Ends('throws'); }, 500],
    ['throws Unauthorized', () => { throw new Ends('throws', 'Unauthorized'); }, 401],
    ['never ends', () => { throw new Ends('never'); }, 500],
    ['is busy', () => { throw new Ends('busy'); }, 503],
    ['nothing', () => null, 500],
    ['a text', () => 'true', 500],
    ['no JSON', () => 'raw:{', 500],
    ['a text for yes', () => ({ isAuthorized: 'true' }), 500],
    ['1 for yes', () => ({ isAuthorized: 1 }), 500],
    ['both at once', (event) => ({ ...POLICY(event, 'Deny'), isAuthorized: true }), 500],
    ['a policy without a principal', (event) => ({ ...POLICY(event, 'Allow'), principalId: undefined }), 500],
    ['a policy that is none', (event) => ({ ...POLICY(event, 'Allow'), policyDocument: {} }), 500],
    ['a policy with a condition', () => ({ principalId: 'me', policyDocument: { Statement: [{ Action: '*', Effect: 'Allow', Resource: '*', Condition: {} }] } }), 500],
    ['a list for context', () => ({ isAuthorized: true, context: [] }), 500],
    ['a context of 100 KB', () => ({ isAuthorized: true, context: { a: 'x'.repeat(100_000) } }), 500],
  ]; // prettier-ignore
  for (const [what, check, status] of table) {
    const { bench } = await open(check);
    const told = await ask(bench, HOOK);
    assert.equal(told.status, status, `${what}: ${told.text}`);
    assert.equal((await stored(bench)).length, status === 200 ? 1 : 0, what);
  }
});

test('the event of version 2.0 with the body that API Gateway keeps back', async () => {
  const { bench, seen } = await open(() => ({ isAuthorized: true }), { identity: ['$request.header.Authorization'] });
  await ask(bench, { ...HOOK, query: 'a=1' });
  const [event] = seen;
  assert.deepEqual(
    [event.version, event.type, event.routeKey, event.identitySource, event.pathParameters, event.rawBody, event.isBase64Encoded, event.body],
    ['2.0', 'REQUEST', 'POST /hook/{id}', ['a'], { id: '7' }, '{"ü":1}', false, undefined],
  ); // prettier-ignore
  assert.equal(event.routeArn, 'arn:aws:execute-api:us-east-1:000000000000:millrace/$default/POST/hook/7');
});

test('the event of version 1.0, and its context in the event of the function', async () => {
  const { bench, seen } = await open(
    (event) => POLICY(event, 'Allow'),
    { identity: ['method.request.header.Authorization', 'context.httpMethod'] },
    { function: 'echo', event: 'proxy1' },
  );
  const told = await ask(bench, { ...HOOK, body: Buffer.from([0xff]) });
  assert.equal(told.status, 502, 'what it echoes is no answer');
  const [event] = seen;
  assert.deepEqual(
    [event.version, event.type, event.identitySource, event.authorizationToken, event.rawBody, event.isBase64Encoded],
    ['1.0', 'REQUEST', 'a,POST', 'a,POST', '/w==', true],
  );
  const two = await open((one) => POLICY(one, 'Allow'), {}, { function: 'echo', event: 'proxy2' });
  const echoed = await ask(two.bench, HOOK);
  assert.deepEqual(echoed.json.requestContext.authorizer, { lambda: { who: 'me' } });
});

test('without a part of the identity it is not asked', async () => {
  const identity = ['$request.header.Authorization', '$request.querystring.key'];
  const { bench, calls } = await open(() => ({ isAuthorized: true }), { identity });
  const { authorization: _, ...rest } = HOOK.headers;
  assert.equal((await ask(bench, HOOK)).status, 401);
  assert.equal((await ask(bench, { ...HOOK, query: 'key=' })).status, 401);
  assert.equal((await ask(bench, { ...HOOK, headers: rest, query: 'key=1' })).status, 401);
  assert.deepEqual(calls, []);
  assert.equal((await ask(bench, { ...HOOK, query: 'key=1' })).status, 200);
});

test('whom it does not let pass, API Gateway tells in its own words, and a route to a stream in ours', async () => {
  const identity = ['$request.header.Authorization'];
  const { authorization: _, ...without } = HOOK.headers;
  const unproven = { error: 'Unauthorized', message: 'what proves the sender is missing or wrong' };
  const forbidden = { error: 'Forbidden', message: 'the sender may not do that' };
  const table: readonly (readonly [route: object, unauthorized: object, denied: object])[] = [
    [{ to: 'hooks' }, unproven, forbidden],
    [{ function: 'echo', event: 'body' }, unproven, forbidden],
    [{ function: 'echo', event: 'realm' }, unproven, forbidden],
    [{ function: 'echo', event: 'proxy1' }, { message: 'Unauthorized' }, { message: 'Forbidden' }],
    [{ function: 'echo', event: 'proxy2' }, { message: 'Unauthorized' }, { message: 'Forbidden' }],
  ];
  for (const [route, unauthorized, denied] of table) {
    const { bench } = await open((event) => POLICY(event, 'Deny'), { identity }, route);
    const nameless = await ask(bench, { ...HOOK, headers: without });
    const known = await ask(bench, HOOK);
    assert.deepEqual([nameless.status, nameless.json], [401, unauthorized], JSON.stringify(route));
    assert.deepEqual([known.status, known.json], [403, denied], JSON.stringify(route));
  }
});

test('kept answers hold for their identity and time, and were never made of a body', async () => {
  const options = { identity: ['$request.header.Authorization'], cacheSeconds: 60 };
  const { bench, seen, calls } = await open(
    (event) => ({ isAuthorized: event.headers.authorization === 'a' }),
    options,
  );
  const other = { ...HOOK, headers: { ...HOOK.headers, authorization: 'b' } };
  assert.deepEqual(
    [(await ask(bench, HOOK)).status, (await ask(bench, HOOK)).status, (await ask(bench, other)).status, (await ask(bench, other)).status],
    [200, 200, 403, 403],
  ); // prettier-ignore
  assert.equal(calls.length, 2);
  assert.ok(seen.every((event) => event.rawBody === undefined));
  await bench.simulation.pass(61_000);
  await ask(bench, HOOK);
  assert.equal(calls.length, 3);
});

test('a kept policy is asked about each path', async () => {
  const options = { identity: ['$request.header.Authorization'], cacheSeconds: 60 };
  const { bench, calls } = await open((event) => POLICY(event, 'Allow'), options);
  assert.deepEqual(
    [(await ask(bench, HOOK)).status, (await ask(bench, { ...HOOK, path: '/hook/8' })).status],
    [200, 403],
  );
  assert.equal(calls.length, 1);
});

test('failures are not kept, and many identities push the oldest out', async () => {
  let isBroken = true;
  const options = { identity: ['$request.header.Authorization'], cacheSeconds: 3600 };
  const { bench, calls } = await open(() => {
    if (isBroken) throw new Ends('throws');
    return { isAuthorized: true };
  }, options);
  assert.equal((await ask(bench, HOOK)).status, 500);
  isBroken = false;
  assert.equal((await ask(bench, HOOK)).status, 200);
  for (let index = 0; index < 1000; index += 1) {
    const headers = { ...HOOK.headers, authorization: `x${index}`, 'content-type': 'x/y' };
    await ask(bench, { ...HOOK, headers });
  }
  const before = calls.length;
  await ask(bench, HOOK);
  assert.equal(calls.length, before + 1);
});

test('who is not verified never reaches the authorizer', async () => {
  const { bench, calls } = await open(
    () => ({ isAuthorized: true }),
    {},
    { to: 'hooks', verify: { github: { secrets: ['s'] } } },
  );
  assert.equal((await ask(bench, HOOK)).status, 401);
  assert.deepEqual(calls, []);
});

test('what a sender is told by stands in no record', async () => {
  const identity = ['$request.header.X-Token', 'method.request.querystring.key', '$context.routeKey'];
  const allow = (): object => ({ isAuthorized: true });
  const { bench } = await open(allow, { identity }, { to: 'hooks', payload: 'envelope' });
  const headers = { ...HOOK.headers, 'x-token': 's3cret', 'x-other': 'o' };
  const query = 'a=1&k%65y=s3cret&key=s3cret&b=%20&&c';
  assert.equal((await ask(bench, { ...HOOK, headers, query })).status, 200);
  const [record] = await stored(bench);
  const envelope = JSON.parse(record?.[1] ?? '');
  assert.ok(!record?.[1].includes('s3cret'));
  assert.deepEqual(
    [envelope.headers['x-token'], envelope.headers['x-other'], envelope.query],
    ['***', 'o', 'a=1&k%65y=***&key=***&b=%20&&c'],
  );
});
