import { createHmac, timingSafeEqual } from 'node:crypto';
import { BytesInTurns } from '../../kernel/flow/bytes-in-turns.ts';

/** Hashes that senders sign with. */
export type HmacAlgorithm = 'sha1' | 'sha256' | 'sha512';

/** How a signature is written. */
export type HmacEncoding = 'hex' | 'base64' | 'base64url';

/** A key as its text in UTF-8, or as bytes. */
export type HmacKey = string | Uint8Array;

/** The HMAC of all parts, one after the other, as senders write it; digits of `hex` are lower case. */
export function hmacText(
  algorithm: HmacAlgorithm,
  encoding: HmacEncoding,
  key: HmacKey,
  parts: readonly (string | Uint8Array)[],
): string {
  const hmac = createHmac(algorithm, key);
  for (const part of parts) hmac.update(part);
  return hmac.digest(encoding);
}

/** The HMAC under each key, a large body in turns: bytes are counted for each key anew. */
export async function hmacTexts(
  algorithm: HmacAlgorithm,
  encoding: HmacEncoding,
  keys: readonly HmacKey[],
  parts: readonly (string | Uint8Array)[],
  turn: () => Promise<void>,
): Promise<readonly string[]> {
  const turns = new BytesInTurns(turn);
  const texts: string[] = [];
  for (const key of keys) {
    const hmac = createHmac(algorithm, key);
    for (const part of parts) {
      if (typeof part === 'string') hmac.update(part);
      else await turns.each(part, (piece) => void hmac.update(piece));
    }
    texts.push(hmac.digest(encoding));
  }
  return texts;
}

/**
 * Whether one of `given` is one of `wanted`. Every pair is compared, in constant time, whatever earlier ones said; only
 * the lengths, which are no secret, decide whether bytes are looked at.
 */
export function matchesAny(wanted: readonly string[], given: readonly string[]): boolean {
  let matches = 0;
  for (const text of given) {
    // A wide character and a Latin one may share their low byte.
    if (Buffer.byteLength(text) !== text.length) continue;
    const bytes = Buffer.from(text, 'latin1');
    for (const one of wanted) {
      const other = Buffer.from(one, 'latin1');
      if (other.length === bytes.length) matches |= Number(timingSafeEqual(bytes, other));
    }
  }
  return matches !== 0;
}
