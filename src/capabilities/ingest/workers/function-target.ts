import { asBuffer } from '../../../kernel/bytes/as-buffer.ts';
import { RequestError, ThrottleError } from '../../../kernel/errors.ts';
import { backoffMs } from '../../../kernel/flow/backoff.ts';
import { parseJson } from '../../../kernel/json.ts';
import type { IngestEvents } from '../events.ts';
import { ingestLimits } from '../limits.ts';
import type { Positions, SourceCounts } from '../model.ts';
import type { EventBatch } from './event-batch.ts';
import type { Target } from './target.ts';
import type { WorkerDoors } from './worker-doors.ts';

const WAIT = { baseMs: ingestLimits.functionWaitBaseMs, maxMs: ingestLimits.functionWaitMaxMs };

/** Calls a function with each event, in order: at least once, and so often until it returns or is given up. */
export class FunctionTarget implements Target {
  readonly needsPosition = true;
  readonly stream = undefined;
  readonly form = undefined;
  readonly #name: string;
  readonly #doors: WorkerDoors;
  readonly #events: IngestEvents;
  readonly #counts: SourceCounts;
  #failure: string | undefined;

  constructor(name: string, doors: WorkerDoors, events: IngestEvents, counts: SourceCounts) {
    this.#name = name;
    this.#doors = doors;
    this.#events = events;
    this.#counts = counts;
  }

  problem(): string | undefined {
    return this.#failure;
  }

  positions(): Positions {
    return {};
  }

  async take(events: EventBatch, _mark: unknown, signal: AbortSignal): Promise<boolean> {
    for (let index = 0; index < events.count; index += 1) {
      if (!(await this.#call(events.copyData(index), signal))) return false;
    }
    return true;
  }

  /** False when `signal` has aborted before the event was done with. */
  async #call(data: Uint8Array, signal: AbortSignal): Promise<boolean> {
    const { clock, random } = this.#doors.environment;
    const event = eventOf(data);
    let failures = 0;
    for (let attempt = 1; !signal.aborted; attempt += 1) {
      const outcome = await this.#invoke(event, data.length, signal);
      if (outcome === 'done') return true;
      if (outcome === 'failed') failures += 1;
      if (outcome === 'refused' || failures >= ingestLimits.functionAttempts) {
        this.#counts.failed += 1;
        this.#events.gaveUp(this.#failure ?? 'refused');
        return true;
      }
      await clock.sleep(backoffMs(attempt, WAIT, random.fraction()), signal);
    }
    return false;
  }

  /** `later`: the function is not there, or has too much to do; that is no failure of the event. */
  async #invoke(
    event: Uint8Array,
    bytes: number,
    signal: AbortSignal,
  ): Promise<'done' | 'failed' | 'later' | 'refused'> {
    const startedAt = this.#doors.environment.clock.monotonic();
    try {
      const { failure } = await this.#doors.functions.invoke(this.#name, event, { signal, isChecked: true });
      if (signal.aborted) return 'later';
      if (failure !== undefined) {
        this.#failure = `${this.#name}: ${failure.type}`;
        return 'failed';
      }
      this.#failure = undefined;
      this.#counts.stored += 1;
      this.#counts.storedBytes += bytes;
      this.#events.stored(1, bytes, startedAt);
      return 'done';
    } catch (error) {
      if (!(error instanceof RequestError || error instanceof ThrottleError)) throw error;
      this.#failure = `${this.#name}: ${error.code}`;
      if (error instanceof ThrottleError || error.code === 'ResourceNotFoundException') return 'later';
      return 'refused';
    }
  }
}

/** The event's own JSON, or what is none as a text. */
function eventOf(data: Uint8Array): Uint8Array {
  const text = asBuffer(data).toString();
  return parseJson(text) === undefined ? Buffer.from(JSON.stringify(text)) : data;
}
