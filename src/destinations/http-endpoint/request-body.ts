import { openBase64Memory } from '../../kernel/bytes/base64-memory.ts';
import type { OutgoingRecord } from '../../ports/destination.ts';
import { bodyFrame } from './request-plan.ts';

/** Written in a fraction of a millisecond. */
const PIECE_BYTES = 256 * 1024;
/** Bytes of a record at once: a multiple of three, so that base64 goes on behind it, and a part of a piece. */
const SLICE_BYTES = 96 * 1024;
/** Of memory: a slice, a piece, and what wide steps look at behind their end. */
const PAGES = 6;
/** Bytes that the making of one body holds. */
export const PLAIN_BYTES_MAX = PAGES * 64 * 1024;
/** What wide steps look at, or write, behind an end. */
const BEHIND_BYTES = 64;
const OPEN = Buffer.from('{"data":"');
const NEXT = Buffer.from('"},{"data":"');
const CLOSE = '"}';
/** What stands around records, and a slice in base64. */
const ROOM_BYTES = (SLICE_BYTES / 3) * 4 + 256;
const KEPT_MAX = 8;

/** A piece of a body as it grows. */
class BodyPiece {
  readonly #memory = openBase64Memory(PAGES);
  readonly #sliceAt = this.#memory.start;
  readonly #start = this.#memory.start + SLICE_BYTES + BEHIND_BYTES;
  #at = this.#start;

  get isFull(): boolean {
    return this.#at + ROOM_BYTES > this.#start + PIECE_BYTES;
  }

  /** ASCII. */
  add(text: string): void {
    this.#at += this.#memory.bytes.write(text, this.#at, 'latin1');
  }

  addBytes(bytes: Uint8Array): void {
    this.#memory.bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  /** A slice, in base64. */
  addEncoded(slice: Uint8Array): void {
    this.#memory.bytes.set(slice, this.#sliceAt);
    this.#at = this.#memory.encode(this.#sliceAt, this.#sliceAt + slice.length, this.#at);
  }

  /** What was added; what is added next takes its place. */
  end(): Uint8Array {
    const piece = this.#memory.bytes.subarray(this.#start, this.#at);
    this.#at = this.#start;
    return piece;
  }
}

// Shared by all deliveries: what is left in a piece is never looked at.
const free: BodyPiece[] = [];

/** The body of a request in pieces, each of which is looked at only until the next one is asked for. */
export async function* requestBody(
  id: string,
  at: number,
  records: AsyncIterable<readonly OutgoingRecord[]>,
): AsyncGenerator<Uint8Array> {
  const { head, tail } = bodyFrame(id, at);
  const piece = free.pop() ?? new BodyPiece();
  piece.add(head);
  let front = OPEN;
  for await (const some of records) {
    for (const { data } of some) {
      if (piece.isFull) yield piece.end();
      piece.addBytes(front);
      front = NEXT;
      for (let from = 0; from < data.length; from += SLICE_BYTES) {
        if (from > 0 && piece.isFull) yield piece.end();
        piece.addEncoded(data.length <= SLICE_BYTES ? data : data.subarray(from, from + SLICE_BYTES));
      }
    }
  }
  if (front === NEXT) piece.add(CLOSE);
  piece.add(tail);
  yield piece.end();
  // Who leaves earlier may have it in a socket still: used again, it would show one endpoint what is for another.
  if (free.length < KEPT_MAX) free.push(piece);
}
