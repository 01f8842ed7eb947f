import type { Life } from './life.ts';
import type { ReadType } from './plan.ts';
import type { ReadFrom } from './reading.ts';
import { sequenceNumberOf, type StreamModel } from './stream-model.ts';

/** The widest span that a read by time goes back over, ms. */
const BACK_MS_MAX = 60_000;

/** Where a step begins to read: `at` is a share of what is known to stand in the shard, or of the time it goes back. */
export function readFrom(
  life: Life,
  model: StreamModel,
  shardId: string,
  { type, at }: { readonly type: ReadType; readonly at: number },
): ReadFrom {
  if (type === 'TRIM_HORIZON' || type === 'LATEST') return { type };
  // The wall clock may be set back before the node looks at it.
  if (type === 'AT_TIMESTAMP') return { type, ms: life.simulation.wallNow - Math.ceil(at * BACK_MS_MAX) };
  const known = model.inShard(shardId);
  const sent = known[Math.floor(at * known.length)];
  return sent === undefined ? { type: 'TRIM_HORIZON' } : { type, sequenceNumber: sequenceNumberOf(sent) };
}

/** The same as SubscribeToShard takes it. */
export function startOf(from: ReadFrom): object {
  return {
    Type: from.type,
    ...(from.type === 'AT_TIMESTAMP' && { Timestamp: from.ms / 1000 }),
    ...('sequenceNumber' in from && { SequenceNumber: from.sequenceNumber }),
  };
}
