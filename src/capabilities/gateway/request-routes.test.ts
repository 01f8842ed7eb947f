import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeRequest } from '../../testing/fake-request.ts';
import { ask, functionsOf, NodeBench, oneRoute, SECRET, send, signed, type Answer } from './harness.fixture.ts';
import { BODY, redeliver, requests, sendAs } from './requests.fixture.ts';

test('a request stands in the log with its verdict and without what proves its sender', async () => {
  const bench = await new NodeBench().open(oneRoute());
  await sendAs(bench, 'r-1', 'd-1', { authorization: 'Bearer hidden', 'x-custom-token': 'hidden', 'user-agent': 'G' });
  const [entry, ...others] = await requests(bench);
  assert.equal(others.length, 0);
  assert.deepEqual(
    [entry.id, entry.route, entry.method, entry.path, entry.query, entry.outcome, entry.status, entry.deliveryId],
    ['r-1', 'POST /hook', 'POST', '/hook', 'token=***&n=1', 'accepted', 200, 'd-1'],
  );
  assert.deepEqual(entry.headers, {
    'content-type': 'application/json',
    'x-github-event': 'push',
    'x-github-delivery': 'd-1',
    'x-hub-signature-256': '***',
    authorization: '***',
    'x-custom-token': '***',
    'user-agent': 'G',
  });
  assert.equal(JSON.parse(entry.answer).SequenceNumber, entry.sequenceNumber);
  assert.deepEqual([entry.bytes, entry.isWhole, entry.body], [BODY.length, true, undefined]);
  for (const id of ['r-1', entry.number]) {
    const whole = await bench.admin('GET', '/admin/requests/{id}', { id });
    assert.equal(Buffer.from(whole.body, 'base64').toString(), BODY);
  }
  const { pieces } = await bench.admin('GET', '/admin/requests/{id}/body', { id: 'r-1' });
  const bytes: Uint8Array[] = [];
  for await (const piece of pieces) bytes.push(piece);
  assert.equal(Buffer.concat(bytes).toString(), BODY);
  assert.doesNotMatch(JSON.stringify(await bench.admin('GET', '/admin/requests/{id}', { id: 'r-1' })), /hidden|t0p/);
  await assert.rejects(bench.admin('GET', '/admin/requests/{id}', { id: 'r-2' }), /no request r-2/);
});

test('the log is read newest first, by pages and by what fits, also after a crash', async () => {
  const bench = await new NodeBench().open(oneRoute());
  for (let number = 0; number < 7; number += 1) await sendAs(bench, `r-${number}`, `d-${number % 6}`);
  await ask(bench, {
    id: 'r-7',
    path: '/hook',
    headers: { ...signed('d-7', BODY), 'x-hub-signature-256': 'no' },
    body: BODY,
  });
  await ask(bench, { id: 'r-8', path: '/nowhere' });
  const names = async (query: Readonly<Record<string, string>>): Promise<string[]> =>
    (await requests(bench, query)).map(({ id }) => id);
  assert.deepEqual(await names({}), ['r-7', 'r-6', 'r-5', 'r-4', 'r-3', 'r-2', 'r-1', 'r-0']);
  assert.deepEqual(await names({ outcome: 'duplicate' }), ['r-6']);
  assert.deepEqual(await names({ status: '4' }), ['r-7']);
  assert.deepEqual(await names({ status: '401', route: 'POST /hook' }), ['r-7']);
  assert.deepEqual(await names({ route: 'POST /other' }), []);
  assert.deepEqual(await names({ text: 'd-0' }), ['r-6', 'r-0']);
  assert.deepEqual(await names({ text: 'hello', limit: '2' }), ['r-6', 'r-5']);
  assert.deepEqual(await names({ from: new Date(bench.simulation.environment.clock.now() + 1).toISOString() }), []);
  const first = await bench.admin('GET', '/admin/requests', {}, { limit: '3' });
  const second = await bench.admin('GET', '/admin/requests', {}, { limit: '3', before: first.next });
  assert.deepEqual(second.requests.map(({ id }: Answer) => id), ['r-4', 'r-3', 'r-2']); // prettier-ignore
  await bench.close();
  await bench.open(oneRoute());
  assert.equal((await names({})).length, 8);
  for (const query of [{ status: 'x' }, { limit: 'x' }, { from: 'x' }, { text: 'x'.repeat(257) }]) {
    await assert.rejects(requests(bench, query), { code: 'BadRequest' });
  }
});

