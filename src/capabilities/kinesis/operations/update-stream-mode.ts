import * as s from '../../../kernel/schema/declare.ts';
import type { RequestError } from '../../../kernel/errors.ts';
import { operation } from '../../../ports/operation.ts';
import type { StreamInfo, StreamMode } from '../../../ports/records.ts';
import { addressedStream } from '../address.ts';
import { kinesisError } from '../errors.ts';
import { kinesisLimits } from '../limits.ts';
import { checkQuota, type KinesisState } from '../model.ts';
import { refuseBusy } from '../resharding.ts';
import { changeStream, packSettings, withinTheDay } from '../settings.ts';
import { streamArn, streamId, streamModeDetails, TARGET } from '../shapes.ts';
import { checkWarmThroughput } from '../warm-throughput.ts';

const input = s.struct({
  StreamARN: streamArn,
  StreamId: s.optional(streamId),
  StreamModeDetails: streamModeDetails,
  WarmThroughputMiBps: s.optional(s.integer({ min: 0 })),
});

/** Makes a stream on-demand or provisioned; its shards stay as they are. */
export const updateStreamMode = operation<KinesisState>()({
  name: 'UpdateStreamMode',
  target: TARGET,
  input,
  errors: [
    'InvalidArgumentException',
    'LimitExceededException',
    'ResourceInUseException',
    'ResourceNotFoundException',
    'ValidationException',
  ],
  plane: 'control',
  doc: 'Makes a stream on-demand or provisioned, twice in 24 hours at most; its shards stay as they are.',
  async handle({ StreamARN, StreamModeDetails, WarmThroughputMiBps: warmThroughputMiBps }, { state }) {
    const stream = addressedStream(state, { StreamARN });
    const mode: StreamMode = StreamModeDetails.StreamMode === 'ON_DEMAND' ? 'ON_DEMAND' : 'PROVISIONED';
    refuseBusy(state, stream);
    checkWarmThroughput(state, mode, warmThroughputMiBps);
    await changeStream(state, stream, (current, kept) => {
      if (current.mode === mode)
        return packSettings({ ...kept, ...(warmThroughputMiBps !== undefined && { warmThroughputMiBps }) });
      checkQuota(state, mode, current.shardCount);
      const modeChangedAt = withinTheDay(state, kept.modeChangedAt);
      if (modeChangedAt.length >= kinesisLimits.modeChangesMax) throw tooManyChanges(state, stream);
      const now = state.environment.clock.now();
      return { mode, ...packSettings({ ...kept, warmThroughputMiBps, modeChangedAt: [...modeChangedAt, now] }) };
    });
    return undefined;
  },
});

function tooManyChanges({ identity }: KinesisState, { name }: StreamInfo): RequestError {
  const sentence =
    `The mode of stream ${name} under account ${identity.account} was changed ` +
    `${kinesisLimits.modeChangesMax} times within 24 hours.`;
  return kinesisError('LimitExceededException', sentence);
}
