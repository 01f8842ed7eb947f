import { createHash } from 'node:crypto';
import { limits } from './limits.ts';

/** A key as records have it: of one that is too long its digest, which the same key has again; undefined for none. */
export function recordKey(text: string | undefined): string | undefined {
  if (text === undefined || text === '') return undefined;
  return text.length <= limits.partitionKeyCharactersMax ? text : createHash('sha256').update(text).digest('hex');
}