test('refused requests are sampled and cut; others are cut where the config says so', async () => {
  const bench = await new NodeBench().open({
    ...oneRoute(),
    gateway: { ...(oneRoute()['gateway'] as object), requestLog: { refusedPerMinute: 2, bodyBytesMax: 4 } },
  });
  const body = 'x'.repeat(20_000);
  const stranger = { ...signed('d', body), 'x-hub-signature-256': `sha256=${'0'.repeat(64)}` };
  for (let number = 0; number < 5; number += 1) await ask(bench, { path: '/hook', headers: stranger, body });
  const refused = await requests(bench, { outcome: 'refused' });
  assert.equal(refused.length, 2);
  assert.deepEqual([refused[0].code, refused[0].reason, refused[0].isWhole], ['Unauthorized', 'mismatch', false]);
  const whole = await bench.admin('GET', '/admin/requests/{id}', { id: refused[0].number });
  assert.equal(Buffer.from(whole.body, 'base64').length, 16 * 1024);
  await assert.rejects(redeliver(bench, refused[0].number, { again: 'true' }), { code: 'NotAccepted' });
  await send(bench, 'd-1', BODY);
  const [cut] = await requests(bench, { outcome: 'accepted' });
  assert.deepEqual([cut.isWhole, cut.bytes], [false, BODY.length]);
  await assert.rejects(redeliver(bench, cut.number, { again: 'true' }), { code: 'BodyNotKept' });
  await bench.simulation.pass(61_000);
  await ask(bench, { path: '/hook', headers: stranger, body });
  assert.equal((await requests(bench, { outcome: 'refused' })).length, 3, 'a new minute');
});

test('what an authorizer tells senders by is not in the log', async () => {
  const functions = functionsOf({ check: () => ({ isAuthorized: true }) });
  const identity = ['$request.header.X-Tenant', '$request.querystring.who'];
  const routes = { 'POST /hook': { authorizer: { function: 'check', identity }, to: 'hooks' } };
  const bench = await new NodeBench().open({ streams: { hooks: { ShardCount: 2 } }, gateway: { routes } }, functions);
  const headers = { 'content-type': 'application/json', 'x-tenant': 'hidden' };
  await ask(bench, { path: '/hook', query: 'who=hidden&n=1', headers, body: BODY });
  const [entry] = await requests(bench);
  assert.deepEqual([entry.outcome, entry.query, entry.headers['x-tenant']], ['accepted', 'who=***&n=1', '***']);
});

test('a log that is turned off keeps what it has for as long as it was to', async () => {
  const of = (requestLog: unknown): Readonly<Record<string, unknown>> => {
    const file = oneRoute();
    return { ...file, gateway: { ...(file['gateway'] as object), requestLog } };
  };
  const bench = await new NodeBench().open(of({ retentionHours: 720 }));
  const hours = (): number => (bench.node.records.describe('$requests')?.retentionMs ?? 0) / 3_600_000;
  await sendAs(bench, 'r-1', 'd-1');
  await requests(bench);
  assert.equal(hours(), 720);
  await sendAs(bench, 'r-2', 'd-2');
  await bench.simulation.drive(bench.node.reload(of('off')));
  assert.equal((await requests(bench)).length, 2);
  assert.equal(hours(), 720);
});

test('a window of time has requests whose bodies and functions took as long as they may', async () => {
  const gate: { open: () => void } = { open: () => undefined };
  const functions = {
    has: () => true,
    async invoke() {
      await new Promise<void>((resolve) => (gate.open = resolve));
      return { requestId: 'r', logTail: '', payload: Buffer.from('{}') };
    },
  };
  const verify = { github: { secrets: [SECRET] } };
  const bench = await new NodeBench().open(
    { gateway: { routes: { 'POST /hook': { function: 'slow', event: 'proxy2', verify } } } },
    functions,
  );
  const { clock } = bench.simulation.environment;
  const cameAt = clock.now();
  const request = fakeRequest({ id: 'r-1', path: '/hook', headers: signed('d-1', BODY), body: BODY });
  const answered = bench.node.gateway({
    ...request,
    async readBody(maxBytes) {
      await clock.sleep(119_000);
      return await request.readBody(maxBytes);
    },
  });
  await bench.simulation.pass(119_000);
  await bench.simulation.pass(29_000);
  gate.open();
  assert.equal((await bench.simulation.drive(answered)).status, 200);
  const [from, to] = [cameAt, cameAt + 1000].map((at) => new Date(at).toISOString());
  assert.deepEqual((await requests(bench, { from: from ?? '', to: to ?? '' })).map(({ id }) => id), ['r-1']); // prettier-ignore
});
