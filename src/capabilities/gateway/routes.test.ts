import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ask, NodeBench, oneRoute, signed } from './harness.fixture.ts';
import type { GatewayOptions } from './config.ts';
import { routeProblems } from './route-problems.ts';

const VERIFY = { github: { secrets: ['s'] } };

function problemsOf(routes: object, mode: 'dev' | 'start' = 'dev', more: object = {}): readonly string[] {
  const options = { routes, ...more } as GatewayOptions;
  return routeProblems(options, mode, []).map(({ path, message }) => `${path.slice(1).join(' ')}: ${message}`);
}

test('what is wrong with a route beyond its shape', () => {
  const good = { verify: VERIFY, to: 's' };
  const table: readonly (readonly [key: string, route: object, said: RegExp | undefined])[] = [
    ['POST /a', good, undefined],
    ['ANY /{proxy+}', good, undefined],
    ['a', good, /expected a method and a path/],
    ['GET a', good, /expected a method and a path/],
    ['FETCH /a', good, /FETCH is no method/],
    ['POST /api/{x}', good, /reserved/],
    ['POST /healthz', good, /reserved/],
    ['POST /a/{x}b', good, /whole part of the path/],
    ['POST /a', {}, /expected `to: STREAM` or `function: NAME`/],
    ['POST /a', { ...good, function: 'f' }, /expected `to: STREAM` or `function: NAME`/],
    ['POST /a', { ...good, event: 'proxy1' }, /is for routes with `function`/],
    ['POST /a', { verify: VERIFY, to: '$requests' }, /to: names a stream of millrace itself/],
    [
      'POST /a',
      { ...good, schema: 's.json', onInvalid: { quarantine: '$dedupe' } },
      /quarantine: names a stream of millrace itself/,
    ],
    ['POST /a', { verify: VERIFY, function: 'f', dedupe: 'off' }, /is for routes with `to`/],
    [
      'POST /a',
      { verify: { ...VERIFY, stripe: { secrets: ['s'] } }, to: 's' },
      /expected one way, not github and stripe/,
    ],
    ['POST /a', { verify: {}, to: 's' }, /expected a way to verify, or `none`/],
    ['POST /a', { verify: { ip: { allow: ['1.2.3.4/33'] } }, to: 's' }, /expected an address or a block/],
    ['POST /a', { verify: { standard: { secrets: ['short'] } }, to: 's' }, /expected whsec_/],
    ['POST /a', { verify: { gitlab: {} }, to: 's' }, /expected `secrets`/],
    [
      'POST /a',
      { verify: { github: { secrets: [{ value: 's', notAfter: '1' }] } }, to: 's' },
      /expected an ISO 8601 time/,
    ],
    [
      'POST /a',
      { verify: { hmac: { secrets: ['s'], header: 'a', template: '{ts}' } }, to: 's' },
      /expected \{body\} in it/,
    ],
    [
      'POST /a',
      { verify: { hmac: { secrets: ['s'], header: 'a', template: '{timestamp}.{body}' } }, to: 's' },
      /template: \{timestamp\} stands for nothing; there are \{id\}, \{ts\}, \{body\}$/,
    ],
    ['POST /a', { verify: { hmac: { secrets: ['s'], header: 'a', template: '{ts}{body}' } }, to: 's' }, /go together/],
    [
      'POST /a',
      { verify: { hmac: { secrets: ['s'], header: 'a', template: '{id}{body}' } }, to: 's' },
      /idHeader: is missing/,
    ],
    [
      'POST /a',
      { verify: { hmac: { secrets: ['xyz'], header: 'a', secretEncoding: 'hex' } }, to: 's' },
      /expected hex/,
    ],
    ...['a', 'abcde', '=', 'ab=', 'a b='].map((secret) => {
      const hmac = { secrets: ['YQ==', secret], header: 'a', secretEncoding: 'base64' };
      const said = /^POST \/a verify hmac secrets 1: expected base64 of 1 byte or more$/;
      return ['POST /a', { verify: { hmac }, to: 's' }, said] as const;
    }),
    ['POST /a', { verify: { jwt: {} }, to: 's' }, /expected one of `jwks`, `keys` and `secrets`/],
    [
      'POST /a',
      { verify: { jwt: { secrets: ['s'], algorithms: ['RS256'] } }, to: 's' },
      /RS256 does not go with these keys/,
    ],
    ['POST /a', { verify: { jwt: { keys: [{ kty: 'oct', k: 'AA' }] } }, to: 's' }, /expected a public RSA/],
    ['POST /a', { verify: { jwt: { jwks: 'file:///x' } }, to: 's' }, /expected a URL/],
    ['POST /a', { ...good, authorizer: { function: 'f', identity: ['header.x'] } }, /expected for example/],
    ['POST /a', { ...good, authorizer: { function: 'f', cacheSeconds: 1 } }, /needs `identity`/],
    ['POST /a', { ...good, partitionKey: {} }, /expected one of id, header, parameter, path/],
    ['POST /a', { ...good, partitionKey: { header: 'x' } }, /needs `dedupe: off`/],
    ['POST /{x}', { ...good, partitionKey: { parameter: 'x' } }, /needs `dedupe: off`/],
    ['POST /{x}', { ...good, dedupe: 'off', partitionKey: { parameter: 'x' } }, undefined],
    ['POST /a', { ...good, partitionKey: { path: 'a..b' } }, /expected a path/],
    ['POST /a', { ...good, dedupe: { id: 'a[' } }, /expected a path such as event.id/],
    ['POST /a', { to: 's', verify: 'none', dedupe: { id: 'a' } }, /needs a sender that is verified/],
    ['POST /a', { to: 's', authorizer: { function: 'f' }, dedupe: { id: 'a' } }, undefined],
    ['POST /a', { ...good, onInvalid: 'refuse' }, /needs `schema`/],
    ['POST /a', { ...good, partitionKey: { id: false } }, /partitionKey id: expected true/],
    ['POST /a', { ...good, partitionKey: { id: true } }, undefined],
    ['POST /a', { ...good, dedupe: { windowHours: 1 } }, undefined],
    ...[
      'none',
      { ip: { allow: ['192.0.2.1'] } },
      { basic: { username: 'u', secrets: ['s'] } },
      { apiKey: { secrets: ['s'] } },
      { jwt: { secrets: ['s'] } },
      { hmac: { secrets: ['s'], header: 'a' } },
    ].map((verify) => ['POST /a', { verify, to: 's', dedupe: { windowHours: 1 } }, /dedupe: needs ids/] as const),
    ['POST /a', { verify: { hmac: { secrets: ['s'], header: 'a', idHeader: 'b' } }, to: 's', dedupe: {} }, undefined],
    ['POST /a', { verify: { apiKey: { secrets: ['s'] } }, to: 's', dedupe: { id: 'a' } }, undefined],
    ['POST /a', { verify: VERIFY, function: 'f', event: 'proxy2', inflatedBytesMax: 1 }, /inflatedBytesMax: needs/],
    ['POST /a', { verify: VERIFY, function: 'f', event: 'realm', inflatedBytesMax: 1 }, /inflatedBytesMax: needs/],
    ['POST /a', { verify: VERIFY, function: 'f', inflatedBytesMax: 1 }, undefined],
    ['POST /a', { verify: VERIFY, function: 'f', event: 'proxy2', schema: 'f', inflatedBytesMax: 1 }, undefined],
    [
      'POST /a',
      { verify: { slack: { secrets: ['s'] } }, function: 'f', event: 'proxy1', inflatedBytesMax: 1 },
      undefined,
    ],
    ['POST /a', { verify: { gitlab: { tokens: ['t'], toleranceSeconds: 9 } }, to: 's' }, /plain tokens have no time/],
    ['POST /a', { verify: { gitlab: { tokens: ['t'] } }, to: 's' }, undefined],
    [
      'POST /a',
      { verify: { github: { secrets: [{ value: 's', notBefore: '2026-02-01', notAfter: '2026-01-01' }] } }, to: 's' },
      /secrets 0 notAfter: is before `notBefore`/,
    ],
    ['POST /a', { ...good, cors: { origins: ['*'], credentials: true } }, /cannot be with the origin/],
  ];
  for (const [key, route, said] of table) {
    const found = problemsOf({ [key]: route }).join('\n');
    if (said === undefined) assert.equal(found, '', key);
    else assert.match(found, said, `${key} ${JSON.stringify(route)}`);
  }
  assert.deepEqual(problemsOf({ 'POST /a': { to: 's' } }, 'start').length, 1);
  assert.deepEqual(problemsOf({ 'POST /a': { to: 's', authorizer: { function: 'f' } } }, 'start'), []);
  assert.match(problemsOf({ 'POST /{a}': good, 'POST /{b}': good }).join(), /fits the same paths as POST \/\{a\}/);
  assert.match(problemsOf({ 'POST /v1': good }, 'dev', { basePath: '/api' }).join(), /reserved/);
});

