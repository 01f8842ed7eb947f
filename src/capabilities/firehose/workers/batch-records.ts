import { BufferPool } from '../../../kernel/bytes/buffer-pool.ts';
import { Defect } from '../../../kernel/errors.ts';
import { nextTurn } from '../../../kernel/flow/next-turn.ts';
import { decodeSequenceNumber } from '../../../kernel/stream/sequence-number.ts';
import type { StreamInfo } from '../../../ports/records.ts';
import { positionKey } from '../../../ports/stream-store.ts';
import { firehoseLimits } from '../limits.ts';
import type { Gap, Intent, LossCause, Range } from '../model.ts';
import type { GoneUpTo } from '../processed-record.ts';
import { READ_LIMIT, readBytesMax } from '../range-slices.ts';
import { isFirstOfStored, outgoingRecords, type PlacedRecord, type RecordForm } from '../outgoing.ts';
import type { WorkerDoors } from './worker.ts';

// Shared by all deliveries, two reads each: what is left in a piece is never looked at.
const pool = new BufferPool(firehoseLimits.readBytes, 8);

/** The stream that a batch is read from. */
export interface StreamSource {
  /** Name of the stream. */
  readonly stream: string;
  readonly form: RecordForm;
  /** The records were delivered before: nobody misses those that are gone. */
  readonly isReplay?: true;
}

/** What a batch is read from: a stream, or records that are read from elsewhere, anew at each call. */
export type BatchSource = StreamSource | { readonly object: () => AsyncIterable<readonly PlacedRecord[]> };

/** The records of one intent, read anew from the log by each pass, and what of them is gone. */
export class BatchRecords {
  readonly #doors: Pick<WorkerDoors, 'records' | 'environment'>;
  readonly #intent: Intent;
  readonly #source: BatchSource;
  #gaps: readonly Gap[] = [];
  #missing = 0;
  #unprocessed = 0;
  #origins: ReadonlyMap<string, Range> = new Map();
  #dropped: readonly Range[] = [];

  constructor(intent: Intent, source: BatchSource, doors: Pick<WorkerDoors, 'records' | 'environment'>) {
    this.#intent = intent;
    this.#source = source;
    this.#doors = doors;
  }

  /** What the latest whole pass did not find. */
  get gaps(): readonly Gap[] {
    return this.#gaps;
  }

  /** How many records of the plan the latest whole pass did not find: what is gone stays gone. */
  get missing(): number {
    return this.#missing;
  }

  /** How many records of the latest whole pass could not be processed: no destination is to get them. */
  get unprocessed(): number {
    return this.#unprocessed;
  }

  /** What of the source the latest whole pass was made of; undefined: of what the intent names. */
  get origins(): readonly Range[] | undefined {
    return this.isProcessed ? [...this.#origins.values()] : undefined;
  }

  /** What of the source stands between those, and was made into nothing; bounded: one more says that there are more. */
  get dropped(): readonly Range[] {
    return this.#dropped;
  }

  /** Why, as far as one word can say it. */
  get cause(): LossCause {
    return this.#gaps.find(({ cause }) => cause !== 'RetentionExceeded')?.cause ?? 'RetentionExceeded';
  }

  /** One pass; bytes of a group are gone when the next one is asked for. */
  async *pass(): AsyncGenerator<readonly PlacedRecord[]> {
    const { environment, records } = this.#doors;
    const gaps: Gap[] = [];
    const gone = (gap: Gap): void => void gaps.push(gap);
    const turn = async (): Promise<void> => await nextTurn(environment.clock);
    let [stored, unprocessed] = [0, 0];
    if ('object' in this.#source) {
      for await (const some of this.#source.object()) {
        stored += some.length;
        yield some;
      }
      this.#missing = this.#notFound(stored);
      return;
    }
    const { stream, form, isReplay } = this.#source;
    const origins = new Map<string, Range>();
    const dropped: Range[] = [];
    const options = { form, gone, turn, memory: pool };
    for await (const some of outgoingRecords(records, this.#stream(stream), this.#intent, options)) {
      for (const record of some) {
        if (form === 'processed' || isFirstOfStored(record)) stored += 1;
        if (form !== 'processed') continue;
        if (record.failure !== undefined) unprocessed += 1;
        if (record.gone !== undefined) gaps.push({ ...originRange(record), ...goneIn(record.gone) });
        widen(origins, dropped, record);
      }
      yield some;
    }
    this.#missing = this.#notFound(stored);
    if (isReplay === true) return;
    this.#gaps = gaps;
    this.#unprocessed = unprocessed;
    this.#origins = origins;
    this.#dropped = dropped;
  }

  #notFound(stored: number): number {
    return Math.max(0, this.#intent.recordCount - stored);
  }

  /** Bytes of the records that are held at once, at most. */
  get groupBytes(): number {
    const stream = 'object' in this.#source ? undefined : this.#stream(this.#source.stream);
    if (stream === undefined) return READ_LIMIT.bytes;
    const most = readBytesMax(stream);
    if (!this.isProcessed) return most;
    // Only one that comes alone is larger than a read, and it is of the batch. Few answers of functions are that large.
    return Math.min(most, Math.max(READ_LIMIT.bytes, this.#intent.sizeBytes + firehoseLimits.processedBesideBytesMax));
  }

  /** Whether what could not be processed, with lines of its own, may be among them. */
  get isProcessed(): boolean {
    return 'form' in this.#source && this.#source.form === 'processed';
  }

  /** Whether there is anything left to deliver. */
  async hasAny(): Promise<boolean> {
    return await this.some(isDeliverable);
  }

  /** Whether one of the records is such a one. */
  async some(isWanted: (record: PlacedRecord) => boolean): Promise<boolean> {
    for await (const group of this.pass()) if (group.some(isWanted)) return true;
    return false;
  }

  #stream(name: string): StreamInfo | undefined {
    return this.#doors.records.describe(name);
  }
}

/** Whether the destination is to get it. */
export function isDeliverable({ failure, gone }: PlacedRecord): boolean {
  return failure === undefined && gone === undefined;
}

function goneIn({ to, cause, isOpen }: GoneUpTo): Pick<Gap, 'to' | 'cause' | 'isOpen'> {
  return { to: BigInt(to), cause, ...(isOpen === true && { isOpen }) };
}

/** Those of a shard follow each other, but for what was dropped. */
function widen(origins: Map<string, Range>, dropped: Range[], record: PlacedRecord): void {
  const origin = originRange(record);
  const known = origins.get(positionKey(origin));
  const to = record.gone === undefined ? origin.to : BigInt(record.gone.to);
  const isBehind = known !== undefined && known.to < origin.from;
  if (isBehind && dropped.length <= firehoseLimits.historyRangesMax) {
    dropped.push({ ...origin, from: known.to, to: origin.from });
  }
  origins.set(positionKey(origin), { ...(known ?? origin), to });
}

/** The one stored record that this one was, or was made of. A Defect where its number is none. */
export function originRange({ sequenceNumber }: Pick<PlacedRecord, 'sequenceNumber'>): Range {
  const number = decodeSequenceNumber(sequenceNumber);
  if (number === undefined) throw new Defect(`${sequenceNumber} is no sequence number`);
  const { generation, ordinal, offset } = number;
  return { generation, ordinal, from: offset, to: offset + 1n };
}

/** Numbers of records that these gaps hold. */
export function countGone(gaps: readonly Gap[]): number {
  return gaps.reduce((sum, { from, to }) => sum + Number(to - from), 0);
}
