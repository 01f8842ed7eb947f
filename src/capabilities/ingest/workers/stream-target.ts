import { backoffMs } from '../../../kernel/flow/backoff.ts';
import { EnvironmentError } from '../../../kernel/errors.ts';
import { StreamNotFound } from '../../../ports/records.ts';
import { positionKey, Unavailable } from '../../../ports/stream-store.ts';
import { resumeHeader, type ResumeMark } from '../arrival-headers.ts';
import type { IngestEvents } from '../events.ts';
import { ingestLimits } from '../limits.ts';
import type { Positions, SourceCounts } from '../model.ts';
import type { EventBatch, RecordForm } from './event-batch.ts';
import { EventRecords } from './event-records.ts';
import type { Target } from './target.ts';
import type { WorkerDoors } from './worker-doors.ts';

/** Events of a batch, by their places in it. */
interface Chosen {
  readonly places: readonly number[];
  /** The one that says how to go on, and what it says. */
  readonly marked: number;
  readonly mark: Uint8Array;
}

/** Stores events as records of a stream: a batch at a time, again and again until all of it is durable. */
export class StreamTarget implements Target {
  readonly needsPosition = false;
  readonly stream: string;
  readonly form: RecordForm;
  readonly #doors: WorkerDoors;
  readonly #events: IngestEvents;
  readonly #counts: SourceCounts;
  /** Why the batch under way could not be stored yet. */
  #failure: string | undefined;

  constructor(stream: string, form: RecordForm, doors: WorkerDoors, events: IngestEvents, counts: SourceCounts) {
    this.stream = stream;
    this.form = form;
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

  async take(events: EventBatch, mark: ResumeMark, signal: AbortSignal): Promise<boolean> {
    const { clock, random } = this.#doors.environment;
    let left: Chosen | undefined;
    for (let attempt = 1; !signal.aborted; attempt += 1) {
      left ??= this.#choose(events, mark);
      const startedAt = clock.monotonic();
      left = left === undefined ? undefined : await this.#append(events, left, startedAt);
      if (left?.places.length === 0) {
        this.#failure = undefined;
        return true;
      }
      const bounds = { baseMs: ingestLimits.storeWaitBaseMs, maxMs: ingestLimits.storeWaitMaxMs };
      await clock.sleep(backoffMs(attempt, bounds, random.fraction()), signal);
    }
    return false;
  }

  /** Those that a record of the stream holds; undefined while there is no stream. */
  #choose(events: EventBatch, mark: ResumeMark): Chosen | undefined {
    const stream = this.#doors.records.describe(this.stream);
    if (stream === undefined) {
      this.#fail(`no stream ${this.stream}`);
      return undefined;
    }
    const places: number[] = [];
    for (let place = 0; place < events.count; place += 1) {
      const bytes = events.payloadBytes(place);
      if (bytes <= stream.maxRecordBytes) places.push(place);
      else {
        this.#counts.failed += 1;
        this.#events.tooLarge(bytes);
      }
    }
    return { places, marked: places.at(-1) ?? 0, mark: resumeHeader(mark) };
  }

  /** What is not stored yet; undefined: the stream is gone, and another one gets all. */
  async #append(events: EventBatch, chosen: Chosen, startedAt: number): Promise<Chosen | undefined> {
    const { places, marked, mark } = chosen;
    if (places.length === 0) return chosen;
    try {
      const records = new EventRecords(events, places, marked, mark);
      const { partOf, parts } = await this.#doors.records.appendBatch(this.stream, records);
      const failure = parts.find((part) => 'failed' in part)?.failed;
      if (failure !== undefined) this.#fail(failure);
      const isOut = (index: number): boolean => 'failed' in (parts[partOf[index] as number] as object);
      const left = failure === undefined ? [] : places.filter((_, index) => isOut(index));
      this.#note(events, failure === undefined ? places : places.filter((_, index) => !isOut(index)), startedAt);
      return { places: left, marked, mark };
    } catch (error) {
      if (error instanceof StreamNotFound) this.#fail(`no stream ${this.stream}`);
      else if (error instanceof Unavailable || error instanceof EnvironmentError) this.#fail(error.name);
      else throw error;
      return error instanceof StreamNotFound ? undefined : chosen;
    }
  }

  #note(events: EventBatch, stored: readonly number[], startedAt: number): void {
    if (stored.length === 0) return;
    let bytes = 0;
    for (const place of stored) bytes += events.dataBytes(place);
    this.#counts.stored += stored.length;
    this.#counts.storedBytes += bytes;
    this.#events.stored(stored.length, bytes, startedAt);
  }

  #fail(cause: string): void {
    if (this.#failure !== cause) this.#events.storeWaits(cause);
    this.#failure = cause;
  }
}
