import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ask, NodeBench, stored, type Told } from '../harness.fixture.ts';
import { verifierKinds } from './index.ts';
import type { AnyVerifierKind, Sample } from './verifier.ts';

const STANDARD_SECRET = `whsec_${Buffer.alloc(24, 5).toString('base64')}`;
const OLD_STANDARD_SECRET = `whsec_${Buffer.alloc(24, 9).toString('base64')}`;
const BODY = '{"id":"evt_1","event_id":"Ev1","a":{"b":7}}';

/** One way to verify: its options around secrets, and the delivery id that its sample is expected to have. */
interface Way {
  readonly name: string;
  readonly options: (secrets: readonly unknown[]) => object;
  readonly secrets: readonly [now: string, old: string];
  readonly id: string | undefined;
  readonly isTimed: boolean;
  /** Whether the body is signed. */
  readonly isSealed: boolean;
}

const plain = { secrets: ['now', 'old'], isTimed: false, isSealed: true } as const;
const signing = { secrets: [STANDARD_SECRET, OLD_STANDARD_SECRET], isTimed: true, isSealed: true } as const;
const WAYS: readonly Way[] = [
  { ...plain, name: 'github', options: (secrets) => ({ secrets }), id: 'sample' },
  { ...signing, name: 'standard', options: (secrets) => ({ secrets }), id: 'sample' },
  { ...plain, name: 'stripe', options: (secrets) => ({ secrets }), id: 'evt_1', isTimed: true },
  { ...plain, name: 'slack', options: (secrets) => ({ secrets }), id: 'Ev1', isTimed: true },
  { ...plain, name: 'shopify', options: (secrets) => ({ secrets }), id: 'sample' },
  { ...plain, name: 'gitlab', options: (tokens) => ({ tokens }), id: 'sample', isSealed: false },
  { ...signing, name: 'gitlab', options: (secrets) => ({ secrets }), id: 'sample' },
  { ...plain, name: 'bitbucket', options: (secrets) => ({ secrets }), id: 'sample' },
  { ...plain, name: 'jira', options: (secrets) => ({ secrets }), id: 'sample' },
  { ...plain, name: 'hmac', options: (secrets) => ({ secrets, header: 'X-Sign' }), id: undefined },
  {
    ...plain,
    name: 'hmac',
    options: (secrets) => ({
      secrets, header: 'X-Sign', algorithm: 'sha512', encoding: 'base64url', prefix: 'v=', template: '{id}|{ts}|{body}',
      timestampHeader: 'X-At', idHeader: 'X-Id',
    }), // prettier-ignore
    id: 'sample',
    isTimed: true,
  },
  { ...plain, name: 'basic', options: (secrets) => ({ username: 'u', secrets }), id: undefined, isSealed: false },
  { ...plain, name: 'apiKey', options: (secrets) => ({ prefix: 'Key ', secrets }), id: undefined, isSealed: false },
  { ...plain, name: 'jwt', options: (secrets) => ({ secrets, issuer: 'i', audience: 'a' }), id: undefined, isTimed: true, isSealed: false },
]; // prettier-ignore

function kindOf(way: Way): AnyVerifierKind {
  const kind = verifierKinds.find(({ name }) => name === way.name);
  assert.ok(kind !== undefined);
  return kind;
}

function headersOf(way: Way, secret: string, sample: Partial<Sample>, nowMs: number): Record<string, string> {
  const whole = { body: Buffer.from(BODY), event: 'push', deliveryId: 'sample', nowMs, ...sample };
  const headers = kindOf(way).sign(way.options([secret]) as never, whole);
  assert.ok(headers !== undefined, way.name);
  return { 'content-type': 'application/json', ...headers };
}

async function open(way: Way, secrets: readonly unknown[], more: object = {}): Promise<NodeBench> {
  return await new NodeBench().open({
    streams: { hooks: { ShardCount: 2 } },
    gateway: { routes: { 'POST /hook': { verify: { [way.name]: way.options(secrets) }, to: 'hooks', ...more } } },
  });
}

