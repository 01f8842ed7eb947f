import { nextTurn } from '../../kernel/flow/next-turn.ts';
import { encodeSequenceNumber } from '../../kernel/stream/sequence-number.ts';
import type { Catalog, CatalogEntry, CatalogOp } from '../../ports/catalog.ts';
import type { Environment } from '../../ports/environment.ts';
import { StreamBusy, StreamNotFound, type Reshard, type ShardInfo, type StreamInfo } from '../../ports/records.ts';
import { shardKey, type Offset, type ShardBounds } from '../../ports/stream-store.ts';
import { divideEntry } from './older-entry.ts';
import { intentOf, nextFamilies, type Family } from './reshard-plan.ts';
import { putShard, shardEntryKey, shardOf } from './shard-entry.ts';
import { nameOfStream, STREAM_PREFIX, streamOf, withIntent } from './stream-entry.ts';
import type { ViewedStream } from './stream-view.ts';

/** A step that the log refused is tried again after so long. */
const AGAIN_MS = 1000;

/** What resharding needs of the streams. */
export interface ReshardDoors {
  readonly catalog: Catalog;
  readonly environment: Environment;
  /** The stream as it is now. */
  stream(name: string): ViewedStream | undefined;
  bounds(shard: ShardInfo): ShardBounds;
  /** Ends the shard for good behind all that was queued; resolves with the offset after its last record. */
  end(stream: ViewedStream, shard: ShardInfo): Promise<Offset>;
  /** Gives the writers of shards up that take nothing more. */
  release(shards: readonly ShardInfo[]): Promise<void>;
  /** Makes the stream's shards known to the store. */
  prepare(stream: StreamInfo): Promise<void>;
  /** Resolves when the appends are queued that wait for the stream at this moment. */
  queued(name: string): Promise<void>;
}

/** Shards that take no records because a step closes them, until it is over. */
interface Gate {
  readonly shards: ReadonlySet<string>;
  readonly over: Promise<void>;
}

/**
 * Carries out what the entries of streams say they are to become: the intent is durable when `begin` resolves, the
 * steps follow, of a bounded number of shards each. Only puts to the shards of the step under way wait for it.
 */
export class Resharding {
  readonly #doors: ReshardDoors;
  readonly #gates = new Map<string, Gate>();
  readonly #running = new Map<string, Promise<void>>();
  readonly #stop = new AbortController();

  constructor(doors: ReshardDoors) {
    this.#doors = doors;
  }

  /** Resolves, and never rejects, when the step is over that closes one of these shards; undefined: none does. */
  closing(name: string, shards: () => readonly ShardInfo[]): Promise<void> | undefined {
    const gate = this.#gates.get(name);
    if (gate === undefined) return undefined;
    return shards().some(({ ref }) => gate.shards.has(shardKey(ref))) ? gate.over : undefined;
  }

  /** Writes the intent and sets about it. Rejects with StreamNotFound, StreamBusy and Unavailable. */
  async begin(name: string, change: Reshard): Promise<StreamInfo> {
    const { catalog } = this.#doors;
    const key = STREAM_PREFIX + name;
    await divideEntry(catalog, key);
    for (;;) {
      const entry = catalog.get(key);
      const stream = this.#doors.stream(name);
      if (entry === undefined || stream === undefined) throw new StreamNotFound(name);
      if (stream.info.isResharding) throw new StreamBusy(name);
      const intent = intentOf(stream.open, change);
      // Somebody was faster, and is ready with it.
      if (intent === undefined) throw new StreamBusy(name);
      const put = withIntent(entry.value, intent);
      if (!(await catalog.propose([{ key, expect: entry.revision, put }])).accepted) continue;
      const begun = this.#doors.stream(name)?.info;
      this.resume(name);
      if (begun === undefined) throw new StreamNotFound(name);
      return begun;
    }
  }

