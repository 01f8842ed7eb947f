import type { Environment } from '../../../ports/environment.ts';
import type { Records, ShardInfo, StreamInfo } from '../../../ports/records.ts';
import { readOnward, type LossNotes, type OnwardPlace } from '../../../ports/read-onward.ts';
import type { Offset, StoredRecord } from '../../../ports/stream-store.ts';
import type { DoneEvents } from '../done-at-stop.ts';
import { functionsLimits as limits } from '../limits.ts';

/** Why an event was gone before it was run. */
export type LossCause = Parameters<LossNotes['lost']>[1];

/** What a lane works with. */
export interface LaneParts {
  readonly records: Records;
  readonly environment: Environment;
  readonly stream: StreamInfo;
  readonly shard: ShardInfo;
  /** Resolves with whether the record is done for good; otherwise the next start has it again. */
  readonly serve: (record: StoredRecord) => Promise<boolean>;
  /** Events that were gone, or could not be read, when their turn came; of which function where it is known. */
  readonly lost: (events: number, cause: LossCause, name?: string) => void;
  /** The position has moved. */
  readonly moved: () => void;
  readonly stopped: AbortSignal;
}

/** An event in the log; its bytes are read again when its turn comes. */
interface Place {
  readonly offset: Offset;
  readonly bytes: number;
}

/** What one function has in a lane. */
interface Share {
  readonly name: string;
  running: number;
  bytes: number;
  /** Events that wait until others of the same function are done, from `next` on. */
  parked: Place[];
  next: number;
}

/**
 * Reads one shard of events, some at once; its position is the first event that is not done. A function has a share of
 * what is under way: behind a slow one, events of others go on.
 */
export class EventLane {
  readonly #parts: LaneParts;
  /** Events that are not done, in the shard's order. */
  readonly #open = new Set<Offset>();
  /** What was done before this start. */
  readonly #before: DoneEvents;
  readonly #shares = new Map<string, Share>();
  #runningCount = 0;
  #bytes = 0;
  #parked = 0;
  #cursor: Offset;
  #freed: () => void = () => undefined;
  /** Who waits until nothing is under way. */
  #settled: (() => void)[] = [];

  constructor(parts: LaneParts, from: Offset, before: DoneEvents) {
    this.#parts = parts;
    this.#cursor = from;
    this.#before = before;
  }

  get shard(): ShardInfo {
    return this.#parts.shard;
  }

  get position(): Offset {
    const [first] = this.#open;
    return first ?? this.#cursor;
  }

  /** What is done, told by so many open events at most: all of it, or its beginning. */
  done(openMax: number): DoneEvents {
    const { open, until } = this.#before;
    const all = [...this.#open, ...open.filter((offset) => offset >= this.#cursor)];
    const end = until > this.#cursor ? until : this.#cursor;
    return { until: all[openMax] ?? end, open: all.slice(0, openMax) };
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
      if (!this.#hasRoom()) {
        await new Promise<void>((resolve) => {
          this.#freed = resolve;
        });
        continue;
      }
      if (await this.#read()) continue;
      await records.waitForMore(shard, this.#cursor, stopped);
    }
  }

  /** Looks at the signal again. */
  wake(): void {
    this.#freed();
  }

  /** Resolves once nothing is under way. */
  async settle(): Promise<void> {
    if (this.#runningCount > 0) await new Promise<void>((resolve) => this.#settled.push(resolve));
  }

  #hasRoom(): boolean {
    const { laneEventsMax, laneBytesMax, laneParkedMax } = limits;
    return this.#runningCount < laneEventsMax && this.#bytes < laneBytesMax && this.#parked < laneParkedMax;
  }

  /** False: nothing more is there. */
  async #read(): Promise<boolean> {
    const { records, shard, lost } = this.#parts;
    const { open, until } = this.#before;
    if (this.#cursor < until) this.#cursor = open.find((offset) => offset >= this.#cursor) ?? until;
    if (this.#cursor >= records.bounds(shard).end) return false;
    const { slice } = await readOnward(records, this.#place(this.#cursor, limits.readRecords), { lost });
    for (const record of slice.records) {
      if (record.offset >= until || open.includes(record.offset)) this.#take(record);
    }
    this.#cursor = slice.next;
    return true;
  }

  #take(record: StoredRecord): void {
    this.#open.add(record.offset);
    const place = { offset: record.offset, bytes: record.data.length };
    const share = this.#shareOf(Buffer.from(record.key).toString());
    if (share.parked.length === 0 && hasRoom(share)) return this.#begin(share, place, async () => record);
    share.parked.push(place);
    this.#parked += 1;
  }

  #shareOf(name: string): Share {
    const known = this.#shares.get(name);
    if (known !== undefined) return known;
    const share: Share = { name, running: 0, bytes: 0, parked: [], next: 0 };
    this.#shares.set(name, share);
    return share;
  }

  #begin(share: Share, place: Place, load: () => Promise<StoredRecord | undefined>): void {
    share.running += 1;
    share.bytes += place.bytes;
    this.#runningCount += 1;
    this.#bytes += place.bytes;
    void this.#serve(share, place, load);
  }

  async #serve(share: Share, place: Place, load: () => Promise<StoredRecord | undefined>): Promise<void> {
    const record = await load();
    const isDone = record === undefined ? !this.#parts.stopped.aborted : await this.#parts.serve(record);
    share.running -= 1;
    share.bytes -= place.bytes;
    this.#runningCount -= 1;
    this.#bytes -= place.bytes;
    // What is not done keeps the position where it is.
    if (isDone) this.#open.delete(place.offset);
    this.#resume(share);
    this.#freed();
    if (isDone) this.#parts.moved();
    if (this.#runningCount === 0) for (const resolve of this.#settled.splice(0)) resolve();
  }

  /** The next ones of the same function that were put aside. */
  #resume(share: Share): void {
    if (this.#parts.stopped.aborted) return;
    while (hasRoom(share)) {
      const place = share.parked[share.next];
      if (place === undefined) break;
      share.next += 1;
      this.#parked -= 1;
      this.#begin(share, place, async () => await this.#reread(share.name, place.offset));
    }
    // Each place is moved once at most for each that went.
    if (share.next * 2 >= share.parked.length) {
      share.parked = share.parked.slice(share.next);
      share.next = 0;
    }
    if (share.running === 0 && share.parked.length === 0) this.#shares.delete(share.name);
  }

  /** Undefined: it is there no more, which is told, or the node stops. */
  async #reread(name: string, offset: Offset): Promise<StoredRecord | undefined> {
    const { records, stopped, environment, lost } = this.#parts;
    // What else is gone beside it is told when its own turn comes.
    const notes: LossNotes = { lost: (_events, cause) => lost(1, cause, name) };
    while (!stopped.aborted) {
      try {
        const { slice } = await readOnward(records, this.#place(offset, 1), notes);
        return slice.records.find((record) => record.offset === offset);
      } catch {
        // The lane's own reading meets the same, and tells it.
        await environment.clock.sleep(limits.idleMs);
      }
    }
    return undefined;
  }

  #place(from: Offset, count: number): OnwardPlace {
    const { stream, shard } = this.#parts;
    return { stream, shard, from, limit: { records: count, bytes: limits.readBytes } };
  }
}

function hasRoom({ running, bytes }: Share): boolean {
  return running < limits.eventsAtOnce && bytes < limits.eventsAtOnceBytes;
}
