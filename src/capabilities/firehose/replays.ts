import { DeliveryError, RequestError } from '../../kernel/errors.ts';
import type { Json } from '../../ports/catalog.ts';
import type { StreamInfo } from '../../ports/records.ts';
import { UNPROCESSED } from './error-lines.ts';
import { errorObjects, unreadable } from './error-objects.ts';
import { FUNCTION } from './function-options.ts';
import { firehoseLimits } from './limits.ts';
import {
  countOf,
  PROGRESS_PREFIX,
  progressFromJson,
  progressToJson,
  rangeFromJson,
  rangeToJson,
  sourceStream,
  type DeliveryStream,
  type StoredRange,
} from './model.ts';
import { rangesOfRecords } from './record-ranges.ts';
import {
  firstProgress,
  OBJECT_POSITION,
  replayId,
  replayProgressName,
  REPLAY_PREFIX,
  replayKey,
  type Replay,
  type StoredReplay,
} from './replay.ts';
import { errorTarget, failuresOf } from './targets.ts';
import { transformOf } from './transform-options.ts';
import { ReplayWorker, type ReplayDoors } from './workers/replay-worker.ts';

/** What is to be delivered once more; times of arrival in ms. */
export interface ReplayRequest {
  /** Whose records, or error objects. */
  readonly delivery: DeliveryStream;
  /** In place of what the delivery reads. */
  readonly stream?: string | undefined;
  readonly to: DeliveryStream;
  readonly isErrors: boolean;
  readonly from?: number | undefined;
  readonly until?: number | undefined;
  /** Sequence numbers of the records that are meant, in place of times. */
  readonly numbers?: readonly string[] | undefined;
}

/** Replays of all deliveries, one at a time: kept in the catalog, so that they go on after a restart. */
export class Replays {
  readonly #doors: ReplayDoors;
  readonly #workers = new Map<string, ReplayWorker>();
  #turn: Promise<void> = Promise.resolve();
  #isStopped = false;

  constructor(doors: ReplayDoors) {
    this.#doors = doors;
  }