for (const way of WAYS) {
  test(`${way.name}: ${JSON.stringify(way.options(['S']))}`, async () => {
    const [now, old] = way.secrets;
    const bench = await open(way, [{ value: old, notAfter: '2020-01-01T00:00:00Z' }, now]);
    const at = bench.simulation.environment.clock.now();
    const send = async (headers: Record<string, string>, body = BODY): Promise<Told> =>
      await ask(bench, { path: '/hook', headers, body });
    const good = headersOf(way, now, {}, at);
    const first = await send(good);
    assert.equal(first.status, 200, first.text);
    if (way.id !== undefined) assert.equal(first.json.deliveryId, way.id);
    assert.equal((await send(good)).json.duplicate, way.id !== undefined);
    const refused: [string, Record<string, string>, string?][] = [
      ['nothing', { 'content-type': 'application/json' }],
      ['a secret that is over', headersOf(way, old, {}, at)],
    ];
    for (const name of Object.keys(good)) {
      const isProof = /sign|token|authorization|api-key|hmac/.test(name);
      if (isProof)
        refused.push(
          [`${name} empty`, { ...good, [name]: '' }],
          [`${name} longer`, { ...good, [name]: `${good[name]}x` }],
        );
    }
    if (way.isSealed) refused.push(['another body', good, BODY.replace('7', '8')]);
    if (way.isTimed) {
      for (const ms of [-365_000, 365_000]) refused.push([`a clock ${ms} ms off`, headersOf(way, now, {}, at + ms)]);
    }
    for (const [what, headers, body] of refused) {
      // A token is good until its `exp`, which an issuer whose clock is behind has set for later than that.
      if (way.name === 'jwt' && what.includes('-365000')) continue;
      const told = await send(headers, body);
      assert.deepEqual([told.status, told.json.error], [401, 'Unauthorized'], what);
    }
    const records = await stored(bench);
    assert.equal(records.length, way.id === undefined ? 2 : 1);
    assert.ok(records.every(([, data]) => data === BODY));
    await bench.close();
  });
}

for (const way of WAYS) {
  test(`${way.name}: ${JSON.stringify(way.options(['S']))}: the next secret begins, the old one ends`, async () => {
    const [next, old] = way.secrets;
    const begin = new NodeBench().simulation.environment.clock.now();
    const iso = (seconds: number): string => new Date(begin + seconds * 1000).toISOString();
    const bench = await open(way, [
      { value: old, notAfter: iso(3000) },
      { value: next, notBefore: iso(2000) },
    ]);
    const { clock } = bench.simulation.environment;
    const told = async (): Promise<readonly number[]> => {
      const statuses: number[] = [];
      for (const secret of [old, next]) {
        statuses.push(
          (await ask(bench, { path: '/hook', headers: headersOf(way, secret, {}, clock.now()), body: BODY })).status,
        );
      }
      return statuses;
    };
    for (const [seconds, statuses] of [
      [0, [200, 401]],
      [1990, [200, 401]],
      [2010, [200, 200]],
      [2990, [200, 200]],
      [3010, [401, 200]],
    ] as const) {
      await bench.simulation.pass(begin + seconds * 1000 - clock.now());
      assert.deepEqual(await told(), statuses, `${seconds} s`);
    }
    // Where there is an id, it is the same with either secret.
    assert.equal((await stored(bench)).length, way.id === undefined ? 7 : 1);
    await bench.close();
  });
}

test('what nobody signed uses up no ids', async () => {
  const [way] = WAYS as [Way];
  const bench = await open(way, ['now']);
  const at = bench.simulation.environment.clock.now();
  for (let index = 0; index < 20; index += 1) {
    const headers = headersOf(way, 'guess', {}, at);
    assert.equal((await ask(bench, { path: '/hook', headers, body: BODY })).status, 401);
  }
  const told = await ask(bench, { path: '/hook', headers: headersOf(way, 'now', {}, at), body: BODY });
  assert.deepEqual([told.status, told.json.duplicate], [200, false]);
});

