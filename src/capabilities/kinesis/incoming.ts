import { decodeSequenceNumber } from '../../kernel/stream/sequence-number.ts';
import { RequestError, ThrottleError } from '../../kernel/errors.ts';
import { ENTRY_FIXED_BYTES } from '../../kernel/stream/packed-entries.ts';
import {
  InputBatch,
  isStored,
  MalformedRecord,
  type BatchOutcome,
  type RecordBatch,
  type RecordFailure,
  type StreamInfo,
} from '../../ports/records.ts';
import { onStream } from './address.ts';
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

/** Checked entries as a batch. */
export function putBatch(entries: readonly PutEntry[]): RecordBatch {
  const inputs = entries.map(({ PartitionKey, Data, ExplicitHashKey }) => {
    const record = { partitionKey: PartitionKey, data: Data };
    return ExplicitHashKey === undefined ? record : { ...record, explicitHashKey: BigInt(ExplicitHashKey) };
  });
  return new InputBatch(inputs);
}

/** Bytes that count against a stream's record size: data and the key's UTF-8. */
function payloadBytes(batch: RecordBatch, index: number): number {
  return batch.entryBytes(index) - ENTRY_FIXED_BYTES;
}

/** The same of all records. */
export function batchBytes(batch: RecordBatch): number {
  let bytes = 0;
  for (let index = 0; index < batch.count; index += 1) bytes += payloadBytes(batch, index);
  return bytes;
}

/** Checks what the shape of the records alone cannot say. InvalidArgumentException. */
export function checkRecords(batch: RecordBatch, stream: StreamInfo): void {
  for (let index = 0; index < batch.count; index += 1) {
    const bytes = payloadBytes(batch, index);
    if (bytes > stream.maxRecordBytes) {
      const limit = `the stream's limit of ${stream.maxRecordBytes} bytes`;
      const sentence = `The record of ${bytes} bytes is larger than ${limit}.`;
      throw kinesisError('InvalidArgumentException', sentence);
    }
    const hashKey = batch.explicitHashKey(index);
    if (hashKey === undefined || hashKey <= HASH_KEY_MAX) continue;
    const sentence =
      'Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. ' +
      `Specified value was ${hashKey}`;
    throw kinesisError('InvalidArgumentException', sentence);
  }
}

/** Stores records that were checked and counts them. */
export async function putChecked(state: KinesisState, stream: StreamInfo, batch: RecordBatch): Promise<BatchOutcome> {
  const outcome = await onStream(state, stream, async () => await state.records.appendBatch(stream.name, batch));
  countIn(state, stream.name, batch, outcome);
  return outcome;
}

/**
 * Stores what a scanned body holds. Undefined when the request or one of its records is at fault: a full parse says
 * how, and may find that something else comes first.
 */
export async function putScanned<T>(put: () => Promise<T>): Promise<T | undefined> {
  try {
    return await put();
  } catch (error) {
    if (error instanceof RequestError || error instanceof MalformedRecord) return undefined;
    throw error;
  }
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
export function tooMuch(state: KinesisState, stream: StreamInfo, { failed }: RecordFailure): ThrottleError {
  const [shard] = stream.shards;
  const { account } = state.identity;
  const what =
    failed === 'full' ? 'The disk is full, or what the log may take of it: nothing is stored' : 'Rate exceeded';
  const sentence = `${what} for shard ${shard?.id} in stream ${stream.name} under account ${account}.`;
  return new ThrottleError('ProvisionedThroughputExceededException', sentence);
}

/** Counts what was stored and refused. */
function countIn(state: KinesisState, stream: string, batch: RecordBatch, { partOf, parts }: BatchOutcome): void {
  const { meter } = state.environment;
  const isRefused = parts.map((part) => !isStored(part));
  let bytes = batchBytes(batch);
  let refused = 0;
  for (let index = 0; isRefused.includes(true) && index < batch.count; index += 1) {
    if (isRefused[partOf[index] as number] !== true) continue;
    refused += 1;
    bytes -= payloadBytes(batch, index);
  }
  meter.count(kinesisEvents.recordsIn, { stream }, batch.count - refused);
  meter.count(kinesisEvents.bytesIn, { stream }, bytes);
  if (refused > 0) meter.count(kinesisEvents.recordsRefused, { stream }, refused);
}
