import { backoffMs } from '../../../kernel/flow/backoff.ts';
import { nextTurn } from '../../../kernel/flow/next-turn.ts';
import type { OutgoingRecord } from '../../../ports/destination.ts';
import { isStored, type ShardInfo, type StreamInfo } from '../../../ports/records.ts';
import { positionKey, Unavailable, type Offset } from '../../../ports/stream-store.ts';
import type { ProcessingMeasures } from '../events.ts';
import { firehoseLimits } from '../limits.ts';
import type { Gap } from '../model.ts';
import { outgoingRecords, type RecordForm } from '../outgoing.ts';
import type { Origin } from '../processed-record.ts';
import type { Transform } from '../transform-options.ts';
import type { TransformSource } from '../transform-event.ts';
import type { DeliveryNotes } from './delivery-notes.ts';
import { missingFunction, withEventBytes } from './event-bytes.ts';
import { readOnward } from '../../../ports/read-onward.ts';
import { READ_LIMIT, readBytesMax } from '../range-slices.ts';
import type { Feed } from './shard-follower.ts';
import {
  EVENT_RECORDS_MAX,
  EventGathering,
  goneEntry,
  offsetOf,
  transformGroup,
  type GroupTries,
  type Processed,
} from './transform-piece.ts';
import type { WorkerDoors } from './worker.ts';

/** What one shard is transformed with. */
export interface TransformerDoors extends WorkerDoors {
  readonly measure: (call: ProcessingMeasures) => void;
  readonly notes: DeliveryNotes;
  /** So much was read. */
  readonly read: (records: number, bytes: number) => void;
  readonly transform: () => Transform | undefined;
  /** The stream that is read, as it is now; undefined: it is gone. */
  readonly stream: () => StreamInfo | undefined;
  /** The shard is there, and was looked at. */
  readonly saw: (shard: ShardInfo) => void;
  /** The internal stream that takes what was transformed. */
  readonly into: string;
  /** The end of its one shard. */
  readonly intoEnd: () => Offset;
  readonly form: RecordForm;
  /** From here on the internal stream was looked through for what the catalog does not tell. */
  readonly resumedFrom: Offset;
  readonly source: () => TransformSource;
  /** Whether somebody waits for all that is there. */
  readonly isFlushed: () => boolean;
  /** All before its position stands in the internal stream. */
  readonly moved: () => void;
}

/** A part of the shard that makes one event or a few. */
interface Piece {
  readonly from: Offset;
  readonly to: Offset;
  readonly bytes: number;
  /** Stored records of it. */
  readonly records: number;
}

interface Trying {
  readonly tries: GroupTries;
  readonly transform: Transform;
}

/** Bytes of entries that are stored as one, or not at all. */
const RUN_BYTES = 512 * 1024;
/** Of a byte of records: as it was read, in the event, in the answer, and as it is stored. */
const COPIES = 4;
/** Of a record while its event is under way: an object, its number, what the answer says of it. */
const OBJECT_BYTES = 1000;
/** What is gone is counted once its entry stands. */
const TOLD_LATER = { lost: () => undefined };
const WAIT = { baseMs: firehoseLimits.functionWaitBaseMs, maxMs: firehoseLimits.functionWaitMaxMs };

/**
 * Has the records of one shard transformed, and stores what comes of them in their order. What was stored says itself
 * where it comes from, so that a crash repeats calls, and no record.
 */
export class ShardTransformer implements Feed {
  readonly #doors: TransformerDoors;
  readonly #shard: ShardInfo;
  readonly #stop = new AbortController();
  readonly #cut = new AbortController();
  #wake = new AbortController();
  #position: Offset;
  /** The record that was stored last, while not all of its piece is. */
  #last: Origin | undefined;
  #pendingFrom: Offset | undefined;

  constructor(shard: ShardInfo, from: Offset, last: Origin | undefined, doors: TransformerDoors) {
    this.#shard = shard;
    this.#position = from;
    this.#last = last;
    this.#pendingFrom = last === undefined ? undefined : doors.resumedFrom;
    this.#doors = doors;
  }

