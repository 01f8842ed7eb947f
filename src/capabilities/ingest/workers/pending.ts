import type { BufferPool } from '../../../kernel/bytes/buffer-pool.ts';
import type { ResumeToken } from '../../../ports/source.ts';
import type { Digest } from '../arrival-headers.ts';
import { ingestLimits } from '../limits.ts';
import { EventBatch, type RecordForm } from './event-batch.ts';

/** Events that are stored together. */
export interface PendingBatch {
  readonly events: EventBatch;
  /** Goes on behind them. */
  readonly token: ResumeToken;
}

interface Gathering {
  readonly events: EventBatch;
  /** Behind the last whole group; undefined: there is none yet. */
  token: ResumeToken | undefined;
  groups: number;
}

/** What came and waits to be stored; it is taken in whole groups, since a token stands behind each. */
export class Pending {
  readonly #memory: BufferPool;
  readonly #form: RecordForm | undefined;
  /** The last one takes what comes. */
  readonly #batches: Gathering[] = [];
  #isGroupOpen = false;

  constructor(memory: BufferPool, form: RecordForm | undefined) {
    this.#memory = memory;
    this.#form = form;
  }

  get bytes(): number {
    return this.#batches.reduce((sum, { events }) => sum + events.bytes, 0);
  }

  /** Whether there is nothing to take. */
  get isEmpty(): boolean {
    return this.#batches.length === (this.#isGroupOpen ? 1 : 0);
  }

  get isFull(): boolean {
    // Positions without events must not pile up either.
    const records = this.#batches.reduce((sum, { events, groups }) => sum + Math.max(events.count, groups), 0);
    return this.bytes >= ingestLimits.pendingBytesMax || records >= ingestLimits.pendingRecordsMax;
  }

  /** One event of the group that comes. */
  add(data: Uint8Array, digest: Digest | undefined): void {
    this.#open().events.add(data, digest);
  }

  /** The group is whole, also one without events. */
  end(token: ResumeToken): void {
    const batch = this.#open();
    batch.token = token;
    batch.groups += 1;
    this.#isGroupOpen = false;
  }

  /** The next batch; something waits. */
  take(): PendingBatch {
    const { events, token = '' } = this.#batches.shift() as Gathering;
    return { events, token };
  }

  /** The batch that takes the group: the last one, unless it has enough. */
  #open(): Gathering {
    const last = this.#batches.at(-1);
    if (last !== undefined && (this.#isGroupOpen || hasRoom(last.events))) {
      this.#isGroupOpen = true;
      return last;
    }
    this.#isGroupOpen = true;
    const next = { events: new EventBatch(this.#memory, this.#form), token: undefined, groups: 0 };
    this.#batches.push(next);
    return next;
  }
}

function hasRoom({ bytes, count }: EventBatch): boolean {
  return bytes < ingestLimits.batchBytesMax && count < ingestLimits.batchRecordsMax;
}
