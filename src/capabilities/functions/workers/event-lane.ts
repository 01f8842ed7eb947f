import type { Environment } from '../../../ports/environment.ts';
import type { Records, ShardInfo, StreamInfo } from '../../../ports/records.ts';
import { orPastDamage, type Offset, type StoredRecord } from '../../../ports/stream-store.ts';
import { functionsLimits as limits } from '../limits.ts';

/** What a lane works with. */
export interface LaneParts {
  readonly records: Records;
  readonly environment: Environment;
  readonly stream: StreamInfo;
  readonly shard: ShardInfo;
  /** Resolves with whether the record is done for good; otherwise the next start has it again. */
  readonly serve: (record: StoredRecord) => Promise<boolean>;
  /** The position has moved. */
  readonly moved: () => void;
  readonly stopped: AbortSignal;
}

/** Reads one shard of events, some at once; its position is the first event that is not done. */
export class EventLane {
  readonly #parts: LaneParts;
  /** Events that are not done, in the shard's order. */
  readonly #open = new Set<Offset>();
  #cursor: Offset;
  #freed: () => void = () => undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(parts: LaneParts, from: Offset) {
    this.#parts = parts;
    this.#cursor = from;
  }

  get position(): Offset {
    const [first] = this.#open;
    return first ?? this.#cursor;
  }

  /** Events under way, and those behind them in the log. */
  get waiting(): number {
    const { end } = this.#parts.records.bounds(this.#parts.shard);
    return this.#open.size + Math.max(0, Number(end - this.#cursor));
  }

  /** Reads on until the signal; rejects when it cannot. */
  async run(): Promise<void> {
    const { records, shard, stopped } = this.#parts;
    while (!stopped.aborted) {
      const room = limits.eventsAtOnce - this.#open.size;
      if (room <= 0) {
        await new Promise<void>((resolve) => {
          this.#freed = resolve;
        });
        continue;
      }
      if (await this.#read(room)) continue;
      await records.waitForMore(shard, this.#cursor, stopped);
    }
  }

  /** Looks at the signal again. */
  wake(): void {
    this.#freed();
  }

  /** Resolves once nothing is under way. */
  async settle(): Promise<void> {
    await this.#running;
  }

  /** False: nothing more is there. */
  async #read(room: number): Promise<boolean> {
    const { records, stream, shard } = this.#parts;
    if (this.#cursor >= records.bounds(shard).end) return false;
    const limit = { records: Math.min(room, limits.readRecords), bytes: limits.readBytes };
    const slice = await orPastDamage(records.read(stream, shard, this.#cursor, limit));
    for (const record of slice.records) this.#begin(record);
    this.#cursor = slice.next;
    return true;
  }

  #begin(record: StoredRecord): void {
    const { serve, moved } = this.#parts;
    this.#open.add(record.offset);
    const one = serve(record).then((isDone) => {
      // What is not done keeps the position where it is.
      if (isDone) this.#open.delete(record.offset);
      this.#freed();
      if (isDone) moved();
    });
    this.#running = Promise.all([this.#running, one]).then(() => undefined);
  }
}
