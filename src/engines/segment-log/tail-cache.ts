import { Fifo } from '../../kernel/flow/fifo.ts';
import type { StoredRun } from '../../ports/stream-store.ts';
import type { ShardState } from './shard-table.ts';
import type { Slabs } from './slabs.ts';

/** What keeping a run takes beside its entries: of small ones there would be more than the memory meant for them. */
const RUN_BYTES = 256;

/** The newest records of all shards as they were written, so that who follows a stream never waits for the disk. */
export class TailCache {
  readonly #slabs: Slabs;
  readonly #bytesMax: number;
  /** Oldest first. */
  readonly #runs = new Fifo<{ readonly state: ShardState; readonly run: StoredRun }>();
  #bytes = 0;

  constructor(slabs: Slabs, bytesMax: number) {
    this.#slabs = slabs;
    this.#bytesMax = bytesMax;
  }

  /** Takes over a durable run whose memory is held. */
  add(state: ShardState, run: StoredRun): void {
    this.#runs.push({ state, run });
    state.tail.push(run);
    this.#bytes += keptBytes(run);
    while (this.#bytes > this.#bytesMax) this.#dropOldest();
  }

  #dropOldest(): void {
    const oldest = this.#runs.shift();
    if (oldest === undefined) return;
    this.#bytes -= keptBytes(oldest.run);
    oldest.state.tail.shift();
    this.#slabs.release(oldest.run.bytes);
  }
}

function keptBytes({ from, to }: StoredRun): number {
  return RUN_BYTES + to - from;
}
