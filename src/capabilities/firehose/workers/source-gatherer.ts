import { BufferPool } from '../../../kernel/bytes/buffer-pool.ts';
import { ReadMemory } from '../../../kernel/bytes/read-memory.ts';
import type { Buffering } from '../../../ports/destination.ts';
import type { ShardInfo, StreamInfo } from '../../../ports/records.ts';
import { positionKey, type Offset } from '../../../ports/stream-store.ts';
import { Gathering, type BatchBounds } from '../gathering.ts';
import { firehoseLimits } from '../limits.ts';
import type { RecordForm } from '../outgoing.ts';
import type { DeliveryNotes } from './delivery-notes.ts';
import { readOnward, type OnwardPlace } from '../../../ports/read-onward.ts';
import { READ_LIMIT, readBytesMax } from '../range-slices.ts';
import type { WorkerDoors } from './worker.ts';

/** Of one read, which is counted at once. */
const PIECE_BYTES = firehoseLimits.readBytes;
// Shared by all deliveries: what is left in a piece is never looked at.
const pool = new BufferPool(PIECE_BYTES, 4);

/** What a stream is gathered with. */
export interface GathererDoors extends Pick<WorkerDoors, 'records' | 'environment' | 'memory'> {
  readonly notes: DeliveryNotes;
  readonly buffering: () => Buffering & BatchBounds;
  readonly form: () => RecordForm;
  /** Where the delivery stands in a shard. */
  readonly position: (shard: ShardInfo) => Offset;
  readonly stopped: AbortSignal;
}

/** Looks at what came into a stream until there is enough of it, or it has waited long enough. */
export class SourceGatherer {
  readonly #doors: GathererDoors;
  /** By shard, behind the last number of which was told that it is gone: what is looked at anew is not lost again. */
  #toldTo: ReadonlyMap<string, Offset> = new Map();
  #gathering: Gathering;
  /** When the first record of the gathering was found, on the clock that never steps back. */
  #since = 0;
  #wake = new AbortController();

  constructor(doors: GathererDoors) {
    this.#doors = doors;
    this.#gathering = new Gathering(doors.buffering(), doors.form());
  }

  get gathering(): Gathering {
    return this.#gathering;
  }

  /** What is left of the interval, in ms; undefined when nothing waits. */
  get dueInMs(): number | undefined {
    return this.#gathering.isEmpty ? undefined : Math.max(0, this.#dueInMs(this.#gathering.waitingSince));
  }

  /** Begins anew from where the delivery stands. */
  reset(): void {
    this.#gathering = new Gathering(this.#doors.buffering(), this.#doors.form());
  }

  /** Ends a wait. */
  wake(): void {
    this.#wake.abort();
  }

  /** Looks at what came, shard after shard, until nothing more is there or a batch is full. */
  async gather(stream: StreamInfo): Promise<void> {
    const { records, position, stopped } = this.#doors;
    const gathering = this.#gathering;
    let hasMore = true;
    while (hasMore && !gathering.isFull && !stopped.aborted) {
      hasMore = false;
      for (const shard of stream.shards) {
        if (gathering.isFull || gathering !== this.#gathering) return;
        const from = position(shard);
        const cursor = gathering.cursor(shard.ref, from);
        if (cursor >= records.bounds(shard).end) continue;
        const scan = async (): Promise<boolean> => await this.#scan(gathering, { stream, shard, from: cursor }, from);
        const isMore = await this.#doors.memory.forScan(readBytesMax(stream), stopped, scan);
        hasMore ||= isMore === true;
      }
    }
  }

  /** One read; whether there is more. `position`: where the delivery stands. */
  async #scan(gathering: Gathering, place: Omit<OnwardPlace, 'limit'>, position: Offset): Promise<boolean> {
    const { records, environment } = this.#doors;
    const { stream, shard, from } = place;
    const memory = new ReadMemory(pool);
    const notes = this.#notes(stream, shard, from);
    const onward = await readOnward(records, { ...place, limit: READ_LIMIT }, notes, memory);
    if (gathering.isEmpty) this.#since = environment.clock.monotonic();
    gathering.take(shard.ref, position, onward.slice);
    memory.reset();
    if (onward.lost > 0) gathering.loses(onward.lost, environment.clock.now());
    return onward.hasMore;
  }

  /** Tells of what is gone behind a cursor, as far as that was not told yet. */
  #notes({ shards }: StreamInfo, { ref }: ShardInfo, cursor: Offset): Pick<DeliveryNotes, 'lost'> {
    return {
      lost: (count, cause) => {
        const told = this.#toldTo.get(positionKey(ref)) ?? 0n;
        const [from, to] = [told > cursor ? told : cursor, cursor + BigInt(count)];
        if (to <= from) return;
        this.#doors.notes.lost(Number(to - from), cause);
        const known = shards.map((shard) => positionKey(shard.ref)).filter((key) => this.#toldTo.has(key));
        const kept = known.map((key) => [key, this.#toldTo.get(key) as Offset] as const);
        this.#toldTo = new Map([...kept, [positionKey(ref), to]]);
      },
    };
  }

  /** Whether a batch is to leave; `isAsked`: somebody waits for all there is. */
  isDue(isAsked: boolean): boolean {
    const { isEmpty, waitingSince, isFull } = this.#gathering;
    if (isEmpty) return false;
    return isFull || isAsked || this.#dueInMs(waitingSince) <= 0;
  }

  /** Resolves when more came, when the batch is due, or when it is woken. */
  async wait(stream: StreamInfo): Promise<void> {
    const { records, environment, position, stopped } = this.#doors;
    const gathering = this.#gathering;
    const untilDue = gathering.isEmpty ? firehoseLimits.idleMs : this.#dueInMs(gathering.waitingSince);
    const ms = Math.max(0, Math.min(untilDue, firehoseLimits.idleMs));
    const woken = this.#wake;
    const cursors = stream.shards.map((shard) => ({ shard, cursor: gathering.cursor(shard.ref, position(shard)) }));
    // At the end of a closed shard there is nothing to wait for, and a wait would be over at once, time and again.
    const goingOn = cursors.filter(({ shard, cursor }) => cursor < (records.bounds(shard).closedAt ?? Infinity));
    // One signal for each shard: the platform warns of one that many wait for.
    const ends = goingOn.map(() => new AbortController());
    const waits = goingOn.map(async ({ shard, cursor }, index) => {
      await records.waitForMore(shard, cursor, (ends[index] as AbortController).signal);
    });
    await Promise.race([...waits, environment.clock.sleep(ms, woken.signal)]);
    const isAsked = woken.signal.aborted;
    woken.abort();
    for (const end of ends) end.abort();
    await Promise.allSettled(waits);
    const pauseMs = Math.min(firehoseLimits.scanEveryMs, ms);
    // A stream that is written all the time is looked at in larger pieces.
    if (!isAsked) await environment.clock.sleep(pauseMs, stopped);
  }

  /** A wait that begins from now on can be woken. */
  listen(): void {
    this.#wake = new AbortController();
  }

  /** Counted from when the oldest record was there, also over restarts; a clock set back does not make it longer. */
  #dueInMs(since: number): number {
    const { clock } = this.#doors.environment;
    const { intervalMs } = this.#doors.buffering();
    return Math.min(since + intervalMs - clock.now(), this.#since + intervalMs - clock.monotonic());
  }
}
