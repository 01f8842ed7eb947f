import { inPieces } from '../../kernel/flow/in-pieces.ts';
import { nextTurn } from '../../kernel/flow/next-turn.ts';
import type { ShardInfo, StreamInfo } from '../../ports/records.ts';
import { shardKey, type Offset, type Slice } from '../../ports/stream-store.ts';
import type { KinesisForm } from './form.ts';
import { kinesisLimits } from './limits.ts';
import type { KinesisState } from './model.ts';
import { AnswerPieces } from './answer-pieces.ts';
import { RecordsWriter } from './outgoing.ts';
import { sayingWhereToGoOn } from './past-damage.ts';
import { encryptedAt, storedRecordBytesMax } from './settings.ts';

/** What a record takes at most in any form, beside data in base64: names, numbers, its key with all of it escaped. */
const AROUND_RECORD_BYTES = 192 + 6 * 4 * 256;

interface ReadLimit {
  readonly records: number;
  readonly bytes: number;
}

const WHOLE: ReadLimit = { records: kinesisLimits.eventRecordsMax, bytes: kinesisLimits.eventBytesMax };
const SMALL: ReadLimit = { records: kinesisLimits.smallEventRecordsMax, bytes: kinesisLimits.smallEventReadBytes };

/** Some records of a shard as an event holds them. */
export interface ReadEvent {
  /** The records as the form writes them, one after the other. */
  readonly records: Uint8Array;
  readonly count: number;
  /** Bytes of data and key. */
  readonly bytes: number;
  /** Arrival of the first and the last record, in ms. */
  readonly firstAt: number | undefined;
  readonly lastAt: number | undefined;
  /** Where to read on. */
  readonly next: Offset;
}

/** Reads and encodes events; those who follow one shard together share what one of them read. */
export class EventReader {
  readonly #parts: Pick<KinesisState, 'records' | 'environment' | 'memory'>;
  /** By shard, offset and form, oldest first. */
  readonly #shared = new Map<string, Promise<ReadEvent>>();
  readonly #sizes = new Map<string, number>();
  #sharedBytes = 0;

  constructor(parts: Pick<KinesisState, 'records' | 'environment' | 'memory'>) {
    this.#parts = parts;
  }

  /** Bytes that an event of the stream may take. */
  roomOf(stream: StreamInfo): number {
    const { eventBytesMax, eventRecordsMax } = kinesisLimits;
    // As it is now: the size of its records may have changed.
    const recordBytesMax = storedRecordBytesMax(this.#parts.records.describe(stream.name) ?? stream);
    return Math.ceil((Math.max(eventBytesMax, recordBytesMax) / 3) * 4) + AROUND_RECORD_BYTES + eventRecordsMax * 192;
  }

  /** One event's records from an offset on; none where there are none. Rejects as Records does. */
  async read(
    stream: StreamInfo,
    shard: ShardInfo,
    from: Offset,
    form: KinesisForm,
    isShared: boolean,
  ): Promise<ReadEvent> {
    if (!isShared) return await this.#read(stream, shard, from, form, WHOLE);
    const key = `${shardKey(shard.ref)}@${from} ${form.name}`;
    const known = this.#shared.get(key);
    if (known !== undefined) {
      const event = await known;
      if (this.#isVisible(stream, shard, from, event)) return event;
      this.#forget(key, known);
    }
    return await this.#readShared(key, this.#read(stream, shard, from, form, WHOLE));
  }

  /** The same for the few records that a small event holds; the first one may be larger. Shared with nobody. */
  async readSmall(stream: StreamInfo, shard: ShardInfo, from: Offset, form: KinesisForm): Promise<ReadEvent> {
    return await this.#read(stream, shard, from, form, SMALL);
  }

  /** Nobody follows any shard. */
  forgetAll(): void {
    this.#shared.clear();
    this.#sizes.clear();
    this.#sharedBytes = 0;
  }

  async #readShared(key: string, reading: Promise<ReadEvent>): Promise<ReadEvent> {
    this.#shared.set(key, reading);
    try {
      const event = await reading;
      // Where nothing was, something may be now.
      if (event.count === 0) this.#forget(key, reading);
      else if (this.#shared.get(key) === reading) this.#keep(key, event.records.length);
      return event;
    } catch (error) {
      this.#forget(key, reading);
      throw error;
    }
  }

  #keep(key: string, bytes: number): void {
    this.#sizes.set(key, bytes);
    this.#sharedBytes += bytes;
    for (const [oldest, size] of this.#sizes) {
      if (this.#sharedBytes <= kinesisLimits.sharedBytesMax) return;
      this.#sharedBytes -= size;
      this.#sizes.delete(oldest);
      this.#shared.delete(oldest);
    }
  }

  #forget(key: string, reading: Promise<ReadEvent>): void {
    if (this.#shared.get(key) !== reading) return;
    this.#shared.delete(key);
    this.#sharedBytes -= this.#sizes.get(key) ?? 0;
    this.#sizes.delete(key);
  }

  /** What was kept for a while may be too old by now. */
  #isVisible(stream: StreamInfo, shard: ShardInfo, from: Offset, event: ReadEvent): boolean {
    const { records, environment } = this.#parts;
    const { retentionMs } = records.describe(stream.name) ?? stream;
    const oldestAt = environment.clock.now() - retentionMs;
    return from >= records.bounds(shard).start && (event.firstAt ?? 0) >= oldestAt;
  }

  async #read(
    stream: StreamInfo,
    shard: ShardInfo,
    from: Offset,
    form: KinesisForm,
    limit: ReadLimit,
  ): Promise<ReadEvent> {
    const { records } = this.#parts;
    // As it is now: its retention may have changed.
    const current = records.describe(stream.name) ?? stream;
    const slice = await sayingWhereToGoOn(shard, records.read(current, shard, from, limit));
    return {
      records: await this.#encode(current, shard, form, slice),
      count: slice.count,
      bytes: slice.payloadBytes,
      firstAt: slice.runs[0]?.at,
      lastAt: slice.runs.at(-1)?.at,
      next: slice.next,
    };
  }

  /** In memory of its own: several subscribers may wait for it. */
  async #encode(stream: StreamInfo, shard: ShardInfo, { record }: KinesisForm, { runs }: Slice): Promise<Uint8Array> {
    const { answers, text } = this.#parts.memory;
    const { clock } = this.#parts.environment;
    const pieces = new AnswerPieces(answers);
    const writer = new RecordsWriter(record, shard.ref, text, pieces, encryptedAt(stream));
    await inPieces(writer.write(runs), async () => await nextTurn(clock));
    const written = Buffer.concat(pieces.end());
    pieces.giveBack();
    return written;
  }
}
