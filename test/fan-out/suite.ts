/** Subscribers that are killed, stall, or follow shards that come and go, on a node in a process of its own. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { subscribe, type EventStream } from '../conformance/event-stream.ts';
import { awsHeaders } from '../conformance/subject.ts';
import { kinesis, whenActive } from '../support/kinesis.ts';
import { removeDirectory, startNodeProcess, temporaryDirectory, type NodeProcess } from '../support/node-process.ts';

const SHARD = 'shardId-000000000000';
const FROM_START = { Type: 'TRIM_HORIZON' };
const MIB = 1024 * 1024;
const RSS_BYTES_MAX = 300 * MIB;

let data = '';
let node: NodeProcess;

before(async () => {
  data = temporaryDirectory('fan-out');
  node = await startNodeProcess({ data });
});

after(async () => {
  await node.kill();
  removeDirectory(data);
});

/** Creates a stream of one shard and a consumer of it for each name; their ARNs. */
async function prepare(StreamName: string, ...names: readonly string[]): Promise<string[]> {
  await kinesis(node.api, 'CreateStream', { StreamName, ShardCount: 1 });
  const StreamARN = `arn:aws:kinesis:us-east-1:000000000000:stream/${StreamName}`;
  const arns: string[] = [];
  for (const ConsumerName of names) {
    const answer = await kinesis(node.api, 'RegisterStreamConsumer', { StreamARN, ConsumerName });
    arns.push((answer as { Consumer: { ConsumerARN: string } }).Consumer.ConsumerARN);
  }
  return arns;
}

async function put(StreamName: string, text: string, PartitionKey = 'k'): Promise<void> {
  await kinesis(node.api, 'PutRecord', { StreamName, PartitionKey, Data: Buffer.from(text).toString('base64') });
}

async function metric(name: string): Promise<number> {
  const text = await (await fetch(`${node.api}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1] ?? Number.NaN);
}

/** Waits until a metric has a value; half a minute at most, for machines that have much else to do. */
async function settles(name: string, value: number): Promise<void> {
  const until = performance.now() + 30_000;
  while ((await metric(name)) !== value && performance.now() < until) await sleep(20);
  assert.equal(await metric(name), value, name);
}

/** Subscribers that were cut; the metric is there with the first one. */
async function cut(): Promise<number> {
  return (await metric('kinesis_subscriptions_cut_total')) || 0;
}

async function sleep(ms: number): Promise<void> {
  await new Promise((resolve) => void setTimeout(resolve, ms));
}

/** A subscriber of which only the socket is looked at. */
async function rawSubscriber(ConsumerARN: string): Promise<Socket> {
  const port = Number(new URL(node.api).port);
  const socket = connect({ port, host: '127.0.0.1' });
  socket.on('error', () => undefined);
  const body = JSON.stringify({ ConsumerARN, ShardId: SHARD, StartingPosition: FROM_START });
  const headers = {
    host: '127.0.0.1',
    ...awsHeaders('Kinesis_20131202.SubscribeToShard'),
    'content-length': body.length,
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`POST / HTTP/1.1\r\n${lines.join('')}\r\n${body}`);
  await once(socket, 'data');
  return socket;
}

test('killed and reset in the middle of frames, again and again: nothing is left of them', async () => {
  const names = Array.from({ length: 16 }, (_, index) => `c${index}`);
  const arns = await prepare('reset', ...names);
  for (let index = 0; index < 20; index += 1) await put('reset', 'x'.repeat(700_000));
  for (const [index, arn] of arns.entries()) {
    const socket = await rawSubscriber(arn);
    // Somewhere in a frame of 933,000 bytes.
    for (let seen = 0; seen < 100_000 + index * 70_001;) seen += ((await once(socket, 'data')) as [Buffer])[0].length;
    if (index % 2 === 0) socket.resetAndDestroy();
    else socket.destroy();
  }
  await settles('kinesis_subscriptions', 0);
  await settles('kinesis_fan_out_bytes', 0);
  assert.equal((await fetch(`${node.api}/healthz`)).status, 200);
});

test('who stops reading holds one event; the others are not held up, and nothing is lost to him', async () => {
  const [slowArn = '', quickArn = ''] = await prepare('stalled', 'slow', 'quick');
  const slow = await subscribe(node, slowArn, FROM_START);
  const quick = await subscribe(node, quickArn, FROM_START);
  const reading = quick.texts(150);
  const texts = Array.from({ length: 150 }, (_, index) => `${index} ${'y'.repeat(700_000)}`);
  for (const text of texts) await put('stalled', text);
  assert.deepEqual((await reading).map(numberOf), texts.map(numberOf));
  assert.ok((await metric('kinesis_fan_out_bytes')) <= 4 * MIB);
  const rss = Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${node.child.pid}/status`, 'utf8'))?.[1]) * 1024;
  assert.ok(rss < RSS_BYTES_MAX, `${Math.round(rss / MIB)} MiB`);
  assert.deepEqual(await slow.texts(150), texts);
  slow.leave();
  quick.leave();
});

