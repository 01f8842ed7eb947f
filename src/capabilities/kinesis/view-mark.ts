import type { ShardRef } from '../../ports/stream-store.ts';
import { checkSum } from './opaque.ts';
import type { Place } from './view-places.ts';

const KIND = 'view';
const SEVEN_BITS = 128;

/** Where somebody who looks at a stream's shards stands, by the shards' ordinals. */
export interface Mark {
  readonly generation: number;
  readonly places: readonly (readonly [ordinal: number, place: Place])[];
}

/** An opaque text of some ten characters a shard, as it stands in a URL: whole numbers behind a check sum. */
export function sealMark(places: Iterable<readonly [Pick<ShardRef, 'generation' | 'ordinal'>, Place]>): string {
  const bytes: number[] = [];
  for (const [{ generation, ordinal }, { offset, sub }] of places) {
    // A stream has one generation.
    if (bytes.length === 0) addVarint(bytes, generation);
    addVarint(bytes, ordinal);
    addVarint(bytes, Number(offset));
    addVarint(bytes, sub);
  }
  const body = Buffer.from(bytes);
  return Buffer.concat([checkSum(KIND, body), body]).toString('base64url');
}

/** What sealMark was given, or undefined for any other text. */
export function openMark(text: string): Mark | undefined {
  const bytes = Buffer.from(text, 'base64url');
  const body = bytes.subarray(checkSum(KIND, Buffer.alloc(0)).length);
  // Node skips what is no base64: only the text that comes out again is ours.
  if (Buffer.concat([checkSum(KIND, body), body]).toString('base64url') !== text) return undefined;
  const [generation, ...rest] = wholeNumbers(body) ?? [];
  if (generation === undefined || rest.length === 0 || rest.length % 3 !== 0) return undefined;
  const places = Array.from({ length: rest.length / 3 }, (_, index) => {
    const [ordinal, offset, sub] = rest.slice(index * 3, index * 3 + 3) as [number, number, number];
    return [ordinal, { offset: BigInt(offset), sub }] as const;
  });
  return { generation, places };
}

function addVarint(bytes: number[], value: number): void {
  let rest = value;
  for (; rest >= SEVEN_BITS; rest = Math.floor(rest / SEVEN_BITS)) bytes.push((rest % SEVEN_BITS) + SEVEN_BITS);
  bytes.push(rest);
}

/** Undefined where a number is cut, or larger than any of ours. */
function wholeNumbers(bytes: Uint8Array): readonly number[] | undefined {
  const numbers: number[] = [];
  let [value, scale] = [0, 1];
  for (const byte of bytes) {
    value += (byte % SEVEN_BITS) * scale;
    scale *= SEVEN_BITS;
    if (value > Number.MAX_SAFE_INTEGER) return undefined;
    if (byte >= SEVEN_BITS) continue;
    numbers.push(value);
    [value, scale] = [0, 1];
  }
  return scale === 1 ? numbers : undefined;
}
