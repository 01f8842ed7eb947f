import type { ShardInfo, StreamInfo } from '../../ports/records.ts';
import type { Offset, Slice } from '../../ports/stream-store.ts';
import { kinesisLimits } from './limits.ts';
import type { KinesisState } from './model.ts';
import { measureRecords, RecordsWriter } from './outgoing.ts';

/** Bytes of one read of the log, whose encoding takes about a millisecond. */
const SLICE_BYTES = 1024 * 1024;

/** What one GetRecords answers. */
export interface ReadRecords {
  /** The records' JSON, in order, to stand between the brackets of a list. */
  readonly pieces: readonly Uint8Array[];
  readonly count: number;
  /** Bytes of data and key. */
  readonly bytes: number;
  /** Arrival of the last record, in ms. */
  readonly lastAt: number | undefined;
  /** The last slice that was read: where it came to, and where the shard ends. */
  readonly slice: Slice;
}

/**
 * Reads and encodes up to `recordsMax` records and 10 MiB, slice by slice: while one is encoded the next one is read,
 * and between them the loop turns. One record comes at least when there is one.
 */
export async function readRecords(
  state: KinesisState,
  stream: StreamInfo,
  shard: ShardInfo,
  from: Offset,
  recordsMax: number,
): Promise<ReadRecords> {
  const writer = new RecordsWriter(shard.ref);
  const pieces: Uint8Array[] = [];
  let [count, bytes, lastAt]: [number, number, number | undefined] = [0, 0, undefined];
  const read = async (at: Offset): Promise<Slice> => {
    const room = Math.min(SLICE_BYTES, kinesisLimits.getRecordsBytesMax - bytes);
    return await state.records.read(stream, shard, at, { records: recordsMax - count, bytes: room });
  };
  let slice = await read(from);
  let size = measureRecords(slice.runs);
  while (slice.count > 0) {
    count += slice.count;
    bytes += size.payload;
    lastAt = slice.runs.at(-1)?.at;
    const isDone = slice.next >= slice.end || count >= recordsMax || bytes >= kinesisLimits.getRecordsBytesMax;
    // What goes wrong behind records that are read already is met again by the next call.
    const reading = isDone ? undefined : read(slice.next).catch(() => undefined);
    pieces.push(writer.write(slice.runs, size));
    if (reading === undefined) break;
    await turn(state);
    const next = await reading;
    if (next === undefined) break;
    size = measureRecords(next.runs);
    // A read gives one record even where there is no room for it.
    if (bytes + size.payload > kinesisLimits.getRecordsBytesMax) break;
    slice = next;
  }
  return { pieces, count, bytes, lastAt, slice };
}

async function turn({ environment }: KinesisState): Promise<void> {
  await new Promise<void>((resolve) => environment.clock.soon(resolve));
}
