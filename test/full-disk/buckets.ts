import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { filesBelow } from '../support/files-below.ts';
import { kinesis } from '../support/kinesis.ts';
import { removeDirectory, startNodeProcess, temporaryDirectory, type NodeProcess } from '../support/node-process.ts';
import { mountSmallDisk } from '../support/small-disk.ts';
import { health, healthyWithin, within } from './small-disk-node.ts';

const MIB = 1024 * 1024;
const DISK_MIB = 64;
/** With it the disk holds a part of what is delivered, and without it all. */
const BALLAST_MIB = 56;
const RECORDS = 320;
const RECORD_BYTES = 100_000;
const BATCH = 40;
const WAIT_MS_MAX = 120_000;
const CONFIG = {
  streams: { events: { ShardCount: 2 } },
  deliveries: {
    archive: {
      from: 'events',
      ExtendedS3DestinationConfiguration: {
        BucketARN: 'archive',
        BufferingHints: { SizeInMBs: 2, IntervalInSeconds: 1 },
      },
    },
  },
};

function recordsOf(life: number): readonly string[] {
  return Array.from({ length: RECORDS / 2 }, (_, index) =>
    `${life}/${index};`.padEnd(RECORD_BYTES - 1, '.').concat('\n'),
  );
}

async function put(node: NodeProcess, texts: readonly string[]): Promise<void> {
  for (let from = 0; from < texts.length; from += BATCH) {
    const Records = texts.slice(from, from + BATCH).map((text, index) => {
      return { Data: Buffer.from(text).toString('base64'), PartitionKey: `${from + index}` };
    });
    const answer = (await kinesis(node.api, 'PutRecords', { StreamName: 'events', Records })) as {
      FailedRecordCount: number;
    };
    assert.equal(answer.FailedRecordCount, 0, 'the log has a disk of its own');
  }
}

async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  await within(WAIT_MS_MAX, isSo, () => `not within the time: ${what}`);
}

/** Whether health says that the delivery's disk is full. */
async function isToldFull(node: NodeProcess): Promise<boolean> {
  return /archive: .*(ENOSPC|space|full)/.test((await health(node)).problems.join('; '));
}

/**
 * The disk of the buckets is full, and that of the log is not: puts go on, health says it, also in the next life after a
 * kill -9, and when there is room again each record stands in one object.
 */
export async function deliverToFullBuckets(): Promise<void> {
  const disk = mountSmallDisk(DISK_MIB);
  const home = temporaryDirectory('full-buckets');
  const [config, data, ballast] = [join(home, 'millrace.json'), join(home, 'data'), join(disk.path, 'ballast')];
  writeFileSync(config, JSON.stringify(CONFIG));
  mkdirSync(data, { mode: 0o700 });
  mkdirSync(join(disk.path, 'buckets'));
  symlinkSync(join(disk.path, 'buckets'), join(data, 'buckets'));
  writeFileSync(ballast, Buffer.alloc(BALLAST_MIB * MIB));
  const delivered = (): string[] => filesBelow(join(disk.path, 'buckets')).map((path) => readFileSync(path, 'utf8'));
  let node = await startNodeProcess({ config, data });
  try {
    const first = recordsOf(0);
    await put(node, first);
    await until('health says that the disk is full', async () => await isToldFull(node));
    await node.kill();
    node = await startNodeProcess({ config, data });
    const second = recordsOf(1);
    await put(node, second);
    await until('and says it again', async () => await isToldFull(node));
    const before = delivered().join('').length;
    assert.ok(before > 0 && before < RECORDS * RECORD_BYTES, `${before} bytes fitted`);
    rmSync(ballast);
    await until('all is delivered', () => delivered().join('').length >= RECORDS * RECORD_BYTES);
    await healthyWithin(node, WAIT_MS_MAX);
    const lines = delivered().join('').split('\n').slice(0, -1);
    const wanted = [...first, ...second].map((text) => text.slice(0, -1));
    assert.deepEqual(lines.toSorted(), wanted.toSorted(), 'each record once');
    assert.equal(await node.stop(), 0, node.output());
  } finally {
    await node.kill();
    disk.remove();
    removeDirectory(home);
  }
}
