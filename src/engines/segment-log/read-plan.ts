import type { Spans } from './segment-index.ts';

/** Bytes read from a file at once, unless one extent is longer. */
const READ_BYTES_MAX = 1024 * 1024;
/** Bytes between two entries of an index that still go into one read. */
const GAP_BYTES_MAX = 16 * 1024;

/** A part of a segment's file to be read. */
export interface PlannedRead {
  readonly position: number;
  readonly end: number;
  /** Entry of the index that follows. */
  readonly next: number;
}

/** Which parts of a file to read for about `bytesMax` bytes of a shard from entry `from` of its index on. */
export function planReads(spans: Spans, from: number, bytesMax: number): PlannedRead[] {
  const parts: PlannedRead[] = [];
  let bytes = 0;
  let part: { position: number; end: number } | undefined;
  let next = from;
  for (let span = spans.at(next); span !== undefined && bytes < bytesMax; span = spans.at(next)) {
    const end = span.position + span.length;
    bytes += span.length;
    next += 1;
    const isNear = part !== undefined && span.position - part.end <= GAP_BYTES_MAX;
    if (part !== undefined && isNear && end - part.position <= READ_BYTES_MAX) part.end = end;
    else {
      if (part !== undefined) parts.push({ ...part, next: next - 1 });
      part = { position: span.position, end };
    }
  }
  if (part !== undefined) parts.push({ ...part, next });
  return parts;
}
