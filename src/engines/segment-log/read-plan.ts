import type { Spans } from './segment-index.ts';
import { WINDOW_BYTES } from './shared-windows.ts';

/** Bytes read from a file at once, unless one extent is longer. */
const READ_BYTES_MAX = 1024 * 1024;
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
    if (part === undefined || !isTogether(part, position, end)) {
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

/** What other shards' records keep apart is read by windows, which their readers share. */
function isTogether(part: { readonly position: number; readonly end: number }, position: number, end: number): boolean {
  if (position === part.end) return end - part.position <= READ_BYTES_MAX;
  const isSameWindow = Math.floor(part.position / WINDOW_BYTES) === Math.floor(position / WINDOW_BYTES);
  return isSameWindow && position - part.end <= GAP_BYTES_MAX;
}
