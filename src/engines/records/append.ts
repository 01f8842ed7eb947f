import { packEntries } from '../../kernel/stream/packed-entries.ts';
import {
  StreamNotFound,
  type RecordFailure,
  type RecordInput,
  type RecordPosition,
  type ShardInfo,
} from '../../ports/records.ts';
import { Fenced, Unavailable, UnknownShard, type Appended, type Entry, type Offset } from '../../ports/stream-store.ts';
import type { ShardLane } from './shard-lane.ts';
import type { ViewedStream } from './stream-view.ts';

/** The answer for a record that is known not to be stored. */
export const UNAVAILABLE: RecordFailure = { failed: 'unavailable' };

/** What became of one shard's part of a call. */
type Outcome = { readonly appended: Appended } | { readonly error: unknown };

interface Part {
  readonly shard: ShardInfo;
  readonly lane: ShardLane;
  readonly entries: Entry[];
}

/**
 * Stores records in the shards their keys belong to: one append per shard, all enqueued before this returns, answers
 * in the order of the input.
 */
export async function appendRecords(
  stream: ViewedStream,
  records: readonly RecordInput[],
  laneOf: (shard: ShardInfo) => ShardLane,
): Promise<readonly (RecordPosition | RecordFailure)[]> {
  const parts: Part[] = [];
  const partOfShard = new Map<number, number>();
  const partOfRecord: number[] = [];
  for (const record of records) {
    const key = Buffer.from(record.partitionKey);
    const index =
      record.explicitHashKey === undefined ? stream.router.ofKey(key) : stream.router.ofHash(record.explicitHashKey);
    let part = partOfShard.get(index);
    if (part === undefined) {
      part = parts.length;
      partOfShard.set(index, part);
      const shard = stream.open[index] as ShardInfo;
      parts.push({ shard, lane: laneOf(shard), entries: [] });
    }
    partOfRecord.push(part);
    const { data, headers } = record;
    (parts[part] as Part).entries.push(headers === undefined ? { key, data } : { key, data, headers });
  }
  const outcomes = await Promise.all(parts.map(store));
  const answers = parts.map((part, index) => answersOf(stream, part, outcomes[index] as Outcome));
  return partOfRecord.map((part) => (answers[part] as () => RecordPosition | RecordFailure)());
}

/** Never rejects, so that no part is still under way when the call answers. */
async function store({ lane, entries }: Part): Promise<Outcome> {
  try {
    return { appended: await lane.append(packEntries(entries)) };
  } catch (error) {
    return { error };
  }
}

/** A function that answers for one record of the part after the other. */
function answersOf(stream: ViewedStream, part: Part, outcome: Outcome): () => RecordPosition | RecordFailure {
  if ('error' in outcome) {
    const { error } = outcome;
    if (error instanceof Unavailable || error instanceof Fenced) return () => UNAVAILABLE;
    if (error instanceof UnknownShard) throw new StreamNotFound(stream.info.name);
    throw error;
  }
  const { at, first } = outcome.appended;
  const { encode } = part.lane;
  const shardId = part.shard.id;
  let next: Offset = first;
  return () => {
    const offset = next;
    next += 1n;
    return { shardId, offset, sequenceNumber: encode(offset), at };
  };
}
