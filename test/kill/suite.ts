/**
 * Real `kill -9` in mid-load: writers put records and send webhooks while the process dies; after each restart every
 * acknowledged record must be there once, in order, and every object whole. Rounds: `KILL_ROUNDS` (20).
 */
import assert from 'node:assert/strict';
import { createHmac, randomUUID } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  call,
  removeDirectory,
  startNodeProcess,
  temporaryDirectory,
  type NodeProcess,
} from '../support/node-process.ts';

const ROUNDS = Number(process.env['KILL_ROUNDS'] ?? 20);
const WRITERS = 4;
const STREAM = 'git-data-stream';
const CONFIG = 'examples/webhook-search/millrace.yaml';

/** What the senders were told: record text to its position. */
interface Model {
  readonly acknowledged: Map<string, { shardId: string; sequenceNumber: string }>;
  /** Sent, with no answer seen: may be there or not, but not twice. */
  readonly uncertain: Set<string>;
  /** Delivery ids whose first answer was seen. */
  readonly answered: Map<string, string>;
}

interface Put {
  readonly ShardId: string;
  readonly SequenceNumber: string;
}

async function write(node: NodeProcess, model: Model, writer: string, stopped: () => boolean): Promise<void> {
  for (let count = 0; !stopped(); count += 1) {
    const texts = Array.from({ length: 10 }, (_, index) => `${writer}/${count}/${index};`);
    texts.forEach((text) => model.uncertain.add(text));
    const answer = await call(node.api, 'Kinesis_20131202.PutRecords', {
      StreamName: STREAM,
      Records: texts.map((text) => ({ Data: Buffer.from(text).toString('base64'), PartitionKey: writer })),
    }).catch(() => undefined);
    if (answer?.status !== 200) continue;
    const { Records } = answer.body as { Records: readonly Partial<Put>[] };
    Records.forEach(({ ShardId, SequenceNumber }, index) => {
      const text = texts[index];
      if (text === undefined || ShardId === undefined || SequenceNumber === undefined) return;
      model.uncertain.delete(text);
      model.acknowledged.set(text, { shardId: ShardId, sequenceNumber: SequenceNumber });
    });
  }
}

async function hook(node: NodeProcess, model: Model, stopped: () => boolean): Promise<void> {
  const secret = node.secret('GITHUB_WEBHOOK');
  while (!stopped()) {
    // Every third is a repeat of an id that was answered before, as a redelivery is.
    const known = [...model.answered.keys()].at(-3);
    const id = known !== undefined && Math.random() < 0.3 ? known : randomUUID();
    const body = JSON.stringify({ id });
    model.uncertain.add(body);
    const answer = await postWebhook(node, secret, id, body).catch(() => undefined);
    if (answer === undefined) continue;
    const first = model.answered.get(id);
    if (first !== undefined) assert.equal(answer.SequenceNumber, first, `webhook ${id} got a second answer`);
    model.uncertain.delete(body);
    model.answered.set(id, answer.SequenceNumber);
    model.acknowledged.set(body, { shardId: answer.ShardId, sequenceNumber: answer.SequenceNumber });
  }
}

async function postWebhook(node: NodeProcess, secret: string, id: string, body: string): Promise<Put | undefined> {
  const signature = createHmac('sha256', secret).update(body).digest('hex');
  const answer = await fetch(`${node.gateway}/test/git-data`, {
    method: 'POST',
    body,
    headers: {
      'content-type': 'application/json',
      'x-github-event': 'ping',
      'x-github-delivery': id,
      'x-hub-signature-256': `sha256=${signature}`,
    },
  });
  const text = await answer.text();
  return answer.status === 200 ? (JSON.parse(text) as Put) : undefined;
}

interface Stored {
  readonly text: string;
  readonly sequenceNumber: string;
}

/** Every record of every shard, in order. */
async function readAll(node: NodeProcess): Promise<Map<string, Stored[]>> {
  const { body } = await call(node.api, 'Kinesis_20131202.ListShards', { StreamName: STREAM });
  const shards = new Map<string, Stored[]>();
  for (const { ShardId } of (body as { Shards: readonly { ShardId: string }[] }).Shards) {
    shards.set(ShardId, await readShard(node, ShardId));
  }
  return shards;
}

