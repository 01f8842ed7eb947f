import { constants, type Stats } from 'node:fs';
import {
  type FileHandle,
  mkdir,
  open as openHandle,
  readFile,
  readdir,
  rename,
  rm,
  stat,
  unlink,
} from 'node:fs/promises';
import { dirname } from 'node:path';
import { EnvironmentError, type EnvironmentCode, messageOf } from '../../kernel/errors.ts';
import type { Files, OpenFile, OpenMode } from '../../ports/environment.ts';

const FLAGS: Readonly<Record<OpenMode, number>> = {
  read: constants.O_RDONLY,
  write: constants.O_RDWR,
  create: constants.O_RDWR | constants.O_CREAT | constants.O_EXCL,
};
const KNOWN: readonly string[] = ['ENOENT', 'EEXIST', 'ENOSPC', 'EIO', 'EACCES'] satisfies EnvironmentCode[];
/** The system's bound for one gathered write (IOV_MAX on Linux and macOS). */
const PIECES_MAX = 1024;
const DIRECTORY_MODE = 0o700;
const FILE_MODE = 0o600;

const ALSO: Readonly<Record<string, EnvironmentCode>> = {
  EDQUOT: 'ENOSPC',
  EPERM: 'EACCES',
  EROFS: 'EACCES',
  ENOTDIR: 'ENOENT',
};

/**
 * Turns a platform error into ours; full quotas count as a full disk, missing rights as EACCES, and a path through a
 * file as one that leads nowhere.
 */
export function environmentError(error: unknown): EnvironmentError {
  const raw = String((error as { code?: unknown }).code);
  const code = ALSO[raw] ?? raw;
  const known = KNOWN.includes(code) ? (code as EnvironmentCode) : 'EOTHER';
  return new EnvironmentError(known, messageOf(error), error);
}

async function guarded<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw environmentError(error);
  }
}

/** As guarded, but a missing file or folder gives `absent`. */
async function orAbsent<T>(work: Promise<T>, absent: T): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const mapped = environmentError(error);
    if (mapped.code === 'ENOENT') return absent;
    throw mapped;
  }
}

class NodeFile implements OpenFile {
  readonly path: string;
  private readonly handle: FileHandle;

  constructor(path: string, handle: FileHandle) {
    this.path = path;
    this.handle = handle;
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    let done = 0;
    while (done < into.length) {
      const { bytesRead } = await guarded(this.handle.read(into, done, into.length - done, position + done));
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    return done;
  }

  async write(bytes: Uint8Array | readonly Uint8Array[], position: number): Promise<void> {
    if (bytes instanceof Uint8Array) return await this.writeOne(bytes, position);
    let at = position;
    for (let from = 0; from < bytes.length; from += PIECES_MAX) {
      at += await this.writeSome(bytes.slice(from, from + PIECES_MAX), at);
    }
    return undefined;
  }

  /** What the system did not take at once is written piece by piece. */
  private async writeSome(pieces: readonly Uint8Array[], position: number): Promise<number> {
    const { bytesWritten } = await guarded(this.handle.writev(pieces, position));
    let at = 0;
    for (const piece of pieces) {
      const done = Math.max(0, bytesWritten - at);
      if (done < piece.length) await this.writeOne(piece.subarray(done), position + at + done);
      at += piece.length;
    }
    return at;
  }

  private async writeOne(bytes: Uint8Array, position: number): Promise<void> {
    let done = 0;
    while (done < bytes.length) {
      const { bytesWritten } = await guarded(this.handle.write(bytes, done, bytes.length - done, position + done));
      done += bytesWritten;
    }
  }

  async sync(): Promise<void> {
    await guarded(this.handle.datasync());
  }

  async truncate(length: number): Promise<void> {
    await guarded(this.handle.truncate(length));
  }

  async size(): Promise<number> {
    return (await guarded(this.handle.stat())).size;
  }

  async close(): Promise<void> {
    await guarded(this.handle.close());
  }
}

/**
 * Step by step: the platform's own recursion never comes back from a folder that exists and takes no children
 * (`/proc/x`).
 */
async function makeDirectory(path: string): Promise<void> {
  try {
    await guarded(mkdir(path, { mode: DIRECTORY_MODE }));
  } catch (error) {
    const { code } = error as EnvironmentError;
    if (code === 'EEXIST' && (await nodeFiles.isDirectory(path))) return;
    const parent = dirname(path);
    if (code !== 'ENOENT' || parent === path || (await nodeFiles.size(parent)) !== undefined) throw error;
    await makeDirectory(parent);
    await makeDirectory(path);
  }
}

/** The machine's own files. */
export const nodeFiles: Files = {
  async open(path, mode) {
    return new NodeFile(path, await guarded(openHandle(path, FLAGS[mode], FILE_MODE)));
  },
  readFile: async (path) => await guarded(readFile(path)),
  list: async (directory) => (await orAbsent(readdir(directory), [])).sort(),
  size: async (path) => (await orAbsent<Stats | undefined>(stat(path), undefined))?.size,
  isDirectory: async (path) => (await orAbsent<Stats | undefined>(stat(path), undefined))?.isDirectory() ?? false,
  makeDirectory,
  remove: async (path) => await orAbsent(unlink(path), undefined),
  removeTree: async (path) => await guarded(rm(path, { recursive: true, force: true })),
  rename: async (from, to) => await guarded(rename(from, to)),
  async syncDirectory(path) {
    const handle = await guarded(openHandle(path, constants.O_RDONLY));
    try {
      await guarded(handle.sync());
    } finally {
      await handle.close();
    }
  },
};
