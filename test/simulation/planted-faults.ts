import { syncBuiltinESMExports } from 'node:module';
import zlib from 'node:zlib';
import { withFiles, withOpened } from '../../src/testing/changed-files.ts';
import { SIMULATED_DATA } from '../../src/testing/open-node.ts';
import { openCatalog } from '../../src/engines/catalog/index.ts';
import { openRecords } from '../../src/engines/records/index.ts';
import { claimDataDirectory } from '../../src/environments/data-directory.ts';
import { openSegmentLog } from '../../src/engines/segment-log/index.ts';
import { EnvironmentError, type EnvironmentCode } from '../../src/kernel/errors.ts';
import type { Catalog, Json } from '../../src/ports/catalog.ts';
import type { Environment, OpenFile } from '../../src/ports/environment.ts';
import type { Records } from '../../src/ports/records.ts';
import { growPlan } from '../../src/testing/simulation/grammar.ts';
import { MACHINE, type Plan, type Step } from '../../src/testing/simulation/plan.ts';
import type { Sabotage } from '../../src/testing/simulation/simulate.ts';

const IDENTITY = { region: 'us-east-1', account: '000000000000' };
/** Catalog keys of deliveries' positions and intents. */
const PROGRESS_PREFIX = 'delivery-position/';

/** A fault of the node that the simulation has to find, planted through the environment or before a start. */
export interface PlantedFault {
  readonly fault: string;
  readonly sabotage: Sabotage;
  /** What is changed in this process while the runs last; gives what changes it back. */
  readonly during?: () => () => void;
  /** The run that finds it, where those of the grammar come upon it too seldom. */
  readonly plan?: (seed: number) => Plan;
}

/** One for each rule that a durable node must not break. */
export const PLANTED_FAULTS: readonly PlantedFault[] = [
  {
    fault: 'nothing is ever synced',
    sabotage: withFile((file) => ({ ...file, sync: async () => undefined })),
  },
  {
    fault: 'the answer does not wait for the sync',
    sabotage: withFile((file) => ({ ...file, sync: async () => void file.sync().catch(() => undefined) })),
  },
  {
    fault: 'folders are never synced',
    sabotage: { environment: (environment) => withFiles(environment, { syncDirectory: async () => undefined }) },
  },
  {
    fault: 'what a failed sync left behind is not written again',
    sabotage: { environment: withoutRewriting },
    plan: failedSyncPlan,
  },
  {
    fault: 'what is answered before its sync is not synced soon, and the power goes in the next start',
    sabotage: { environment: withoutLaterSyncs },
    plan: cutStartPlan,
  },
  {
    fault: 'no checksum is looked at, and bits are turned',
    sabotage: {},
    during: withoutChecksums,
    plan: (seed) => unpacked(growPlan(seed, { flips: true })),
  },
  {
    fault: 'no checksum is looked at, and the end of what was written is torn',
    sabotage: {},
    during: withoutChecksums,
    plan: (seed) => unpacked(growPlan(seed, { flips: false })),
  },
  {
    fault: 'a write that finds no room is held for done',
    sabotage: withFile((file) => ({
      ...file,
      write: async (...what) => await swallowed('ENOSPC', file.write(...what)),
    })),
  },
  {
    fault: 'a sync that failed is held for done',
    sabotage: withFile((file) => ({ ...file, sync: async () => await swallowed('EIO', file.sync()) })),
  },
  { fault: 'what is cut off stays', sabotage: withFile((file) => ({ ...file, truncate: async () => undefined })) },
  { fault: 'the intent of a delivery is not used again', sabotage: { beforeStart: forgetIntents } },
  { fault: 'lines about what failed are not kept', sabotage: { environment: withoutErrorOutput } },
  { fault: 'a backup begins behind its delivery', sabotage: { beforeStart: forgetBackups } },
  { fault: 'the position of a function is ahead of it', sabotage: { beforeStart: skipRecords('handler') } },
  {
    fault: 'the position of what is processed is ahead of it',
    sabotage: { beforeStart: skipRecords('shaped/processing') },
  },
  {
    fault: 'that records are sent again is not kept',
    sabotage: { beforeStart: forgetRepeats },
    // What it writes before a start is as durable as the node's own.
    plan: (seed) => synced(growPlan(seed, { flips: false })),
  },
  { fault: 'webhook ids are not rebuilt', sabotage: { beforeStart: forgetIds } },
];

/** A start writes the end of the last file of the log once more: what stands there already is not written again. */
function withoutRewriting(environment: Environment): Environment {
  return withOpened(environment, (file, mode) => {
    if (mode !== 'write') return file;
    const write: OpenFile['write'] = async (bytes, position) => {
      if (position >= (await file.size())) await file.write(bytes, position);
    };
    return { ...file, write };
  });
}

/** What a start begins a file of the log with is synced, and nothing that comes after it. */
function withoutLaterSyncs(environment: Environment): Environment {
  return withOpened(environment, (file, mode) => {
    if (mode !== 'create' || !file.path.endsWith('.log')) return file;
    let isBegun = false;
    const sync: OpenFile['sync'] = async () => {
      if (!isBegun) await file.sync();
      isBegun = true;
    };
    return { ...file, sync };
  });
}

/** A record is answered, the process ends a second later, and the power goes before the next start has come far. */
function cutStartPlan(seed: number): Plan {
  const node = {
    shardCount: 1,
    isGzip: false,
    intervalSeconds: 900,
    segmentBytesMax: 200_000,
    sync: 'interval',
  } as const;
  const steps: Step[] = [
    { client: 'a', pauseMs: 0, do: 'put', stream: 'main', id: 1, records: [{ key: '1', bytes: 2000 }] },
    { client: 'a', pauseMs: 1000, do: 'check', stream: 'main' },
    { client: '', pauseMs: 0, do: 'end', close: false, power: false },
    { client: MACHINE, pauseMs: 0, do: 'cut', operations: 5 },
    { client: '', pauseMs: 0, do: 'end', close: false, power: true },
  ];
  return { seed, node, steps };
}