test('secrets change while requests come: none that the old or the new one signed is refused', async () => {
  const [way] = WAYS as [Way];
  const bench = await open(way, ['old']);
  const at = bench.simulation.environment.clock.now();
  const statuses: Promise<number>[] = [];
  const send = (secret: string): void => {
    const headers = headersOf(way, secret, { deliveryId: `id-${statuses.length}` }, at);
    statuses.push(bench.gateway('/hook', headers, BODY).then(({ status }) => status as number));
  };
  const reload = async (secrets: readonly string[]): Promise<void> =>
    await bench.node.reload({
      streams: { hooks: { ShardCount: 2 } },
      gateway: { routes: { 'POST /hook': { verify: { github: { secrets } }, to: 'hooks' } } },
    });
  await bench.simulation.drive(
    (async () => {
      for (let index = 0; index < 20; index += 1) send('old');
      const changing = reload(['old', 'new']);
      for (let index = 0; index < 20; index += 1) send('old');
      await changing;
      for (let index = 0; index < 20; index += 1) send(index % 2 === 0 ? 'old' : 'new');
      await Promise.all(statuses);
      await reload(['new']);
      send('new');
      await Promise.all(statuses);
    })(),
  );
  assert.deepEqual(new Set(await Promise.all(statuses)), new Set([200]));
  assert.equal((await stored(bench)).length, 61);
});

test('Slack gets its challenge back, once it is known to be Slack', async () => {
  const way = WAYS.find(({ name }) => name === 'slack') as Way;
  const bench = await open(way, ['now']);
  const body = '{"type":"url_verification","challenge":"3eZbrw1a"}';
  const at = bench.simulation.environment.clock.now();
  const told = await ask(bench, {
    path: '/hook',
    headers: headersOf(way, 'now', { body: Buffer.from(body) }, at),
    body,
  });
  assert.deepEqual([told.status, told.text, told.headers['content-type']], [200, '3eZbrw1a', 'text/plain']);
  const stranger = headersOf(way, 'guess', { body: Buffer.from(body) }, at);
  assert.equal((await ask(bench, { path: '/hook', headers: stranger, body })).status, 401);
  assert.deepEqual(await stored(bench), []);
});

test('Svix’s names are as good as the standard’s, but not mixed with them', async () => {
  const way = WAYS.find(({ name }) => name === 'standard') as Way;
  const bench = await open(way, [STANDARD_SECRET]);
  const good = headersOf(way, STANDARD_SECRET, {}, bench.simulation.environment.clock.now());
  const svix = Object.fromEntries(
    Object.entries(good).map(([name, value]) => [name.replace('webhook-', 'svix-'), value]),
  );
  assert.equal((await ask(bench, { path: '/hook', headers: svix, body: BODY })).status, 200);
  const { 'webhook-id': _, ...rest } = good;
  const mixed = { ...rest, 'svix-id': 'sample' };
  assert.equal((await ask(bench, { path: '/hook', headers: mixed, body: BODY })).status, 401);
});

test('addresses: alone, beside a signature, and never by what a header says', async () => {
  const gateway = {
    routes: {
      'POST /open': { verify: { ip: { allow: ['192.0.2.0/24', '2001:db8::1'] } }, to: 'hooks' },
      'POST /both': { verify: { apiKey: { secrets: ['k'] }, ip: { allow: ['192.0.2.7'] } }, to: 'hooks' },
    },
  };
  const bench = await new NodeBench().open({ streams: { hooks: { ShardCount: 2 } }, gateway });
  const type = { 'content-type': 'application/json' };
  const table: readonly (readonly [path: string, address: string, headers: object, status: number])[] = [
    ['/open', '192.0.2.200', type, 200],
    ['/open', '::ffff:192.0.2.200', type, 200],
    ['/open', '2001:db8:0:0::1', type, 200],
    ['/open', '2001:db8::2', type, 403],
    ['/open', '192.0.3.1', { ...type, 'x-forwarded-for': '192.0.2.1' }, 403],
    ['/open', '', type, 403],
    ['/both', '192.0.2.7', { ...type, 'x-api-key': 'k' }, 200],
    ['/both', '192.0.2.7', type, 401],
    ['/both', '192.0.2.8', { ...type, 'x-api-key': 'k' }, 403],
  ];
  for (const [path, remoteAddress, headers, status] of table) {
    const told = await ask(bench, { path, remoteAddress, headers: headers as Record<string, string>, body: '{}' });
    assert.equal(told.status, status, `${path} ${remoteAddress}`);
  }
});
