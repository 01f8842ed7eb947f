import { shardId } from '../../kernel/names.ts';
import type { ShardRef } from '../../ports/stream-store.ts';

/** A shard for people: `shardId-000000000000 of stream orders`. */
export function shardName({ stream, ordinal }: ShardRef): string {
  return `${shardId(ordinal)} of stream ${stream}`;
}

/** An extent whose records are not those that were written: the same sentence wherever it is met, so it counts once. */
export function wrongRecords(ref: ShardRef, first: number, count: number): string {
  return `records ${first} to ${first + count - 1} of ${shardName(ref)} do not match their checksum`;
}

/** Records that a file was to hold, and in which nothing tells of them any more. */
export function missingRecords(ref: ShardRef, first: number, end: number): string {
  return `records ${first} to ${end - 1} of ${shardName(ref)} are not there`;
}
