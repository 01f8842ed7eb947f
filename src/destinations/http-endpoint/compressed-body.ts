import type { Compute } from '../../ports/environment.ts';

/** A body that is sent: how many bytes, and these, as often as they are asked for. */
export interface SizedBody {
  readonly bytes: number;
  readonly pieces: Uint8Array | AsyncIterable<Uint8Array>;
}

/** Of one body; what is larger is made twice, so that its length is known before it is sent. */
const HELD_BYTES_MAX = 4 * 1024 * 1024;
/** As pieces, and as one. */
const COPIES = 2;

/** Bytes that are held of a body at most, of which this is what it is made of. */
export function packedBytesMax(plainBytes: number, { gzipHoldsBytes }: Pick<Compute, 'gzipHoldsBytes'>): number {
  return gzipHoldsBytes + COPIES * Math.min(HELD_BYTES_MAX, plainBytes);
}

/** A compressed body with its length; `make` gives the same bytes each time. */
export async function compressedBody(make: () => AsyncIterable<Uint8Array>): Promise<SizedBody> {
  let held: Uint8Array[] | undefined = [];
  let bytes = 0;
  for await (const piece of make()) {
    bytes += piece.length;
    if (bytes > HELD_BYTES_MAX) held = undefined;
    held?.push(Buffer.from(piece));
  }
  return { bytes, pieces: held === undefined ? make() : Buffer.concat(held) };
}
