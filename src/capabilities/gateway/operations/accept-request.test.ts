import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { ask, NodeBench, oneRoute, signed, stored, type Answer, type Told } from '../harness.fixture.ts';

const BODY = '{"n":1}';

async function withSchema(schema: unknown, route: object = {}): Promise<NodeBench> {
  const bench = new NodeBench();
  const { files } = bench.simulation.environment;
  await bench.simulation.drive(
    (async () => {
      await files.makeDirectory('/config');
      const file = await files.open('/config/hook.schema.json', 'create');
      await file.write(Buffer.from(typeof schema === 'string' ? schema : JSON.stringify(schema)), 0);
      await file.close();
    })(),
  );
  const config = oneRoute({ schema: './hook.schema.json', ...route });
  return await bench.open({ ...config, streams: { hooks: { ShardCount: 2 }, bad: { ShardCount: 1 } } });
}

async function send(bench: NodeBench, id: string, body: string): Promise<Told> {
  return await ask(bench, { path: '/hook', headers: signed(id, body), body });
}

async function quarantined(bench: NodeBench): Promise<Answer[]> {
  const asked = { StreamName: 'bad', ShardId: 'shardId-000000000000', ShardIteratorType: 'TRIM_HORIZON' };
  const { ShardIterator } = await bench.call('Kinesis_20131202.GetShardIterator', asked);
  const { Records } = await bench.call('Kinesis_20131202.GetRecords', { ShardIterator });
  return Records.map(({ Data }: { Data: string }) => JSON.parse(Buffer.from(Data, 'base64').toString()));
}

test('compressed bodies are verified as they came and stored as they were', async () => {
  const bench = await new NodeBench().open(oneRoute());
  for (const [encoding, body] of [['gzip', gzipSync(BODY)], ['br', brotliCompressSync(BODY)]] as const) {
    const headers = { ...signed(encoding, body), 'content-encoding': encoding };
    assert.equal((await ask(bench, { path: '/hook', headers, body })).status, 200, encoding);
  } // prettier-ignore
  assert.deepEqual(
    (await stored(bench)).map(([, data]) => data),
    [BODY, BODY],
  );
});

test('bombs: unverified ones are never opened, verified ones end at the bound', async () => {
  const bench = await new NodeBench().open(oneRoute({ inflatedBytesMax: 1000 }));
  const body = gzipSync(Buffer.alloc(1001, 0x20));
  const headers = { ...signed('id', body), 'content-encoding': 'gzip' };
  const stranger = { ...headers, 'x-hub-signature-256': `sha256=${'0'.repeat(64)}` };
  assert.equal((await ask(bench, { path: '/hook', headers: stranger, body })).status, 401);
  assert.equal((await ask(bench, { path: '/hook', headers, body })).status, 413);
  const whole = await new NodeBench().open(oneRoute());
  const large = gzipSync(Buffer.alloc(64 * 1024 * 1024));
  const told = await ask(whole, {
    path: '/hook',
    headers: { ...signed('id', large), 'content-encoding': 'gzip' },
    body: large,
  });
  assert.equal(told.status, 413);
  assert.deepEqual(await stored(whole), []);
});

test('a schema refuses what does not fit, and says no more', async () => {
  const bench = await withSchema({
    type: 'object',
    properties: { n: { type: 'integer', maximum: 5 } },
    required: ['n'],
  });
  for (const [body, status] of [[BODY, 200], ['{"n":6}', 422], ['{}', 422], ['[]', 422], ['{', 422]] as const) {
    const told = await send(bench, body, body);
    assert.equal(told.status, status, body);
    if (status === 422) assert.equal(told.json.error, 'InvalidContent');
  } // prettier-ignore
  assert.equal((await stored(bench)).length, 1);
});

test('a schema that goes as deep as the body does not fall over it', async () => {
  const bench = await withSchema({ $defs: { n: { type: 'array', items: { $ref: '#/$defs/n' } } }, $ref: '#/$defs/n' });
  const deep = '['.repeat(100_000) + ']'.repeat(100_000);
  assert.equal((await send(bench, 'id', deep)).status, 422);
  assert.equal((await send(bench, 'id', '[[]]')).status, 200);
});

test('quarantine takes what does not fit, with why, and its repeat too', async () => {
  const bench = await withSchema({ type: 'object' }, { onInvalid: { quarantine: 'bad' } });
  const told = await send(bench, 'id', '[1]');
  assert.deepEqual([told.status, told.json.quarantined, told.json.deliveryId], [200, true, 'id']);
  assert.equal((await send(bench, 'id', '[1]')).json.duplicate, false);
  const [first, ...others] = await quarantined(bench);
  assert.equal(others.length, 1);
  assert.deepEqual(
    [first.deliveryId, Buffer.from(first.body, 'base64').toString(), first.problems],
    ['id', '[1]', ['the body must be object (#/type)']],
  );
  assert.deepEqual(await stored(bench), []);
  assert.equal((await send(bench, 'id', '{}')).json.duplicate, false, 'the id is not used up');
});

test('quarantine takes a body that is too large for its records by its digest', async () => {
  const bench = await withSchema({ type: 'object' }, { onInvalid: { quarantine: 'bad' } });
  const body = JSON.stringify(['x'.repeat(900 * 1024)]);
  const told = await send(bench, 'id', body);
  assert.deepEqual([told.status, told.json.quarantined], [200, true]);
  const [only] = await quarantined(bench);
  assert.deepEqual(
    [only.body, only.bodyBytes, only.bodySha256, only.problems.length],
    [undefined, body.length, createHash('sha256').update(body).digest('hex'), 1],
  );
});

test('files that are no schemas', async () => {
  for (const [schema, said] of [
    ['{', /JSON/],
    ['[]', /a schema is a mapping/],
    [{ type: 'x' }, /type/],
    [{ $ref: 'https://example.org/other' }, /can't resolve reference/],
  ] as const) {
    await assert.rejects(withSchema(schema), said);
  }
  const missing = new NodeBench().open(oneRoute({ schema: 'nowhere.json' }));
  await assert.rejects(missing, /gateway\.routes\.POST \/hook\.schema: \/config\/nowhere\.json/);
});

test('older drafts and newer ones', async () => {
  const draft7 = await withSchema({
    $schema: 'http://json-schema.org/draft-07/schema#',
    definitions: { a: {} },
    items: [{ type: 'string' }],
  });
  assert.equal((await send(draft7, 'id', '[1]')).status, 422);
  const newest = await withSchema({
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    prefixItems: [{ type: 'string' }],
  });
  assert.equal((await send(newest, 'id', '[1]')).status, 422);
});