test('six sockets that take nothing of large records hold up no other stream, and are cut while others wait', async () => {
  const names = Array.from({ length: 7 }, (_, index) => `c${index}`);
  const [lastArn = '', ...stalledArns] = await prepare('large', ...names);
  const StreamARN = 'arn:aws:kinesis:us-east-1:000000000000:stream/large';
  await kinesis(node.api, 'UpdateMaxRecordSize', { StreamARN, MaxRecordSizeInKiB: 10_240 });
  for (const letter of ['x', 'y']) await put('large', letter.repeat(9 * MIB));
  const [healthyArn = ''] = await prepare('small', 'c');
  const sockets: Socket[] = [];
  for (const arn of stalledArns) sockets.push((await rawSubscriber(arn)).pause());
  await settles('kinesis_fan_out_waiting', 1);
  const healthy = await subscribe(node, healthyArn, FROM_START);
  const tookMs: number[] = [];
  for (let index = 0; index < 20; index += 1) {
    const beganAt = performance.now();
    await put('small', String(index));
    assert.deepEqual(await healthy.texts(1), [String(index)]);
    tookMs.push(performance.now() - beganAt);
    // Who is held up waits until there is memory, which those that stall give back when they are cut.
    if (index === 0) assert.equal(await cut(), 0, 'the first one came while all memory was taken');
  }
  // One may wait for a disk that others write to; most do not.
  assert.ok((tookMs.toSorted((a, b) => a - b)[10] ?? Infinity) < 2000, `${tookMs.map(Math.round).join(' ')} ms`);
  // The sixth waits.
  const until = performance.now() + 60_000;
  while ((await cut()) === 0 && performance.now() < until) await sleep(100);
  // All that began together: more than one look apart the first one that is cut makes room for the sixth.
  const cutNow = await cut();
  assert.ok(cutNow >= 1 && cutNow <= 5, `${cutNow} are cut`);
  const last = await subscribe(node, lastArn, FROM_START);
  assert.deepEqual((await last.texts(2)).map(({ length }) => length), [9 * MIB, 9 * MIB]);
  for (const socket of sockets) socket.destroy();
  healthy.leave();
  last.leave();
  await settles('kinesis_fan_out_bytes', 0);
}); // prettier-ignore

function numberOf(text: string): number {
  return Number.parseInt(text, 10);
}

/** Follows shards from the first on, children after all of their parents are at their end, until `count` records came. */
async function follow(arn: string, count: number): Promise<string[]> {
  const seen: string[] = [];
  const begun = new Set<string>();
  const ended = new Set<string>();
  const waiting = new Map<string, readonly string[]>([[SHARD, []]]);
  const streams: EventStream[] = [];
  await new Promise<void>((resolve, reject) => {
    const look = (): void => {
      for (const [id, parents] of waiting) {
        if (begun.has(id) || !parents.every((parent) => ended.has(parent))) continue;
        begun.add(id);
        run(id).then(look, reject);
      }
      if (seen.length >= count) resolve();
    };
    const run = async (id: string): Promise<void> => {
      const stream = await subscribe(node, arn, FROM_START, id);
      streams.push(stream);
      for (let frame = await stream.next(); frame !== undefined; frame = await stream.next()) {
        assert.equal(frame.kind, 'event', JSON.stringify(frame));
        for (const { Data } of frame.body.Records) seen.push(Buffer.from(Data, 'base64').toString());
        for (const { ShardId, ParentShards } of frame.body.ChildShards ?? []) waiting.set(ShardId, ParentShards);
        if (seen.length >= count) resolve();
      }
      ended.add(id);
    };
    look();
  });
  for (const stream of streams) stream.leave();
  return seen;
}

