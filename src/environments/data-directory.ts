import { EnvironmentError } from '../kernel/errors.ts';
import { parentOf } from '../kernel/paths.ts';
import type { Environment } from '../ports/environment.ts';

/** The right to use a data directory until released. */
export interface Claim {
  /** Grows with every claim; files of the log carry it. */
  readonly epoch: number;
  release(): Promise<void>;
}

/** How long a starter waits for one that started before it to become the owner or to give way. */
const YIELD_MS_MAX = 10_000;
const LOOK_AGAIN_MS = 20;

/**
 * Claims a data directory for this process; rejects with EnvironmentError EADDRINUSE when another one has it.
 *
 * Node has no file locks, so epochs decide. A starter creates `epoch-N` exclusively, listens on its own socket
 * `lock-N`, and gives way to any higher epoch. It waits until every lower epoch is gone or silent, and has won when no
 * higher epoch stands there afterwards. Two cannot win: the lower one listened before it looked for a higher epoch, so
 * the higher one, which came after that look, finds it alive. Nobody ever replaces another one's socket.
 */
export async function claimDataDirectory(environment: Environment, directory: string): Promise<Claim> {
  const { network, log } = environment;
  await makeDurable(environment, directory);
  const epoch = Math.max(0, ...(await epochs(environment, directory))) + 1;
  await createEpoch(environment, directory, epoch);
  const listening = await network.listenLocal(`${directory}/lock-${epoch}`);
  const won = await contest(environment, directory, epoch);
  if (won !== 'won') {
    await listening.close();
    await forget(environment, directory, epoch);
    throw new EnvironmentError('EADDRINUSE', won);
  }
  for (const other of await epochs(environment, directory)) {
    if (other < epoch) await forget(environment, directory, other);
  }
  log.debug('data-directory.claimed', { directory, epoch });
  return { epoch, release: async () => await listening.close() };
}

/** A folder is there after a power cut once the one above it was synced. */
async function makeDurable({ files }: Environment, directory: string): Promise<void> {
  const unsure = [directory];
  for (let folder = parentOf(directory); folder !== '/' && !(await files.isDirectory(folder));) {
    unsure.push(folder);
    folder = parentOf(folder);
  }
  try {
    await files.makeDirectory(directory);
  } catch (error) {
    // Missing folders are made: only a file can be what a path does not lead through.
    if (!(error instanceof EnvironmentError) || !['EEXIST', 'ENOENT'].includes(error.code)) throw error;
    throw new EnvironmentError('EEXIST', `${directory} cannot be a data directory: there is a file on its way`, error);
  }
  for (const folder of unsure.toReversed()) await syncIfAllowed(files, parentOf(folder));
}

/** A folder of somebody else's may be closed to us; what stands in it is not ours to make durable then. */
async function syncIfAllowed(files: Environment['files'], folder: string): Promise<void> {
  try {
    await files.syncDirectory(folder);
  } catch (error) {
    if (!(error instanceof EnvironmentError) || error.code !== 'EACCES') throw error;
  }
}

/** `won`, or the sentence that says why not. */
async function contest(environment: Environment, directory: string, epoch: number): Promise<string> {
  const gaveWay = `another millrace is starting on ${directory}`;
  for (const other of await epochs(environment, directory)) {
    if (other > epoch) return gaveWay;
    if (other < epoch && (await outlives(environment, directory, other))) {
      return `${directory} is in use by another millrace; stop it or choose another --data`;
    }
  }
  const highest = Math.max(...(await epochs(environment, directory)));
  if (highest > epoch) return gaveWay;
  await (await environment.files.open(`${directory}/owner-${epoch}`, 'create')).close();
  await environment.files.syncDirectory(directory);
  return 'won';
}

/** Whether the holder of an epoch stays: it owns the directory, or will not say within the time it has. */
async function outlives(environment: Environment, directory: string, epoch: number): Promise<boolean> {
  const { clock, files, network } = environment;
  const end = clock.monotonic() + YIELD_MS_MAX;
  while (await network.answers(`${directory}/lock-${epoch}`)) {
    const owns = (await files.size(`${directory}/owner-${epoch}`)) !== undefined;
    if (owns || clock.monotonic() > end) return true;
    await clock.sleep(LOOK_AGAIN_MS);
  }
  return false;
}

async function epochs(environment: Environment, directory: string): Promise<number[]> {
  const names = await environment.files.list(directory);
  return names.flatMap((name) => {
    const digits = /^epoch-(\d{1,15})$/.exec(name)?.[1];
    return digits === undefined ? [] : [Number(digits)];
  });
}

async function createEpoch(environment: Environment, directory: string, epoch: number): Promise<void> {
  try {
    const file = await environment.files.open(`${directory}/epoch-${epoch}`, 'create');
    await file.close();
  } catch (error) {
    if (!(error instanceof EnvironmentError) || error.code !== 'EEXIST') throw error;
    throw new EnvironmentError('EADDRINUSE', `another millrace is starting on ${directory}`, error);
  }
  await environment.files.syncDirectory(directory);
}

/** The epoch file goes last: as long as it stands, its socket and mark are somebody's. */
async function forget(environment: Environment, directory: string, epoch: number): Promise<void> {
  await environment.files.remove(`${directory}/owner-${epoch}`);
  await environment.files.remove(`${directory}/lock-${epoch}`);
  await environment.files.remove(`${directory}/epoch-${epoch}`);
}
