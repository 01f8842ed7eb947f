import { decodeSequenceNumber } from '../../kernel/stream/sequence-number.ts';
import { ThrottleError } from '../../kernel/errors.ts';
import type { RecordInput, StreamInfo } from '../../ports/records.ts';
import { kinesisError } from './errors.ts';
import { kinesisEvents } from './events.ts';
import type { KinesisState } from './model.ts';

const HASH_KEY_MAX = (1n << 128n) - 1n;

/** One record as PutRecord and PutRecords give it. */
export interface PutEntry {
  readonly Data: Uint8Array;
  readonly PartitionKey: string;
  readonly ExplicitHashKey?: string | undefined;
}

/** Bytes that count against a stream's record size: data and the key's UTF-8. */
export function entryBytes(entry: PutEntry): number {
  return entry.Data.length + Buffer.byteLength(entry.PartitionKey);
}

/** Checks what the shape alone cannot say, and turns the entry into a record. */
export function toRecord(entry: PutEntry, stream: StreamInfo): RecordInput {
  if (entryBytes(entry) > stream.maxRecordBytes) {
    const sentence =
      `The record of ${entryBytes(entry)} bytes is larger than ` +
      `the stream's limit of ${stream.maxRecordBytes} bytes.`;
    throw kinesisError('InvalidArgumentException', sentence);
  }
  const record = { partitionKey: entry.PartitionKey, data: entry.Data };
  if (entry.ExplicitHashKey === undefined) return record;
  const explicitHashKey = BigInt(entry.ExplicitHashKey);
  if (explicitHashKey > HASH_KEY_MAX) {
    const sentence =
      'Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. ' +
      `Specified value was ${entry.ExplicitHashKey}`;
    throw kinesisError('InvalidArgumentException', sentence);
  }
  return { ...record, explicitHashKey };
}

/** A number for ordering must be one of this stream's own. */
export function checkOrdering(state: KinesisState, stream: StreamInfo, sequenceNumber: string | undefined): void {
  if (sequenceNumber === undefined) return;
  const decoded = decodeSequenceNumber(sequenceNumber);
  const known = stream.shards.some(
    ({ ref }) => ref.generation === decoded?.generation && ref.ordinal === decoded.ordinal,
  );
  if (known) return;
  const sentence =
    `ExclusiveMinimumSequenceNumber ${sequenceNumber} used in PutRecord on stream ${stream.name} ` +
    `under account ${state.identity.account} is invalid.`;
  throw kinesisError('InvalidArgumentException', sentence);
}

/** The answer when the log takes nothing now: AWS's name for "slow down", which every SDK retries. */
export function tooMuch(state: KinesisState, stream: StreamInfo): ThrottleError {
  const [shard] = stream.shards;
  const { account } = state.identity;
  const sentence = `Rate exceeded for shard ${shard?.id} in stream ${stream.name} under account ${account}.`;
  return new ThrottleError('ProvisionedThroughputExceededException', sentence);
}

/** Counts what was stored and refused. */
export function countIn(state: KinesisState, stream: string, records: number, bytes: number, refused: number): void {
  const { meter } = state.environment;
  meter.count(kinesisEvents.recordsIn, { stream }, records);
  meter.count(kinesisEvents.bytesIn, { stream }, bytes);
  if (refused > 0) meter.count(kinesisEvents.recordsRefused, { stream }, refused);
}
