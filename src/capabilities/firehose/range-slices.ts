import type { BufferPool } from '../../kernel/bytes/buffer-pool.ts';
import { ReadMemory } from '../../kernel/bytes/read-memory.ts';
import type { Records, ShardInfo, StreamInfo } from '../../ports/records.ts';
import { Damaged, type Offset, type Slice } from '../../ports/stream-store.ts';
import { firehoseLimits } from './limits.ts';
import type { Gap, LossCause, Range } from './model.ts';

/** One read of a stream by a delivery. */
export const READ_LIMIT = { records: firehoseLimits.readRecords, bytes: firehoseLimits.readBytes } as const;

/** Bytes of data and keys that one read of the stream gives at most: a record can be larger than what is asked for. */
export function readBytesMax({ maxRecordBytes }: Pick<StreamInfo, 'maxRecordBytes'>): number {
  return Math.max(READ_LIMIT.bytes, maxRecordBytes);
}

/** What a range is read with. */
export interface RangeReader {
  readonly records: Records;
  readonly stream: StreamInfo;
  readonly shard: ShardInfo;
  /** Called where records of the range are gone, which is passed over. */
  readonly gone: (gap: Gap) => void;
  /** Where the slices lie, each until the next one is asked for; absent: in memory of their own. */
  readonly memory: BufferPool | undefined;
}

/**
 * What the log has of a range, read by read; the last slice may go beyond it. From the second one on the next is read
 * while one is worked on: who wants only the first is not made to read two.
 */
export async function* rangeSlices(range: Range, reader: RangeReader): AsyncGenerator<Slice> {
  const { memory } = reader;
  // What throws leaves the memory to the collector: a read may be under way that writes into it.
  let [own, ahead] = memory === undefined ? [] : [new ReadMemory(memory), new ReadMemory(memory)];
  let reading = read(reader, range.from, own);
  let isFirst = true;
  const readAhead = (from: Offset): void => {
    reading = read(reader, from, ahead);
    // What goes wrong is met when its turn comes.
    reading.catch(() => undefined);
  };
  for (let from = range.from; from < range.to;) {
    const found = await reading;
    const { next } = found;
    tellGone(range, from, found, reader.gone);
    const hasMore = next > from && next < range.to;
    if (hasMore && !isFirst) readAhead(next);
    if (!(found instanceof Damaged)) yield found;
    own?.reset();
    if (!hasMore) return;
    if (isFirst) readAhead(next);
    [own, ahead] = [ahead, own];
    isFirst = false;
    from = next;
  }
}

function tellGone(
  { generation, ordinal, to }: Range,
  from: Offset,
  found: Slice | Damaged,
  gone: (gap: Gap) => void,
): void {
  const tell = (end: Offset, cause: LossCause): void => {
    const last = end < to ? end : to;
    if (from < last) gone({ generation, ordinal, from, to: last, cause });
  };
  if (found instanceof Damaged) return tell(found.next, 'LogDamaged');
  const [run] = found.runs;
  const first = run === undefined ? found.next : BigInt(run.first);
  // Behind the oldest that is kept may stand numbers that nobody has.
  tell(found.start < first ? found.start : first, 'RetentionExceeded');
}

async function read(
  { records, stream, shard }: RangeReader,
  from: Offset,
  into?: ReadMemory,
): Promise<Slice | Damaged> {
  try {
    return await records.read(stream, shard, from, READ_LIMIT, into);
  } catch (error) {
    if (error instanceof Damaged) return error;
    throw error;
  }
}
