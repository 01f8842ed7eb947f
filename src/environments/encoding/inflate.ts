import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib';
import type { ContentEncoding, Inflated } from '../../ports/environment.ts';

const AT_ONCE: Readonly<
  Record<ContentEncoding, (bytes: Uint8Array, options: { maxOutputLength: number }) => Uint8Array>
> = { gzip: gunzipSync, deflate: inflateSync, br: brotliDecompressSync };

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
