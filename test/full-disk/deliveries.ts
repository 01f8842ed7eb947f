/** Deliveries on a full disk: their position is kept, what waits goes on when there is room, and nothing is lost. */
import assert from 'node:assert/strict';
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, symlinkSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { filesBelow } from '../support/files-below.ts';
import { kinesis, readAll } from '../support/kinesis.ts';
import { temporaryDirectory, type NodeProcess } from '../support/node-process.ts';
import {
  assertToldFull,
  DISK_BYTES,
  type Full,
  healthyWithin,
  ROOM_MS_MAX,
  type Start,
  within,
} from './small-disk-node.ts';

const CONFIG = 'test/full-disk/millrace.yaml';
const STREAM = 'keep';
/** Half of the disk: what was not delivered fits when it goes, the reserve of the log beside it. */
const BALLAST_MIB = 160;
const DELIVERED_MS_MAX = 60_000;
/** Longer than the interval of the delivery's buffer, so that something was tried. */
const TRIED_MS = 5000;

/** The heads of all delivered records, in the order of their objects. */
function delivered(data: string): readonly string[] {
  const bucket = join(data, 'buckets', 'archive');
  return filesBelow(bucket).flatMap((path) => readFileSync(path, 'latin1').match(/keep\/\d+\/\d+;/g) ?? []);
}

/** The heads of all records that stand in the stream. */
async function standing({ api }: NodeProcess): Promise<readonly string[]> {
  const records = [...(await readAll(api, STREAM)).values()].flat();
  return records.map(({ text }) => text.slice(0, text.indexOf(';') + 1));
}

/** Everything that stands in the stream is delivered once; waits for as long as that may take. */
async function allDelivered(node: NodeProcess, ms: number): Promise<void> {
  const wanted = (await standing(node)).toSorted();
  await within(
    ms,
    () => delivered(node.data).length >= wanted.length,
    () => `${delivered(node.data).length} of ${wanted.length}\n${node.output().slice(-2000)}`,
  );
  assert.deepEqual(delivered(node.data).toSorted(), wanted);
}

const SAME_DISK: Start = {
  config: CONFIG,
  prepare({ path }) {
    writeFileSync(join(path, 'ballast'), Buffer.alloc(BALLAST_MIB * 1024 * 1024));
    return undefined;
  },
};

/** Writes until no byte fits any more. An object that failed leaves room, which the delivery would take at its next try. */
function takeAllRoom(path: string): void {
  const file = openSync(path, 'a');
  try {
    for (let bytes = 64 * 1024; bytes >= 1;) {
      try {
        writeSync(file, Buffer.alloc(bytes));
      } catch (error) {
        assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC');
        bytes = Math.floor(bytes / 2);
      }
    }
  } finally {
    closeSync(file);
  }
}

/** Resolves when the node has said so; rejects after so many ms. */
async function says(node: NodeProcess, what: RegExp, ms: number): Promise<void> {
  await within(
    ms,
    () => what.test(node.output()),
    () => node.output().slice(-2000),
  );
}

async function onTheSameDisk({ disk, node, filler, startAgain }: Full): Promise<void> {
  const [ballast, rest] = [join(disk.path, 'ballast'), join(disk.path, 'rest')];
  await filler.fill(node, [STREAM], DISK_BYTES);
  takeAllRoom(rest);
  await says(node, /delivery\.failed.*ENOSPC/, TRIED_MS);
  assert.ok(delivered(node.data).length > 100, 'some went out while there was room');
  assert.ok(delivered(node.data).length < (await standing(node)).length, 'and some wait');
  await assertToldFull(node);
  await node.kill();
  const second = await startAgain();
  await says(second, /delivery\.failed.*ENOSPC/, TRIED_MS);
  const before = delivered(second.data);
  assert.equal(new Set(before).size, before.length, 'no record is in two objects');
  for (const path of [ballast, rest]) rmSync(path);
  await allDelivered(second, ROOM_MS_MAX);
  await healthyWithin(second, ROOM_MS_MAX);
  await filler.takesWithin(second, STREAM, 1, ROOM_MS_MAX);
  await allDelivered(second, DELIVERED_MS_MAX);
  await filler.judge(second, STREAM);
}

/** The folder of buckets leads to another disk, which has room. */
const ELSEWHERE: Start = {
  config: CONFIG,
  prepare({ path }) {
    mkdirSync(join(path, 'data'), { mode: 0o700 });
    const buckets = temporaryDirectory('buckets');
    symlinkSync(buckets, join(path, 'data', 'buckets'));
    return buckets;
  },
};

async function elsewhere({ node, filler, startAgain }: Full): Promise<void> {
  await filler.fill(node, [STREAM], DISK_BYTES);
  await assertToldFull(node);
  await allDelivered(node, DELIVERED_MS_MAX);
  const { StreamDescriptionSummary } = (await kinesis(node.api, 'DescribeStreamSummary', { StreamName: STREAM })) as {
    StreamDescriptionSummary: { StreamARN: string };
  };
  const consumer = { StreamARN: StreamDescriptionSummary.StreamARN, ConsumerName: 'registered' };
  await kinesis(node.api, 'RegisterStreamConsumer', consumer);
  await node.kill();
  const second = await startAgain();
  // Whoever had lost its place would deliver again within a buffer's interval.
  await sleep(TRIED_MS);
  await allDelivered(second, DELIVERED_MS_MAX);
  await kinesis(second.api, 'DescribeStreamConsumer', consumer);
  await filler.fill(second, [STREAM], DISK_BYTES / 10);
  await assertToldFull(second);
  await filler.judge(second, STREAM);
}

/** Names, starts and the tests of deliveries. */
export const DELIVERIES: readonly (readonly [string, Start, (full: Full) => Promise<void>])[] = [
  ['a delivery to the same disk waits, also over a kill -9, and goes on when there is room', SAME_DISK, onTheSameDisk],
  ['a delivery to another disk goes on, keeps its place over a kill -9, and consumers register', ELSEWHERE, elsewhere],
];
