import { backoffMs } from '../../../kernel/flow/backoff.ts';
import { EnvironmentError } from '../../../kernel/errors.ts';
import { nextTurn } from '../../../kernel/flow/next-turn.ts';
import { InputBatch, StreamNotFound, type RecordInput } from '../../../ports/records.ts';
import { positionKey, Unavailable } from '../../../ports/stream-store.ts';
import { arrivalHeader, resumeHeader, type ResumeMark } from '../arrival-headers.ts';
import type { IngestEvents } from '../events.ts';
import { ingestLimits } from '../limits.ts';
import type { Positions, SourceCounts } from '../model.ts';
import type { PartitionKeys } from '../partition-key.ts';
import type { Target, Waiting } from './target.ts';
import type { WorkerDoors } from './worker-doors.ts';

/** Stores events as records of a stream: a batch at a time, again and again until all of it is durable. */
export class StreamTarget implements Target {
  readonly needsPosition = false;
  readonly stream: string;
  /** The source's name in UTF-8. */
  readonly #source: Uint8Array;
  readonly #keys: PartitionKeys;
  readonly #doors: WorkerDoors;
  readonly #events: IngestEvents;
  readonly #counts: SourceCounts;
  /** Why the batch under way could not be stored yet. */
  #failure: string | undefined;

  constructor(
    names: { readonly source: string; readonly stream: string },
    keys: PartitionKeys,
    doors: WorkerDoors,
    events: IngestEvents,
    counts: SourceCounts,
  ) {
    this.stream = names.stream;
    this.#source = Buffer.from(names.source);
    this.#keys = keys;
    this.#doors = doors;
    this.#events = events;
    this.#counts = counts;
  }

  problem(): string | undefined {
    if (this.#doors.records.describe(this.stream) === undefined) return `no stream ${this.stream}`;
    return this.#failure;
  }

  positions(): Positions {
    const { records } = this.#doors;
    const shards = records.describe(this.stream)?.shards ?? [];
    return Object.fromEntries(shards.map((shard) => [positionKey(shard.ref), String(records.bounds(shard).end)]));
  }

  async take(events: readonly Waiting[], mark: ResumeMark, signal: AbortSignal): Promise<boolean> {
    const { clock, random } = this.#doors.environment;
    let left: readonly RecordInput[] | undefined;
    for (let attempt = 1; !signal.aborted; attempt += 1) {
      left ??= await this.#inputs(events, mark);
      const startedAt = clock.monotonic();
      const failed = left === undefined ? undefined : await this.#append(left, startedAt);
      if (failed?.length === 0) {
        this.#failure = undefined;
        return true;
      }
      left = failed;
      const bounds = { baseMs: ingestLimits.storeWaitBaseMs, maxMs: ingestLimits.storeWaitMaxMs };
      await clock.sleep(backoffMs(attempt, bounds, random.fraction()), signal);
    }
    return false;
  }

  /** Undefined while there is no stream. */
  async #inputs(events: readonly Waiting[], mark: ResumeMark): Promise<readonly RecordInput[] | undefined> {
    const stream = this.#doors.records.describe(this.stream);
    if (stream === undefined) {
      this.#fail(`no stream ${this.stream}`);
      return undefined;
    }
    const inputs: RecordInput[] = [];
    for (const [index, { arrival, digest }] of events.entries()) {
      if (index % ingestLimits.turnRecords === ingestLimits.turnRecords - 1)
        await nextTurn(this.#doors.environment.clock);
      const partitionKey = this.#keys.of(arrival.data);
      const bytes = arrival.data.length + Buffer.byteLength(partitionKey);
      if (bytes <= stream.maxRecordBytes) {
        inputs.push({ partitionKey, data: arrival.data, headers: [arrivalHeader(this.#source, digest)] });
      } else {
        this.#counts.failed += 1;
        this.#events.tooLarge(bytes);
      }
    }
    const last = inputs.at(-1);
    if (last === undefined) return inputs;
    return [...inputs.slice(0, -1), { ...last, headers: [...(last.headers ?? []), resumeHeader(mark)] }];
  }

  /** The records that are not stored yet, in their order; undefined: the stream is gone, and another one gets all. */
  async #append(inputs: readonly RecordInput[], startedAt: number): Promise<readonly RecordInput[] | undefined> {
    if (inputs.length === 0) return [];
    try {
      const { partOf, parts } = await this.#doors.records.appendBatch(this.stream, new InputBatch(inputs));
      const failure = parts.find((part) => 'failed' in part)?.failed;
      if (failure === undefined) {
        this.#note(inputs, startedAt);
        return [];
      }
      const isOut = (index: number): boolean => 'failed' in (parts[partOf[index] as number] as object);
      this.#note(
        inputs.filter((_, index) => !isOut(index)),
        startedAt,
      );
      this.#fail(failure);
      return inputs.filter((_, index) => isOut(index));
    } catch (error) {
      if (error instanceof StreamNotFound) this.#fail(`no stream ${this.stream}`);
      else if (error instanceof Unavailable || error instanceof EnvironmentError) this.#fail(error.name);
      else throw error;
      return error instanceof StreamNotFound ? undefined : inputs;
    }
  }

  #note(stored: readonly RecordInput[], startedAt: number): void {
    if (stored.length === 0) return;
    const bytes = stored.reduce((sum, { data }) => sum + data.length, 0);
    this.#counts.stored += stored.length;
    this.#counts.storedBytes += bytes;
    this.#events.stored(stored.length, bytes, startedAt);
  }

  #fail(cause: string): void {
    if (this.#failure !== cause) this.#events.storeWaits(cause);
    this.#failure = cause;
  }
}
