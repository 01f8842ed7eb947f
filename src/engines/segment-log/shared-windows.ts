import type { PlannedRead } from './read-plan.ts';
import type { ReadHandles } from './read-handles.ts';
import type { Segment } from './segment.ts';
import { SPAN_BYTES_MAX } from './segment-index.ts';

/** Windows of a file begin at multiples of this. */
export const WINDOW_BYTES = 1024 * 1024;
/** Bytes of a window in memory: what begins in it may end behind it. */
export const PIECE_BYTES = WINDOW_BYTES + SPAN_BYTES_MAX;
const KEPT_MAX = 8;
/** For less than this part of it a whole window is not read. */
const WANTED_PART_MIN = 1 / 2;

/** A window of a file in memory; whoever uses it says when that is over. */
export interface SharedWindow {
  readonly segment: Segment;
  readonly position: number;
  readonly bytes: Buffer;
  /** Where in the file ends what could be read; known once that is over. */
  end: number;
  readonly loading: Promise<void>;
  uses: number;
}

/**
 * Where the records of several shards lie scattered, their readers need the same bytes, and often at the same time: the
 * last windows of files that were read stay in memory until others take their place.
 */
export class SharedWindows {
  readonly #handles: Pick<ReadHandles, 'readSome'>;
  /** Least recently used first. */
  #kept: SharedWindow[] = [];

  constructor(handles: Pick<ReadHandles, 'readSome'>) {
    this.#handles = handles;
  }

  /** The window in which a read lies, to be released again; undefined where there is none, or it cannot be read. */
  async acquire(segment: Segment, { position, end }: PlannedRead): Promise<SharedWindow | undefined> {
    const start = position - (position % WINDOW_BYTES);
    const isWorthIt = end - position >= WINDOW_BYTES * WANTED_PART_MIN && end <= start + PIECE_BYTES;
    if (!isWorthIt) return undefined;
    const window = this.#find(segment, start, end) ?? this.#open(segment, start);
    window.uses += 1;
    await window.loading;
    if (window.end >= end) return window;
    this.release(window);
    return undefined;
  }

  release(window: SharedWindow): void {
    window.uses -= 1;
  }

  #find(segment: Segment, position: number, end: number): SharedWindow | undefined {
    const at = this.#kept.findIndex((one) => one.segment === segment && one.position === position && one.end >= end);
    const found = this.#kept[at];
    if (found !== undefined) this.#kept.push(...this.#kept.splice(at, 1));
    return found;
  }

  #open(segment: Segment, position: number): SharedWindow {
    const bytes = this.#memory();
    const end = Math.min(segment.end, position + PIECE_BYTES);
    const loading = this.#handles.readSome(segment, position, bytes.subarray(0, end - position)).then(
      (count) => void (window.end = position + count),
      // Whoever wants a part of it reads that part, and hears what is wrong.
      () => void (window.end = 0),
    );
    const window: SharedWindow = { segment, position, bytes, end, loading, uses: 0 };
    if (this.#kept.length < KEPT_MAX) this.#kept.push(window);
    return window;
  }

  /** Of the window that was used longest ago and is not in use, or new. */
  #memory(): Buffer {
    const at = this.#kept.length < KEPT_MAX ? -1 : this.#kept.findIndex(({ uses }) => uses === 0);
    const [oldest] = at < 0 ? [] : this.#kept.splice(at, 1);
    return oldest?.bytes ?? Buffer.allocUnsafeSlow(PIECE_BYTES);
  }
}
