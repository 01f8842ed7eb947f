import { Timestamp } from 'bson';
import { PeerError } from './errors.ts';

/** Something that happened to a collection, as it is kept for change streams. */
export interface LoggedEvent {
  readonly time: bigint;
  readonly database: string;
  /** Absent: the whole database is gone. */
  readonly collection: string | undefined;
  /** The event without its token, in BSON. */
  readonly bytes: Uint8Array;
}

/** How much of the past is kept. */
export interface ChangeLogBounds {
  readonly eventsMax: number;
  readonly bytesMax: number;
}

/**
 * The last events, in the order of their times. The oldest go when a bound is reached: who wants to go on from there
 * gets ChangeStreamHistoryLost. A time is a timestamp of BSON as one number: seconds in the upper half, a count in the
 * lower.
 */
export class ChangeLog {
  readonly #bounds: ChangeLogBounds;
  readonly #now: () => number;
  #events: LoggedEvent[] = [];
  #bytes = 0;
  #lost: bigint;
  #latest: bigint;
  readonly #waiters = new Set<() => void>();

  constructor(bounds: ChangeLogBounds, now: () => number) {
    this.#bounds = bounds;
    this.#now = now;
    this.#latest = this.#lost = BigInt(Math.floor(now() / 1000)) << 32n;
  }

  /** The time of the latest event: the operationTime of all answers. */
  get latest(): bigint {
    return this.#latest;
  }

  /** The time of the next event: later than all before, and no earlier than the clock. */
  tick(): bigint {
    const clock = BigInt(Math.floor(this.#now() / 1000)) << 32n;
    this.#latest = clock > this.#latest ? clock + 1n : this.#latest + 1n;
    return this.#latest;
  }

  add(event: LoggedEvent): void {
    this.#events.push(event);
    this.#bytes += event.bytes.length;
    while (this.#events.length > this.#bounds.eventsMax || this.#bytes > this.#bounds.bytesMax) this.#dropOldest();
    for (const wake of this.#waiters) wake();
  }

  /** Forgets all events so far, as a server whose log has rolled over. */
  forget(): void {
    while (this.#events.length > 0) this.#dropOldest();
  }

  /** Events after `position`, oldest first. ChangeStreamHistoryLost when some of them are gone. */
  after(position: bigint): readonly LoggedEvent[] {
    if (position < this.#lost) {
      const text = 'Resume of change stream was not possible, as the resume point may no longer be in the oplog.';
      throw new PeerError('ChangeStreamHistoryLost', text);
    }
    return this.#events.slice(this.#placeAfter(position));
  }

  /** The event of that very time, when it is still there. */
  find(time: bigint): LoggedEvent | undefined {
    const event = this.#events[this.#placeAfter(time - 1n)];
    return event?.time === time ? event : undefined;
  }

  #placeAfter(position: bigint): number {
    let [low, high] = [0, this.#events.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#events[middle]?.time ?? 0n) > position) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** Resolves when something was added, after `withinMs`, or when nobody waits any more. */
  async change(withinMs: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#waiters.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      const timer = setTimeout(wake, withinMs);
      this.#waiters.add(wake);
      signal.addEventListener('abort', wake);
    });
  }

  #dropOldest(): void {
    const oldest = this.#events.shift();
    if (oldest === undefined) return;
    this.#bytes -= oldest.bytes.length;
    this.#lost = oldest.time;
  }
}

/** The timestamp of BSON that a time is. */
export function timestampOf(time: bigint): Timestamp {
  return new Timestamp(time);
}
