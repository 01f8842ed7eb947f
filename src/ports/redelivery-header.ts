import type { Header } from '../kernel/stream/packed-entries.ts';

/** Header of records of requests that were sent on again: the id of the first one. */
export const REDELIVERY_OF_HEADER = 'redelivery-of';

/** The request that a record's headers say it repeats; undefined for any other record. */
export function redeliveryOf(headers: readonly Header[]): string | undefined {
  const found = headers.find(([name]) => name === REDELIVERY_OF_HEADER);
  return found === undefined ? undefined : Buffer.from(found[1]).toString();
}