  /** Goes on with what the stream's entry says, if it does; the shards of the first step take no puts any more. */
  resume(name: string): void {
    if (this.#running.has(name) || this.#stop.signal.aborted) return;
    const work = this.#carryOut(name).finally(() => this.#running.delete(name));
    this.#running.set(name, work);
  }

  /** Resolves when the reshard under way, if any, is over or given up. */
  async settled(name: string): Promise<void> {
    await this.#running.get(name);
  }

  /** No step begins any more. */
  stop(): void {
    this.#stop.abort();
  }

  /** Resolves once nothing is under way. */
  async idle(): Promise<void> {
    await Promise.all(this.#running.values());
  }

  async #carryOut(name: string): Promise<void> {
    const { environment } = this.#doors;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        const isDone = await this.#step(name);
        if (isDone) return;
        // What waited for this step must not wait for the next one as well.
        await this.#doors.queued(name);
      } catch (error) {
        if (error instanceof StreamNotFound || signal.aborted) return;
        environment.log.warn('stream.reshard.waits', { stream: name, reason: String(error) });
        await environment.clock.sleep(AGAIN_MS, signal);
      }
    }
  }

  /** Closes parents, then opens their children; true when nothing is left to do. */
  async #step(name: string): Promise<boolean> {
    const stream = this.#doors.stream(name);
    const entry = this.#doors.catalog.get(STREAM_PREFIX + name);
    if (stream === undefined || entry === undefined) throw new StreamNotFound(name);
    const intent = streamOf(entry).resharding;
    if (intent === undefined) return true;
    const families = nextFamilies(stream.open, intent, nextOrdinal(stream));
    const parents = families.flatMap((family) => family.parents);
    return await this.#behindGate(name, parents, async () => {
      const endings = await this.#endAll(stream, parents);
      const isLast = !('to' in intent) || families.length === 0;
      await this.#write(entry, { families, endings, isLast });
      await this.#doors.release(parents);
      // All of a stream's shards are looked at once more: in a turn of its own.
      await nextTurn(this.#doors.environment.clock);
      const after = this.#doors.stream(name)?.info;
      if (after !== undefined) await this.#doors.prepare(after);
      return isLast;
    });
  }

  async #behindGate<T>(name: string, shards: readonly ShardInfo[], work: () => Promise<T>): Promise<T> {
    const step = work();
    const over = step.then(
      () => undefined,
      () => undefined,
    );
    this.#gates.set(name, { shards: new Set(shards.map(({ ref }) => shardKey(ref))), over });
    try {
      return await step;
    } finally {
      this.#gates.delete(name);
    }
  }

  /** The last sequence number of each parent, and when it was closed, by the store's keys. */
  async #endAll(stream: ViewedStream, parents: readonly ShardInfo[]): Promise<Map<string, Ending>> {
    const { environment } = this.#doors;
    const endings = new Map<string, Ending>();
    const ends = await Promise.allSettled(
      parents.map(async (shard) => {
        const offset = await this.#doors.end(stream, shard);
        // A clock that was set back must not hide a shard before its records are too old.
        const closedAt = Math.max(environment.clock.now(), this.#doors.bounds(shard).lastAt);
        endings.set(shardKey(shard.ref), { sequenceNumber: encodeSequenceNumber(shard.ref, offset), closedAt });
      }),
    );
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
    return endings;
  }

  /** Opens the children in one command. Whatever else of the stream was changed meanwhile stays changed. */
  async #write({ key, value }: CatalogEntry, { families, endings, isLast }: ClosedFamilies): Promise<void> {
    const { catalog } = this.#doors;
    const { generation } = streamOf({ value });
    for (;;) {
      const entry = catalog.get(key);
      if (entry === undefined || streamOf(entry).generation !== generation) throw new StreamNotFound(nameOfStream(key));
      const head = { key, expect: entry.revision };
      const ops: CatalogOp[] = [
        isLast ? { ...head, put: withIntent(entry.value, undefined) } : { ...head, keep: true },
        ...families.flatMap((family) => this.#familyOps(nameOfStream(key), family, endings)),
      ];
      if ((await catalog.propose(ops)).accepted) return;
    }
  }

  #familyOps(name: string, { parents, children }: Family, endings: ReadonlyMap<string, Ending>): CatalogOp[] {
    let openedAt = 0;
    const closed = parents.map(({ ref }): CatalogOp => {
      const entry = this.#doors.catalog.get(shardEntryKey(ref));
      const ending = endings.get(shardKey(ref));
      if (entry === undefined || ending === undefined) throw new StreamNotFound(name);
      const { sequenceNumber: endingSequenceNumber, closedAt } = ending;
      openedAt = Math.max(openedAt, closedAt);
      return putShard(name, { ...shardOf(entry), endingSequenceNumber, closedAt }, entry.revision);
    });
    return [...closed, ...children.map((child) => putShard(name, { ...child, openedAt }, null))];
  }
}

/** What one command writes. */
interface ClosedFamilies {
  readonly families: readonly Family[];
  /** By the store's keys. */
  readonly endings: ReadonlyMap<string, Ending>;
  /** Nothing is left to do of the intent. */
  readonly isLast: boolean;
}

interface Ending {
  readonly sequenceNumber: string;
  readonly closedAt: number;
}

/** The newest shard of a stream is open, so that no number is given twice, whatever left the catalog. */
function nextOrdinal({ info }: ViewedStream): number {
  return info.shards.reduce((highest, { ref }) => Math.max(highest, ref.ordinal), 0) + 1;
}