/** A sync fails, the process ends and comes again, what was not synced is read, then the power goes. */
function failedSyncPlan(seed: number): Plan {
  const node = { shardCount: 1, isGzip: false, intervalSeconds: 900, segmentBytesMax: 200_000 };
  const put = (id: number, pauseMs: number, bytes: number): Step => {
    return { client: 'a', pauseMs, do: 'put', stream: 'main', id, records: [{ key: '1', bytes }] };
  };
  const steps: Step[] = [
    put(1, 0, 100),
    { client: MACHINE, pauseMs: 400, do: 'fail', operation: 'sync', code: 'EIO', count: 1 },
    put(2, 500, 2000),
    { client: '', pauseMs: 0, do: 'end', close: false, power: false },
    { client: 'a', pauseMs: 0, do: 'check', stream: 'main' },
    put(3, 0, 10),
    { client: '', pauseMs: 0, do: 'end', close: false, power: true },
  ];
  return { seed, node, steps };
}

/** Every checksum is the same, those that were stored and those that are made to compare. */
function withoutChecksums(): () => void {
  const { crc32 } = zlib;
  const set = (of: typeof crc32): void => {
    Object.assign(zlib, { crc32: of });
    syncBuiltinESMExports();
  };
  set(() => 0);
  return () => set(crc32);
}

/** Objects with checksums of their own would tell. */
function unpacked(plan: Plan): Plan {
  return { ...plan, node: { ...plan.node, isGzip: false } };
}

function synced(plan: Plan): Plan {
  return { ...plan, node: { ...plan.node, sync: 'always' } };
}

async function swallowed(code: EnvironmentCode, work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof EnvironmentError) || error.code !== code) throw error;
  }
}

function withFile(change: (file: OpenFile) => OpenFile): Sabotage {
  return { environment: (environment) => withOpened(environment, change) };
}

async function forgetIntents(environment: Environment): Promise<void> {
  await beforeTheNode(environment, async ({ catalog }) => {
    for (const { key, value } of catalog.list(PROGRESS_PREFIX)) {
      const kept = Object.entries(value as Record<string, Json>).filter(([name]) => name !== 'intent');
      await catalog.propose([{ key, put: Object.fromEntries(kept) }]);
    }
  });
}

async function forgetRepeats(environment: Environment): Promise<void> {
  await beforeTheNode(environment, async ({ catalog }) => {
    const key = `${PROGRESS_PREFIX}failing`;
    const value = catalog.get(key)?.value as Record<string, Json> | undefined;
    if (value?.['duplicates'] !== undefined) await catalog.propose([{ key, put: { ...value, duplicates: 0 } }]);
  });
}

/** Objects of the error output never get their name. */
function withoutErrorOutput(environment: Environment): Environment {
  const { files } = environment;
  const rename: typeof files.rename = async (from, to) => {
    if (!to.includes('/fake-failed/')) await files.rename(from, to);
  };
  return withFiles(environment, { rename });
}

async function forgetBackups(environment: Environment): Promise<void> {
  await beforeTheNode(environment, async ({ catalog }) => {
    const key = `${PROGRESS_PREFIX}failing/backup`;
    if (catalog.get(key) !== undefined) await catalog.propose([{ key, remove: true }]);
  });
}

/** Each shard goes on one record behind the one that is next. */
function skipRecords(progress: string): NonNullable<Sabotage['beforeStart']> {
  return async (environment) =>
    await beforeTheNode(environment, async ({ catalog }) => {
      const key = PROGRESS_PREFIX + progress;
      const value = catalog.get(key)?.value as Record<string, Json> | undefined;
      if (value === undefined) return;
      const positions = Object.entries(value['positions'] as Record<string, string>);
      const ahead = positions.map(([shard, position]) => [shard, String(BigInt(position) + 1n)] as const);
      await catalog.propose([{ key, put: { ...value, positions: Object.fromEntries(ahead) } }]);
    });
}

async function forgetIds(environment: Environment): Promise<void> {
  await beforeTheNode(environment, async ({ records }) => {
    if (records.describe('$dedupe') !== undefined) await records.delete('$dedupe');
  });
}

/** What a planted fault may change before a node starts. */
interface Parts {
  readonly catalog: Catalog;
  readonly records: Records;
}

/** Opens log, catalog and streams as the node will, and closes them again. Throws what ends a node whose disk fails. */
async function beforeTheNode(environment: Environment, work: (parts: Parts) => Promise<void>): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    // Where the log has failed, what was begun waits for the process to end.
    const onFailure = (error: Error): void => reject(new EnvironmentError('EIO', error.message, error));
    onOpened(environment, onFailure, work).then(resolve, reject);
  });
}

async function onOpened(
  environment: Environment,
  onFailure: (error: Error) => void,
  work: (parts: Parts) => Promise<void>,
): Promise<void> {
  const claim = await claimDataDirectory(environment, SIMULATED_DATA);
  const log = await openSegmentLog(environment, {
    directory: `${SIMULATED_DATA}/log`,
    epoch: claim.epoch,
    reserveBytes: 0,
    onFailure,
  });
  const catalog = await openCatalog(log.commands, environment, { onFailure });
  const records = await openRecords(log.store, catalog, environment, IDENTITY);
  await work({ catalog, records });
  await records.close();
  await catalog.close();
  await log.close();
  await claim.release();
}
