import { encodeSequenceNumber } from '../../kernel/stream/sequence-number.ts';
import type { ShardInfo, StreamInfo } from '../../ports/records.ts';
import { positionKey } from '../../ports/stream-store.ts';
import { FUNCTION } from './function-options.ts';
import { firehoseLimits } from './limits.ts';
import { sourceStream, type DeliveryStream, type FirehoseState, type Intent } from './model.ts';
import { lagMs, waitingIn } from './shard-lag.ts';
import { bufferingOf } from './targets.ts';
import { BACKUP } from './workers/delivery-lanes.ts';
import { storedProgress } from './workers/progress-ledger.ts';
import type { DeliveryStatus, Worker } from './workers/worker.ts';

/** What keeps a delivery: its buffer, how far it is in each shard, what is under way, the last attempts. */
export async function explainDelivery(state: FirehoseState, delivery: DeliveryStream): Promise<object> {
  const worker = state.deliveries.worker(delivery.name);
  if (worker === undefined) return {};
  const status = worker.status();
  return {
    ...bufferOf(state, delivery, status),
    ...underwayOf(status.underway),
    ...(status.backup !== undefined && { backup: backupOf(state, delivery, status.backup) }),
    shards: await shardsOf(state, delivery, worker),
    attempts: (status.attempts ?? []).map(({ at, ...rest }) => ({ at: new Date(at).toISOString(), ...rest })),
    ...(status.nextAttemptInMs !== undefined && { nextAttemptInMs: status.nextAttemptInMs }),
  };
}

function bufferOf({ destinations }: FirehoseState, { target }: DeliveryStream, status: DeliveryStatus): object {
  if (target.kind === FUNCTION) return {};
  const { bytesMax, intervalMs } = bufferingOf(destinations, target);
  const { waitingRecords: records, waitingBytes: bytes, dueInMs } = status;
  return { buffer: { records, bytes, bytesMax, intervalMs, ...(dueInMs !== undefined && { dueInMs }) } };
}

function underwayOf(intent: Intent | undefined): object {
  if (intent === undefined) return {};
  const { place, recordCount: records, sizeBytes: bytes, oldestAt } = intent;
  return { underway: { place, records, bytes, oldestAt: new Date(oldestAt).toISOString() } };
}

function backupOf(
  state: FirehoseState,
  delivery: DeliveryStream,
  { objects, records, last, waitingRecords, failure }: DeliveryStatus,
): object {
  return {
    objectsDelivered: objects,
    recordsDelivered: records,
    recordsWaiting: waitingRecords,
    lagRecords: backupLag(state, delivery),
    ...(last !== undefined && { lastObject: last }),
    ...(failure !== undefined && { failure }),
  };
}

/** Records of the source that do not stand in the backup, gathered or not. */
function backupLag({ records, catalog }: FirehoseState, delivery: DeliveryStream): number {
  const { positions } = storedProgress(catalog, delivery.name + BACKUP).progress;
  const shards = records.describe(sourceStream(delivery))?.shards ?? [];
  const reached = ({ ref }: ShardInfo): bigint => BigInt(positions[positionKey(ref)] ?? '0');
  return shards.reduce((sum, shard) => sum + waitingIn({ records }, shard, reached(shard)).count, 0);
}

async function shardsOf(state: FirehoseState, delivery: DeliveryStream, worker: Worker): Promise<readonly object[]> {
  const stream = state.records.describe(sourceStream(delivery));
  if (stream === undefined) return [];
  const shown = stream.shards.slice(0, firehoseLimits.shardsShown);
  return await Promise.all(shown.map(async (shard) => await shardOf(state, stream, shard, worker)));
}

async function shardOf(state: FirehoseState, stream: StreamInfo, shard: ShardInfo, worker: Worker): Promise<object> {
  const origin = worker.status().origins?.[positionKey(shard.ref)];
  const reached = origin === undefined ? worker.position(shard.ref) : BigInt(origin);
  const { from, count: lagRecords } = waitingIn(state, shard, reached);
  return {
    shardId: shard.id,
    position: encodeSequenceNumber(shard.ref, from),
    lagRecords,
    lagMs: lagRecords === 0 ? 0 : await lagMs(state, stream, shard, from),
  };
}
