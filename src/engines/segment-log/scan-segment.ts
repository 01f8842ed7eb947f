import type { OpenFile } from '../../ports/environment.ts';
import {
  COMMIT_HEADER_BYTES,
  COMMIT_MAGIC,
  decodeCommitHeader,
  decodeSegmentHeader,
  type LogPosition,
  SEGMENT_HEADER_BYTES,
  type SegmentHeader,
} from './format.ts';
import { type FoundCommit, readCommit } from './read-commit.ts';
import { Window } from './window.ts';

const SCAN_CHUNK_BYTES = 4 * 1024 * 1024;
const MAGIC_BYTES = Buffer.alloc(4);
MAGIC_BYTES.writeUInt32LE(COMMIT_MAGIC);

/** What a scan found; `bad` is the first place that is not what it should be, if it does not end cleanly. */
export interface Scan {
  readonly header: SegmentHeader | undefined;
  /** End of the last whole commit; 0 without any. */
  readonly end: number;
  readonly size: number;
  readonly bad: { readonly position: number; readonly what: string } | undefined;
}

/** Reads a whole segment file and hands each commit, in order, to `found`, up to the first bad place. */
export async function scanSegment(
  file: OpenFile,
  name: { readonly segment: number; readonly epoch: number },
  found: (commit: FoundCommit) => void,
): Promise<Scan> {
  const size = await file.size();
  const window = new Window(file, { chunkBytes: SCAN_CHUNK_BYTES, isReused: true });
  const header = await readSegmentHeader(window, file.path, size, name);
  if (header === undefined) {
    const bad = size === 0 ? undefined : { position: 0, what: 'no header of a segment' };
    return { header, end: 0, size, bad };
  }
  let position = SEGMENT_HEADER_BYTES;
  let before: FoundCommit | undefined;
  while (position < size) {
    const commit = await readCommit({ window, path: file.path, position, size, segment: header });
    const what = typeof commit === 'string' ? commit : outOfOrder(before, commit);
    if (typeof commit === 'string' || what !== undefined) {
      return { header, end: before === undefined ? 0 : position, size, bad: { position, what: what ?? '' } };
    }
    found(commit);
    before = commit;
    position += COMMIT_HEADER_BYTES + commit.header.bodyBytes;
  }
  return { header, end: before === undefined ? 0 : position, size, bad: undefined };
}

function outOfOrder(before: FoundCommit | undefined, commit: FoundCommit): string | undefined {
  if (before === undefined || commit.header.number === before.header.number + 1) return undefined;
  return `commit ${commit.header.number} follows commit ${before.header.number}`;
}

async function readSegmentHeader(
  window: Window,
  path: string,
  size: number,
  name: { readonly segment: number; readonly epoch: number },
): Promise<SegmentHeader | undefined> {
  if (size < SEGMENT_HEADER_BYTES) return undefined;
  await window.load(0, SEGMENT_HEADER_BYTES, size);
  const header = decodeSegmentHeader(window.bytes.subarray(0, SEGMENT_HEADER_BYTES), path);
  return header?.segment === name.segment && header.epoch === name.epoch ? header : undefined;
}

/**
 * Looks behind a bad place for a commit that was written when that place was already durable: then the place is
 * damaged, and not the torn end of the last write. Resolves with such a commit's position, if there is one.
 */
export async function findEvidence(
  file: OpenFile,
  name: { readonly segment: number; readonly epoch: number },
  header: SegmentHeader | undefined,
  bad: { readonly position: number; readonly size: number },
): Promise<LogPosition | undefined> {
  const rest = Buffer.alloc(Math.max(0, bad.size - bad.position));
  await readFully(file, rest, bad.position);
  for (let at = rest.indexOf(MAGIC_BYTES); at >= 0; at = rest.indexOf(MAGIC_BYTES, at + 1)) {
    if (at + COMMIT_HEADER_BYTES > rest.length) return undefined;
    const commit = decodeCommitHeader(rest, at);
    const position = bad.position + at;
    if (commit === undefined || commit.position !== position) continue;
    if (commit.segment !== name.segment || commit.epoch !== name.epoch) continue;
    if (header !== undefined && commit.salt !== header.salt) continue;
    if (commit.synced.segment === name.segment && commit.synced.position > bad.position) {
      return { segment: name.segment, position };
    }
  }
  return undefined;
}

async function readFully(file: OpenFile, into: Buffer, position: number): Promise<void> {
  let done = 0;
  while (done < into.length) {
    const count = await file.read(into.subarray(done), position + done);
    if (count === 0) return;
    done += count;
  }
}
