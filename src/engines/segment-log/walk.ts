import type { StoredRun } from '../../ports/stream-store.ts';
import {
  COMMIT_HEADER_BYTES,
  crcOf,
  damage,
  decodeCommitHeader,
  decodeExtentHeader,
  EXTENT_HEADER_BYTES,
  type ExtentHeader,
} from './format.ts';
import { wrongRecords } from './damage-sentences.ts';
import { nextExtent } from './read-commit.ts';
import type { PlannedRead } from './read-plan.ts';
import type { Segment } from './segment.ts';
import type { Spans } from './segment-index.ts';

/** A part of a segment's file in memory: `bytes` begins at `position` of the file, at an extent. */
interface Piece {
  readonly segment: Segment;
  readonly position: number;
  readonly bytes: Buffer;
  /** Checksums that are worked out already, by where in the file their bytes begin. */
  readonly known?: ReadonlyMap<number, number> | undefined;
}

/** What a walk meets: `look` decides by an extent's header whether its records are wanted, `take` gets them. */
export interface Visitor {
  look(extent: ExtentHeader): 'skip' | 'take' | 'stop';
  /** Whether the run was well formed. */
  take(run: StoredRun): boolean;
}

/** What was read of a file for some entries of a shard's index. */
export interface ReadPiece extends Piece {
  readonly part: PlannedRead;
  readonly spans: Spans;
}

/** Bytes whose checksum is worked out in one piece of work; extents are longer where one record is. */
const CHECKED_BYTES = 1024 * 1024;

/** The checksums of extents that are long, by where in the file their payloads begin; in pieces of work. */
export function* longChecksums({ position, bytes, part, spans }: ReadPiece): Generator<undefined, Map<number, number>> {
  const known = new Map<number, number>();
  for (let entry = part.first; entry < part.next; entry += 1) {
    const span = spans.at(entry);
    // An extent shares an entry only with those that fit into it.
    if (span === undefined || span.length <= CHECKED_BYTES) continue;
    const start = span.position - position + EXTENT_HEADER_BYTES;
    const end = Math.min(bytes.length, start - EXTENT_HEADER_BYTES + span.length);
    let crc = 0;
    for (let from = start; from < end; from += CHECKED_BYTES) {
      crc = crcOf(bytes, from, Math.min(end, from + CHECKED_BYTES), crc);
      yield;
    }
    known.set(span.position + EXTENT_HEADER_BYTES, crc);
  }
  return known;
}

/** Walks a shard's extents in the pieces that the index names; otherwise as `walkPiece`. */
export function walkEntries(
  { segment, position, bytes, part, spans, known }: ReadPiece,
  shard: number,
  visitor: Visitor,
): boolean {
  for (let entry = part.first; entry < part.next; entry += 1) {
    const span = spans.at(entry);
    if (span === undefined) return true;
    const from = span.position - position;
    // The last entry of a file that is being written may have grown since.
    const piece = { segment, position: span.position, bytes: bytes.subarray(from, from + span.length), known };
    if (!walkPiece(piece, shard, visitor)) return false;
  }
  return true;
}

/**
 * Walks a shard's extents in a piece of a file, past commit headers, other shards' extents and, in files that can tell,
 * damaged places: what is missing then is for the visitor to notice. False when the visitor stopped. Raises EIO where
 * an extent that is wanted does not hold what was written there.
 */
function walkPiece(piece: Piece, shard: number, visitor: Visitor): boolean {
  const { bytes } = piece;
  for (let at = 0; at < bytes.length;) {
    const extent = at + EXTENT_HEADER_BYTES <= bytes.length ? decodeExtentHeader(bytes, at) : undefined;
    if (extent === undefined) {
      at = skip(piece, at);
      continue;
    }
    const payload = at + EXTENT_HEADER_BYTES;
    at = payload + extent.payloadBytes;
    if (extent.shard !== shard || extent.count === 0) continue;
    const wish = visitor.look(extent);
    if (wish === 'stop') return false;
    if (wish === 'take') take(piece, payload, extent, visitor);
  }
  return true;
}

/** Position behind a commit header, or behind a damaged place. */
function skip({ segment, position, bytes }: Piece, at: number): number {
  const isCommit = at + COMMIT_HEADER_BYTES <= bytes.length && decodeCommitHeader(bytes, at) !== undefined;
  if (isCommit) return at + COMMIT_HEADER_BYTES;
  if (segment.version === 1) throw damage(segment.path, position + at, 'no extent and no commit');
  return nextExtent(bytes, at + 1, bytes.length, segment);
}

function take(
  { segment, position, bytes, known }: Piece,
  payload: number,
  extent: ExtentHeader,
  visitor: Visitor,
): void {
  const { shard, payloadBytes, payloadCrc, first, count, at } = extent;
  const to = payload + payloadBytes;
  const isWhole = to <= bytes.length && (known?.get(position + payload) ?? crcOf(bytes, payload, to)) === payloadCrc;
  if (isWhole && visitor.take({ bytes, from: payload, to, first, count, at })) return;
  const ref = segment.shares.get(shard)?.state.ref ?? { stream: '?', generation: 0, ordinal: 0 };
  throw damage(segment.path, position + payload - EXTENT_HEADER_BYTES, wrongRecords(ref, first, count));
}
