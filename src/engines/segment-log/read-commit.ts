import {
  COMMIT_HEADER_BYTES,
  type CommitHeader,
  commitVersionAt,
  crcOf,
  decodeCommitHeader,
  decodeExtentHeader,
  EXTENT_HEADER_BYTES,
  EXTENT_MAGIC,
  type ExtentHeader,
  FLAG_CLOSED,
  FLAG_DEFINE,
  FLAG_DROP,
  FLAG_END,
  refuseNewer,
  type SegmentHeader,
} from './format.ts';
import type { Window } from './window.ts';

const FLAGS_KNOWN = FLAG_DEFINE | FLAG_END | FLAG_DROP | FLAG_CLOSED;

/** An extent of a commit read back. */
export interface FoundExtent {
  readonly header: ExtentHeader;
  /** From the start of the file. */
  readonly position: number;
  readonly payload: Buffer;
  /** Whether the payload matches its checksum. */
  readonly isWhole: boolean;
}

/** A commit read back. `problem` says what is wrong with it, if anything is: `extents` are then what was found. */
export interface FoundCommit {
  readonly header: CommitHeader;
  readonly extents: readonly FoundExtent[];
  readonly problem: string | undefined;
  /** Whether nothing is wrong but the payloads of extents that say so themselves. */
  readonly isSaidByExtents: boolean;
  /** Bytes in which records may have stood that nothing tells of any more. */
  readonly lostBytes: number;
}

/** What tells a file's own commits from stored data that looks like some; without its salt, hardly. */
export type CommitsOwner = Pick<SegmentHeader, 'segment' | 'epoch'> & { readonly salt: number | undefined };

/** What tells a file's own extents from stored data that looks like some. */
type SaltedFile = Pick<SegmentHeader, 'version' | 'salt'>;

/** Extents that were found in a commit. */
export type FoundExtents = Omit<FoundCommit, 'header'>;

/** The place being read: a file, where its bytes end, and what its header says. */
export interface CommitPlace {
  readonly window: Window;
  readonly path: string;
  readonly position: number;
  /** Size of the file in bytes. */
  readonly size: number;
  readonly segment: SegmentHeader;
}

/** The commit at a place with every checksum looked at, or a sentence when not even its header is there. */
export async function readCommit(place: CommitPlace): Promise<FoundCommit | string> {
  const { window, position, size } = place;
  if (position + COMMIT_HEADER_BYTES > size) return 'the header of a commit is cut';
  if (!window.has(position, COMMIT_HEADER_BYTES)) await window.load(position, COMMIT_HEADER_BYTES, size);
  const header = commitHeaderAt(place);
  if (header === undefined) return 'no commit';
  const whole = Math.min(COMMIT_HEADER_BYTES + header.bodyBytes, size - position);
  if (!window.has(position, whole)) await window.load(position, whole, size);
  const found = readExtents(place, position + whole);
  if (whole < COMMIT_HEADER_BYTES + header.bodyBytes) {
    return { ...found, header, problem: 'the body of a commit is cut', isSaidByExtents: false };
  }
  if (found.extents.length === header.extentCount) return { ...found, header };
  const problem = found.isSaidByExtents ? 'the number of extents is wrong' : found.problem;
  return { ...found, header, problem, isSaidByExtents: false };
}

/** What is left of a commit whose header is gone: the extents up to `end`, where the next commit begins. */
export async function readRest(place: CommitPlace, end: number): Promise<FoundExtents> {
  const { window, position } = place;
  const bytes = end - position;
  if (!window.has(position, bytes)) await window.load(position, bytes, end);
  return readExtents(place, end);
}

/** The commit header at a place, if it belongs exactly there. */
export function commitHeaderAt({
  window,
  path,
  position,
  segment,
}: Pick<CommitPlace, 'window' | 'path' | 'position'> & { readonly segment: CommitsOwner }): CommitHeader | undefined {
  const at = window.at(position);
  const header = decodeCommitHeader(window.bytes, at);
  if (header !== undefined) {
    const isOwn = header.segment === segment.segment && header.epoch === segment.epoch;
    const isSalted = segment.salt === undefined || header.salt === segment.salt;
    return isOwn && header.position === position && isSalted ? header : undefined;
  }
  const version = commitVersionAt(window.bytes, at);
  const isSalted = window.bytes.readUInt32LE(at + 8) === segment.salt;
  if (version !== undefined && isSalted) refuseNewer(version, path);
  return undefined;
}

/** The extents up to `end`; behind one whose header is bad the next one is looked for. */
function readExtents({ window, position, segment }: CommitPlace, end: number): FoundExtents {
  const { bytes } = window;
  const shift = position - window.at(position);
  const to = end - shift;
  const extents: FoundExtent[] = [];
  let problem: string | undefined;
  let isSaidByExtents = true;
  let lostBytes = 0;
  for (let at = window.at(position) + COMMIT_HEADER_BYTES; at < to;) {
    const header = extentAt(bytes, at, to, segment);
    if (header === undefined) {
      if (isSaidByExtents) problem = 'the header of an extent does not match its checksum';
      isSaidByExtents = false;
      const next = nextExtent(bytes, at + 1, to, segment);
      lostBytes += next - at;
      at = next;
      continue;
    }
    const payloadAt = at + EXTENT_HEADER_BYTES;
    at = payloadAt + header.payloadBytes;
    const payload = bytes.subarray(payloadAt, at);
    const isWhole = crcOf(payload, 0, payload.length) === header.payloadCrc;
    if (!isWhole) problem ??= 'an extent does not match its checksum';
    extents.push({ header, position: payloadAt - EXTENT_HEADER_BYTES + shift, payload, isWhole });
  }
  return { extents, problem, isSaidByExtents, lostBytes };
}

/** A whole header of an extent of this file that ends in front of `to`. */
function extentAt(bytes: Buffer, at: number, to: number, segment: SaltedFile): ExtentHeader | undefined {
  if (at + EXTENT_HEADER_BYTES > to) return undefined;
  const header = decodeExtentHeader(bytes, at);
  if (header === undefined || (header.flags & ~FLAGS_KNOWN) !== 0) return undefined;
  if (segment.version > 1 && header.salt !== segment.salt) return undefined;
  return at + EXTENT_HEADER_BYTES + header.payloadBytes <= to ? header : undefined;
}

/** Position of the next extent of this file in front of `to`, else `to`: to go on behind a damaged place. */
export function nextExtent(bytes: Buffer, from: number, to: number, segment: SaltedFile): number {
  // Without a salt stored data could pass for an extent.
  if (segment.version === 1) return to;
  for (
    let at = bytes.indexOf(EXTENT_MAGIC_BYTES, from);
    at >= 0 && at < to;
    at = bytes.indexOf(EXTENT_MAGIC_BYTES, at + 1)
  ) {
    if (extentAt(bytes, at, to, segment) !== undefined) return at;
  }
  return to;
}

const EXTENT_MAGIC_BYTES = Buffer.alloc(4);
EXTENT_MAGIC_BYTES.writeUInt32LE(EXTENT_MAGIC);
