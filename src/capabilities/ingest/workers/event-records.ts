import { ENTRY_FIXED_BYTES, countHeader } from '../../../kernel/stream/packed-entries.ts';
import type { HashKeyRouter } from '../../../kernel/stream/hash-key.ts';
import type { RecordBatch } from '../../../ports/records.ts';
import type { EventBatch } from './event-batch.ts';

/** Those events of a batch that are to be stored, as the log takes them. */
export class EventRecords implements RecordBatch {
  readonly count: number;
  readonly #events: EventBatch;
  readonly #chosen: readonly number[];
  readonly #marked: number;
  readonly #mark: Uint8Array;

  /** `chosen`: their places in the batch; the one at `marked`, if it is among them, gets the header `mark` too. */
  constructor(events: EventBatch, chosen: readonly number[], marked: number, mark: Uint8Array) {
    this.#events = events;
    this.#chosen = chosen;
    this.#marked = marked;
    this.#mark = mark;
    this.count = chosen.length;
  }

  explicitHashKey(): undefined {
    return undefined;
  }

  route(index: number, router: HashKeyRouter): number {
    const { memory } = this.#events;
    const place = this.#place(index);
    return router.ofKey(memory, this.#events.entryAt(place) + ENTRY_FIXED_BYTES, this.#events.keyEnd(place));
  }

  entryBytes(index: number): number {
    const place = this.#place(index);
    const bytes = this.#events.entryEnd(place) - this.#events.entryAt(place);
    return place === this.#marked ? bytes + this.#mark.length : bytes;
  }

  dataBytes(index: number): number {
    return this.#events.dataBytes(this.#place(index));
  }

  writeFront(index: number, into: Buffer, at: number): number {
    const { memory } = this.#events;
    const place = this.#place(index);
    const from = this.#events.entryAt(place);
    const bytes = this.#events.dataAt(place) - from;
    for (let byte = 0; byte < bytes; byte += 1) into[at + byte] = memory[from + byte] as number;
    if (place !== this.#marked) return at + bytes;
    countHeader(into, at);
    into.set(this.#mark, at + bytes);
    return at + bytes + this.#mark.length;
  }

  writeData(index: number, into: Buffer, at: number, from: number, to: number): boolean {
    const dataAt = this.#events.dataAt(this.#place(index));
    this.#events.memory.copy(into, at, dataAt + from, dataAt + to);
    return true;
  }

  #place(index: number): number {
    return this.#chosen[index] as number;
  }
}
