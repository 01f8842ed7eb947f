import { inPieces } from '../../kernel/flow/in-pieces.ts';
import type { OpenFile } from '../../ports/environment.ts';
import { noteExtent } from './apply-extent.ts';
import { encodeDefinition } from './definition.ts';
import { encodeFooter } from './footer.ts';
import {
  COMMIT_HEADER_BYTES,
  crcOf,
  encodeCommitHeader,
  encodeExtentHeader,
  encodeSegmentHeader,
  EXTENT_HEADER_BYTES,
  type ExtentHeader,
  FLAG_DEFINE,
  SEGMENT_HEADER_BYTES,
} from './format.ts';
import type { Segment } from './segment.ts';
import type { SegmentIndex } from './segment-index.ts';
import type { ShardState } from './shard-table.ts';

/** Bytes that are written, and confirmed, together. */
const CHUNK_BYTES = 4 * 1024 * 1024;

/**
 * Writes a settled file: what is still needed of older files, each shard's records in one place. Its commits have no
 * number; where others say what was durable they name the place that the file takes.
 */
export class SettledWriter {
  readonly #segment: Segment;
  readonly #file: OpenFile;
  #chunk: Buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  /** Bytes of the chunk that are used; the commit's header stands at their start. */
  #used = 0;
  #headerAt = 0;
  #extentCount = 0;
  #now: number;

  constructor(segment: Segment, file: OpenFile, now: number) {
    this.#segment = segment;
    this.#file = file;
    this.#now = now;
    const { epoch, salt, number, place } = segment;
    const header = { epoch, segment: number, salt, createdAt: now, settledFrom: place };
    this.#used = encodeSegmentHeader(header).copy(this.#chunk);
    this.#begin();
  }

  /** Adds the extent and says whether a chunk is full: then `flush` must be called. */
  add(state: ShardState, extent: ExtentHeader, payload: Uint8Array): boolean {
    if (!this.#segment.shares.has(state.id)) {
      const definition = encodeDefinition(state);
      this.#put(state, { ...extent, flags: FLAG_DEFINE, count: 0 }, definition);
    }
    this.#put(state, { ...extent, flags: 0 }, payload);
    return this.#used >= CHUNK_BYTES / 2;
  }

  /** Writes what was added. */
  async flush(): Promise<void> {
    const { epoch, number: segment, salt, place } = this.#segment;
    encodeCommitHeader(this.#chunk.subarray(this.#headerAt), {
      salt,
      epoch,
      segment,
      position: this.#segment.end + this.#headerAt,
      number: 0,
      at: this.#now,
      synced: { segment: place, position: 0 },
      bodyBytes: this.#used - this.#headerAt - COMMIT_HEADER_BYTES,
      extentCount: this.#extentCount,
    });
    await this.#file.write(this.#chunk.subarray(0, this.#used), this.#segment.end);
    await this.#file.sync();
    this.#segment.end += this.#used;
    this.#segment.commitCount += 1;
    this.#used = 0;
    this.#begin();
  }

  /** Writes the rest and the footer, made in turns of the loop; the file is durable then. */
  async finish(index: SegmentIndex, turn: () => Promise<void>): Promise<void> {
    if (this.#extentCount > 0 || this.#segment.commitCount === 0) await this.flush();
    const segment = this.#segment;
    const footer = await inPieces(encodeFooter(segment, index), turn);
    await this.#file.write(footer, segment.end);
    await this.#file.sync();
    segment.footer = { position: segment.end, bytes: footer.length };
    segment.fileBytes = segment.end + footer.length;
    segment.index = undefined;
  }

  #begin(): void {
    this.#headerAt = this.#segment.end === 0 && this.#used > 0 ? SEGMENT_HEADER_BYTES : 0;
    this.#used = this.#headerAt + COMMIT_HEADER_BYTES;
    this.#extentCount = 0;
  }

  #put(state: ShardState, { flags, first, count, at }: ExtentHeader, payload: Uint8Array): void {
    const bytes = EXTENT_HEADER_BYTES + payload.length;
    this.#reserve(bytes);
    const { salt, end } = this.#segment;
    encodeExtentHeader(this.#chunk, this.#used, {
      shard: state.id,
      flags,
      count,
      first,
      at,
      payloadBytes: payload.length,
      payloadCrc: crcOf(payload, 0, payload.length),
      salt,
    });
    this.#chunk.set(payload, this.#used + EXTENT_HEADER_BYTES);
    noteExtent(this.#segment, { state, flags, first, count, at, position: end + this.#used, bytes });
    this.#used += bytes;
    this.#extentCount += 1;
  }

  #reserve(bytes: number): void {
    if (this.#used + bytes <= this.#chunk.length) return;
    const larger = Buffer.allocUnsafeSlow(this.#used + bytes + CHUNK_BYTES);
    this.#chunk.copy(larger, 0, 0, this.#used);
    this.#chunk = larger;
  }
}
