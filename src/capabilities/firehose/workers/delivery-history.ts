import { ensureInternalStream } from '../../../ports/internal-stream.ts';
import { isStored, mayPass, type Records, type StreamInfo } from '../../../ports/records.ts';
import { positionKey, type Offset, type StoredRecord } from '../../../ports/stream-store.ts';
import { firehoseEvents } from '../events.ts';
import { firehoseLimits } from '../limits.ts';
import {
  completed,
  DIRECT_PREFIX,
  endsOf,
  HISTORY_PREFIX,
  rangeToJson,
  type Intent,
  type LossCause,
  type Progress,
  type Range,
  type StoredRange,
} from '../model.ts';
import type { BatchOutcome } from './batch-delivery.ts';
import type { WorkerDoors } from './worker.ts';

/** What came of one batch. */
export interface HistoryEntry {
  readonly id: string;
  /** When it was over, in ms. */
  readonly at: number;
  /** Where it arrived; absent: none of it did. */
  readonly place?: string;
  /** Of each place, where it arrived at several; `isCut`: not all that arrived there. */
  readonly places?: readonly StoredArrival[];
  /** Where it was to go, as the plan has it; absent in entries of older versions. */
  readonly planned?: string;
  readonly kind: string;
  readonly records: number;
  readonly bytes: number;
  readonly oldestAt: number;
  readonly failed: number;
  readonly lost: number;
  readonly attempts: number;
  readonly duplicates: number;
  readonly ranges: readonly StoredRange[];
  /** The records were made of others by a function: those of the source are what the ranges tell of. */
  readonly isProcessed?: true;
  /** What of the ranges did not arrive; absent: all did, or an older version wrote the entry. */
  readonly missed?: readonly Missed[];
  /** Where the delivery then stood, by shard; of shards that are gone with their stream, behind all of them. */
  readonly positions: Readonly<Record<string, string>>;
  /** Of older versions: stored records that failed, not all of them where `isFailedCut`; where lines are. */
  readonly failedRanges?: readonly StoredRange[];
  readonly isFailedCut?: true;
  readonly failedAt?: string;
  readonly lostAt?: string;
}

/** Records that did not arrive, with what became of them instead. */
export interface Missed {
  readonly state: 'failed' | 'processing failed' | 'dropped' | 'lost';
  /** Of what was lost. */
  readonly cause?: LossCause;
  /** Where the lines about them stand; absent: none tells of them. */
  readonly place?: string;
  /** Not all of them where `isCut`. */
  readonly ranges: readonly StoredRange[];
  readonly isCut?: true;
}

interface StoredArrival {
  readonly place: string;
  readonly ranges: readonly StoredRange[];
  readonly isCut?: true;
}

/** Behind every offset: they have 64 bits. */
const OFFSETS_END = 2n ** 64n;

/** What became of the batches of one delivery: an internal stream, kept as long as what it read. */
export class DeliveryHistory {
  readonly #doors: Pick<WorkerDoors, 'records' | 'environment'>;
  readonly #delivery: string;
  /** Entries that the log did not take, in their order, bounded. */
  readonly #waiting: Buffer[] = [];

  constructor(delivery: string, doors: Pick<WorkerDoors, 'records' | 'environment'>) {
    this.#delivery = delivery;
    this.#doors = doors;
  }

  /**
   * Resolves once the entry is durable. Where the log takes none, the delivery goes on without it, and it is tried
   * again with the next.
   */
  async add(entry: HistoryEntry, source: string): Promise<void> {
    this.#waiting.push(Buffer.from(JSON.stringify(entry)));
    try {
      await this.#store(source);
    } catch (error) {
      if (!mayPass(error)) throw error;
    }
    const { log } = this.#doors.environment;
    if (this.#waiting.length > 0) log.warn(firehoseEvents.historyWaits, { delivery: this.#delivery, id: entry.id });
    while (this.#waitingBytes() > firehoseLimits.historyWaitingBytesMax) this.#giveUp();
    this.#measure();
  }

  /** Nothing more is added: what waits is told as lost. */
  end(): void {
    while (this.#waiting.length > 0) this.#giveUp();
    this.#measure();
  }

  /** The batch that held a record of the stream; undefined: it is not known any more. */
  async find(
    shard: { readonly generation: number; readonly ordinal: number },
    offset: Offset,
  ): Promise<HistoryEntry | undefined> {
    const key = positionKey(shard);
    const isWanted = (entry: HistoryEntry): boolean => isBehind(entry, key, shard.generation, offset);
    // Looked at first: one that is stored meanwhile would be in neither place.
    const waiting = this.#waiting.map((data) => entryOf({ data })).find(isWanted);
    return (await this.#findStored(isWanted)) ?? waiting;
  }

  async #findStored(isWanted: (entry: HistoryEntry) => boolean): Promise<HistoryEntry | undefined> {
    const { records } = this.#doors;
    const stream = records.describe(HISTORY_PREFIX + this.#delivery);
    const own = stream?.shards[0];
    if (stream === undefined || own === undefined) return undefined;
    const bounds = records.bounds(own);
    let [low, high] = [bounds.start, bounds.end];
    while (low < high) {
      const middle = (low + high) / 2n;
      const found = await this.#read(stream, middle);
      if (found === undefined || isWanted(entryOf(found))) high = middle;
      else low = found.offset + 1n;
    }
    const found = await this.#read(stream, low);
    return found === undefined ? undefined : entryOf(found);
  }

  /** One after the other, up to the first that the log does not take. */
  async #store(source: string): Promise<void> {
    const { name } = await this.#stream(source);
    for (let [data] = this.#waiting; data !== undefined; [data] = this.#waiting) {
      const [stored] = await this.#doors.records.append(name, [{ partitionKey: this.#delivery, data }]);
      if (stored === undefined || !isStored(stored)) return;
      this.#waiting.shift();
    }
  }

  #giveUp(): void {
    const data = this.#waiting.shift();
    if (data === undefined) return;
    const { id } = entryOf({ data });
    this.#doors.environment.log.warn(firehoseEvents.historyLost, { delivery: this.#delivery, id });
  }

  #waitingBytes(): number {
    return this.#waiting.reduce((sum, { length }) => sum + length, 0);
  }

  #measure(): void {
    const labels = { delivery: this.#delivery };
    this.#doors.environment.meter.gauge(firehoseEvents.historyWaiting, labels, this.#waitingBytes());
  }

  async #read(stream: StreamInfo, from: Offset): Promise<StoredRecord | undefined> {
    const [shard] = stream.shards;
    if (shard === undefined) return undefined;
    const { records } = await this.#doors.records.read(stream, shard, from, { records: 1, bytes: 1 });
    return records[0];
  }

