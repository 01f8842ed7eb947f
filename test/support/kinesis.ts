import { setTimeout as sleep } from 'node:timers/promises';
import { call } from './node-process.ts';

/** What a put was told about one record. */
export interface Put {
  readonly ShardId: string;
  readonly SequenceNumber: string;
}

/** One shard as ListShards tells it. */
export interface Shard {
  readonly ShardId: string;
  readonly HashKeyRange: { readonly StartingHashKey: string; readonly EndingHashKey: string };
  /** Without an ending number the shard is open. */
  readonly SequenceNumberRange: { readonly EndingSequenceNumber?: string };
}

/** A record as it stands in the log. */
export interface Stored {
  readonly text: string;
  readonly sequenceNumber: string;
}

/** The same as GetRecords gives it. */
export interface Read extends Stored {
  readonly key: string;
  readonly data: Buffer;
}

/** An action that must answer 200; resolves with its answer, and rejects with what it said otherwise. */
export async function kinesis(api: string, action: string, input: unknown): Promise<unknown> {
  const { status, body } = await call(api, `Kinesis_20131202.${action}`, input);
  if (status !== 200) throw new Error(`${action}: ${status} ${JSON.stringify(body)}`);
  return body;
}

/** All shards of a stream, closed ones too. */
export async function listShards(api: string, stream: string): Promise<readonly Shard[]> {
  const { Shards } = (await kinesis(api, 'ListShards', { StreamName: stream })) as { Shards: readonly Shard[] };
  return Shards;
}

/** Resolves when no reshard of the stream is under way. */
export async function whenActive(api: string, stream: string): Promise<void> {
  for (;;) {
    const { StreamDescriptionSummary } = (await kinesis(api, 'DescribeStreamSummary', { StreamName: stream })) as {
      StreamDescriptionSummary: { StreamStatus: string };
    };
    if (StreamDescriptionSummary.StreamStatus === 'ACTIVE') return;
    await sleep(10);
  }
}

/** Every record of every shard, in order. */
export async function readAll(api: string, stream: string): Promise<Map<string, readonly Read[]>> {
  const shards = new Map<string, readonly Read[]>();
  for (const { ShardId } of await listShards(api, stream)) shards.set(ShardId, await readShard(api, stream, ShardId));
  return shards;
}

async function readShard(api: string, stream: string, shardId: string): Promise<Read[]> {
  const found: Read[] = [];
  const first = { StreamName: stream, ShardId: shardId, ShardIteratorType: 'TRIM_HORIZON' };
  let { ShardIterator } = (await kinesis(api, 'GetShardIterator', first)) as { ShardIterator: string | null };
  while (typeof ShardIterator === 'string') {
    const { Records, NextShardIterator, MillisBehindLatest } = (await kinesis(api, 'GetRecords', {
      ShardIterator,
    })) as {
      Records: readonly { Data: string; PartitionKey: string; SequenceNumber: string }[];
      NextShardIterator?: string | null;
      MillisBehindLatest: number;
    };
    for (const { Data, PartitionKey, SequenceNumber } of Records) {
      const data = Buffer.from(Data, 'base64');
      found.push({ key: PartitionKey, data, text: data.toString(), sequenceNumber: SequenceNumber });
    }
    if (Records.length === 0 && MillisBehindLatest === 0) break;
    ShardIterator = NextShardIterator ?? null;
  }
  return found;
}
