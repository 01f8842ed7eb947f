import { setTimeout as sleep } from 'node:timers/promises';
import type { Shard } from '../support/kinesis.ts';
import type { Life } from './loads.ts';

/** Counters of the node that grow with what kills are to come in between, by what they are a sign of. */
const METRICS = {
  settled: 'log_settled_bytes_total',
  segments: 'log_segments',
  snapshots: 'catalog_snapshot_ms_count',
  ids: 'gateway_dedupe_checkpointed_ids_total',
} as const;
const LOOK_MS = 30;

/** What came about before a kill: files settled, segments ended, the catalog or ids checkpointed, shards closed. */
export type Sign = keyof typeof METRICS | 'closed';

type Seen = Map<Sign, number>;

/** Looks at nodes until they are killed; knows in how many lives what was seen to happen. */
export class Signs {
  private readonly found: Seen = new Map();
  /** Of the life under way: what grew in it. */
  private grown: Seen = new Map();
  private closedShards = 0;
  private lived = 0;

  /** A load that puts no load on the node: what is found in front of the first look was the start's own work. */
  readonly watch = async (life: Life): Promise<void> => {
    let first: Seen | undefined;
    while (!life.isOver()) {
      const text = await fetch(`${life.node.api}/metrics`)
        .then(async (answer) => await answer.text())
        .catch(() => undefined);
      if (text === undefined) continue;
      const now = valuesIn(text);
      first ??= now;
      for (const [sign, value] of now) this.grown.set(sign, value - (first.get(sign) ?? 0));
      await sleep(LOOK_MS);
    }
  };

  /** The node was killed, and these are the shards that the next start found. */
  endLife(shards: readonly Shard[]): void {
    const closed = shards.filter(({ SequenceNumberRange }) => SequenceNumberRange.EndingSequenceNumber !== undefined);
    this.grown.set('closed', closed.length - this.closedShards);
    this.closedShards = closed.length;
    this.lived += 1;
    for (const [sign, grown] of this.grown) if (grown > 0) this.found.set(sign, this.lives(sign) + 1);
    this.grown = new Map();
  }

  /** In how many lives it was seen, before the kill. */
  lives(sign: Sign): number {
    return this.found.get(sign) ?? 0;
  }

  told(): string {
    return `of ${this.lived} lives: ${[...this.found].map(([sign, lives]) => `${sign} in ${lives}`).join(', ')}`;
  }
}

/** Sums over all labels. */
function valuesIn(exposition: string): Seen {
  const seen: Seen = new Map();
  for (const [sign, metric] of Object.entries(METRICS) as [Sign, string][]) {
    const lines = exposition.split('\n').filter((line) => line.split(/[ {]/, 1)[0] === metric);
    seen.set(
      sign,
      lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0),
    );
  }
  return seen;
}
