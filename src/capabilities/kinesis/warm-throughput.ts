import type { StreamMode } from '../../ports/records.ts';
import { kinesisError } from './errors.ts';
import { kinesisLimits } from './limits.ts';
import type { KinesisState } from './model.ts';

/**
 * Whether a stream of the mode may be asked to be ready for so much. ValidationException for a provisioned one and
 * without the account's commitment, LimitExceededException above 10 GiB/s. The number is reported; shards of millrace
 * have no throughput of their own that it could raise.
 */
export function checkWarmThroughput(state: KinesisState, mode: StreamMode, mibps: number | undefined): void {
  if (mibps === undefined) return;
  if (mode !== 'ON_DEMAND') {
    const sentence = 'WarmThroughputMiBps can only be set for a stream in ON_DEMAND mode.';
    throw kinesisError('ValidationException', sentence);
  }
  if (!state.account.isCommitted(state.environment.clock.now())) {
    const sentence =
      `WarmThroughputMiBps can only be set while account ${state.identity.account} has ` +
      'MinimumThroughputBillingCommitment enabled.';
    throw kinesisError('ValidationException', sentence);
  }
  if (mibps <= kinesisLimits.warmThroughputMiBpsMax) return;
  const sentence = `WarmThroughputMiBps ${mibps} is above the limit of ${kinesisLimits.warmThroughputMiBpsMax} MiBps.`;
  throw kinesisError('LimitExceededException', sentence);
}

/** A warm throughput as AWS describes it. */
export function describeWarmThroughput(mibps: number): Record<string, unknown> {
  return { TargetMiBps: mibps, CurrentMiBps: mibps };
}