async function readShard(node: NodeProcess, shardId: string): Promise<Stored[]> {
  const found: Stored[] = [];
  const first = await call(node.api, 'Kinesis_20131202.GetShardIterator', {
    StreamName: STREAM,
    ShardId: shardId,
    ShardIteratorType: 'TRIM_HORIZON',
  });
  let iterator = (first.body as { ShardIterator: string }).ShardIterator;
  for (;;) {
    const { body } = await call(node.api, 'Kinesis_20131202.GetRecords', { ShardIterator: iterator });
    const { Records, NextShardIterator, MillisBehindLatest } = body as {
      Records: readonly { Data: string; SequenceNumber: string }[];
      NextShardIterator: string;
      MillisBehindLatest: number;
    };
    for (const { Data, SequenceNumber } of Records) {
      found.push({ text: Buffer.from(Data, 'base64').toString(), sequenceNumber: SequenceNumber });
    }
    if (Records.length === 0 && MillisBehindLatest === 0) return found;
    iterator = NextShardIterator;
  }
}

function judge(model: Model, shards: ReadonlyMap<string, readonly Stored[]>): void {
  const seen = new Map<string, string>();
  for (const [shardId, records] of shards) {
    for (const [index, { text, sequenceNumber }] of records.entries()) {
      assert.ok(!seen.has(text), `doubled: ${text}`);
      seen.set(text, shardId);
      const before = records[index - 1];
      assert.ok(
        before === undefined || BigInt(before.sequenceNumber) < BigInt(sequenceNumber),
        'sequence numbers grow',
      );
      const told = model.acknowledged.get(text);
      assert.ok(told !== undefined || model.uncertain.has(text), `never sent: ${text}`);
      if (told !== undefined) assert.deepEqual(told, { shardId, sequenceNumber }, `moved: ${text}`);
    }
    assertOrder(records);
  }
  for (const text of model.acknowledged.keys()) assert.ok(seen.has(text), `missing: ${text}`);
}

/** One writer's records stand in the order in which it sent them. */
function assertOrder(records: readonly Stored[]): void {
  const last = new Map<string, number>();
  for (const { text } of records) {
    const [writer, count, index] = text.split(/[/;]/);
    if (writer === undefined || index === undefined) continue;
    const place = Number(count) * 10 + Number(index);
    assert.ok(place > (last.get(writer) ?? -1), `misordered: ${text}`);
    last.set(writer, place);
  }
}

function files(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    if (entry.name.startsWith('.')) return [];
    return entry.isDirectory() ? files(path) : [path];
  });
}

/** Every record of the stream is in exactly one object. */
function judgeObjects(data: string, shards: ReadonlyMap<string, readonly Stored[]>): void {
  const objects = files(join(data, 'buckets', 'git-data')).map((path) => readFileSync(path, 'utf8'));
  const delivered = objects.reduce((sum, text) => sum + text.length, 0);
  const stored = [...shards.values()].flat();
  assert.equal(
    delivered,
    stored.reduce((sum, { text }) => sum + text.length, 0),
    'bytes delivered = bytes stored',
  );
  const everything = objects.join('\n');
  for (const { text } of stored) assert.ok(everything.includes(text), `not delivered: ${text}`);
}

test(`kill -9 in mid-load, ${ROUNDS} rounds`, { timeout: 600_000 }, async () => {
  const data = temporaryDirectory('kill');
  const model: Model = { acknowledged: new Map(), uncertain: new Set(), answered: new Map() };
  const environment = { BUFFER_SECONDS: '1' };
  try {
    for (let round = 0; round < ROUNDS; round += 1) {
      const node = await startNodeProcess({ config: CONFIG, data, environment });
      let stopped = false;
      const writers = Array.from({ length: WRITERS }, (_, index) =>
        write(node, model, `r${round}w${index}`, () => stopped),
      );
      const hooks = [hook(node, model, () => stopped), hook(node, model, () => stopped)];
      await new Promise((resolve) => setTimeout(resolve, 150 + Math.random() * 900));
      await node.kill();
      stopped = true;
      await Promise.all([...writers, ...hooks]);
    }
    const node = await startNodeProcess({ config: CONFIG, data, environment });
    const shards = await readAll(node);
    judge(model, shards);
    await fetch(`${node.api}/admin/deliveries/git-data-delivery-stream/flush`, { method: 'POST' });
    judgeObjects(data, shards);
    assert.equal(await node.stop(), 0);
    assert.ok(model.acknowledged.size > 100, 'the load was real');
  } finally {
    removeDirectory(data);
  }
});