test('through splits and merges while records flow: each record once, in order for each key', async () => {
  const [arn = ''] = await prepare('tree', 'c');
  const KEYS = 8;
  const following = follow(arn, 800);
  const reshard = async (): Promise<void> => {
    for (let next = 1; next < 12; next += 3) {
      const id = (ordinal: number): string => `shardId-${String(ordinal).padStart(12, '0')}`;
      const split = { StreamName: 'tree', ShardToSplit: id(next - 1), NewStartingHashKey: (2n ** 127n).toString() };
      await kinesis(node.api, 'SplitShard', split);
      await whenActive(node.api, 'tree');
      await sleep(50);
      const [ShardToMerge, AdjacentShardToMerge] = [id(next), id(next + 1)];
      await kinesis(node.api, 'MergeShards', { StreamName: 'tree', ShardToMerge, AdjacentShardToMerge });
      await whenActive(node.api, 'tree');
      await sleep(50);
    }
  };
  const writer = async (key: number): Promise<void> => {
    for (let index = 0; index < 800 / KEYS; index += 1) await put('tree', `${key}:${index}`, `key ${key}`);
  };
  await Promise.all([reshard(), Promise.all(Array.from({ length: KEYS }, async (_, key) => await writer(key)))]);
  const seen = await following;
  assert.equal(new Set(seen).size, 800);
  for (let key = 0; key < KEYS; key += 1) {
    const own = seen.filter((text) => text.startsWith(`${key}:`)).map((text) => Number(text.split(':')[1]));
    assert.deepEqual(
      own,
      own.toSorted((one, two) => one - two),
      `key ${key}`,
    );
  }
});

test('kill -9 and a clean stop: who goes on where it came to misses nothing and sees nothing twice', async () => {
  const [arn = ''] = await prepare('killed', 'c');
  const seen: string[] = [];
  let place: object = FROM_START;
  const take = async (stream: EventStream): Promise<void> => {
    for (let frame = await stream.next(); frame !== undefined; frame = await stream.next()) {
      for (const { Data } of frame.body.Records) seen.push(Buffer.from(Data, 'base64').toString());
      place = { Type: 'AFTER_SEQUENCE_NUMBER', SequenceNumber: frame.body.ContinuationSequenceNumber };
    }
  };
  const acknowledged: string[] = [];
  for (const end of ['kill', 'kill', 'stop'] as const) {
    const stream = await subscribe(node, arn, place);
    const taking = take(stream).then(
      () => 'clean',
      () => 'cut',
    );
    const until = performance.now() + 500;
    const ending = sleep(400).then(async () => await node[end]());
    while (performance.now() < until) {
      const text = `record ${acknowledged.length}`;
      try {
        await put('killed', text);
      } catch {
        break;
      }
      acknowledged.push(text);
    }
    assert.equal(await ending, end === 'stop' ? 0 : undefined);
    assert.equal(await taking, end === 'stop' ? 'clean' : 'cut');
    node = await startNodeProcess({ data });
  }
  const stream = await subscribe(node, arn, place);
  const last = take(stream).catch(() => undefined);
  while (!acknowledged.every((text) => seen.includes(text))) await sleep(20);
  stream.leave();
  await last;
  // What was on its way when the node was killed may have been stored: under the number of the next one.
  const known = new Set(acknowledged);
  assert.deepEqual(
    [...new Set(seen)].filter((text) => known.has(text)),
    acknowledged,
  );
  assert.equal(seen.length - new Set(seen).size <= 2, true, 'at most one unanswered record for each kill');
});
