import { Unavailable, type Offset } from '../ports/stream-store.ts';
import type { CommandLog, LoggedCommand } from '../ports/command-log.ts';
import type { Now } from './memory-store.ts';

/**
 * What happens to one append: `refused` is known not to be written, `lost` fails without having been written,
 * `unanswered` is written and fails all the same, `doubled` is written twice.
 */
export type CommandFault = 'refused' | 'lost' | 'unanswered' | 'doubled' | undefined;

/** A CommandLog in memory that several catalogs may share, with the failures a remote log has. */
export class MemoryCommandLog implements CommandLog {
  /** Asked once for each append. */
  fault: () => CommandFault = () => undefined;
  readonly snapshots: { readonly at: Offset; readonly bytes: Uint8Array }[] = [];
  /** The highest position given to `trim`. */
  trimmedBelow: Offset = 0n;
  readonly #clock: Now;
  readonly #commands: LoggedCommand[] = [];
  readonly #waiting = new Set<() => void>();

  constructor(clock: Now) {
    this.#clock = clock;
  }

  async append(commands: readonly Uint8Array[]): Promise<void> {
    await Promise.resolve();
    const fault = this.fault();
    if (fault === 'refused') throw new Unavailable('refused');
    if (fault !== 'lost') this.place(commands);
    if (fault === 'doubled') this.place(commands);
    if (fault === 'lost' || fault === 'unanswered') throw new Error('the answer did not come');
  }

  /** Puts commands into the order, as another process would. */
  place(commands: readonly Uint8Array[]): void {
    for (const command of commands) {
      const at = Math.max(this.#clock.now(), this.#commands.at(-1)?.at ?? 0);
      this.#commands.push({ offset: BigInt(this.#commands.length), at, bytes: Uint8Array.from(command) });
    }
    for (const resume of this.#waiting) resume();
  }

  async *tail(from: Offset, signal: AbortSignal): AsyncIterable<readonly LoggedCommand[]> {
    if (from < this.trimmedBelow) throw new Error(`commands below ${this.trimmedBelow} are gone`);
    let next = Number(from);
    while (!signal.aborted) {
      if (next < this.#commands.length) {
        const batch = this.#commands.slice(next, next + 100);
        next += batch.length;
        yield batch;
      } else await this.#more(signal);
    }
  }

  async end(): Promise<Offset> {
    return BigInt(this.#commands.length);
  }

  async saveSnapshot(at: Offset, parts: AsyncIterable<Uint8Array>): Promise<void> {
    const made: Uint8Array[] = [];
    for await (const part of parts) made.push(part);
    this.snapshots.push({ at, bytes: Buffer.concat(made) });
  }

  async loadSnapshot(): Promise<{ at: Offset; bytes: Uint8Array } | undefined> {
    return this.snapshots.toSorted((one, two) => Number(two.at - one.at))[0];
  }

  async trim(before: Offset): Promise<void> {
    if (before > this.trimmedBelow) this.trimmedBelow = before;
  }

  /** All commands in order. */
  commands(): readonly LoggedCommand[] {
    return this.#commands;
  }

  async #more(signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const done = (): void => {
        this.#waiting.delete(done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      this.#waiting.add(done);
      signal.addEventListener('abort', done);
    });
  }
}
