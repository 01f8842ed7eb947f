import { verify, type KeyObject } from 'node:crypto';

/** A millisecond's work, and less than the way to another thread and the copy that it takes along. */
export const SIGNED_AT_ONCE_BYTES = 256 * 1024;

/** Whether bytes were signed with the other half of an Ed25519 key. */
export function isSignedAtOnce(bytes: Uint8Array, key: KeyObject, signature: Uint8Array): boolean {
  return verify(null, bytes, key, signature);
}

/** The same in a thread of the platform's. */
export async function isSignedInThread(bytes: Uint8Array, key: KeyObject, signature: Uint8Array): Promise<boolean> {
  return await new Promise((resolve, reject) => {
    verify(null, bytes, key, signature, (error, isSigned) => {
      if (error === null) resolve(isSigned);
      else reject(error);
    });
  });
}