  /** The first record of which not all is stored or dropped. */
  get position(): Offset {
    return this.#position;
  }

  /** The first record of which nothing, or not all, is stored: pieces count by their records. */
  get stored(): Offset {
    const last = this.#last;
    if (last === undefined) return this.#position;
    return last.subSequenceNumber === undefined ? last.offset + 1n : last.offset;
  }

  /** Below this place of the internal stream stands nothing of a piece that is not whole; undefined: of none. */
  get pendingFrom(): Offset | undefined {
    return this.#pendingFrom;
  }

  wake(): void {
    this.#wake.abort();
  }

  /** Takes no more records; what is under way comes to its end. */
  stop(): void {
    this.#stop.abort();
    this.wake();
  }

  /** Ends what is under way: it counts as never begun. */
  cut(): void {
    this.#cut.abort();
    this.stop();
  }

  /** Resolves at the end of the shard, when the stream is gone, or when it was stopped. */
  async run(): Promise<void> {
    const { notes, environment } = this.#doors;
    while (!this.#stop.signal.aborted) {
      try {
        if (await this.#pass()) return;
      } catch (error) {
        if (this.#stream() === undefined) return;
        notes.failed(error);
        await environment.clock.sleep(firehoseLimits.idleMs, this.#stop.signal);
      }
    }
  }

  /** From the position on; true: there will be no more. */
  async #pass(): Promise<boolean> {
    const calls = new Set<Promise<void>>();
    let before: Promise<void> = Promise.resolve();
    const so = { hasFailed: false };
    let cursor = this.#position;
    let isOver = false;
    while (!isOver && !so.hasFailed && !this.#stop.signal.aborted) {
      const piece = await this.#gather(cursor, () => so.hasFailed);
      if (piece === 'end') isOver = true;
      if (typeof piece === 'string') continue;
      cursor = piece.to;
      this.#doors.read(piece.records, piece.bytes);
      const done = this.#settle(piece, before);
      before = done;
      const call = done.then(
        () => void calls.delete(call),
        () => {
          calls.delete(call);
          so.hasFailed = true;
          this.wake();
        },
      );
      calls.add(call);
      if (calls.size >= firehoseLimits.transformCallsMax) await Promise.race(calls);
    }
    await Promise.all(calls);
    // Throws what failed first.
    await before;
    return isOver;
  }

  /** Transforms a piece, as often as it takes, and stores it behind the one before. */
  async #settle(piece: Piece, before: Promise<void>): Promise<void> {
    const { clock } = this.#doors.environment;
    // Who waits for this one waits for the failure, too.
    before.catch(() => undefined);
    const tries = this.#firstTry();
    for (let pauseMs = await this.#try(piece, before, tries); pauseMs > 0;) {
      // Nothing of the piece is held meanwhile: it is read again.
      await clock.sleep(pauseMs, this.#stop.signal);
      if (this.#stop.signal.aborted) throw new Unavailable('the delivery stops');
      pauseMs = await this.#try(piece, before, tries);
    }
    await before;
    this.#position = piece.to;
    this.#last = undefined;
    this.#pendingFrom = undefined;
    this.#doors.moved();
  }

  #firstTry(): GroupTries {
    return { source: this.#doors.source(), failures: 0, waits: 0 };
  }

  /** Goes through what is left of a piece; how long to wait before it is tried again, 0: it is done. */
  async #try(piece: Piece, before: Promise<void>, tries: GroupTries): Promise<number> {
    const { functions, environment, notes } = this.#doors;
    const transform = this.#doors.transform();
    if (transform === undefined || this.#stop.signal.aborted) throw new Unavailable('the delivery stops');
    if (this.#stream() === undefined) throw gone();
    if ('name' in transform.to && !functions.has(transform.to.name)) {
      notes.waits(missingFunction(transform.to.name));
      tries.waits += 1;
      return backoffMs(tries.waits, WAIT, environment.random.fraction());
    }
    const bytes = COPIES * piece.bytes + piece.records * OBJECT_BYTES;
    const work = async (): Promise<number> => await this.#groups(piece, before, { tries, transform });
    const pauseMs = await withEventBytes(this.#doors, bytes, this.#stop.signal, work);
    if (pauseMs === undefined) throw new Unavailable('the delivery stops');
    return pauseMs;
  }

  async #groups(piece: Piece, before: Promise<void>, { tries, transform }: Trying): Promise<number> {
    const gathering = new EventGathering();
    const doors = { ...this.#doors, transform, cut: this.#cut.signal };
    const settle = async (group: readonly OutgoingRecord[]): Promise<number> => {
      const outcome = await transformGroup(group, this.#shard.ref, tries, doors);
      if (this.#cut.signal.aborted) throw new Unavailable('the delivery stops');
      if ('pauseMs' in outcome) return this.#pauses(outcome);
      await before;
      await this.#store(outcome);
      this.#doors.notes.succeeded();
      Object.assign(tries, this.#firstTry());
      return 0;
    };
    for await (const some of this.#load(piece, before)) {
      for (const record of some) {
        const group = gathering.take(record);
        const pauseMs = group === undefined ? 0 : await settle(group);
        if (pauseMs > 0) return pauseMs;
      }
    }
    const rest = gathering.rest();
    return rest.length === 0 ? 0 : await settle(rest);
  }

  #pauses({ pauseMs, error }: { readonly pauseMs: number; readonly error: Error | string }): number {
    if (typeof error === 'string') this.#doors.notes.waits(error);
    else this.#doors.notes.failed(error);
    return pauseMs;
  }

  /** What is left of a piece, read anew; what of it was gone is stored as such. */
  async *#load({ from, to }: Piece, before: Promise<void>): AsyncGenerator<readonly OutgoingRecord[]> {
    const { records, environment, form } = this.#doors;
    const range = { ...this.#shard.ref, from, to };
    const turn = async (): Promise<void> => await nextTurn(environment.clock);
    const gaps: Gap[] = [];
    const options = { form, turn, gone: (gap: Gap) => void gaps.push(gap) };
    for await (const some of outgoingRecords(records, this.#stream(), { ranges: [range] }, options)) {
      await this.#storeGaps(gaps, before);
      yield some.filter((record) => !this.#isStored(record));
    }
    await this.#storeGaps(gaps, before);
  }

  async #storeGaps(gaps: Gap[], before: Promise<void>): Promise<void> {
    const now = this.#doors.environment.clock.now();
    for (let gap = gaps.shift(); gap !== undefined; gap = gaps.shift()) {
      await before;
      const told = this.#last === undefined ? gap.from : this.#last.offset + 1n;
      const from = gap.from > told ? gap.from : told;
      // What went with its stream is told at once, when nothing of it is under way any more.
      if (gap.cause === 'StreamDeleted') throw gone();
      if (from >= gap.to) continue;
      await this.#store([goneEntry({ ...gap, from }, now)]);
      this.#doors.notes.lost(Number(gap.to - from), gap.cause);
    }
  }

  /** Whether the record was stored before what followed it failed. */
  #isStored(record: OutgoingRecord): boolean {
    const last = this.#last;
    if (last === undefined) return false;
    const offset = offsetOf(record);
    if (offset !== last.offset) return offset < last.offset;
    return (record.subSequenceNumber ?? 0) <= (last.subSequenceNumber ?? Infinity);
  }

  async #store(processed: readonly Processed[]): Promise<void> {
    const { records, into } = this.#doors;
    this.#pendingFrom ??= this.#doors.intoEnd();
    for (const run of runsOf(processed)) {
      const results = await records.append(
        into,
        run.map(({ entry }) => entry),
      );
      if (!results.every(isStored)) throw new Unavailable('what was transformed cannot be written');
      this.#last = run.at(-1)?.origin;
    }
  }

  /** The next records for an event; `end`: there will be none, `again`: look again. */
  async #gather(from: Offset, hasFailed: () => boolean): Promise<Piece | 'end' | 'again'> {
    const { records, environment, memory } = this.#doors;
    const { clock } = environment;
    let [to, bytes, count, since] = [from, 0, 0, 0];
    while (!this.#stop.signal.aborted && !hasFailed()) {
      const [stream, transform] = [this.#stream(), this.#doors.transform()];
      if (stream === undefined || transform === undefined) return 'end';
      this.#doors.saw(this.#shard);
      while (bytes < transform.bufferBytes && count < EVENT_RECORDS_MAX && to < records.bounds(this.#shard).end) {
        const so = { to, bytes, count };
        const place = { stream, shard: this.#shard, from: to, limit: READ_LIMIT };
        const next = await memory.forScan(readBytesMax(stream), this.#stop.signal, async () => {
          const { slice } = await readOnward(records, place, TOLD_LATER);
          return slice.next <= so.to ? undefined : taken(so, slice, transform.bufferBytes);
        });
        if (next === undefined) break;
        if (count === 0) since = clock.monotonic();
        [to, bytes, count] = next;
      }
      const { closedAt } = records.bounds(this.#shard);
      const isAtEnd = closedAt !== undefined && to >= closedAt;
      const dueMs = since + transform.intervalMs - clock.monotonic();
      const isFull = bytes >= transform.bufferBytes || count >= EVENT_RECORDS_MAX;
      const isDue = isFull || dueMs <= 0 || isAtEnd || this.#doors.isFlushed();
      // Numbers without records are gone, which is to be told, or nobody's: both are passed.
      if (to > from && isDue) return { from, to, bytes, records: count };
      if (isAtEnd) return 'end';
      await this.#wait(to, count > 0 ? dueMs : undefined);
    }
    return 'again';
  }

  async #wait(from: Offset, dueMs: number | undefined): Promise<void> {
    const { records, environment } = this.#doors;
    const wake = new AbortController();
    this.#wake = wake;
    if (this.#stop.signal.aborted) return;
    const cancel = dueMs === undefined ? () => undefined : environment.clock.timer(dueMs, () => wake.abort());
    try {
      // A shard that is written all the time is looked at in larger pieces.
      if (dueMs !== undefined) await environment.clock.sleep(firehoseLimits.scanEveryMs, wake.signal);
      await records.waitForMore(this.#shard, from, wake.signal);
    } finally {
      cancel();
    }
  }

  #stream(): StreamInfo | undefined {
    const stream = this.#doors.stream();
    const key = positionKey(this.#shard.ref);
    return stream?.shards.some(({ ref }) => positionKey(ref) === key) === true ? stream : undefined;
  }
}

function gone(): Unavailable {
  return new Unavailable('the stream was deleted');
}

/** Takes what was read up to the record that fills the piece. */
function taken(
  so: { readonly to: Offset; readonly bytes: number; readonly count: number },
  { records, next }: { readonly records: readonly { offset: Offset; data: Uint8Array }[]; readonly next: Offset },
  bytesMax: number,
): [Offset, number, number] {
  let { bytes, count } = so;
  for (const { offset, data } of records) {
    // The one that does not fit begins the next piece.
    if (count > 0 && (bytes + data.length > bytesMax || count >= EVENT_RECORDS_MAX)) return [offset, bytesMax, count];
    bytes += data.length;
    count += 1;
  }
  return [next, bytes, count];
}

function* runsOf(processed: readonly Processed[]): Generator<readonly Processed[]> {
  let run: Processed[] = [];
  let bytes = 0;
  for (const one of processed) {
    const more = one.entry.data.length;
    if (run.length > 0 && bytes + more > RUN_BYTES) {
      yield run;
      [run, bytes] = [[], 0];
    }
    run.push(one);
    bytes += more;
  }
  if (run.length > 0) yield run;
}