  /** Made with the first batch; its retention follows that of the source. */
  async #stream(source: string): Promise<StreamInfo> {
    const { records } = this.#doors;
    const name = HISTORY_PREFIX + this.#delivery;
    const retentionMs = retentionOf(records, source) ?? records.describe(name)?.retentionMs ?? firehoseLimits.historyMs;
    const stream = await ensureInternalStream(records, {
      name,
      shardCount: 1,
      retentionMs,
      maxRecordBytes: firehoseLimits.historyBytesMax,
    });
    if (stream.retentionMs === retentionMs) return stream;
    return await records.update(name, () => ({ retentionMs }));
  }
}

/** Whether the batch, or one before it, was about the record. */
function isBehind({ positions }: HistoryEntry, key: string, generation: number, offset: Offset): boolean {
  const position = positions[key];
  if (position !== undefined) return BigInt(position) > offset;
  // Nothing of a stream is delivered behind one that was made in its place.
  return Object.keys(positions).some((one) => Number.parseInt(one, 10) > generation);
}

/** An entry for what came of a batch; `before`: how far the delivery was. */
export function historyEntry(intent: Intent, outcome: BatchOutcome, before: Progress, at: number): HistoryEntry {
  const { id, target, sizeBytes, oldestAt } = intent;
  const { place, records, failed, lost, attempts, duplicates, origins, arrivals } = outcome;
  const ranges = origins === undefined ? intent.ranges : origins.map((range) => sinceBefore(range, before));
  const missed = missedOf(outcome, before);
  return {
    id,
    at,
    kind: target.kind,
    ...(place !== undefined && { place }),
    ...(arrivals.length > 0 && {
      places: arrivals.map((one) => ({ ...one, ranges: one.ranges.map(rangeToJson) })),
    }),
    planned: intent.place,
    records,
    bytes: sizeBytes,
    oldestAt,
    failed,
    lost,
    attempts,
    duplicates,
    ranges: ranges.map(rangeToJson),
    ...(origins !== undefined && { isProcessed: true as const }),
    ...(missed.length > 0 && { missed }),
    positions: positionsAfter(intent, outcome, before),
  };
}

function positionsAfter(intent: Intent, outcome: BatchOutcome, before: Progress): Readonly<Record<string, string>> {
  const { positions, origins = {} } = completed({ ...before, intent }, outcome);
  if (outcome.origins !== undefined) return origins;
  return intent.isOfDeleted === true ? { ...positions, ...endsOf(intent.ranges.map(closed)) } : positions;
}

/** One with an open end is about all that comes. */
function closed(range: Range): Range {
  return range.isOpen === true ? { ...range, to: OFFSETS_END } : range;
}

/** What a function dropped in front of the first record that it made something of belongs to the same batch. */
function sinceBefore(range: Range, { origins = {} }: Progress): Range {
  const from = BigInt(origins[positionKey(range)] ?? range.from);
  return from < range.from ? { ...range, from } : range;
}

function missedOf(outcome: BatchOutcome, before: Progress): readonly Missed[] {
  const { origins = [], gaps, failedAt, unprocessedAt, lostAt, droppedRanges } = outcome;
  const inFront = origins.flatMap((range) => {
    const { from } = sinceBefore(range, before);
    return from < range.from ? [{ ...range, from, to: range.from }] : [];
  });
  const causes = [...new Set(gaps.map(({ cause }) => cause))];
  const all = [
    missed({ state: 'failed', place: failedAt }, outcome.failedRanges),
    missed({ state: 'processing failed', place: unprocessedAt }, outcome.unprocessedRanges),
    missed({ state: 'dropped', place: undefined }, [...inFront, ...droppedRanges]),
    ...causes.map((cause) =>
      missed(
        { state: 'lost', cause, place: lostAt },
        gaps.filter((gap) => gap.cause === cause),
      ),
    ),
  ];
  return all.filter(({ ranges }) => ranges.length > 0);
}

function missed(
  { place, ...what }: Pick<Missed, 'state' | 'cause'> & { readonly place: string | undefined },
  ranges: readonly Range[],
): Missed {
  const isCut = ranges.length > firehoseLimits.historyRangesMax;
  const kept = ranges.slice(0, firehoseLimits.historyRangesMax).map(rangeToJson);
  return { ...what, ...(place !== undefined && { place }), ranges: kept, ...(isCut && { isCut }) };
}

/** What is put directly is trimmed as it leaves: what became of it is told for longer. Undefined: it was deleted. */
function retentionOf(records: Records, source: string): number | undefined {
  return source.startsWith(DIRECT_PREFIX) ? firehoseLimits.historyMs : records.describe(source)?.retentionMs;
}

function entryOf({ data }: Pick<StoredRecord, 'data'>): HistoryEntry {
  return JSON.parse(Buffer.from(data).toString()) as HistoryEntry;
}
