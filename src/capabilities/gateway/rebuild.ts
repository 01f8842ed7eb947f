import { nextTurn } from '../../kernel/flow/next-turn.ts';
import { orPastDamage, UnknownShard, type Offset, type StoredRecord } from '../../ports/stream-store.ts';
import type { Environment } from '../../ports/environment.ts';
import type { Records, ShardInfo, StreamInfo } from '../../ports/records.ts';
import { decodeChunk, type Chunk, type CoveredStream, type ShardName } from './checkpoint-format.ts';
import { limits } from './limits.ts';
import { ID_HEADER, ROUTE_HEADER } from './operations/receive-webhook.ts';

/** A record with an id, found behind what the checkpoint covers. */
export interface FoundId {
  readonly route: string;
  readonly id: Uint8Array;
  readonly shard: ShardName;
  readonly offset: number;
  readonly seconds: number;
}

/** Calls `found` with each chunk of the checkpoint stream, oldest first, from `sinceMs` on. */
export async function readChunks(
  records: Records,
  environment: Environment,
  stream: StreamInfo,
  sinceMs: number,
  found: (chunk: Chunk) => void,
): Promise<void> {
  for (const shard of stream.shards) {
    const from = await records.positionAt(shard, sinceMs);
    await readShard(records, environment, stream, shard, from, ({ data }) => found(decodeChunk(data)));
  }
}

/**
 * Reads a stream behind its covered positions and calls `found` with each record that has an id. A shard without a
 * position is read from its start, unless the stream was never covered: then no webhook can stand in it.
 * Resolves with the number of records read.
 */
export async function readTail(
  records: Records,
  environment: Environment,
  stream: StreamInfo,
  covered: CoveredStream | undefined,
  sinceMs: number,
  found: (id: FoundId) => void,
): Promise<number> {
  if (covered === undefined) return 0;
  let count = 0;
  for (const shard of stream.shards) {
    const { generation, ordinal } = shard.ref;
    const name = { stream: stream.name, createdAt: stream.createdAt, generation, ordinal };
    const since = await records.positionAt(shard, sinceMs);
    const position = positionIn(covered, stream, shard);
    const from = position !== undefined && position > since ? position : since;
    await readShard(records, environment, stream, shard, from, (record) => {
      count += 1;
      const id = idOf(record, name);
      if (id !== undefined) found(id);
    });
  }
  return count;
}

function positionIn(covered: CoveredStream, stream: StreamInfo, shard: ShardInfo): Offset | undefined {
  if (covered.createdAt !== stream.createdAt) return undefined;
  const { generation, ordinal } = shard.ref;
  return covered.shards.find((one) => one.generation === generation && one.ordinal === ordinal)?.position;
}

function idOf(record: StoredRecord, shard: ShardName): FoundId | undefined {
  const id = header(record, ID_HEADER);
  const route = header(record, ROUTE_HEADER);
  if (id === undefined || route === undefined) return undefined;
  return {
    id,
    route: new TextDecoder().decode(route),
    shard,
    offset: Number(record.offset),
    seconds: Math.ceil(record.at / 1000),
  };
}

function header(record: StoredRecord, wanted: string): Uint8Array | undefined {
  return record.headers.find(([name]) => name === wanted)?.[1];
}

/** Reads up to the end as it is now, past damaged places, in slices, with a turn of the loop after each. */
async function readShard(
  records: Records,
  environment: Environment,
  stream: StreamInfo,
  shard: ShardInfo,
  from: Offset,
  visit: (record: StoredRecord) => void,
): Promise<void> {
  try {
    const { end } = records.bounds(shard);
    for (let at = from; at < end;) {
      const limit = { records: limits.readRecords, bytes: limits.readBytes };
      // An id that stood in a damaged place is not told from a new one; the log names the place.
      const found = await orPastDamage(records.read(stream, shard, at, limit));
      found.records.forEach(visit);
      if (found.next <= at) return;
      at = found.next;
      await nextTurn(environment.clock);
    }
  } catch (error) {
    // The stream was deleted meanwhile: nothing of it is left to find.
    if (!(error instanceof UnknownShard)) throw error;
  }
}
