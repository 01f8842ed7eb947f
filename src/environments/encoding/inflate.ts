import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib';
import type { ContentEncoding, Inflated, Room } from '../../ports/environment.ts';

const AT_ONCE: Readonly<
  Record<ContentEncoding, (bytes: Uint8Array, options: { maxOutputLength: number }) => Uint8Array>
> = { gzip: gunzipSync, deflate: inflateSync, br: brotliDecompressSync };

/** Of GZIP and deflate: one bit for each byte of 258 that are copied, and some. Brotli has no such bound. */
const INFLATED_PER_BYTE = 1032;

/** At most so many bytes come out. */
export function inflatedAtMost(bytes: Uint8Array, encoding: ContentEncoding, maxBytes: number): number {
  return encoding === 'br' ? maxBytes : Math.min(maxBytes, bytes.length * INFLATED_PER_BYTE);
}

/** Inflates on the spot, in room for all that could come out; what did not is given back. */
export async function inflateInRoom(
  bytes: Uint8Array,
  encoding: ContentEncoding,
  maxBytes: number,
  room: Room | undefined,
): Promise<Inflated> {
  const most = inflatedAtMost(bytes, encoding, maxBytes);
  await room?.hold(most);
  const inflated = inflateAtOnce(bytes, encoding, maxBytes);
  room?.giveBack(typeof inflated === 'string' ? most : most - inflated.length);
  return inflated;
}

/** Inflates on the spot: for what is small, and where nobody else waits. */
export function inflateAtOnce(bytes: Uint8Array, encoding: ContentEncoding, maxBytes: number): Inflated {
  try {
    return AT_ONCE[encoding](bytes, { maxOutputLength: maxBytes });
  } catch (error) {
    return inflateProblem(error);
  }
}

/** What an error of the platform's says of the bytes; what it says of anything else passes. */
export function inflateProblem(error: unknown): 'too large' | 'malformed' {
  const code = (error as { readonly code?: unknown } | null)?.code;
  if (code === 'ERR_BUFFER_TOO_LARGE') return 'too large';
  // zlib's own (`Z_DATA_ERROR`), and Brotli's (`ERR__ERROR_FORMAT_...`, `ERR_BROTLI_...`).
  if (typeof code === 'string' && /^(?:Z_|ERR_)/.test(code)) return 'malformed';
  throw error;
}
