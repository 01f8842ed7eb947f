import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { verify } from '@octokit/webhooks-methods';
import { ask, NodeBench, oneRoute, SECRET, signed } from './harness.fixture.ts';

const FORM_TYPE = 'application/x-www-form-urlencoded';

function payloads(): string[] {
  const require = createRequire(import.meta.url);
  const definitions = require('@octokit/webhooks-examples') as readonly { examples: readonly unknown[] }[];
  return definitions.flatMap(({ examples }) => examples.map((example) => JSON.stringify(example)));
}

async function storedData(bench: NodeBench, shard: string): Promise<readonly string[]> {
  const asked = { StreamName: 'hooks', ShardId: shard, ShardIteratorType: 'TRIM_HORIZON' };
  let { ShardIterator } = await bench.call('Kinesis_20131202.GetShardIterator', asked);
  const data: string[] = [];
  for (;;) {
    const page = await bench.call('Kinesis_20131202.GetRecords', { ShardIterator, Limit: 1000 });
    if (page.Records.length === 0) return data;
    for (const { Data } of page.Records) data.push(Buffer.from(Data, 'base64').toString());
    ShardIterator = page.NextShardIterator;
  }
}

test('every published payload of GitHub goes through a signed route, as JSON and as a form', async () => {
  const all = payloads();
  assert.ok(all.length >= 300, `${all.length} payloads`);
  const bench = await new NodeBench().open(oneRoute({ payload: 'json' }));
  for (const [index, json] of all.entries()) {
    const form = `payload=${encodeURIComponent(json)}`;
    for (const [id, body, type] of [[`json-${index}`, json, 'application/json'], [`form-${index}`, form, FORM_TYPE]] as const) {
      const headers: Record<string, string> = { ...signed(id, body), 'content-type': type };
      assert.equal(await verify(SECRET, body, headers['x-hub-signature-256'] ?? ''), true);
      const told = await ask(bench, { path: '/hook', headers, body });
      assert.equal(told.status, 200, id);
    } // prettier-ignore
  }
  const data = [
    ...(await storedData(bench, 'shardId-000000000000')),
    ...(await storedData(bench, 'shardId-000000000001')),
  ];
  assert.deepEqual(data.sort(), [...all, ...all].sort());
});
