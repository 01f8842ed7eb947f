import { asBuffer } from '../../kernel/bytes/as-buffer.ts';
import { EntryPlace, readEntryAt } from '../../kernel/stream/packed-entries.ts';
import { SEQUENCE_NUMBER_BYTES, sequenceNumberWriter } from '../../kernel/stream/sequence-number.ts';
import type { ShardRef, StoredRun } from '../../ports/stream-store.ts';

/** Longest text around one record's key and data: names, a 56 digit number, a time. */
const AROUND_BYTES = 192;
const BEFORE_NUMBER = ',{"SequenceNumber":"';
const NUMBER_END = BEFORE_NUMBER.length + SEQUENCE_NUMBER_BYTES;
const BEFORE_DATA = Buffer.from('","Data":"');
const AFTER_DATA = Buffer.from('"}');
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Bytes of data and key of some records, which limits of reads count, and the most that their JSON takes. */
export interface RecordsSize {
  readonly payload: number;
  readonly room: number;
}

/** Measures records in one walk over their entries. */
export function measureRecords(runs: readonly StoredRun[]): RecordsSize {
  const place = new EntryPlace();
  let payload = 0;
  let room = 0;
  for (const { bytes, from, to, count } of runs) {
    for (let index = 0, at = from; index < count; index += 1, at = place.end) {
      readEntryAt(bytes, at, to, place);
      payload += place.payloadBytes;
      // A key's byte becomes six at most (\u00XX); data grows by a third.
      room += AROUND_BYTES + (place.headersAt - place.keyAt) * 6 + Math.ceil((place.end - place.dataAt) / 3) * 4;
    }
  }
  return { payload, room };
}

/** Writes records of one shard as GetRecords answers them, slice by slice, straight from their packed form. */
export class RecordsWriter {
  /** All that stands in front of a record's key, of which little differs from one record to the next. */
  readonly #before = Buffer.alloc(AROUND_BYTES);
  readonly #writeNumber: (offset: number) => void;
  readonly #place = new EntryPlace();
  #beforeBytes = 0;
  #arrival = -1;
  #isFirst = true;

  constructor(shard: ShardRef) {
    this.#before.write(BEFORE_NUMBER);
    this.#writeNumber = sequenceNumberWriter(shard, this.#before, BEFORE_NUMBER.length);
  }

  /** The records' JSON in UTF-8, with a comma in front where others were written before. */
  write(runs: readonly StoredRun[], { room }: RecordsSize): Uint8Array {
    const out = Buffer.allocUnsafeSlow(room);
    let at = 0;
    for (const run of runs) at = this.#run(run, out, at);
    const from = this.#isFirst && at > 0 ? 1 : 0;
    this.#isFirst &&= at === 0;
    return out.subarray(from, at);
  }

  #run({ bytes, from, to, first, count, at: arrival }: StoredRun, out: Buffer, start: number): number {
    const records = asBuffer(bytes);
    const place = this.#place;
    const before = this.#before;
    if (arrival !== this.#arrival) this.#writeArrival(arrival);
    let at = start;
    for (let index = 0, position = from; index < count; index += 1, position = place.end) {
      readEntryAt(records, position, to, place);
      this.#writeNumber(first + index);
      at += before.copy(out, at, 0, this.#beforeBytes);
      at = writeKey(records, place.keyAt, place.headersAt, out, at);
      at += BEFORE_DATA.copy(out, at);
      at += out.write(records.toString('base64', place.dataAt, place.end), at, 'latin1');
      at += AFTER_DATA.copy(out, at);
    }
    return at;
  }

  #writeArrival(arrival: number): void {
    this.#arrival = arrival;
    const text = `","ApproximateArrivalTimestamp":${arrival / 1000},"PartitionKey":"`;
    this.#beforeBytes = NUMBER_END + this.#before.write(text, NUMBER_END);
  }
}

/** Printable ASCII without quote and backslash stands for itself; any other key is escaped as JSON wants. */
function writeKey(from: Buffer, keyAt: number, keyEnd: number, out: Buffer, at: number): number {
  for (let index = keyAt; index < keyEnd; index += 1) {
    const byte = from[index] as number;
    if (byte < 0x20 || byte > 0x7e || byte === QUOTE || byte === BACKSLASH) {
      return at + out.write(JSON.stringify(from.toString('utf8', keyAt, keyEnd)).slice(1, -1), at);
    }
    out[at + index - keyAt] = byte;
  }
  return at + keyEnd - keyAt;
}
