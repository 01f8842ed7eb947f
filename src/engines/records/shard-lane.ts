import { sequenceNumberEncoder } from '../../kernel/stream/sequence-number.ts';
import {
  Fenced,
  Unavailable,
  type Appended,
  type Offset,
  type PackedEntries,
  type ShardRef,
  type ShardWriter,
} from '../../ports/stream-store.ts';

/** Most appends, and bytes of them, that wait while a writer opens. */
const WAITING_MAX = 10_000;
const WAITING_BYTES_MAX = 32 * 1024 * 1024;

interface Waiting {
  readonly entries: PackedEntries;
  readonly resolve: (appended: Appended | PromiseLike<Appended>) => void;
  readonly reject: (error: unknown) => void;
}

/** All appends of one shard: opens its writer when first needed and keeps calls in their order meanwhile. */
export class ShardLane {
  readonly ref: ShardRef;
  /** Sequence numbers of this shard's records. */
  readonly encode: (offset: Offset | number) => string;
  readonly #open: () => Promise<ShardWriter>;
  #writer: ShardWriter | undefined;
  #opening: Promise<void> | undefined;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #closed = false;

  /** `open` makes the shard known where needed and becomes its writer. */
  constructor(ref: ShardRef, open: () => Promise<ShardWriter>) {
    this.ref = ref;
    this.#open = open;
    this.encode = sequenceNumberEncoder(ref);
  }

  /** Enqueues before it returns. Unavailable and Fenced: nothing was stored. UnknownShard: the shard was dropped. */
  append(entries: PackedEntries): Promise<Appended> {
    return this.#writer === undefined ? this.#wait(entries) : this.#write(this.#writer, entries);
  }

  /** Ends the shard for good behind everything that was queued; resolves with the offset after its last record. */
  async close(): Promise<Offset> {
    while (this.#writer === undefined) {
      if (this.#closed) throw new Unavailable('the shard was released');
      this.#opening ??= this.#openWriter();
      await this.#opening;
      if (this.#writer === undefined) throw new Unavailable('the shard could not be opened');
    }
    return await this.#writer.close();
  }

  /** Gives the shard up; appends under way still finish. */
  async release(): Promise<void> {
    this.#closed = true;
    await this.#opening;
    const writer = this.#writer;
    this.#writer = undefined;
    await writer?.release();
  }

  async #write(writer: ShardWriter, entries: PackedEntries): Promise<Appended> {
    try {
      return await writer.append(entries);
    } catch (error) {
      // The next append opens again, unless the shard is no longer ours by then.
      if (error instanceof Fenced && this.#writer === writer) this.#writer = undefined;
      throw error;
    }
  }

  async #wait(lent: PackedEntries): Promise<Appended> {
    if (this.#closed) throw new Unavailable('the shard was released');
    const bytes = lent.bytes.length;
    if (this.#waiting.length >= WAITING_MAX || this.#waitingBytes + bytes > WAITING_BYTES_MAX) {
      throw new Unavailable('too many records wait for the shard to open');
    }
    this.#waitingBytes += bytes;
    return await new Promise<Appended>((resolve, reject) => {
      // Lent memory is the log's again with the next turn of the loop; a buffer's own `slice` would not copy it.
      this.#waiting.push({ entries: { ...lent, bytes: new Uint8Array(lent.bytes) }, resolve, reject });
      this.#opening ??= this.#openWriter();
    });
  }

  async #openWriter(): Promise<void> {
    try {
      const writer = await this.#open();
      // From here to the end without a pause, so that no later call gets in front.
      this.#writer = writer;
      for (const { entries, resolve } of this.#takeWaiting()) resolve(this.#write(writer, entries));
    } catch (error) {
      for (const { reject } of this.#takeWaiting()) reject(error);
    } finally {
      this.#opening = undefined;
    }
  }

  #takeWaiting(): readonly Waiting[] {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    return waiting;
  }
}
