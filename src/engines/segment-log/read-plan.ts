import type { Spans } from './segment-index.ts';

/** Bytes read from a file at once, unless one extent is longer. */
export const READ_BYTES_MAX = 1024 * 1024;
/**
 * Bytes between two entries of an index that still go into one read. Another read costs as much as 128 KiB more of this
 * one, where the system has both in memory (measured); a disk is asked seldom.
 */
const GAP_BYTES_MAX = 64 * 1024;

/** A part of a segment's file to be read. */
export interface PlannedRead {
  readonly position: number;
  readonly end: number;
  /** The entries of the index that it is read for, up to `next`; what lies between them is not looked at. */
  readonly first: number;
  readonly next: number;
  /** Of these entries. */
  readonly wantedBytes: number;
}

/** Which parts of a file to read for about `bytesMax` bytes of a shard from entry `from` of its index on. */
export function planReads(spans: Spans, from: number, bytesMax: number): PlannedRead[] {
  const parts: PlannedRead[] = [];
  let bytes = 0;
  let part: { position: number; end: number; first: number; next: number; wantedBytes: number } | undefined;
  let next = from;
  for (let span = spans.at(next); span !== undefined && bytes < bytesMax; span = spans.at(next)) {
    const { position, length } = span;
    const end = position + length;
    const isNear = part !== undefined && position - part.end <= GAP_BYTES_MAX;
    if (part === undefined || !isNear || end - part.position > READ_BYTES_MAX) {
      part = { position, end, first: next, next, wantedBytes: 0 };
      parts.push(part);
    }
    bytes += length;
    next += 1;
    part.end = end;
    part.next = next;
    part.wantedBytes += length;
  }
  return parts;
}
