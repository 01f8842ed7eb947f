import type { StreamInfo } from '../../ports/records.ts';
import { onStream } from './address.ts';
import { kinesisError } from './errors.ts';
import { kinesisLimits } from './limits.ts';
import type { KinesisState } from './model.ts';

/** Sets how long records are kept, in one direction. InvalidArgumentException for the other and beyond AWS's bounds. */
export async function changeRetention(
  state: KinesisState,
  stream: StreamInfo,
  hours: number,
  direction: 'Increase' | 'Decrease',
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
      checkDirection(current, hours, direction);
      return { retentionMs: hours * hourMs };
    });
  });
}

function checkDirection(stream: StreamInfo, hours: number, direction: 'Increase' | 'Decrease'): void {
  const current = stream.retentionMs / kinesisLimits.hourMs;
  if (direction === 'Increase' ? hours >= current : hours <= current) return;
  const [word, other] = direction === 'Increase' ? ['shorter', 'Decrease'] : ['longer', 'Increase'];
  const sentence =
    `Requested retention period (${hours} hours) for stream ${stream.name} can not be ${word} than existing ` +
    `retention period (${current} hours). Use ${other}RetentionPeriod API.`;
  throw kinesisError('InvalidArgumentException', sentence);
}
