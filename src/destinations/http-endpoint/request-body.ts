import { BufferPool } from '../../kernel/bytes/buffer-pool.ts';
import type { OutgoingRecord } from '../../ports/destination.ts';
import { bodyFrame } from './request-plan.ts';

/** Written in a fraction of a millisecond. */
const PIECE_BYTES = 256 * 1024;
/** Bytes of a record at once: a multiple of three, so that base64 goes on behind it, and a part of a piece. */
const SLICE_BYTES = 96 * 1024;
const OPEN = '{"data":"';
const CLOSE = '"}';
/** What stands around records, and a slice in base64. */
const ROOM_BYTES = (SLICE_BYTES / 3) * 4 + 256;

// Shared by all deliveries: what is left in a piece is never looked at.
const pool = new BufferPool(PIECE_BYTES, 8);

/** The body of a request in pieces, each of which is looked at only until the next one is asked for. */
export async function* requestBody(
  id: string,
  at: number,
  records: AsyncIterable<readonly OutgoingRecord[]>,
): AsyncGenerator<Uint8Array> {
  const { head, tail } = bodyFrame(id, at);
  const memory = pool.take();
  let used = memory.write(head, 'latin1');
  let separator = '';
  for await (const some of records) {
    for (const { data } of some) {
      const bytes = Buffer.from(data.buffer, data.byteOffset, data.length);
      if (bytes.length <= SLICE_BYTES) {
        // Most are so small that each call counts.
        used += memory.write(`${separator}${OPEN}${bytes.toString('base64')}${CLOSE}`, used, 'latin1');
        separator = ',';
        if (used + ROOM_BYTES <= PIECE_BYTES) continue;
        yield memory.subarray(0, used);
        used = 0;
        continue;
      }
      used += memory.write(separator + OPEN, used, 'latin1');
      separator = ',';
      for (let from = 0; from < bytes.length; from += SLICE_BYTES) {
        used += memory.write(bytes.toString('base64', from, from + SLICE_BYTES), used, 'latin1');
        if (used + ROOM_BYTES <= PIECE_BYTES) continue;
        yield memory.subarray(0, used);
        used = 0;
      }
      used += memory.write(CLOSE, used, 'latin1');
      if (used + ROOM_BYTES <= PIECE_BYTES) continue;
      yield memory.subarray(0, used);
      used = 0;
    }
  }
  used += memory.write(tail, used, 'latin1');
  yield memory.subarray(0, used);
  // Who leaves earlier may have it in a socket still: used again, it would show one endpoint what is for another.
  pool.giveBack(memory);
}
