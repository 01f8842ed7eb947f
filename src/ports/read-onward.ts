import type { ReadMemory } from '../kernel/bytes/read-memory.ts';
import type { Records, ShardInfo, StreamInfo } from './records.ts';
import { Damaged, type Offset, type Slice } from './stream-store.ts';

/** Where to read on in a shard, and how much. */
export interface OnwardPlace {
  readonly stream: StreamInfo;
  readonly shard: ShardInfo;
  readonly from: Offset;
  readonly limit: { readonly records: number; readonly bytes: number };
}

/** Hears of records that were gone before they were read. */
export interface LossNotes {
  lost(records: number, cause: 'RetentionExceeded' | 'LogDamaged'): void;
}

/** One read of a shard; `hasMore`: more is there already. */
export interface Onward {
  readonly slice: Pick<Slice, 'runs' | 'records' | 'next'>;
  readonly hasMore: boolean;
  /** Numbers of records that were gone. */
  readonly lost: number;
}

/**
 * Reads on in a shard, into `memory` where it is given. What retention removed, or what cannot be read, is noted as
 * lost, and passed over.
 */
export async function readOnward(
  records: Records,
  { stream, shard, from, limit }: OnwardPlace,
  notes: LossNotes,
  memory?: ReadMemory,
): Promise<Onward> {
  try {
    const slice = await records.read(stream, shard, from, limit, memory);
    const [run] = slice.runs;
    const first = run === undefined ? slice.next : BigInt(run.first);
    // Behind the oldest that is kept may stand numbers that nobody has.
    const gone = (slice.start < first ? slice.start : first) - from;
    if (gone > 0n) notes.lost(Number(gone), 'RetentionExceeded');
    return { slice, hasMore: slice.next < slice.end, lost: Math.max(0, Number(gone)) };
  } catch (error) {
    if (!(error instanceof Damaged)) throw error;
    const lost = Number(error.next - from);
    notes.lost(lost, 'LogDamaged');
    return { slice: { runs: [], records: [], next: error.next }, hasMore: true, lost };
  }
}
