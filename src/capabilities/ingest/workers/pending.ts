import type { ResumeToken } from '../../../ports/source.ts';
import { ingestLimits } from '../limits.ts';
import type { Waiting } from './target.ts';

/** Events that are stored together. */
export interface PendingBatch {
  readonly events: readonly Waiting[];
  /** Goes on behind them. */
  readonly token: ResumeToken;
}

interface Group {
  readonly events: readonly Waiting[];
  readonly token: ResumeToken;
  readonly bytes: number;
}

/** What came and waits to be stored; it is taken in whole groups, since a token stands behind each. */
export class Pending {
  readonly #groups: Group[] = [];
  #bytes = 0;
  #records = 0;

  get bytes(): number {
    return this.#bytes;
  }

  get isEmpty(): boolean {
    return this.#groups.length === 0;
  }

  get isFull(): boolean {
    return this.#bytes >= ingestLimits.pendingBytesMax || this.#records >= ingestLimits.pendingRecordsMax;
  }

  add(events: readonly Waiting[], token: ResumeToken): void {
    const own = events.reduce((sum, { arrival }) => sum + arrival.data.length + ingestLimits.eventOverheadBytes, 0);
    this.#groups.push({ events, token, bytes: own });
    this.#bytes += own;
    // Positions without events must not pile up either.
    this.#records += Math.max(1, events.length);
  }

  /** The next batch; something waits. */
  take(): PendingBatch {
    const events: Waiting[] = [];
    let token = '';
    let bytes = 0;
    let groups = 0;
    for (const group of this.#groups) {
      const isTooMuch =
        bytes + group.bytes > ingestLimits.batchBytesMax ||
        events.length + group.events.length > ingestLimits.batchRecordsMax;
      if (groups > 0 && isTooMuch) break;
      groups += 1;
      bytes += group.bytes;
      token = group.token;
      this.#records -= Math.max(1, group.events.length);
      for (const event of group.events) events.push(event);
    }
    this.#groups.splice(0, groups);
    this.#bytes -= bytes;
    return { events, token };
  }
}
