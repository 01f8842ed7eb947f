import { HASH_KEY_END, hashKeyOf } from '../../kernel/stream/hash-key.ts';
import { promised } from './broken-promise.ts';
import type { Life } from './life.ts';
import { lookAtStream, readShard } from './look-at-stream.ts';
import { payload } from './payload.ts';
import type { ClientAction, PlannedRecord, Step } from './plan.ts';
import { readFrom } from './read-from.ts';
import type { Sent } from './sent-record.ts';
import type { StreamModel } from './stream-model.ts';

type Put = Extract<ClientAction, { do: 'put' }>;
type Read = Extract<ClientAction, { do: 'read' }>;
type Check = Extract<ClientAction, { do: 'check' }>;

interface PutResult {
  readonly ShardId?: string;
  readonly SequenceNumber?: string;
}

/** Puts records; what the answer says of each goes into the model. */
export async function put(life: Life, step: Step & Put): Promise<void> {
  const model = life.oracle.stream(step.stream);
  const texts = step.records.map((_, index) => `p${step.id}-${index}`);
  const sent = model === undefined ? [] : step.records.map((record, index) => sends(life, model, step, record, index));
  const Records = step.records.map((record, index) => ({
    Data: Buffer.from(payload(texts[index] ?? '', record.bytes), 'latin1').toString('base64'),
    PartitionKey: record.key,
    ...(record.hash !== undefined && { ExplicitHashKey: explicitHashKey(record.hash).toString() }),
  }));
  const StreamName = step.stream;
  const [first] = Records;
  const isOne = Records.length === 1 && step.id % 2 === 0;
  const askedAt = life.now;
  const outcome = await (isOne
    ? life.kinesis('PutRecord', { StreamName, ...first })
    : life.kinesis('PutRecords', { StreamName, Records }));
  if (model === undefined) {
    const isAbsent = life.oracle.side.presence === 'absent';
    promised(!isAbsent || outcome.kind !== 'done', 'a stream that is not there took records');
    return;
  }
  if (model.isDeleted || outcome.kind === 'unknown') return;
  if (outcome.kind === 'refused') return refusedWhole(life, model, sent, { code: outcome.code, askedAt });
  const results = isOne ? [outcome.answer as PutResult] : (outcome.answer as { Records: readonly PutResult[] }).Records;
  for (const [index, one] of sent.entries()) settle(life, model, one, { ...results[index], askedAt });
}

function sends(life: Life, model: StreamModel, step: Step & Put, record: PlannedRecord, index: number): Sent {
  const text = `p${step.id}-${index}`;
  const hashKey = record.hash === undefined ? hashKeyOf(record.key) : explicitHashKey(record.hash);
  const bytes = payload(text, record.bytes).length;
  return model.sends({ text, bytes, hashKey, sender: step.client, life: life.number }, life.now);
}

function explicitHashKey(share: number): bigint {
  return (HASH_KEY_END * BigInt(Math.floor(share * 1_000_000))) / 1_000_000n;
}

function refusedWhole(
  life: Life,
  model: StreamModel,
  sent: readonly Sent[],
  { code, askedAt }: { readonly code: string; readonly askedAt: number },
): void {
  const isGone = code === 'ResourceNotFoundException' && life.oracle.side.presence !== 'there';
  const isExcused = isGone || life.mayRefuse(askedAt);
  promised(isExcused, `a put to ${model.name} was refused: ${code}`);
  for (const one of sent) model.refuses(one);
}

function settle(
  life: Life,
  model: StreamModel,
  sent: Sent,
  { ShardId: shardId, SequenceNumber, askedAt }: PutResult & { readonly askedAt: number },
): void {
  if (shardId !== undefined && SequenceNumber !== undefined) {
    life.room.takes();
    return model.stands(sent, { shardId, sequenceNumber: SequenceNumber }, life.now);
  }
  promised(life.mayRefuse(askedAt), `${sent.text} was refused, and nothing is wrong with the disk`);
  model.refuses(sent);
}

/** Reads some pages of one shard. */
export async function read(life: Life, step: Read): Promise<void> {
  const model = life.oracle.stream(step.stream);
  if (model === undefined || model.isDeleted) return;
  const shards = await life.shards(step.stream, model);
  const shardId = shards?.[Math.floor(step.shard * shards.length)]?.ShardId;
  if (shardId === undefined || model.isDeleted) return;
  const { stream, pages, limit } = step;
  await readShard(life, { stream, model, shardId, from: readFrom(life, model, shardId, step), pages, limit });
}

/** Reads a whole stream. */
export async function check(life: Life, { stream }: Check): Promise<void> {
  await lookAtStream(life, stream);
}
