import type { OpenFile } from '../../ports/environment.ts';
import { findFooter } from './footer.ts';
import {
  COMMIT_HEADER_BYTES,
  COMMIT_MAGIC,
  type CommitHeader,
  commitVersionAt,
  decodeCommitHeader,
  decodeSegmentHeader,
  type LogPosition,
  refuseNewer,
  SEGMENT_HEADER_BYTES,
  type SegmentHeader,
} from './format.ts';
import {
  commitHeaderAt,
  type CommitsOwner,
  type FoundCommit,
  type FoundExtents,
  readCommit,
  readRest,
} from './read-commit.ts';
import { Window } from './window.ts';

const SCAN_CHUNK_BYTES = 4 * 1024 * 1024;
const MAGIC_BYTES = Buffer.alloc(4);
MAGIC_BYTES.writeUInt32LE(COMMIT_MAGIC);

/** The name of a segment's file. */
export interface SegmentName {
  readonly segment: number;
  readonly epoch: number;
}

/** A file of the log that is being read back, without a footer. */
export interface ScannedFile {
  readonly file: OpenFile;
  readonly size: number;
  readonly header: SegmentHeader;
}

/** What a scan meets. */
export interface ScanVisitor {
  /** The next commit; one with a problem comes only after `isDurable` said that its place was durable. */
  commit(commit: FoundCommit): void;
  /** Extents of a commit whose header is damaged. */
  rest(found: FoundExtents): void;
  /** Whether what stands at a position was confirmed by the disk: then a bad place is damage, else the torn end. */
  isDurable(position: number): boolean;
  /** A damaged place. */
  damaged(position: number, what: string): void;
}

/** How a segment's file begins. */
export interface SegmentStart {
  /** Undefined when there is neither a header nor a first commit that repeats it. */
  readonly header: SegmentHeader | undefined;
  /** What the first commit says was durable before it. */
  readonly synced: LogPosition | undefined;
  /** Whether the header itself is damaged. */
  readonly isDamaged: boolean;
}

/** Reads how a segment's file begins. Refuses a newer format with EOTHER. */
export async function readSegmentStart(file: OpenFile, size: number, name: SegmentName): Promise<SegmentStart> {
  const bytes = Buffer.alloc(Math.min(size, SEGMENT_HEADER_BYTES + COMMIT_HEADER_BYTES));
  await file.read(bytes, 0);
  const first = firstCommitIn(bytes, name, file.path);
  const found = size < SEGMENT_HEADER_BYTES ? undefined : decodeSegmentHeader(bytes, file.path);
  const header = found?.segment === name.segment && found.epoch === name.epoch ? found : undefined;
  if (header !== undefined) {
    const isOwn = header.settledFrom === 0 && first?.salt === header.salt;
    return { header, synced: isOwn ? first.synced : undefined, isDamaged: false };
  }
  if (first === undefined) return { header: undefined, synced: undefined, isDamaged: size > 0 };
  // A settled file's commits have no number and name its place where others say what was durable.
  const isSettled = first.number === 0;
  const version = bytes.readUInt32LE(SEGMENT_HEADER_BYTES + 4);
  const settledFrom = isSettled ? first.synced.segment : 0;
  const { salt, at: createdAt } = first;
  return {
    header: { version, ...name, salt, createdAt, settledFrom },
    synced: isSettled ? undefined : first.synced,
    isDamaged: true,
  };
}

function firstCommitIn(bytes: Buffer, name: SegmentName, path: string): CommitHeader | undefined {
  if (bytes.length < SEGMENT_HEADER_BYTES + COMMIT_HEADER_BYTES) return undefined;
  refuseNewer(commitVersionAt(bytes, SEGMENT_HEADER_BYTES) ?? 0, path);
  const first = decodeCommitHeader(bytes, SEGMENT_HEADER_BYTES);
  const isOwn = first?.segment === name.segment && first.epoch === name.epoch;
  return isOwn && first.position === SEGMENT_HEADER_BYTES ? first : undefined;
}

