import { assert } from '../../kernel/assert.ts';
import type { Appended, Offset, PackedEntries, ShardWriter } from '../../ports/stream-store.ts';
import { Fenced, shardKey } from '../../ports/stream-store.ts';
import type { Committer } from './committer.ts';
import { EXTENT_HEADER_BYTES, FLAG_END } from './format.ts';
import { refusal, type Run } from './run.ts';
import type { ShardState } from './shard-table.ts';

/** What a marker carries. */
export const NO_ENTRIES: PackedEntries = { bytes: new Uint8Array(0), count: 0 };

/** The one live writer of a shard, until another one is opened. */
export class LogWriter implements ShardWriter {
  readonly token: bigint;
  readonly openedAt: Offset;
  readonly #committer: Committer;
  readonly #state: ShardState;
  #isEnded = false;

  constructor(committer: Committer, state: ShardState, token: bigint) {
    this.#committer = committer;
    this.#state = state;
    this.token = token;
    this.openedAt = BigInt(state.end);
  }

  append(entries: PackedEntries): Promise<Appended> {
    return new Promise((resolve, reject) => {
      assert(entries.count > 0, 'an append has at least one entry');
      const bytes = EXTENT_HEADER_BYTES + entries.bytes.length;
      const land = ({ first, at }: Run): void => resolve({ first: BigInt(first), count: entries.count, at });
      this.#enqueue(entries, 0, bytes, land, reject);
    });
  }

  close(): Promise<Offset> {
    return new Promise((resolve, reject) => {
      const land = (): void => resolve(BigInt(this.#state.end));
      const fail = (error: Error): void => {
        this.#isEnded = false;
        reject(error);
      };
      this.#enqueue(NO_ENTRIES, FLAG_END, EXTENT_HEADER_BYTES, land, fail);
      // Nothing may be queued behind END.
      this.#isEnded = true;
    });
  }

  async release(): Promise<void> {
    this.#isEnded = true;
  }

  #enqueue(entries: PackedEntries, flags: number, bytes: number, resolve: Run['resolve'], reject: Run['reject']) {
    const state = this.#state;
    if (this.#isEnded) throw new Fenced(`the writer of shard ${shardKey(state.ref)} was closed`);
    const run: Run = { state, token: this.token, entries, flags, bytes, resolve, reject, first: 0, at: 0 };
    const error = refusal(run);
    if (error !== undefined) throw error;
    this.#committer.enqueue(run);
  }
}