  /** Goes on with those that a restart ended. */
  open(): void {
    for (const { value } of this.#doors.catalog.list(REPLAY_PREFIX)) {
      const replay = value as unknown as StoredReplay;
      if (replay.doneAt === undefined) this.#run(replay);
    }
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all([...this.#workers.values()].map(async (worker) => await worker.stop()));
    await this.#turn;
  }

  /** What a request comes to, without doing it. RequestErrors where it cannot be done. */
  async plan(request: ReplayRequest): Promise<Replay> {
    if (request.to.target.kind === FUNCTION) {
      throw new RequestError('BadRequest', `${request.to.name} hands records to a function: not built for replays yet`);
    }
    // Its own lines hold what its function made: they need it no more.
    const isProcessed = request.isErrors && request.delivery.name === request.to.name;
    if (!isProcessed && transformOf(request.to.target) !== undefined) {
      const sentence = 'has its records processed first, which a replay would leave out: not built yet';
      throw new RequestError('BadRequest', `${request.to.name} ${sentence}`);
    }
    const times = {
      ...(request.from !== undefined && { from: request.from }),
      ...(request.until !== undefined && { until: request.until }),
    };
    const found = request.isErrors ? await this.#errors(request) : await this.#ranges(request);
    const replay = { delivery: request.to.name, ...found, ...times };
    return { id: replayId(replay), ...replay };
  }

  /** How many objects with lines of records that a function could not process a replay of errors leaves, bounded. */
  async unprocessedObjects({ delivery, isErrors }: ReplayRequest): Promise<number> {
    const { destinations, blobs } = this.#doors;
    const target = errorTarget(destinations, delivery.target);
    if (!isErrors || target === undefined) return 0;
    const { keys } = await listed(blobs, target, { delivery: delivery.name, errorType: UNPROCESSED });
    return keys.length;
  }

  /** Begins it, again where it was done before. */
  async start(replay: Replay): Promise<void> {
    const { catalog, environment } = this.#doors;
    const key = replayKey(replay);
    if (this.#workers.has(key)) return;
    const stored: StoredReplay = { ...replay, askedAt: environment.clock.now() };
    const place = PROGRESS_PREFIX + replayProgressName(replay);
    await catalog.propose([
      { key, put: stored as unknown as Json },
      { key: place, put: progressToJson(firstProgress(replay)) },
      ...this.#oldest(replay.delivery),
    ]);
    this.#run(stored);
  }

  /** How far a replay is; waits a little for its end. RequestError NotFound. */
  async status(delivery: string, id: string, signal: AbortSignal): Promise<object> {
    const key = replayKey({ delivery, id });
    const { catalog, environment } = this.#doors;
    for (let waited = 0; waited < firehoseLimits.replayAskMs && !signal.aborted; waited += 100) {
      if (!this.#workers.has(key)) break;
      await environment.clock.sleep(100, signal);
    }
    const stored = catalog.get(key);
    if (stored === undefined) throw new RequestError('NotFound', `no replay ${id} of ${delivery}`, 404);
    return this.#describe(stored.value as unknown as StoredReplay);
  }

  /** Ends a replay, whether it has begun or waits for its turn; one that ended stays. RequestError NotFound. */
  async cancel(delivery: string, id: string): Promise<object> {
    const key = replayKey({ delivery, id });
    const { catalog, environment } = this.#doors;
    await this.#workers.get(key)?.stop();
    const stored = catalog.get(key)?.value as unknown as StoredReplay | undefined;
    if (stored === undefined) throw new RequestError('NotFound', `no replay ${id} of ${delivery}`, 404);
    if (stored.doneAt !== undefined) return this.#describe(stored);
    const ended: StoredReplay = { ...stored, doneAt: environment.clock.now(), ended: 'cancelled' };
    await catalog.propose([{ key, put: ended as unknown as Json }]);
    this.#workers.delete(key);
    return this.#describe(ended);
  }

  /** Ends those to a delivery that was deleted, and what the catalog had of them with it. */
  async drop(delivery: string): Promise<void> {
    const own = [...this.#workers].filter(([key]) => key.startsWith(`${REPLAY_PREFIX}${delivery}/`));
    await Promise.all(own.map(async ([, worker]) => await worker.stop()));
    for (const [key] of own) this.#workers.delete(key);
  }

  /** What keeps replays from going on, and those that wait for them, for people. */
  problems(): string[] {
    return [...this.#workers.values()].flatMap((worker) => worker.notes.problems().map((one) => `replay to ${one}`));
  }

  /** Of one delivery, in the order of their ids. */
  list(delivery: string): readonly object[] {
    return this.#of(delivery).map((replay) => this.#describe(replay));
  }

  /** Those of one delivery that have not ended. */
  running(delivery: string): readonly object[] {
    const left = this.#of(delivery).filter(({ doneAt }) => doneAt === undefined);
    return left.map((replay) => this.#describe(replay));
  }

  #of(delivery: string): readonly StoredReplay[] {
    const entries = this.#doors.catalog.list(`${REPLAY_PREFIX}${delivery}/`);
    return entries.map(({ value }) => value as unknown as StoredReplay);
  }

  #oldest(delivery: string): { readonly key: string; readonly remove: true }[] {
    const done = this.#of(delivery).filter(({ doneAt }) => doneAt !== undefined);
    const byAge = done.sort((one, other) => one.askedAt - other.askedAt);
    return byAge.slice(0, Math.max(0, done.length - firehoseLimits.replaysKept)).flatMap((replay) => [
      { key: replayKey(replay), remove: true as const },
      { key: PROGRESS_PREFIX + replayProgressName(replay), remove: true as const },
    ]);
  }

  #run(replay: StoredReplay): void {
    const key = replayKey(replay);
    const worker = new ReplayWorker(replay, this.#doors);
    this.#workers.set(key, worker);
    const work = async (): Promise<void> => {
      if (!this.#isStopped) await worker.run();
    };
    this.#turn = this.#turn
      .then(work)
      .catch((error: unknown) => worker.notes.failed(error))
      .finally(() => {
        // Cancelled, it may have been asked for again.
        if (this.#workers.get(key) === worker) this.#workers.delete(key);
      });
  }

  async #ranges({ delivery, stream: named, from = 0, until, numbers }: ReplayRequest): Promise<Partial<Replay>> {
    const name = named ?? sourceStream(delivery);
    const { records } = this.#doors;
    const stream = records.describe(name);
    if (stream === undefined) throw new RequestError('NotFound', `no stream ${name}`, 404);
    if (numbers !== undefined) {
      return { stream: name, ranges: (await rangesOfRecords(records, stream, numbers)).map(rangeToJson) };
    }
    const ranges: StoredRange[] = [];
    for (const shard of stream.shards) {
      const end = until === undefined ? records.bounds(shard).end : await records.positionAt(shard, until);
      const range = { ...place(shard), from: await records.positionAt(shard, from), to: end };
      if (range.from < range.to) ranges.push(rangeToJson(range));
    }
    return { stream: name, ranges };
  }

  async #errors({ delivery }: ReplayRequest): Promise<Partial<Replay>> {
    const { destinations, blobs } = this.#doors;
    const target = errorTarget(destinations, delivery.target);
    const failures = failuresOf(destinations, delivery.target);
    if (target === undefined || failures === undefined) {
      const left = transformOf(delivery.target) === undefined ? '' : `; lines of type ${UNPROCESSED} are not replayed`;
      const sentence = 'attempts until all has arrived: it has no lines of records that its destination did not take';
      throw new RequestError('BadRequest', `${delivery.name} ${sentence}${left}`);
    }
    const problem = unreadable(target);
    if (problem !== undefined) throw new RequestError('BadRequest', `${delivery.name}: ${problem}`);
    const { keys, isCut } = await listed(blobs, target, { delivery: delivery.name, errorType: failures.errorType });
    return { errorsOf: delivery.name, objects: keys, ...(isCut && { isCut }) };
  }

  #describe(replay: StoredReplay): object {
    const { askedAt, doneAt, ended = 'done' } = replay;
    const key = replayKey(replay);
    const stored = this.#doors.catalog.get(PROGRESS_PREFIX + replayProgressName(replay));
    const progress = stored === undefined ? firstProgress(replay) : progressFromJson(stored.value);
    const worker = this.#workers.get(key);
    const failure = replay.failure ?? worker?.notes.failure;
    const isWaiting = worker?.hasBegun === false;
    return {
      ...replayCounts(replay),
      state: doneAt === undefined ? stateOf(isWaiting, failure) : ended,
      askedAt: new Date(askedAt).toISOString(),
      ...(doneAt !== undefined && { doneAt: new Date(doneAt).toISOString() }),
      recordsDelivered: progress.records,
      recordsFailed: progress.failed ?? 0,
      ...(replay.objects !== undefined && { objectsRead: Number(progress.positions[OBJECT_POSITION] ?? '0') }),
      ...(failure !== undefined && { failure }),
    };
  }
}

/** How one that has not ended fares; one waits until those before it are over. */
function stateOf(isWaiting: boolean, failure: string | undefined): string {
  if (isWaiting) return 'waiting';
  return failure === undefined ? 'running' : 'retrying';
}

/** What a replay is about, in numbers; records of a stream at most so many. */
export function replayCounts({ id, delivery, stream, ranges, errorsOf, objects, isCut }: Replay): object {
  const records = (ranges ?? []).reduce((sum, range) => sum + countOf(rangeFromJson(range)), 0);
  return {
    id,
    delivery,
    ...(stream !== undefined && { stream, records }),
    ...(objects !== undefined && { errorsOf, objects: objects.length }),
    ...(isCut === true && { more: true }),
  };
}

/** Error objects; a bucket that cannot be read is a RequestError. */
async function listed(...given: Parameters<typeof errorObjects>): ReturnType<typeof errorObjects> {
  try {
    return await errorObjects(...given);
  } catch (error) {
    if (!(error instanceof DeliveryError)) throw error;
    throw new RequestError('Unavailable', error.message, 503);
  }
}

function place({ ref: { generation, ordinal } }: StreamInfo['shards'][number]): {
  generation: number;
  ordinal: number;
} {
  return { generation, ordinal };
}
