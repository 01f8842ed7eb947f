import assert from 'node:assert/strict';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { removeDirectory, startNodeProcess, type NodeProcess } from '../support/node-process.ts';
import { mountSmallDisk, type SmallDisk } from '../support/small-disk.ts';
import { Filler } from './filler.ts';

/** The log keeps 64 MiB for deletes and the cleaner, and begins a new segment every 64 MiB. */
const DISK_MIB = 320;
export const DISK_BYTES = DISK_MIB * 1024 * 1024;
/** What expires is looked for once a minute. */
export const ROOM_MS_MAX = 90_000;
const LOOK_MS = 100;

/** A node on a disk of its own. */
export interface Full {
  readonly disk: SmallDisk;
  readonly filler: Filler;
  readonly node: NodeProcess;
  /** The same data directory in another process; the one before must have ended. */
  readonly startAgain: () => Promise<NodeProcess>;
}

/** How the node is started, and what is done to the disk before. */
export interface Start {
  readonly program?: string;
  readonly config?: string;
  /** May return a folder elsewhere, which is removed at the end. */
  readonly prepare?: (disk: SmallDisk) => string | undefined;
}

/** Runs a test on a disk of its own, and ends every node it started. */
export async function onSmallDisk({ prepare, ...options }: Start, run: (full: Full) => Promise<void>): Promise<void> {
  const disk = mountSmallDisk(DISK_MIB);
  const started: NodeProcess[] = [];
  const startAgain = async (): Promise<NodeProcess> => {
    const node = await startNodeProcess({ data: join(disk.path, 'data'), ...options });
    started.push(node);
    return node;
  };
  let elsewhere: string | undefined;
  try {
    elsewhere = prepare?.(disk);
    await run({ disk, filler: new Filler(), node: await startAgain(), startAgain });
  } finally {
    for (const node of started) await node.kill();
    disk.remove();
    if (elsewhere !== undefined) removeDirectory(elsewhere);
  }
}

interface Health {
  readonly ok: boolean;
  readonly problems: readonly string[];
}

/** What the node says of itself. */
export async function health(node: NodeProcess): Promise<Health> {
  return (await (await fetch(`${node.api}/healthz`)).json()) as Health;
}

/** Health says that something is wrong, and what. */
export async function assertToldFull(node: NodeProcess): Promise<void> {
  const { ok, problems } = await health(node);
  assert.equal(ok, false, 'health says that something is wrong');
  assert.match(problems.join('; '), /full|space|disk/, 'and what');
}

/** Resolves when it is so; rejects after so many ms with what is said then. */
export async function within(
  ms: number,
  isSo: () => boolean | Promise<boolean>,
  said: () => string | Promise<string>,
): Promise<void> {
  for (const end = performance.now() + ms; !(await isSo()); await sleep(LOOK_MS)) {
    assert.ok(performance.now() < end, await said());
  }
}

/** Resolves when health has nothing to say any more; rejects after so many ms. */
export async function healthyWithin(node: NodeProcess, ms: number): Promise<void> {
  await within(
    ms,
    async () => (await health(node)).ok,
    async () => JSON.stringify(await health(node)),
  );
}
