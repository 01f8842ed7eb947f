import { decodeSequenceNumber } from '../../../kernel/stream/sequence-number.ts';
import type { Records } from '../../../ports/records.ts';
import type { RequestHeadEntry } from './request-entry.ts';

/** Where a record stands. */
export interface StandingRecord {
  readonly shardId: string;
  readonly sequenceNumber: string;
}

/**
 * The record that a request of the log became, where it stands in this stream still: not trimmed, not older than what
 * the stream keeps, and not of a stream of that name that was deleted since.
 */
export async function standingRecord(
  records: Records,
  { sequenceNumber }: Pick<RequestHeadEntry, 'sequenceNumber'>,
  name: string,
): Promise<StandingRecord | undefined> {
  const stream = records.describe(name);
  const place = sequenceNumber === undefined ? undefined : decodeSequenceNumber(sequenceNumber);
  if (stream === undefined || sequenceNumber === undefined || place === undefined) return undefined;
  const shard = stream.shards.find(({ ref }) => ref.generation === place.generation && ref.ordinal === place.ordinal);
  if (shard === undefined) return undefined;
  const oldest = await records.positionAt(shard, 0);
  const isThere = place.offset >= oldest && place.offset < records.bounds(shard).end;
  return isThere ? { shardId: shard.id, sequenceNumber } : undefined;
}
