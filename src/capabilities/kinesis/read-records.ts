import { ReadMemory } from '../../kernel/bytes/read-memory.ts';
import { inPieces } from '../../kernel/flow/in-pieces.ts';
import { nextTurn } from '../../kernel/flow/next-turn.ts';
import type { ShardInfo, StreamInfo } from '../../ports/records.ts';
import type { Offset, Slice, SliceBounds } from '../../ports/stream-store.ts';
import { kinesisLimits } from './limits.ts';
import type { KinesisState } from './model.ts';
import { sayingWhereToGoOn } from './past-damage.ts';
import type { RecordsWriter } from './outgoing.ts';

/** Bytes of one read of the log: checking and encoding them, and the collector meanwhile, takes about a millisecond. */
const SLICE_BYTES = 512 * 1024;

/** A smaller read goes on to the end of its answer at once. */
const LAST_BYTES = 128 * 1024;

/** What one GetRecords answers. */
export interface ReadRecords {
  readonly count: number;
  /** Bytes of data and key. */
  readonly bytes: number;
  /** Arrival of the last record, in ms. */
  readonly lastAt: number | undefined;
  /** Where the last read came to, and where the shard ends. */
  readonly bounds: SliceBounds;
}

/**
 * Reads up to `recordsMax` records and 10 MiB, slice by slice, and has them written: while one slice is written the
 * next one is read, and between them the loop turns. One record comes at least when there is one.
 */
export async function readRecords(
  state: KinesisState,
  stream: StreamInfo,
  shard: ShardInfo,
  from: Offset,
  recordsMax: number,
  writer: RecordsWriter,
): Promise<ReadRecords> {
  let [count, bytes, lastAt]: [number, number, number | undefined] = [0, 0, undefined];
  const read = async (at: Offset, into: ReadMemory): Promise<Slice> => {
    const room = Math.min(SLICE_BYTES, kinesisLimits.getRecordsBytesMax - bytes);
    const limit = { records: recordsMax - count, bytes: room };
    return await sayingWhereToGoOn(shard, state.records.read(stream, shard, at, limit, into));
  };
  // What throws leaves the memory to the collector: a read may be under way that writes into it.
  let [encoded, ahead] = [new ReadMemory(state.memory.reads), new ReadMemory(state.memory.reads)];
  let slice = await read(from, encoded);
  let payload = slice.payloadBytes;
  while (slice.count > 0) {
    count += slice.count;
    bytes += payload;
    lastAt = slice.runs.at(-1)?.at;
    const isDone = slice.next >= slice.end || count >= recordsMax || bytes >= kinesisLimits.getRecordsBytesMax;
    // What goes wrong behind records that are read already is met again by the next call.
    const reading = isDone ? undefined : read(slice.next, ahead).catch(() => undefined);
    await inPieces(writer.write(slice.runs), async () => await turn(state));
    encoded.reset();
    // Also before the answer is sent, which is work like any other.
    if (reading !== undefined || payload > LAST_BYTES) await turn(state);
    if (reading === undefined) break;
    const next = await reading;
    if (next === undefined) break;
    payload = next.payloadBytes;
    // A read gives one record even where there is no room for it.
    if (bytes + payload > kinesisLimits.getRecordsBytesMax) break;
    [encoded, ahead] = [ahead, encoded];
    slice = next;
  }
  encoded.reset();
  ahead.reset();
  return { count, bytes, lastAt, bounds: slice };
}

async function turn({ environment }: KinesisState): Promise<void> {
  await nextTurn(environment.clock);
}
