import { ensureInternalStream } from '../../../ports/internal-stream.ts';
import { isStored, mayPass, StreamNotFound, type Records, type StreamInfo } from '../../../ports/records.ts';
import { positionKey, type Offset, type StoredRecord } from '../../../ports/stream-store.ts';
import { firehoseEvents } from '../events.ts';
import { firehoseLimits } from '../limits.ts';
import { DIRECT_PREFIX, HISTORY_PREFIX, rangeToJson, type Intent, type StoredRange } from '../model.ts';
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
  readonly failedAt?: string;
  readonly lost: number;
  readonly lostAt?: string;
  readonly attempts: number;
  readonly duplicates: number;
  readonly ranges: readonly StoredRange[];
  /** The records were made of others by a function: those of the source are what the ranges tell of. */
  readonly isProcessed?: true;
  /** Stored records that failed; not all of them where `isFailedCut`. */
  readonly failedRanges: readonly StoredRange[];
  readonly isFailedCut?: true;
  /** Where the delivery then stood, by shard. */
  readonly positions: Readonly<Record<string, string>>;
}

interface StoredArrival {
  readonly place: string;
  readonly ranges: readonly StoredRange[];
  readonly isCut?: true;
}

/** What became of the batches of one delivery: an internal stream, kept as long as what it read. */
export class DeliveryHistory {
  readonly #doors: Pick<WorkerDoors, 'records' | 'environment'>;
  readonly #delivery: string;

  constructor(delivery: string, doors: Pick<WorkerDoors, 'records' | 'environment'>) {
    this.#delivery = delivery;
    this.#doors = doors;
  }

  /** Resolves once the entry is durable. Where the log takes none, the delivery goes on without it. */
  async add(entry: HistoryEntry, source: string): Promise<void> {
    const { records, environment } = this.#doors;
    try {
      const { name } = await this.#stream(source);
      const data = Buffer.from(JSON.stringify(entry));
      const [stored] = await records.append(name, [{ partitionKey: this.#delivery, data }]);
      if (stored !== undefined && isStored(stored)) return;
    } catch (error) {
      if (!mayPass(error)) throw error;
    }
    environment.log.warn(firehoseEvents.historyLost, { delivery: this.#delivery, id: entry.id });
  }

  /** The batch that held a record of the stream; undefined: it is not known any more. */
  async find(
    shard: { readonly generation: number; readonly ordinal: number },
    offset: Offset,
  ): Promise<HistoryEntry | undefined> {
    const { records } = this.#doors;
    const stream = records.describe(HISTORY_PREFIX + this.#delivery);
    const own = stream?.shards[0];
    if (stream === undefined || own === undefined) return undefined;
    const key = positionKey(shard);
    const bounds = records.bounds(own);
    let [low, high] = [bounds.start, bounds.end];
    while (low < high) {
      const middle = (low + high) / 2n;
      const found = await this.#read(stream, middle);
      if (found === undefined || BigInt(entryOf(found).positions[key] ?? '0') > offset) high = middle;
      else low = found.offset + 1n;
    }
    const found = await this.#read(stream, low);
    return found === undefined ? undefined : entryOf(found);
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
    const retentionMs = retentionOf(records, source);
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

/** An entry for what came of a batch. */
export function historyEntry(
  intent: Intent,
  outcome: BatchOutcome,
  { at, positions }: Pick<HistoryEntry, 'at' | 'positions'>,
): HistoryEntry {
  const { id, target, sizeBytes, oldestAt, ranges } = intent;
  const { place, records, failed, lost, lostAt, attempts, duplicates, origins, failedRanges, arrivals } = outcome;
  const failedAt = outcome.failedAt ?? outcome.unprocessedAt;
  const isCut = failedRanges.length > firehoseLimits.historyRangesMax;
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
    ...(failedAt !== undefined && { failedAt }),
    lost,
    ...(lostAt !== undefined && { lostAt }),
    attempts,
    duplicates,
    ranges: (origins ?? ranges).map(rangeToJson),
    ...(origins !== undefined && { isProcessed: true as const }),
    failedRanges: failedRanges.slice(0, firehoseLimits.historyRangesMax).map(rangeToJson),
    ...(isCut && { isFailedCut: true as const }),
    positions,
  };
}

/** What is put directly is trimmed as it leaves: what became of it is told a while longer. */
function retentionOf(records: Records, source: string): number {
  if (source.startsWith(DIRECT_PREFIX)) return firehoseLimits.historyMs;
  const stream = records.describe(source);
  if (stream === undefined) throw new StreamNotFound(source);
  return stream.retentionMs;
}

function entryOf({ data }: StoredRecord): HistoryEntry {
  return JSON.parse(Buffer.from(data).toString()) as HistoryEntry;
}
