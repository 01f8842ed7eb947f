import { COMMIT_HEADER_BYTES } from './format.ts';
import { commitHeaderAt } from './read-commit.ts';
import { nextCommit, type ScannedFile } from './scan-segment.ts';
import { Window } from './window.ts';

/** What a disk writes whole or not at all, bytes. */
const SECTOR_BYTES = 512;
const CHUNK_BYTES = 1024 * 1024;

/**
 * Whether the bad commit at `from` seems to have been written to its end, and to have gone wrong later. What a power
 * cut or a killed process leaves of a write is too short, or lacks sectors: where nothing stood before they are zeros.
 * A record of zeros hides that, so that this may be false of what was written; it is hardly ever true of what was not.
 */
export async function looksWritten(scanned: ScannedFile, from: number): Promise<boolean> {
  const { file, size } = scanned;
  const window = new Window(file, { chunkBytes: CHUNK_BYTES, isReused: true });
  const behindHeader = from + COMMIT_HEADER_BYTES;
  if (behindHeader > size) return false;
  await window.load(from, COMMIT_HEADER_BYTES, size);
  const header = commitHeaderAt({ window, path: file.path, position: from, segment: scanned.header });
  if (header !== undefined) return await isThere(window, from, behindHeader + header.bodyBytes, size);
  // Where the commit ends is not known, and others behind it may be torn too: then its own header was not written.
  if (!(await isThere(window, from, behindHeader, size))) return false;
  return await isThere(window, from, await nextCommit(scanned, from + 1), size);
}

/** Whether something stands in each sector from `from` to `end`, and in the last byte. */
async function isThere(window: Window, from: number, end: number, size: number): Promise<boolean> {
  if (end > size) return false;
  for (let at = from; at < end;) {
    const to = Math.min(end, at - (at % SECTOR_BYTES) + SECTOR_BYTES);
    if (!window.has(at, to - at)) await window.load(at, to - at, size);
    const sector = window.bytes.subarray(window.at(at), window.at(to));
    if (isZero(to < end ? sector : sector.subarray(-1))) return false;
    at = to;
  }
  return true;
}

function isZero(bytes: Buffer): boolean {
  for (let at = 0; at < bytes.length; at += 1) if (bytes[at] !== 0) return false;
  return true;
}
