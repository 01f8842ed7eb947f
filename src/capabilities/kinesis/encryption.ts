import type { StreamInfo } from '../../ports/records.ts';
import { kinesisError } from './errors.ts';
import { kinesisLimits } from './limits.ts';
import type { KinesisState } from './model.ts';
import { refuseBusy } from './resharding.ts';
import { changeStream, packSettings, withinTheDay, type KinesisSettings } from './settings.ts';

/**
 * Says of a stream's later records that they are encrypted with the key, or with none. It is said, not done: whoever
 * reads the data directory reads the records. InvalidArgumentException for another type than KMS,
 * LimitExceededException for the 26th change within 24 hours.
 */
export async function changeEncryption(
  state: KinesisState,
  stream: StreamInfo,
  type: string,
  keyId: string | undefined,
): Promise<void> {
  if (type !== 'KMS') {
    const sentence = `Encryption type ${type} cannot be started or stopped: the only valid value is KMS.`;
    throw kinesisError('InvalidArgumentException', sentence);
  }
  refuseBusy(state, stream);
  await changeStream(state, stream, (current, kept) => {
    if (kept.keyId === keyId) return {};
    const encryptionChangedAt = withinTheDay(state, kept.encryptionChangedAt);
    if (encryptionChangedAt.length >= kinesisLimits.encryptionChangesMax) throw tooManyChanges(state, stream);
    const now = state.environment.clock.now();
    return packSettings({
      ...kept,
      keyId,
      encrypted: periods(current, kept, now, keyId !== undefined),
      encryptionChangedAt: [...encryptionChangedAt, now],
    });
  });
}

/** The times of encryption that records still stand in. */
function periods(
  { retentionMs }: StreamInfo,
  { keyId, encrypted = [] }: KinesisSettings,
  now: number,
  isOn: boolean,
): KinesisSettings['encrypted'] {
  const wasOn = keyId !== undefined;
  const closed = encrypted.map((one) => (wasOn && !isOn && one.to === undefined ? { ...one, to: now } : one));
  const kept = closed.filter(({ to = Infinity }) => to > now - retentionMs);
  return isOn && !wasOn ? [...kept, { from: now }] : kept;
}

function tooManyChanges({ identity }: KinesisState, { name }: StreamInfo): Error {
  const sentence =
    `The encryption of stream ${name} under account ${identity.account} was changed ` +
    `${kinesisLimits.encryptionChangesMax} times within 24 hours.`;
  return kinesisError('LimitExceededException', sentence);
}
