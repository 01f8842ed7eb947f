/**
 * A disk that is really full: a node on a small tmpfs, filled by puts until they are refused. Needs the right to mount;
 * without it the suite says so and fails, unless `ALLOW_SKIPS=1`.
 */
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { kinesis } from '../support/kinesis.ts';
import { mountSmallDisk } from '../support/small-disk.ts';
import { deliverToFullBuckets } from './buckets.ts';
import { DELIVERIES } from './deliveries.ts';
import { createStream } from './filler.ts';
import {
  assertToldFull,
  DISK_BYTES,
  type Full,
  healthyWithin,
  onSmallDisk,
  ROOM_MS_MAX,
  type Start,
} from './small-disk-node.ts';

const BALLAST_MIB = 64;
/** What must fit once nine tenths of the records may go: a part of it, since the cleaner needs room to work. */
const ROOM_MIB = 64;
const TUNABLE = 'dist-test/test/support/tunable-node.js';

const TESTS: readonly (readonly [string, Start, (full: Full) => Promise<void>])[] = [
  ...DELIVERIES,
  [
    'reads go on, puts are refused, health says so',
    {},
    async ({ node, filler }) => {
      await createStream(node, 'keep');
      await filler.fill(node, ['keep'], DISK_BYTES);
      await assertToldFull(node);
      await filler.judge(node, 'keep');
      // Bringing records together may have made a little room meanwhile.
      await filler.fill(node, ['keep'], DISK_BYTES / 10);
      assert.equal(await node.stop(), 0, node.output());
    },
  ],
  [
    'a restart on the full disk, after kill -9 and after a clean stop',
    {},
    async ({ node, filler, startAgain }) => {
      await createStream(node, 'keep');
      await filler.fill(node, ['keep'], DISK_BYTES);
      await node.kill();
      const second = await startAgain();
      await filler.judge(second, 'keep');
      await filler.fill(second, ['keep'], DISK_BYTES);
      await assertToldFull(second);
      assert.equal(await second.stop(), 0, second.output());
      const third = await startAgain();
      await filler.judge(third, 'keep');
    },
  ],
  [
    'more space makes puts work again, without a restart',
    {},
    async ({ disk, node, filler }) => {
      const ballast = join(disk.path, 'ballast');
      writeFileSync(ballast, Buffer.alloc(BALLAST_MIB * 1024 * 1024));
      await createStream(node, 'keep');
      await filler.fill(node, ['keep'], DISK_BYTES);
      rmSync(ballast);
      await filler.takesWithin(node, 'keep', BALLAST_MIB / 2, ROOM_MS_MAX);
      await healthyWithin(node, ROOM_MS_MAX);
      await filler.judge(node, 'keep');
    },
  ],
  [
    'a deleted stream makes puts work again, though what stays stands between its records',
    {},
    async ({ node, filler }) => {
      await createStream(node, 'keep');
      await createStream(node, 'junk');
      await filler.fill(node, ['keep', ...Array<string>(9).fill('junk')], DISK_BYTES);
      await kinesis(node.api, 'DeleteStream', { StreamName: 'junk' });
      await filler.takesWithin(node, 'keep', ROOM_MIB, ROOM_MS_MAX);
      await healthyWithin(node, ROOM_MS_MAX);
      await filler.judge(node, 'keep');
    },
  ],
  [
    'a shorter retention makes puts work again',
    { program: TUNABLE },
    async ({ node, filler }) => {
      await createStream(node, 'keep');
      await createStream(node, 'junk');
      for (const stream of ['keep', 'junk']) {
        await kinesis(node.api, 'IncreaseStreamRetentionPeriod', { StreamName: stream, RetentionPeriodHours: 48 });
      }
      await filler.fill(node, ['keep', ...Array<string>(9).fill('junk')], DISK_BYTES);
      // The clock jumps 30 hours ahead: nothing is too old yet.
      node.child.kill('SIGUSR2');
      await filler.judge(node, 'junk');
      await filler.fill(node, ['junk'], DISK_BYTES / 10);
      await kinesis(node.api, 'DecreaseStreamRetentionPeriod', { StreamName: 'junk', RetentionPeriodHours: 24 });
      await filler.takesWithin(node, 'keep', ROOM_MIB, ROOM_MS_MAX);
      await healthyWithin(node, ROOM_MS_MAX);
      await filler.judge(node, 'keep');
    },
  ],
];

/** Undefined, or why the suite proves nothing here. */
function whyNot(): string | undefined {
  try {
    mountSmallDisk(1).remove();
    return undefined;
  } catch (error) {
    return `skipped, not proven: ${error instanceof Error ? error.message : String(error)}`;
  }
}

const reason = whyNot();
if (reason === undefined) {
  for (const [name, start, run] of TESTS) {
    test(`a full disk: ${name}`, { timeout: 300_000 }, async () => await onSmallDisk(start, run));
  }
  test('a full disk under the buckets alone', { timeout: 300_000 }, deliverToFullBuckets);
} else {
  process.stdout.write(`a full disk: ${reason}\n`);
  test('a full disk', { skip: process.env['ALLOW_SKIPS'] === '1' && reason }, () => assert.fail(reason));
}
