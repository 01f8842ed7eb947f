import type { RequestError } from '../../kernel/errors.ts';
import { firehoseError } from './errors.ts';
import { firehoseLimits } from './limits.ts';
import type { DeliveryEncryption, DeliveryStream, EncryptionKey, FirehoseState } from './model.ts';

/** AWS's own key: what is meant where nothing is said. */
const OWNED: EncryptionKey = { KeyType: 'AWS_OWNED_CMK' };
const CUSTOMER_MANAGED = 'CUSTOMER_MANAGED_CMK';

/** The key that a request names. InvalidArgumentException where type and ARN do not go together. */
export function requestedKey(given: { readonly KeyType: string; readonly KeyARN?: string } = OWNED): EncryptionKey {
  const { KeyType, KeyARN } = given;
  if ((KeyType === CUSTOMER_MANAGED) !== (KeyARN !== undefined)) {
    throw firehoseError('InvalidArgumentException', `KeyARN goes with KeyType ${CUSTOMER_MANAGED}, and only with it.`);
  }
  return KeyARN === undefined ? { KeyType } : { KeyType, KeyARN };
}

/** A delivery stream that reads a Kinesis stream keeps no records itself (AWS's documentation). */
export function notDirect(name: string): RequestError {
  const sentence = `Server-side encryption is only for delivery streams of type DirectPut, which ${name} is not.`;
  return firehoseError('InvalidArgumentException', sentence);
}

/**
 * Says of a delivery stream's later records that they are encrypted with the key, or with none. It is said, not done:
 * whoever reads the data directory reads the records. InvalidArgumentException where none are put directly,
 * LimitExceededException for the 26th call within 24 hours, ResourceNotFoundException.
 */
export async function changeEncryption(
  { deliveries, environment }: FirehoseState,
  name: string,
  key: EncryptionKey | undefined,
): Promise<void> {
  await deliveries.change(name, (current) => {
    if (current.from !== undefined) throw notDirect(name);
    const now = environment.clock.now();
    const { changedAt = [] } = current.encryption ?? {};
    const lately = changedAt.filter((moment) => moment > now - firehoseLimits.dayMs);
    if (lately.length >= firehoseLimits.encryptionCallsMax) {
      const times = `${firehoseLimits.encryptionCallsMax} times within 24 hours`;
      const sentence = `The encryption of ${name} was changed ${times}.`;
      throw firehoseError('LimitExceededException', sentence);
    }
    const encryption: DeliveryEncryption = { ...(key !== undefined && { key }), changedAt: [...lately, now] };
    return { ...current, encryption };
  });
}

/** Whether records that are put now are said to be encrypted. */
export function isEncrypted({ encryption }: DeliveryStream): boolean {
  return encryption?.key !== undefined;
}

/** As AWS describes it; undefined where records come from a stream. */
export function describeEncryption({ from, encryption }: DeliveryStream): object | undefined {
  if (from !== undefined) return undefined;
  const key = encryption?.key;
  return key === undefined ? { Status: 'DISABLED' } : { ...key, Status: 'ENABLED' };
}
