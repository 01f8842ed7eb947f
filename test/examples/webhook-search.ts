import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { startBulkServer } from '../support/bulk-server.ts';
import { filesBelow } from '../support/files-below.ts';
import { readAll } from '../support/kinesis.ts';
import {
  call,
  removeDirectory,
  startNodeProcess,
  temporaryDirectory,
  type NodeProcess,
} from '../support/node-process.ts';
import {
  sendWebhookSearchEvents,
  WEBHOOK_SEARCH,
  webhookSearchEvents,
  webhookSearchExpected,
} from '../support/webhook-search.ts';

const WAIT_MS_MAX = 30_000;
const expected = webhookSearchExpected();

async function flush(node: NodeProcess, delivery: string): Promise<void> {
  await fetch(`${node.api}/admin/deliveries/${delivery}/flush`, { method: 'POST' });
}

async function until(isThere: () => boolean): Promise<void> {
  const end = performance.now() + WAIT_MS_MAX;
  while (!isThere()) {
    assert.ok(performance.now() < end, `not within ${WAIT_MS_MAX} ms`);
    await sleep(50);
  }
}

test('webhook-search: its events in, its objects out', async () => {
  const events = webhookSearchEvents();
  const data = temporaryDirectory('example');
  const node = await startNodeProcess({ config: WEBHOOK_SEARCH, data });
  try {
    const first = await sendWebhookSearchEvents(node);
    const again = await sendWebhookSearchEvents(node);
    assert.equal(first.filter(({ duplicate }) => !duplicate).length, expected.accepted);
    assert.equal(again.filter(({ duplicate }) => duplicate).length, expected.duplicates);
    assert.deepEqual(
      again.map(({ SequenceNumber }) => SequenceNumber),
      first.map(({ SequenceNumber }) => SequenceNumber),
    );
    await flush(node, 'git-data-delivery-stream');
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
    for (const name of expected.pausedWithoutCluster)
      assert.ok(deliveries.includes(name) && deliveries.includes('paused: not built'));
    const { body } = await call(node.api, 'Kinesis_20131202.DescribeStreamSummary', { StreamName: expected.stream });
    assert.ok(JSON.stringify(body).includes('ON_DEMAND'));
  } finally {
    assert.equal(await node.stop(), 0, node.output());
    removeDirectory(data);
  }
});

test('webhook-search: what came before there was a cluster is searched in it, and what it refuses is kept', async () => {
  const cluster = await startBulkServer(true);
  const data = temporaryDirectory('example');
  let node = await startNodeProcess({ config: WEBHOOK_SEARCH, data });
  try {
    const sent = await sendWebhookSearchEvents(node);
    assert.equal(await node.stop(), 0, node.output());
    const environment = { OPENSEARCH_URL: cluster.url, BUFFER_SECONDS: '1' };
    node = await startNodeProcess({ config: WEBHOOK_SEARCH, data, environment });
    await until(() => cluster.documents.size >= expected.documents - 1);
    const bodies = new Map(
      webhookSearchEvents().map((body, index) => [sent[index]?.SequenceNumber ?? '', body] as const),
    );
    const refused = [...bodies].filter(([, body]) => body.includes('"ref"'));
    assert.deepEqual(
      [...cluster.documents.keys()].toSorted(),
      [...bodies.keys()]
        .filter((id) => id !== refused[0]?.[0])
        .map((id) => `${expected.index}/${id}.0`)
        .toSorted(),
    );
    for (const [id, source] of cluster.documents) {
      const body = bodies.get(id.slice(`${expected.index}/`.length, -'.0'.length));
      assert.deepEqual(JSON.parse(source), JSON.parse(String(body)));
    }
    const failed = join(data, 'buckets', expected.failedBucket);
    await until(() => existsSync(failed) && filesBelow(failed).length > 0);
    const line = JSON.parse(readFileSync(filesBelow(failed)[0] ?? '', 'utf8')) as Record<string, string>;
    assert.deepEqual(Buffer.from(line['rawData'] ?? '', 'base64'), refused[0]?.[1]);
  } finally {
    assert.equal(await node.stop(), 0, node.output());
    await cluster.close();
    removeDirectory(data);
  }
});

interface Told {
  readonly SequenceNumber: string;
  readonly duplicate: boolean;
}

test('webhook-search: two processes that send one delivery at once are told of one record', async () => {
  const data = temporaryDirectory('example');
  const node = await startNodeProcess({ config: WEBHOOK_SEARCH, data });
  const trigger = async (event: string, delivery: string): Promise<Told> => {
    const words = ['dist/main.js', 'trigger', event, '--delivery', delivery, '--api', node.api];
    const { stdout } = await promisify(execFile)(process.execPath, words);
    return JSON.parse(stdout) as Told;
  };
  try {
    assert.equal((await trigger('github.ping', 'ping')).duplicate, false);
    const told = await Promise.all([trigger('github.star', 'star'), trigger('github.star', 'star')]);
    assert.equal(told.filter(({ duplicate }) => duplicate).length, 1);
    assert.equal(new Set(told.map(({ SequenceNumber }) => SequenceNumber)).size, 1);
    const records = [...(await readAll(node.api, expected.stream)).values()].flat();
    assert.deepEqual(records.map(({ key }) => key).toSorted(), ['ping', 'star']);
  } finally {
    assert.equal(await node.stop(), 0, node.output());
    removeDirectory(data);
  }
});
