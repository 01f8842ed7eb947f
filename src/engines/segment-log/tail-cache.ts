import type { StoredRun } from '../../ports/stream-store.ts';
import type { ShardState } from './shard-table.ts';
import type { Slabs } from './slabs.ts';

/** The newest records of all shards as they were written, so that who follows a stream never waits for the disk. */
export class TailCache {
  readonly #slabs: Slabs;
  readonly #bytesMax: number;
  /** Oldest first; `#from` is where the list begins. */
  #runs: { readonly state: ShardState; readonly run: StoredRun }[] = [];
  #from = 0;
  #bytes = 0;

  constructor(slabs: Slabs, bytesMax: number) {
    this.#slabs = slabs;
    this.#bytesMax = bytesMax;
  }

  /** Takes over a durable run whose memory is held. */
  add(state: ShardState, run: StoredRun): void {
    this.#runs.push({ state, run });
    state.tail.push(run);
    this.#bytes += run.to - run.from;
    while (this.#bytes > this.#bytesMax) this.#dropOldest();
    if (this.#from > 1024 && this.#from * 2 > this.#runs.length) {
      this.#runs = this.#runs.slice(this.#from);
      this.#from = 0;
    }
  }

  #dropOldest(): void {
    const oldest = this.#runs[this.#from];
    if (oldest === undefined) return;
    this.#from += 1;
    this.#bytes -= oldest.run.to - oldest.run.from;
    oldest.state.tail.shift();
    this.#slabs.release(oldest.run.bytes);
  }
}
