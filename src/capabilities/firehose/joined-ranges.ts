import { positionKey } from '../../ports/stream-store.ts';
import type { Range } from './model.ts';

/** Lets the last of the ranges go on to the end of one that begins in it or right behind; false where none does. */
export function extendLast(ranges: Range[], range: Range): boolean {
  const last = ranges.at(-1);
  if (last === undefined || positionKey(last) !== positionKey(range)) return false;
  if (range.from < last.from || range.from > last.to) return false;
  ranges[ranges.length - 1] = { ...last, to: range.to };
  return true;
}