test('methods, parameters and the base path', async () => {
  const options = oneRoute();
  const route = { verify: 'none', to: 'hooks', dedupe: 'off', partitionKey: { parameter: 'id' } };
  const gateway = { basePath: '/v1', routes: { 'PUT /{id}': route, 'GET /f': { verify: 'none', function: 'f' } } };
  const bench = await new NodeBench().open({ ...options, gateway });
  const headers = { 'content-type': 'application/json' };
  const table: readonly (readonly [method: string, path: string, status: number, allow?: string])[] = [
    ['PUT', '/v1/x', 200],
    ['PUT', '/x', 404],
    ['POST', '/v1/x', 405, 'PUT'],
    ['POST', '/v1/f', 405, 'GET, PUT'],
    ['PUT', '/v1/x/y', 404],
    ['PUT', '/v1/%E0%A4%A', 404],
  ];
  for (const [method, path, status, allow] of table) {
    const told = await ask(bench, { method, path, headers, body: '{}' });
    assert.deepEqual([told.status, told.headers['allow']], [status, allow], `${method} ${path}`);
  }
});

test('pages of other origins: their questions, and what they may read', async () => {
  const cors = {
    origins: ['https://a.example'],
    headers: ['X-A'],
    expose: ['X-B'],
    credentials: true,
    maxAgeSeconds: 60,
  };
  const bench = await new NodeBench().open(oneRoute({ cors }));
  const preflight = { origin: 'https://a.example', 'access-control-request-method': 'POST' };
  const question = await ask(bench, { method: 'OPTIONS', path: '/hook', headers: preflight });
  assert.deepEqual([question.status, question.headers], [
    204,
    {
      'access-control-allow-origin': 'https://a.example', 'access-control-allow-credentials': 'true',
      'access-control-allow-methods': 'POST', 'access-control-allow-headers': 'X-A', 'access-control-max-age': '60', 'vary': 'Origin',
    },
  ]); // prettier-ignore
  const stranger = await ask(bench, {
    method: 'OPTIONS',
    path: '/hook',
    headers: { ...preflight, origin: 'https://b.example' },
  });
  assert.deepEqual([stranger.status, stranger.headers['access-control-allow-origin']], [204, undefined]);
  assert.equal((await ask(bench, { method: 'OPTIONS', path: '/none', headers: preflight })).status, 404);
  const told = await ask(bench, {
    path: '/hook',
    headers: { ...signed('id', '{}'), origin: 'https://a.example' },
    body: '{}',
  });
  assert.deepEqual(
    [told.status, told.headers['access-control-allow-origin'], told.headers['access-control-expose-headers']],
    [200, 'https://a.example', 'X-B'],
  );
  const refused = await ask(bench, { path: '/hook', headers: { origin: 'https://a.example' }, body: '{}' });
  assert.deepEqual([refused.status, refused.headers['access-control-allow-origin']], [401, 'https://a.example']);
  const any = await new NodeBench().open(oneRoute({ cors: true }));
  const asked = { ...preflight, 'access-control-request-headers': 'x-a, x-b\u0000, X-C' };
  const open = await ask(any, { method: 'OPTIONS', path: '/hook', headers: asked });
  assert.deepEqual(
    [open.headers['access-control-allow-origin'], open.headers['access-control-allow-headers']],
    ['*', 'x-a,X-C'],
  );
});

