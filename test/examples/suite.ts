/** Each example as its README says: its events go in, its expected result comes out. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import { filesBelow } from '../support/files-below.ts';
import {
  call,
  removeDirectory,
  startNodeProcess,
  temporaryDirectory,
  type NodeProcess,
} from '../support/node-process.ts';

import './sse-archive.ts';

const HOME = 'examples/webhook-search';

interface Expected {
  readonly accepted: number;
  readonly duplicates: number;
  readonly stream: string;
  readonly records: number;
  readonly bucket: string;
  readonly objects: number;
  readonly objectName: string;
  readonly paused: readonly string[];
}

async function send(
  node: NodeProcess,
  id: string,
  body: Buffer,
): Promise<{ duplicate: boolean; SequenceNumber: string }> {
  const signature = createHmac('sha256', node.secret('GITHUB_WEBHOOK')).update(body).digest('hex');
  const answer = await fetch(`${node.gateway}/test/git-data`, {
    method: 'POST',
    body: new Uint8Array(body),
    headers: {
      'content-type': 'application/json',
      'x-github-event': 'push',
      'x-github-delivery': id,
      'x-hub-signature-256': `sha256=${signature}`,
    },
  });
  assert.equal(answer.status, 200, await answer.clone().text());
  return (await answer.json()) as { duplicate: boolean; SequenceNumber: string };
}

test('webhook-search: its events in, its objects out', async () => {
  const expected = JSON.parse(readFileSync(join(HOME, 'expected.json'), 'utf8')) as Expected;
  const events = readdirSync(join(HOME, 'events')).map((name) => readFileSync(join(HOME, 'events', name)));
  const data = temporaryDirectory('example');
  const node = await startNodeProcess({ config: join(HOME, 'millrace.yaml'), data });
  try {
    const first = await Promise.all(events.map(async (body, index) => await send(node, `delivery-${index}`, body)));
    const again = await Promise.all(events.map(async (body, index) => await send(node, `delivery-${index}`, body)));
    assert.equal(first.filter(({ duplicate }) => !duplicate).length, expected.accepted);
    assert.equal(again.filter(({ duplicate }) => duplicate).length, expected.duplicates);
    assert.deepEqual(
      again.map(({ SequenceNumber }) => SequenceNumber),
      first.map(({ SequenceNumber }) => SequenceNumber),
    );
    await fetch(`${node.api}/admin/deliveries/git-data-delivery-stream/flush`, { method: 'POST' });
    const bucket = join(data, 'buckets', expected.bucket);
    const objects = filesBelow(bucket);
    assert.equal(objects.length, expected.objects);
    const [object = ''] = objects;
    assert.match(relative(bucket, object), new RegExp(expected.objectName));
    const delivered = readFileSync(object);
    assert.equal(
      delivered.length,
      events.reduce((sum, body) => sum + body.length, 0),
    );
    for (const body of events) assert.ok(delivered.includes(body), 'every event is delivered byte for byte');
    const deliveries = await (await fetch(`${node.api}/admin/deliveries`)).text();
    for (const name of expected.paused)
      assert.ok(deliveries.includes(name) && deliveries.includes('paused: not built'));
    const { body } = await call(node.api, 'Kinesis_20131202.DescribeStreamSummary', { StreamName: expected.stream });
    assert.ok(JSON.stringify(body).includes('ON_DEMAND'));
  } finally {
    assert.equal(await node.stop(), 0, node.output());
    removeDirectory(data);
  }
});
