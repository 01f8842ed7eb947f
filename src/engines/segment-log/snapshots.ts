import type { Environment } from '../../ports/environment.ts';
import type { Offset } from '../../ports/stream-store.ts';
import { crcOf, readU64, refuseNewer, writeU64 } from './format.ts';

const MAGIC = Buffer.from('millsnap', 'latin1');
/** The layout this code writes, and the newest it reads. */
const SNAPSHOT_VERSION = 1;
const HEADER_BYTES = 32;
const KEPT_MAX = 2;

/** A snapshot with the first offset that it does not cover. */
export interface Snapshot {
  readonly at: Offset;
  readonly bytes: Uint8Array;
}

/** Snapshots of the catalog as files: each whole or absent, the newest two kept. */
export class Snapshots {
  readonly #environment: Environment;
  readonly #directory: string;

  constructor(environment: Environment, directory: string) {
    this.#environment = environment;
    this.#directory = directory;
  }

  async save(at: Offset, bytes: Uint8Array): Promise<void> {
    const { files } = this.#environment;
    const path = this.#path(at);
    const temporary = `${path}.tmp`;
    await files.remove(temporary);
    const file = await files.open(temporary, 'create');
    try {
      await file.write(encode(at, bytes), 0);
      await file.sync();
    } finally {
      await file.close();
    }
    await files.rename(temporary, path);
    await files.syncDirectory(this.#directory);
    const offsets = await this.offsets();
    for (const old of offsets.slice(0, -KEPT_MAX)) await files.remove(this.#path(old));
  }

  /** The newest whole snapshot. */
  async load(): Promise<Snapshot | undefined> {
    for (const at of (await this.offsets()).toReversed()) {
      const path = this.#path(at);
      const snapshot = decode(Buffer.from(await this.#environment.files.readFile(path)), at, path);
      if (snapshot !== undefined) return snapshot;
      this.#environment.log.error('log.snapshot.damaged', { path });
    }
    return undefined;
  }

  /** Offsets of the snapshots on disk, oldest first. */
  async offsets(): Promise<Offset[]> {
    const names = await this.#environment.files.list(this.#directory);
    const digits = names.map((name) => /^snapshot-(\d{20})\.bin$/.exec(name)?.[1]);
    return digits.filter((text) => text !== undefined).map(BigInt);
  }

  #path(at: Offset): string {
    return `${this.#directory}/snapshot-${String(at).padStart(20, '0')}.bin`;
  }
}

/** Header: magic (8), format version (4), length (4), offset (8), zero (4), CRC of header and bytes (4). */
function encode(at: Offset, bytes: Uint8Array): Buffer {
  const file = Buffer.alloc(HEADER_BYTES + bytes.length);
  MAGIC.copy(file);
  file.writeUInt32LE(SNAPSHOT_VERSION, 8);
  file.writeUInt32LE(bytes.length, 12);
  writeU64(file, Number(at), 16);
  file.set(bytes, HEADER_BYTES);
  file.writeUInt32LE(crcOfSnapshot(file), 28);
  return file;
}

function decode(file: Buffer, at: Offset, path: string): Snapshot | undefined {
  if (file.length < HEADER_BYTES || !file.subarray(0, 8).equals(MAGIC)) return undefined;
  refuseNewer(file.readUInt32LE(8), path, SNAPSHOT_VERSION);
  const isWhole = file.readUInt32LE(12) === file.length - HEADER_BYTES && readU64(file, 16) === Number(at);
  if (!isWhole || file.readUInt32LE(28) !== crcOfSnapshot(file)) return undefined;
  return { at, bytes: file.subarray(HEADER_BYTES) };
}

function crcOfSnapshot(file: Buffer): number {
  return crcOf(file, HEADER_BYTES, file.length, crcOf(file, 0, HEADER_BYTES - 4));
}
