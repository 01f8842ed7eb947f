import { asBuffer } from '../../kernel/bytes/as-buffer.ts';
import { nextTurn } from '../../kernel/flow/next-turn.ts';
import type { Environment, OpenFile } from '../../ports/environment.ts';
import type { Offset } from '../../ports/stream-store.ts';
import { crcOf, readU64, refuseNewer, writeU64 } from './format.ts';

const MAGIC = Buffer.from('millsnap', 'latin1');
/** The layout this code writes, and the newest it reads. */
const SNAPSHOT_VERSION = 1;
const HEADER_BYTES = 32;
const KEPT_MAX = 2;
/** Bytes whose checksum is worked out in one turn of the loop. */
const CHECKED_BYTES = 1024 * 1024;
/** Ending of a file that is not whole yet. */
const UNFINISHED = '.tmp';

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

  /**
   * Nothing is seen of a snapshot that is not whole, or before `covered` has resolved. The parts are all made before
   * the first is written.
   */
  async save(at: Offset, parts: AsyncIterable<Uint8Array>, covered: () => Promise<void>): Promise<void> {
    const { files } = this.#environment;
    const path = this.#path(at);
    const temporary = `${path}${UNFINISHED}`;
    const made: Buffer[] = [];
    for await (const part of parts) made.push(asBuffer(part));
    await this.#removeUnfinished();
    const file = await files.open(temporary, 'create');
    try {
      await writeParts(file, at, made);
      await file.sync();
    } finally {
      await file.close();
    }
    await covered();
    await files.rename(temporary, path);
    await files.syncDirectory(this.#directory);
    const offsets = await this.offsets();
    for (const old of offsets.slice(0, -KEPT_MAX)) await files.remove(this.#path(old));
  }

  /** The newest whole snapshot; `damaged` is told of newer ones that are not. */
  async load(damaged: (at: Offset, path: string) => void = () => undefined): Promise<Snapshot | undefined> {
    for (const at of (await this.offsets()).toReversed()) {
      const path = this.#path(at);
      const file = Buffer.from(await this.#environment.files.readFile(path));
      if (await this.#isWhole(file, at, path)) return { at, bytes: file.subarray(HEADER_BYTES) };
      damaged(at, path);
    }
    return undefined;
  }

  /** Offsets of the snapshots on disk, oldest first. */
  async offsets(): Promise<Offset[]> {
    const names = await this.#environment.files.list(this.#directory);
    const digits = names.map((name) => /^snapshot-(\d{20})\.bin$/.exec(name)?.[1]);
    return digits.filter((text) => text !== undefined).map(BigInt);
  }

  async #isWhole(file: Buffer, at: Offset, path: string): Promise<boolean> {
    if (file.length < HEADER_BYTES || !file.subarray(0, 8).equals(MAGIC)) return false;
    if (file.readUInt32LE(12) !== file.length - HEADER_BYTES || readU64(file, 16) !== Number(at)) return false;
    let crc = crcOf(file, 0, HEADER_BYTES - 4);
    for (let from = HEADER_BYTES; from < file.length; from += CHECKED_BYTES) {
      crc = crcOf(file, from, Math.min(from + CHECKED_BYTES, file.length), crc);
      await nextTurn(this.#environment.clock);
    }
    if (file.readUInt32LE(28) !== crc) return false;
    // Only now: a wrong bit must not pass for another version.
    refuseNewer(file.readUInt32LE(8), path, SNAPSHOT_VERSION);
    return true;
  }

  async #removeUnfinished(): Promise<void> {
    const { files } = this.#environment;
    const names = await files.list(this.#directory);
    for (const name of names.filter((one) => one.endsWith(UNFINISHED)))
      await files.remove(`${this.#directory}/${name}`);
  }

  #path(at: Offset): string {
    return `${this.#directory}/snapshot-${String(at).padStart(20, '0')}.bin`;
  }
}

/** Header: magic (8), format version (4), length (4), offset (8), zero (4), CRC of header and bytes (4). */
function encodeHeader(at: Offset, length: number): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  MAGIC.copy(header);
  header.writeUInt32LE(SNAPSHOT_VERSION, 8);
  header.writeUInt32LE(length, 12);
  writeU64(header, Number(at), 16);
  return header;
}

/** Writes part after part, and the header, which needs the checksum of all, at last. */
async function writeParts(file: OpenFile, at: Offset, parts: readonly Buffer[]): Promise<void> {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const header = encodeHeader(at, length);
  let crc = crcOf(header, 0, HEADER_BYTES - 4);
  let position = HEADER_BYTES;
  for (const part of parts) {
    await file.write(part, position);
    crc = crcOf(part, 0, part.length, crc);
    position += part.length;
  }
  header.writeUInt32LE(crc, HEADER_BYTES - 4);
  await file.write(header, 0);
}
