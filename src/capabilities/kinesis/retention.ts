import type { StreamInfo } from '../../ports/records.ts';
import { onStream } from './address.ts';
import { kinesisError } from './errors.ts';
import { kinesisLimits } from './limits.ts';
import type { KinesisState } from './model.ts';

/** Sets how long records are kept; `check` looks at the stream as it is and may refuse. InvalidArgumentException. */
export async function changeRetention(
  state: KinesisState,
  stream: StreamInfo,
  hours: number,
  check: (current: StreamInfo) => void,
): Promise<void> {
  const { retentionHoursMin: min, retentionHoursMax: max, hourMs } = kinesisLimits;
  if (hours < min || hours > max) {
    const sentence =
      hours < min
        ? `Minimum allowed retention period is ${min} hours. Requested retention period (${hours} hours) is too short.`
        : `Maximum allowed retention period is ${max} hours. Requested retention period (${hours} hours) is too long.`;
    throw kinesisError('InvalidArgumentException', sentence);
  }
  await onStream(state, stream, async () => {
    await state.records.update(stream.name, (current) => {
      check(current);
      return { retentionMs: hours * hourMs };
    });
  });
}
