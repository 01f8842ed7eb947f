import { createHash } from 'node:crypto';

/** Of a partition key, as Kinesis has it. */
export const KEY_CHARACTERS_MAX = 256;

/** A key as records have it: of one that is too long its digest, which the same key has again; undefined for none. */
export function recordKey(text: string | undefined): string | undefined {
  if (text === undefined || text === '') return undefined;
  return text.length <= KEY_CHARACTERS_MAX ? text : createHash('sha256').update(text).digest('hex');
}
