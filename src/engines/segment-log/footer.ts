import type { OpenFile } from '../../ports/environment.ts';
import type { ShardRef } from '../../ports/stream-store.ts';
import { decodeGaps, encodeGaps, type Gap, gapsBytes } from './definition.ts';
import { crcOf, FORMAT_VERSION, readU64, refuseNewer, writeU64 } from './format.ts';
import type { FooterPlace, Segment, Share } from './segment.ts';
import { SegmentIndex, Spans } from './segment-index.ts';

/** Bytes at the very end of a sealed file that say where its footer begins. */
export const TRAILER_BYTES = 32;
const TRAILER_MAGIC = Buffer.from('millfoot', 'latin1');
const HEAD_BYTES = 32;
const SHARE_FIXED_BYTES = 84;
const NO_SPANS_BYTES = 4;
const CLOSED = 1;
const DROPPED = 2;

/** What a footer says of one shard; the fields are those of a Share. */
export interface FooterShare {
  readonly shard: number;
  readonly ref: ShardRef;
  readonly closed: boolean;
  readonly dropped: boolean;
  readonly gaps: readonly Gap[];
  readonly start: number;
  readonly before: number;
  readonly first: number;
  readonly end: number;
  readonly firstAt: number;
  readonly lastAt: number;
  readonly bytes: number;
}

/** All that a start needs to know of a sealed segment, and where each extent stands. */
export interface Footer {
  /** End of the commits. */
  readonly end: number;
  readonly commitCount: number;
  readonly lastCommit: number;
  /** Segments that a settled one took over from. */
  readonly sources: readonly number[];
  readonly shares: readonly FooterShare[];
  readonly index: SegmentIndex;
}

/** Entries of the index, and shards, that are encoded in one piece of work: about a millisecond of it. */
const PIECE_STEPS = 4096;
const SHARE_STEPS = 32;

/**
 * The footer and trailer of a segment that takes no more commits, to be written at its end; in pieces of work, since
 * there may be thousands of shards.
 */
export function* encodeFooter(segment: Segment, index: SegmentIndex): Generator<undefined, Buffer> {
  const shares = [...segment.shares.values()];
  const bytes = shares.reduce((sum, share) => sum + shareBytes(share, index), HEAD_BYTES + 4 * segment.sources.length);
  const footer = Buffer.alloc(bytes + TRAILER_BYTES);
  footer.writeUInt32LE(segment.end, 0);
  footer.writeUInt32LE(segment.commitCount, 4);
  writeU64(footer, segment.lastCommit, 8);
  footer.writeUInt32LE(shares.length, 16);
  footer.writeUInt32LE(segment.sources.length, 20);
  let at = HEAD_BYTES;
  for (const source of segment.sources) at = footer.writeUInt32LE(source, at);
  let steps = 0;
  for (const share of shares) {
    at = encodeShare(footer, at, share, index);
    steps += SHARE_STEPS + (index.spans.get(share.state.id)?.count ?? 0);
    if (steps < PIECE_STEPS) continue;
    steps = 0;
    yield;
  }
  encodeTrailer(footer, bytes, segment);
  return footer;
}

function shareBytes({ state, gaps }: Share, index: SegmentIndex): number {
  const spans = index.spans.get(state.id)?.encodedBytes ?? NO_SPANS_BYTES;
  return SHARE_FIXED_BYTES + Buffer.byteLength(state.ref.stream) + gapsBytes(gaps) + spans;
}

function encodeShare(footer: Buffer, from: number, share: Share, index: SegmentIndex): number {
  const { state } = share;
  footer.writeUInt32LE(state.id, from);
  footer.writeUInt32LE((share.closed ? CLOSED : 0) | (share.dropped ? DROPPED : 0), from + 4);
  const { start, before, first, end, firstAt, lastAt, bytes } = share;
  const numbers = [start, before, first, end, firstAt, lastAt, bytes, state.ref.generation, state.ref.ordinal];
  numbers.forEach((value, place) => writeU64(footer, value, from + 8 + 8 * place));
  const nameBytes = footer.write(state.ref.stream, from + SHARE_FIXED_BYTES, 'utf8');
  footer.writeUInt32LE(nameBytes, from + 80);
  const at = encodeGaps(footer, from + SHARE_FIXED_BYTES + nameBytes, share.gaps);
  const spans = index.spans.get(state.id);
  return spans === undefined ? footer.writeUInt32LE(0, at) : spans.encode(footer, at);
}