/** Reads a segment commit by commit; resolves with the end of what is kept and, when a torn end follows, why. */
export async function scanSegment(
  scanned: ScannedFile,
  visitor: ScanVisitor,
): Promise<{ readonly end: number; readonly torn: string | undefined }> {
  const { file, size, header } = scanned;
  const window = new Window(file, { chunkBytes: SCAN_CHUNK_BYTES, isReused: true });
  let position = SEGMENT_HEADER_BYTES;
  while (position < size) {
    const place = { window, path: file.path, position, size, segment: header };
    const commit = await readCommit(place);
    const problem = typeof commit === 'string' ? commit : commit.problem;
    if (problem !== undefined) {
      if (!visitor.isDurable(position)) return { end: position, torn: problem };
      const isSaid = typeof commit !== 'string' && commit.isSaidByExtents;
      if (!isSaid) visitor.damaged(position, problem);
    }
    if (typeof commit === 'string') {
      const next = await nextCommit(scanned, position + 1);
      visitor.rest(await readRest(place, next));
      position = next;
    } else {
      visitor.commit(commit);
      position += COMMIT_HEADER_BYTES + commit.header.bodyBytes;
    }
  }
  return { end: Math.min(position, size), torn: undefined };
}

/** Position of the first commit header at or after `from`; the file's size when there is none. */
export async function nextCommit(scanned: ScannedFile, from: number): Promise<number> {
  let found = scanned.size;
  await eachCommitHeader(scanned, from, ({ position }) => {
    found = position;
    return false;
  });
  return found;
}

/**
 * Tells what the commit headers of a file say was durable, and resolves with their number. A header proves it whether
 * the rest of its commit is whole or not.
 */
export async function readEvidence(scanned: ScannedFile, durable: (place: LogPosition) => void): Promise<number> {
  let commits = 0;
  await eachCommitHeader(scanned, SEGMENT_HEADER_BYTES, (header) => {
    commits += 1;
    durable(header.synced);
    return true;
  });
  return commits;
}

/**
 * Whether a file whose beginning is not there had one that was durable: it has a footer, or a commit that tells of
 * others in front of it. Without the salt stored data may look like either: a reason to keep the file, not to serve it.
 */
export async function hadBeginning(file: OpenFile, size: number, name: SegmentName): Promise<boolean> {
  if ((await findFooter(file, size, undefined)) !== undefined) return true;
  let isTold = false;
  await eachCommitHeader({ file, size, header: { ...name, salt: undefined } }, SEGMENT_HEADER_BYTES, ({ synced }) => {
    isTold = synced.segment === name.segment && synced.position > 0;
    return !isTold;
  });
  return isTold;
}

/** Finds commit headers of this file at their own places, also behind damage, until `visit` says false. */
async function eachCommitHeader(
  { file, size, header: segment }: Omit<ScannedFile, 'header'> & { readonly header: CommitsOwner },
  from: number,
  visit: (header: CommitHeader) => boolean,
): Promise<void> {
  const window = new Window(file, { chunkBytes: SCAN_CHUNK_BYTES, isReused: true });
  let position = from;
  while (position + COMMIT_HEADER_BYTES <= size) {
    if (!window.has(position, COMMIT_HEADER_BYTES)) await window.load(position, COMMIT_HEADER_BYTES, size);
    const at = window.bytes.indexOf(MAGIC_BYTES, window.at(position));
    const found = at < 0 ? window.end : position + at - window.at(position);
    if (found + COMMIT_HEADER_BYTES > window.end) {
      if (window.end >= size) return;
      // The magic, or a header, may go over the window's end.
      position = Math.max(position + 1, Math.min(found, window.end - MAGIC_BYTES.length + 1));
      await window.load(position, Math.min(COMMIT_HEADER_BYTES, size - position), size);
      continue;
    }
    const header = commitHeaderAt({ window, path: file.path, position: found, segment });
    if (header !== undefined && !visit(header)) return;
    position = header === undefined ? found + 1 : found + COMMIT_HEADER_BYTES;
  }
}
