import type { RequestError } from '../../kernel/errors.ts';
import { isOpen, StreamBusy, type Reshard, type ShardInfo, type StreamInfo } from '../../ports/records.ts';
import { onStream } from './address.ts';
import { kinesisError, type KinesisError } from './errors.ts';
import { type KinesisState } from './model.ts';

/** What every action that reshards may raise. */
export const reshardErrors: readonly KinesisError[] = [
  'InvalidArgumentException',
  'LimitExceededException',
  'ResourceInUseException',
  'ResourceNotFoundException',
  'ValidationException',
];

/** A stream that is being resharded is not changed otherwise: ResourceInUseException. */
export function refuseBusy(state: KinesisState, stream: StreamInfo): void {
  if (stream.isResharding) throw notActive(state, stream);
}

function notActive({ identity }: KinesisState, { name }: StreamInfo): RequestError {
  const place = `Stream ${name} under account ${identity.account}`;
  const sentence = `${place} not ACTIVE, instead in state UPDATING: try again in a moment.`;
  return kinesisError('ResourceInUseException', sentence);
}

/** Begins a reshard; resolves with the stream as it is then. ResourceInUseException while another one is under way. */
export async function reshard(state: KinesisState, stream: StreamInfo, change: Reshard): Promise<StreamInfo> {
  try {
    return await onStream(state, stream, async () => await state.records.reshard(stream.name, change));
  } catch (error) {
    if (!(error instanceof StreamBusy)) throw error;
    throw notActive(state, stream);
  }
}

/** Shards of an on-demand stream are not the caller's to cut. */
export function refuseOnDemand(state: KinesisState, { name, mode }: StreamInfo): void {
  if (mode !== 'ON_DEMAND') return;
  const sentence = `Request is invalid. Stream ${name} under account ${state.identity.account} is in On-Demand mode.`;
  throw kinesisError('ValidationException', sentence);
}

/** Only an open shard can be split or merged. */
export function refuseClosed(state: KinesisState, stream: StreamInfo, shard: ShardInfo): void {
  if (isOpen(shard)) return;
  const sentence =
    `Shard ${shard.id} in stream ${stream.name} under account ${state.identity.account} has already been merged or ` +
    'split, and thus is not eligible for merging or splitting.';
  throw kinesisError('InvalidArgumentException', sentence);
}
