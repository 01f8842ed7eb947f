import type { Records, ShardInfo, StreamInfo } from '../../../ports/records.ts';
import type { ResumeToken } from '../../../ports/source.ts';
import { Damaged, positionKey, type Offset, type Slice } from '../../../ports/stream-store.ts';
import { readArrival, type ResumeMark } from '../arrival-headers.ts';
import type { DedupeWindow } from '../dedupe-window.ts';
import { ingestLimits } from '../limits.ts';
import type { Checkpoint, Positions } from '../model.ts';

/** Where a source goes on. */
export interface Recovered {
  readonly token: ResumeToken | undefined;
  /** Number of the newest batch. */
  readonly batch: number;
  /** Records looked at. */
  readonly records: number;
}

const READ_LIMIT = { records: ingestLimits.readRecords, bytes: ingestLimits.readBytes };

/**
 * Reads what the source wrote since its checkpoint. Batches are written one after the other, each begun when all of
 * the one before was durable in all of its shards: so the mark of the newest one names a safe place, whatever became of
 * that batch itself. Its records, and those of the window before it, are noted, to be known again. Undefined when
 * `signal` aborts before all was looked at: the mark that was found is then not the newest one.
 */
export async function recover(
  source: string,
  checkpoint: Checkpoint,
  records: Records,
  window: DedupeWindow,
  signal: AbortSignal,
): Promise<Recovered | undefined> {
  const { token, batch } = checkpoint;
  const stream = checkpoint.stream === undefined ? undefined : records.describe(checkpoint.stream);
  if (stream === undefined) return { token, batch, records: 0 };
  const scan = new Scan(source, records, stream, window);
  const starts =
    scan.sizeFrom(checkpoint.window) > ingestLimits.scanRecordsMax ? checkpoint.positions : checkpoint.window;
  for (const shard of stream.shards) {
    await scan.shard(shard, BigInt(starts[positionKey(shard.ref)] ?? '0'), signal);
    if (signal.aborted) return undefined;
  }
  const { mark } = scan;
  if (mark === undefined || mark.batch <= batch) return { token, batch, records: scan.count };
  return { token: mark.token, batch: mark.batch, records: scan.count };
}

class Scan {
  mark: ResumeMark | undefined;
  count = 0;
  readonly #source: string;
  readonly #records: Records;
  readonly #stream: StreamInfo;
  readonly #window: DedupeWindow;

  constructor(source: string, records: Records, stream: StreamInfo, window: DedupeWindow) {
    this.#source = source;
    this.#records = records;
    this.#stream = stream;
    this.#window = window;
  }

  sizeFrom(positions: Positions): bigint {
    return this.#stream.shards.reduce((sum, shard) => {
      const { start, end } = this.#records.bounds(shard);
      const from = BigInt(positions[positionKey(shard.ref)] ?? '0');
      return sum + end - (from > start ? from : start);
    }, 0n);
  }

  async shard(shard: ShardInfo, from: Offset, signal: AbortSignal): Promise<void> {
    const { start, end } = this.#records.bounds(shard);
    let at = from > start ? from : start;
    while (at < end && !signal.aborted) {
      const slice = await this.#read(shard, at);
      if (typeof slice === 'bigint') at = slice;
      else {
        for (const { headers } of slice.records) this.#note(readArrival(this.#source, headers));
        this.count += slice.count;
        if (slice.next <= at) return;
        at = slice.next;
      }
    }
  }

  /** A slice, or where to read on behind what is damaged: events that were lost with it are not asked for again. */
  async #read(shard: ShardInfo, at: Offset): Promise<Slice | Offset> {
    try {
      return await this.#records.read(this.#stream, shard, at, READ_LIMIT);
    } catch (error) {
      if (error instanceof Damaged) return error.next;
      throw error;
    }
  }

  #note(arrival: ReturnType<typeof readArrival>): void {
    if (arrival === undefined) return;
    const { digest, mark } = arrival;
    if (digest !== undefined) this.#window.restore(digest);
    if (mark !== undefined && mark.batch > (this.mark?.batch ?? 0)) this.mark = mark;
  }
}
