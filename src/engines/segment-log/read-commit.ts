import {
  COMMIT_HEADER_BYTES,
  type CommitHeader,
  crcOf,
  decodeCommitHeader,
  decodeExtentHeader,
  EXTENT_HEADER_BYTES,
  type ExtentHeader,
  FLAG_CLOSED,
  FLAG_DEFINE,
  FLAG_DROP,
  FLAG_END,
  refuseNewer,
  COMMIT_MAGIC,
  type SegmentHeader,
} from './format.ts';
import type { Window } from './window.ts';

const FLAGS_KNOWN = FLAG_DEFINE | FLAG_END | FLAG_DROP | FLAG_CLOSED;

/** An extent of a commit read back; `payload` is where its payload begins in the window's bytes. */
export interface FoundExtent {
  readonly header: ExtentHeader;
  /** From the start of the file. */
  readonly position: number;
  readonly payload: Buffer;
}

/** A commit read back whole. */
export interface FoundCommit {
  readonly header: CommitHeader;
  readonly extents: readonly FoundExtent[];
}

/** The place being read: a file, where its bytes end, and what its header says. */
export interface CommitPlace {
  readonly window: Window;
  readonly path: string;
  readonly position: number;
  /** Size of the file in bytes. */
  readonly size: number;
  readonly segment: SegmentHeader;
}

/** The commit at a place with every checksum verified, or a sentence that says what is wrong with it. */
export async function readCommit(place: CommitPlace): Promise<FoundCommit | string> {
  const { window, position, size } = place;
  if (position + COMMIT_HEADER_BYTES > size) return 'the header of a commit is cut';
  if (!window.has(position, COMMIT_HEADER_BYTES)) await window.load(position, COMMIT_HEADER_BYTES, size);
  const header = commitHeaderAt(place);
  if (header === undefined) return 'no commit';
  const whole = COMMIT_HEADER_BYTES + header.bodyBytes;
  if (position + whole > size) return 'the body of a commit is cut';
  if (!window.has(position, whole)) await window.load(position, whole, size);
  return readExtents(place, header);
}

/** The commit header at a place, if it belongs exactly there. */
export function commitHeaderAt({ window, path, position, segment }: CommitPlace): CommitHeader | undefined {
  const at = window.at(position);
  const header = decodeCommitHeader(window.bytes, at);
  if (header !== undefined) {
    const isOwn = header.segment === segment.segment && header.epoch === segment.epoch;
    return isOwn && header.position === position && header.salt === segment.salt ? header : undefined;
  }
  const isSalted = window.bytes.readUInt32LE(at + 8) === segment.salt;
  if (window.bytes.readUInt32LE(at) === COMMIT_MAGIC && isSalted && isWhole(window.bytes, at)) {
    refuseNewer(window.bytes.readUInt32LE(at + 4), path);
  }
  return undefined;
}

function isWhole(bytes: Buffer, at: number): boolean {
  return bytes.readUInt32LE(at + 60) === crcOf(bytes, at, at + 60);
}

function readExtents({ window, position }: CommitPlace, header: CommitHeader): FoundCommit | string {
  const { bytes } = window;
  const extents: FoundExtent[] = [];
  const shift = position - window.at(position);
  const end = window.at(position) + COMMIT_HEADER_BYTES + header.bodyBytes;
  let at = window.at(position) + COMMIT_HEADER_BYTES;
  while (at < end) {
    if (at + EXTENT_HEADER_BYTES > end) return 'an extent is longer than its commit';
    const extent = decodeExtentHeader(bytes, at);
    if (extent === undefined) return 'the header of an extent does not match its checksum';
    if ((extent.flags & ~FLAGS_KNOWN) !== 0) return 'an extent has unknown flags';
    const payloadAt = at + EXTENT_HEADER_BYTES;
    const next = payloadAt + extent.payloadBytes;
    if (next > end) return 'an extent is longer than its commit';
    if (crcOf(bytes, payloadAt, next) !== extent.payloadCrc) return 'an extent does not match its checksum';
    extents.push({ header: extent, position: at + shift, payload: bytes.subarray(payloadAt, next) });
    at = next;
  }
  return extents.length === header.extentCount ? { header, extents } : 'the number of extents is wrong';
}
