import type { ShardRef } from '../../ports/stream-store.ts';
import { readU64, writeU64 } from './format.ts';

/** Offsets `from` to `to - 1` that no record has: given up after damage, so that no number is ever given twice. */
export interface Gap {
  readonly from: number;
  readonly to: number;
}

/** Who a shard is; `start`: its oldest kept offset. */
export interface Definition {
  readonly ref: ShardRef;
  readonly start: number;
  readonly gaps: readonly Gap[];
}

/** Bytes in front of the gaps; in version 1, which knows none, in front of the stream's name. */
const FIXED_BYTES = 24;
const COUNT_BYTES = 4;
const GAP_BYTES = 16;

/** The payload of an extent that says who a shard is. */
export function encodeDefinition({ ref, start, gaps }: Definition): Buffer {
  const name = Buffer.from(ref.stream, 'utf8');
  const bytes = Buffer.alloc(FIXED_BYTES + COUNT_BYTES + GAP_BYTES * gaps.length + name.length);
  writeU64(bytes, start, 0);
  writeU64(bytes, ref.generation, 8);
  writeU64(bytes, ref.ordinal, 16);
  const nameAt = encodeGaps(bytes, FIXED_BYTES, gaps);
  bytes.set(name, nameAt);
  return bytes;
}

/** What the payload of a definition says, or undefined when it is too short; `version` is that of the file. */
export function decodeDefinition(payload: Buffer, version: number): Definition | undefined {
  if (payload.length < FIXED_BYTES + (version === 1 ? 0 : COUNT_BYTES)) return undefined;
  const gaps = version === 1 ? [] : decodeGaps(payload, FIXED_BYTES);
  if (gaps === undefined) return undefined;
  const nameAt = version === 1 ? FIXED_BYTES : FIXED_BYTES + gapsBytes(gaps);
  const ref = {
    stream: payload.toString('utf8', nameAt),
    generation: readU64(payload, 8),
    ordinal: readU64(payload, 16),
  };
  return { ref, start: readU64(payload, 0), gaps };
}

/** Bytes that `encodeGaps` writes. */
export function gapsBytes(gaps: readonly Gap[]): number {
  return COUNT_BYTES + GAP_BYTES * gaps.length;
}

/** Writes how many gaps there are, and each; returns the position behind. */
export function encodeGaps(bytes: Buffer, from: number, gaps: readonly Gap[]): number {
  let at = bytes.writeUInt32LE(gaps.length, from);
  for (const gap of gaps) {
    writeU64(bytes, gap.from, at);
    writeU64(bytes, gap.to, at + 8);
    at += GAP_BYTES;
  }
  return at;
}

/** What `encodeGaps` wrote; undefined when the bytes end before. */
export function decodeGaps(bytes: Buffer, from: number): readonly Gap[] | undefined {
  const count = bytes.readUInt32LE(from);
  if (from + COUNT_BYTES + GAP_BYTES * count > bytes.length) return undefined;
  return Array.from({ length: count }, (_, index) => {
    const at = from + COUNT_BYTES + GAP_BYTES * index;
    return { from: readU64(bytes, at), to: readU64(bytes, at + 8) };
  });
}
