import assert from 'node:assert/strict';
import { execFile, fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { startBulkServer } from '../support/bulk-server.ts';
import { filesBelow } from '../support/files-below.ts';
import type { HeldPostEnd, HeldPostOrder, HeldPostWord } from '../support/held-post.ts';
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

test('webhook-search: what `millrace trigger` sends twice is told of one record', async () => {
  const data = temporaryDirectory('example');
  const node = await startNodeProcess({ config: WEBHOOK_SEARCH, data });
  const trigger = async (event: string, delivery: string): Promise<Told> => {
    const words = ['dist/main.js', 'trigger', event, '--delivery', delivery, '--api', node.api];
    const { stdout } = await promisify(execFile)(process.execPath, words);
    return JSON.parse(stdout) as Told;
  };
  try {
    assert.equal((await trigger('github.ping', 'ping')).duplicate, false);
    const told = [await trigger('github.star', 'star'), await trigger('github.star', 'star')];
    assert.deepEqual(
      told.map(({ duplicate }) => duplicate),
      [false, true],
    );
    assert.equal(new Set(told.map(({ SequenceNumber }) => SequenceNumber)).size, 1);
    const records = [...(await readAll(node.api, expected.stream)).values()].flat();
    assert.deepEqual(records.map(({ key }) => key).toSorted(), ['ping', 'star']);
  } finally {
    assert.equal(await node.stop(), 0, node.output());
    removeDirectory(data);
  }
});

const HELD_POST = 'dist-test/test/support/held-post.js';
const ROUNDS = 100;

async function word(child: ChildProcess): Promise<HeldPostWord> {
  const [said] = (await once(child, 'message', { signal: AbortSignal.timeout(WAIT_MS_MAX) })) as [HeldPostWord];
  return said;
}

/** Both send all of a webhook but its last byte; once both have, both are let go. */
async function postTogether(children: readonly ChildProcess[], order: HeldPostOrder): Promise<readonly HeldPostEnd[]> {
  const held = children.map(word);
  for (const child of children) child.send(order);
  assert.deepEqual(await Promise.all(held), ['held', 'held']);
  const ended = children.map(word);
  for (const child of children) child.send('release');
  return (await Promise.all(ended)) as readonly HeldPostEnd[];
}

/** Whether each was whole on its way before either had an answer. */
function overlap(ends: readonly HeldPostEnd[]): boolean {
  const answeredAt = ends.map((end) => BigInt(end.answeredAt));
  return ends.every(({ releasedAt }) => answeredAt.every((at) => BigInt(releasedAt) < at));
}

test('webhook-search: two processes that send one delivery at once are told of one record', async (context) => {
  const data = temporaryDirectory('example');
  const node = await startNodeProcess({ config: WEBHOOK_SEARCH, data });
  const children = [fork(HELD_POST), fork(HELD_POST)];
  try {
    const rest = { url: `${node.gateway}/test/git-data`, secret: node.secret('GITHUB_WEBHOOK'), body: '{"zen":"one"}' };
    let overlaps = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      const ends = await postTogether(children, { ...rest, id: `round-${round}` });
      for (const { status, text } of ends) assert.equal(status, 200, text);
      const told = ends.map(({ text }) => JSON.parse(text) as Told);
      assert.equal(told.filter(({ duplicate }) => duplicate).length, 1);
      assert.equal(new Set(told.map(({ SequenceNumber }) => SequenceNumber)).size, 1);
      if (overlap(ends)) overlaps += 1;
    }
    context.diagnostic(`${overlaps} of ${ROUNDS} rounds overlapped`);
    assert.ok(overlaps > 0, 'none was under way while the other one was');
    const records = [...(await readAll(node.api, expected.stream)).values()].flat();
    const ids = Array.from({ length: ROUNDS }, (_, round) => `round-${round}`);
    assert.deepEqual(records.map(({ key }) => key).toSorted(), ids.toSorted());
  } finally {
    for (const child of children) child.kill();
    assert.equal(await node.stop(), 0, node.output());
    removeDirectory(data);
  }
});