test('limits: of a route 429 for verified senders, of all together 503, each with when to come again', async () => {
  const bench = await new NodeBench().open(oneRoute({ limit: { perSecond: 0.5, burst: 2 } }));
  const send = async (id: string): Promise<unknown> => {
    const told = await ask(bench, { path: '/hook', headers: signed(id, '{}'), body: '{}' });
    return [told.status, told.headers['retry-after']];
  };
  for (let index = 0; index < 5; index += 1) {
    const told = await ask(bench, { path: '/hook', headers: signed('x', '{}', 'guess'), body: '{}' });
    assert.equal(told.status, 401, 'who is not verified uses nothing up');
  }
  assert.deepEqual(await send('1'), [200, undefined]);
  assert.deepEqual(await send('2'), [200, undefined]);
  assert.deepEqual(await send('3'), [429, '2']);
  await bench.simulation.pass(2000);
  assert.deepEqual(await send('3'), [200, undefined]);
  const config = oneRoute();
  const gateway = { ...(config['gateway'] as object), limit: { perSecond: 1, burst: 1 } };
  const all = await new NodeBench().open({ ...config, gateway });
  assert.equal((await ask(all, { path: '/none' })).status, 404);
  const told = await ask(all, { path: '/hook', headers: signed('1', '{}'), body: '{}' });
  assert.deepEqual([told.status, told.headers['retry-after']], [503, '1']);
});
