import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { ask, NodeBench, oneRoute, signed, stored } from '../harness.fixture.ts';

const BODY = '{"repository":{"full_name":"a/b"},"n":1}';
const FORM = `payload=${encodeURIComponent(BODY)}`;
const FORM_TYPE = { 'content-type': 'application/x-www-form-urlencoded' };

test('payload: raw, json and envelope', async () => {
  for (const [payload, body, headers, data] of [
    ['raw', FORM, { ...signed('id', FORM), ...FORM_TYPE }, FORM],
    ['json', FORM, { ...signed('id', FORM), ...FORM_TYPE }, BODY],
    ['json', ` ${BODY}`, signed('id', ` ${BODY}`), ` ${BODY}`],
  ] as const) {
    const bench = await new NodeBench().open(oneRoute({ payload }));
    assert.equal((await ask(bench, { path: '/hook', headers, body })).status, 200);
    assert.deepEqual(await stored(bench), [['id', data]]);
  }
  const bench = await new NodeBench().open(oneRoute({ payload: 'json' }));
  assert.equal((await ask(bench, { path: '/hook', headers: signed('id', '{'), body: '{' })).status, 400);
});

test('an envelope has all of the request but its secrets', async () => {
  const bench = await new NodeBench().open(oneRoute({ payload: 'envelope' }));
  const body = Buffer.from([0xff, 0x00]);
  const headers = {
    ...signed('id', body),
    'content-type': 'image/png',
    authorization: 'Bearer s3cret',
    cookie: 'c=s3cret',
  };
  assert.equal((await ask(bench, { path: '/hook', query: 'a=b', headers, body })).status, 200);
  const data = (await stored(bench))[0]?.[1] ?? '';
  assert.ok(!data.includes('s3cret'));
  const { receivedAt, requestId, ...rest } = JSON.parse(data) as Record<string, unknown>;
  assert.match(String(receivedAt), /^\d{4}-.*Z$/);
  assert.match(String(requestId), /^[0-9a-f-]{36}$/);
  assert.deepEqual(rest, {
    deliveryId: 'id', method: 'POST', path: '/hook', query: 'a=b', remoteAddress: '127.0.0.1',
    headers: { ...headers, authorization: '***', cookie: '***' }, body: '/wA=',
  }); // prettier-ignore
});

test('the partition key comes from where the route says, or else is the delivery id', async () => {
  const send = async (options: object, more: object = {}): Promise<string | undefined> => {
    const bench = await new NodeBench().open(oneRoute(options));
    const headers = { ...signed('id', BODY), ...more };
    const told = await ask(bench, { path: '/hook', headers, body: BODY });
    return told.status === 200 ? (await stored(bench))[0]?.[0] : String(told.json.error);
  };
  assert.equal(await send({}), 'id');
  assert.equal(await send({ partitionKey: { id: true } }), 'id');
  assert.equal(await send({ partitionKey: { path: 'repository.full_name' } }), 'a/b');
  assert.equal(await send({ partitionKey: { path: 'nothing.here' } }), 'id');
  const off = { dedupe: 'off', partitionKey: { header: 'X-Key' } };
  assert.equal(await send(off, { 'x-key': 'k' }), 'k');
  assert.equal(await send(off), 'id');
  assert.equal(await send(off, { 'x-key': 'k'.repeat(256) }), 'k'.repeat(256));
  const digest = createHash('sha256').update('k'.repeat(257)).digest('hex');
  assert.equal(await send(off, { 'x-key': 'k'.repeat(257) }), digest);
});

test('dedupe.id takes the place of the sender’s own', async () => {
  const bench = await new NodeBench().open(oneRoute({ dedupe: { id: 'n' } }));
  const send = async (id: string, body: string): Promise<unknown> => {
    const { json } = await ask(bench, { path: '/hook', headers: signed(id, body), body });
    return [json.deliveryId, json.duplicate];
  };
  assert.deepEqual(await send('one', BODY), ['1', false]);
  assert.deepEqual(await send('two', BODY), ['1', true]);
  assert.deepEqual(await send('two', '{"n":2}'), ['2', false]);
});

test('ids and keys of numbers that JavaScript cannot tell apart are two', async () => {
  const bench = await new NodeBench().open(oneRoute({ dedupe: { id: 'id' }, partitionKey: { path: 'id' } }));
  for (const id of ['9007199254740992', '9007199254740993']) {
    const body = `{"id":${id}}`;
    const { json } = await ask(bench, { path: '/hook', headers: signed(id, body), body });
    assert.deepEqual([json.deliveryId, json.duplicate], [id, false]);
  }
  assert.deepEqual((await stored(bench)).map(([key]) => key).sort(), ['9007199254740992', '9007199254740993']);
});

test('a body larger than a record: refused, or checked in where its object can be found', async () => {
  const body = JSON.stringify({ text: 'x'.repeat(1024 * 1024) });
  const headers = signed('id', body);
  const refusing = await new NodeBench().open(oneRoute({ largeBody: 'reject' }));
  assert.equal((await ask(refusing, { path: '/hook', headers, body })).status, 413);
  const bench = await new NodeBench().open(oneRoute({ largeBody: { claimCheck: 'large' } }));
  const first = await ask(bench, { path: '/hook', headers, body });
  const again = await ask(bench, { path: '/hook', headers, body });
  assert.deepEqual(
    [first.status, again.json.duplicate, again.json.SequenceNumber],
    [200, true, first.json.SequenceNumber],
  );
  const records = await stored(bench);
  assert.equal(records.length, 1);
  const { claimCheck } = JSON.parse(records[0]?.[1] ?? '') as { claimCheck: Record<string, unknown> };
  const object = (await bench.objects('large')).get(String(claimCheck['key']));
  assert.equal(object?.toString(), body);
  assert.deepEqual(claimCheck, {
    bucket: 'large', key: claimCheck['key'], bytes: body.length, contentType: 'application/json',
    sha256: createHash('sha256').update(body).digest('hex'),
  }); // prettier-ignore
  const tooLong = signed('i'.repeat(257), body);
  assert.equal((await ask(bench, { path: '/hook', headers: tooLong, body })).json.error, 'InvalidDeliveryId');
  assert.equal((await bench.objects('large')).size, 1, 'what is refused leaves no object');
  const small = await ask(bench, { path: '/hook', headers: signed('small', '{}'), body: '{}' });
  assert.equal(small.status, 200);
  assert.deepEqual(
    (await stored(bench)).filter(([key]) => key === 'small'),
    [['small', '{}']],
  );
});

test('of one id at once with two bodies, the record and its object belong together', async () => {
  const bench = await new NodeBench().open(oneRoute({ largeBody: { claimCheck: 'large' } }));
  const bodies = ['x', 'y', 'z'].map((letter) => JSON.stringify({ text: letter.repeat(1024 * 1024) }));
  const posts = bodies.map(async (body) => await bench.gateway('/hook', signed('id', body), body));
  const answers = await bench.simulation.drive(Promise.all(posts));
  assert.equal(answers.filter(({ duplicate }) => duplicate === true).length, 2);
  const records = await stored(bench);
  assert.equal(records.length, 1);
  const { claimCheck } = JSON.parse(records[0]?.[1] ?? '') as { claimCheck: { key: string; sha256: string } };
  const object = (await bench.objects('large')).get(claimCheck.key) ?? '';
  assert.equal(createHash('sha256').update(object).digest('hex'), claimCheck.sha256);
});