function encodeTrailer(footer: Buffer, at: number, { end, salt }: Segment): void {
  TRAILER_MAGIC.copy(footer, at);
  footer.writeUInt32LE(FORMAT_VERSION, at + 8);
  footer.writeUInt32LE(salt, at + 12);
  footer.writeUInt32LE(end, at + 16);
  footer.writeUInt32LE(at, at + 20);
  footer.writeUInt32LE(crcOf(footer, 0, at), at + 24);
  footer.writeUInt32LE(crcOf(footer, at, at + 28), at + 28);
}

/** Where the footer of a file of `size` bytes stands, if it has one. Refuses a newer format where `salt` is known. */
export async function findFooter(
  file: OpenFile,
  size: number,
  salt: number | undefined,
): Promise<FooterPlace | undefined> {
  if (size < TRAILER_BYTES) return undefined;
  const trailer = Buffer.alloc(TRAILER_BYTES);
  if ((await file.read(trailer, size - TRAILER_BYTES)) < TRAILER_BYTES) return undefined;
  const place = { position: trailer.readUInt32LE(16), bytes: trailer.readUInt32LE(20) + TRAILER_BYTES };
  const isSalted = salt === undefined || trailer.readUInt32LE(12) === salt;
  const isOwn = trailer.subarray(0, 8).equals(TRAILER_MAGIC) && isSalted;
  if (!isOwn || trailer.readUInt32LE(28) !== crcOf(trailer, 0, 28)) return undefined;
  // What may be stored data does not end a start.
  if (salt !== undefined) refuseNewer(trailer.readUInt32LE(8), file.path);
  return place.position + place.bytes === size ? place : undefined;
}

/** The footer at a place; undefined when it is damaged. */
export async function readFooter(file: OpenFile, place: FooterPlace): Promise<Footer | undefined> {
  const bytes = Buffer.allocUnsafeSlow(place.bytes);
  if ((await file.read(bytes, place.position)) < bytes.length) return undefined;
  const end = bytes.length - TRAILER_BYTES;
  if (crcOf(bytes, 0, end) !== bytes.readUInt32LE(end + 24)) return undefined;
  return decodeFooter(bytes, end);
}

function decodeFooter(bytes: Buffer, end: number): Footer | undefined {
  const shareCount = bytes.readUInt32LE(16);
  const sourceCount = bytes.readUInt32LE(20);
  const index = new SegmentIndex();
  const shares: FooterShare[] = [];
  const sources = Array.from({ length: sourceCount }, (_, place) => bytes.readUInt32LE(HEAD_BYTES + 4 * place));
  let at = HEAD_BYTES + 4 * sourceCount;
  for (let count = 0; count < shareCount; count += 1) {
    const gapsAt = at + SHARE_FIXED_BYTES + bytes.readUInt32LE(at + 80);
    const gaps = decodeGaps(bytes, gapsAt) ?? [];
    const spansAt = gapsAt + gapsBytes(gaps);
    const spans = Spans.decode(bytes, spansAt, end);
    if (spans === undefined) return undefined;
    const share = { ...decodeShare(bytes, at), gaps };
    shares.push(share);
    if (spans.count > 0) index.spans.set(share.shard, spans);
    at = spansAt + spans.encodedBytes;
  }
  return {
    end: bytes.readUInt32LE(0),
    commitCount: bytes.readUInt32LE(4),
    lastCommit: readU64(bytes, 8),
    sources,
    shares,
    index,
  };
}

function decodeShare(bytes: Buffer, at: number): Omit<FooterShare, 'gaps'> {
  const flags = bytes.readUInt32LE(at + 4);
  const number = (place: number): number => readU64(bytes, at + 8 + 8 * place);
  const name = bytes.toString('utf8', at + SHARE_FIXED_BYTES, at + SHARE_FIXED_BYTES + bytes.readUInt32LE(at + 80));
  return {
    shard: bytes.readUInt32LE(at),
    ref: { stream: name, generation: number(7), ordinal: number(8) },
    closed: (flags & CLOSED) !== 0,
    dropped: (flags & DROPPED) !== 0,
    start: number(0),
    before: number(1),
    first: number(2),
    end: number(3),
    firstAt: number(4),
    lastAt: number(5),
    bytes: number(6),
  };
}
