import {
  COMMIT_HEADER_BYTES,
  crcOf,
  damage,
  decodeCommitHeader,
  decodeExtentHeader,
  EXTENT_HEADER_BYTES,
  type ExtentHeader,
  EXTENT_MAGIC,
  type LogPosition,
  SEGMENT_HEADER_BYTES,
} from './format.ts';
import type { StoredRun } from '../../ports/stream-store.ts';
import type { Segment } from './segment.ts';
import type { SegmentSet } from './segment-set.ts';
import type { ShardState } from './shard-table.ts';
import { INDEX_STEP_BYTES } from './sparse-index.ts';
import { Window } from './window.ts';

/** What a walk meets: `look` decides by an extent's header whether its records are wanted, `take` gets them. */
export interface Visitor {
  look(extent: ExtentHeader): 'skip' | 'take' | 'stop';
  /** Whether the run was well formed. */
  take(run: StoredRun): boolean;
}

/** Walks a shard's durable extents forward from an index entry until the visitor stops or there are no more. */
export async function walk(
  segments: SegmentSet,
  state: ShardState,
  from: LogPosition,
  chunkBytes: number,
  visitor: Visitor,
): Promise<void> {
  let place: LogPosition | undefined = from;
  while (place !== undefined) {
    const segment = segments.get(place.segment);
    // Retention took the file: the caller finds that its records are below the shard's start.
    if (segment === undefined) return;
    const handle = segments.handles.acquire(segment);
    try {
      const window = new Window(await handle.file, { chunkBytes, isReused: false });
      place = await new SegmentWalk(segment, state, window, visitor).go(place.position);
    } finally {
      segments.handles.release(handle);
    }
  }
}

class SegmentWalk {
  readonly #segment: Segment;
  readonly #state: ShardState;
  readonly #window: Window;
  readonly #visitor: Visitor;

  constructor(segment: Segment, state: ShardState, window: Window, visitor: Visitor) {
    this.#segment = segment;
    this.#state = state;
    this.#window = window;
    this.#visitor = visitor;
  }

  /** Resolves with the place in another segment where the shard goes on, if it does. */
  async go(from: number): Promise<LogPosition | undefined> {
    const { number } = this.#segment;
    const { index } = this.#state;
    let indexed = from;
    let position = Math.max(from, SEGMENT_HEADER_BYTES);
    while (position < this.#segment.end) {
      if (position >= indexed + INDEX_STEP_BYTES) {
        // Whatever the shard has from here on begins at an index entry.
        const next = index.from(number, position);
        if (next === undefined || next.segment !== number) return next;
        indexed = next.position;
        position = next.position;
      }
      const after = await this.#step(position);
      if (after === undefined) return undefined;
      position = after;
    }
    return index.from(number + 1, 0);
  }

  /** Handles the commit header or the extent at `position`; resolves with what is behind it, or undefined to stop. */
  async #step(position: number): Promise<number | undefined> {
    const window = this.#window;
    const { end } = this.#segment;
    if (!window.has(position, EXTENT_HEADER_BYTES)) await window.load(position, EXTENT_HEADER_BYTES, end);
    if (window.bytes.readUInt32LE(window.at(position)) !== EXTENT_MAGIC) {
      if (!window.has(position, COMMIT_HEADER_BYTES)) await window.load(position, COMMIT_HEADER_BYTES, end);
      const commit = decodeCommitHeader(window.bytes, window.at(position));
      if (commit === undefined) throw this.#damage(position, 'no extent and no commit');
      return position + COMMIT_HEADER_BYTES;
    }
    const extent = decodeExtentHeader(window.bytes, window.at(position));
    if (extent === undefined) throw this.#damage(position, "the extent's header does not match its checksum");
    const isWanted = extent.shard === this.#state.id && extent.count > 0;
    const wish = isWanted ? this.#visitor.look(extent) : 'skip';
    if (wish === 'stop') return undefined;
    if (wish === 'take') await this.#take(extent, position + EXTENT_HEADER_BYTES);
    return position + EXTENT_HEADER_BYTES + extent.payloadBytes;
  }

  async #take(extent: ExtentHeader, payload: number): Promise<void> {
    const window = this.#window;
    const { payloadBytes, payloadCrc, first, count, at } = extent;
    if (!window.has(payload, payloadBytes)) await window.load(payload, payloadBytes, this.#segment.end);
    const from = window.at(payload);
    const run = { bytes: window.bytes, from, to: from + payloadBytes, first, count, at };
    if (crcOf(window.bytes, run.from, run.to) !== payloadCrc || !this.#visitor.take(run)) {
      throw this.#damage(payload, 'the records do not match their checksum');
    }
  }

  #damage(position: number, what: string): Error {
    return damage(this.#segment.path, position, what);
  }
}
