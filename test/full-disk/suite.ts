/**
 * A disk that is really full: a node on a small tmpfs, filled by puts until they are refused. Needs the right to mount;
 * without it the suite says so and fails, unless `ALLOW_SKIPS=1`.
 */
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { kinesis } from '../support/kinesis.ts';
import { startNodeProcess, type NodeProcess } from '../support/node-process.ts';
import { mountSmallDisk, type SmallDisk } from '../support/small-disk.ts';
import { deliverToFullBuckets } from './buckets.ts';
import { createStream, Filler } from './filler.ts';

/** The log keeps 64 MiB for deletes and the cleaner, and begins a new segment every 64 MiB. */
const DISK_MIB = 320;
const DISK_BYTES = DISK_MIB * 1024 * 1024;
const BALLAST_MIB = 64;
/** What must fit once nine tenths of the records may go: a part of it, since the cleaner needs room to work. */
const ROOM_MIB = 64;
const TUNABLE = 'dist-test/test/support/tunable-node.js';
/** What expires is looked for once a minute. */
const ROOM_MS_MAX = 90_000;

interface Full {
  readonly disk: SmallDisk;
  readonly filler: Filler;
  readonly node: NodeProcess;
  /** The same data directory in another process; the one before must have ended. */
  readonly startAgain: () => Promise<NodeProcess>;
}

/** Runs a test on a disk of its own, and ends every node it started. */
async function onSmallDisk(program: string | undefined, run: (full: Full) => Promise<void>): Promise<void> {
  const disk = mountSmallDisk(DISK_MIB);
  const started: NodeProcess[] = [];
  const startAgain = async (): Promise<NodeProcess> => {
    const node = await startNodeProcess({ data: join(disk.path, 'data'), ...(program !== undefined && { program }) });
    started.push(node);
    return node;
  };
  try {
    await run({ disk, filler: new Filler(), node: await startAgain(), startAgain });
  } finally {
    for (const node of started) await node.kill();
    disk.remove();
  }
}

interface Health {
  readonly ok: boolean;
  readonly problems: readonly string[];
}

async function health(node: NodeProcess): Promise<Health> {
  return (await (await fetch(`${node.api}/healthz`)).json()) as Health;
}

async function assertToldFull(node: NodeProcess): Promise<void> {
  const { ok, problems } = await health(node);
  assert.equal(ok, false, 'health says that something is wrong');
  assert.match(problems.join('; '), /full|space|disk/, 'and what');
}

async function healthyWithin(node: NodeProcess, ms: number): Promise<void> {
  for (const end = performance.now() + ms; !(await health(node)).ok;) {
    assert.ok(performance.now() < end, JSON.stringify(await health(node)));
    await new Promise((done) => setTimeout(done, 100));
  }
}

const TESTS: readonly (readonly [string, string | undefined, (full: Full) => Promise<void>])[] = [
  [
    'reads go on, puts are refused, health says so',
    undefined,
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
    undefined,
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
    undefined,
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
    undefined,
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
    TUNABLE,
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
  for (const [name, program, run] of TESTS) {
    test(`a full disk: ${name}`, { timeout: 300_000 }, async () => await onSmallDisk(program, run));
  }
  test('a full disk under the buckets alone', { timeout: 300_000 }, deliverToFullBuckets);
} else {
  process.stdout.write(`a full disk: ${reason}\n`);
  test('a full disk', { skip: process.env['ALLOW_SKIPS'] === '1' && reason }, () => assert.fail(reason));
}
