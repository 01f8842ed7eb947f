import { RequestError } from '../../kernel/errors.ts';
import { decodeSequenceNumber } from '../../kernel/stream/sequence-number.ts';
import type { Records, StreamInfo } from '../../ports/records.ts';
import { positionKey, type Offset } from '../../ports/stream-store.ts';
import type { Range } from './model.ts';

/**
 * Where the records with these sequence numbers stand, each once, in the order of their shards; neighbours are one
 * range. RequestErrors for what is no such number, and for records that the stream does not have (any more).
 */
export async function rangesOfRecords(
  records: Records,
  { name, shards }: StreamInfo,
  numbers: readonly string[],
): Promise<readonly Range[]> {
  const byShard = new Map<string, Offset[]>();
  for (const number of numbers) {
    const place = decodeSequenceNumber(number);
    if (place === undefined) throw new RequestError('BadRequest', `${number.slice(0, 64)} is no sequence number`);
    const key = positionKey(place);
    const offsets = byShard.get(key) ?? [];
    byShard.set(key, offsets);
    offsets.push(place.offset);
  }
  const ranges: Range[] = [];
  for (const [key, offsets] of byShard) {
    const shard = shards.find(({ ref }) => positionKey(ref) === key);
    const [start, end] =
      shard === undefined ? [0n, 0n] : [await records.positionAt(shard, 0), records.bounds(shard).end];
    const gone = offsets.filter((offset) => offset < start || offset >= end).length;
    if (shard === undefined || gone > 0) {
      throw new RequestError('NotFound', `${gone} of these records are not in ${name}, or not any more`, 404);
    }
    const { generation, ordinal } = shard.ref;
    ranges.push(...runsOf(offsets).map((run) => ({ generation, ordinal, ...run })));
  }
  return ranges;
}

function runsOf(offsets: readonly Offset[]): readonly Pick<Range, 'from' | 'to'>[] {
  const sorted = [...new Set(offsets)].sort((one, other) => (one < other ? -1 : 1));
  const runs: { from: Offset; to: Offset }[] = [];
  for (const offset of sorted) {
    const last = runs.at(-1);
    if (last !== undefined && last.to === offset) last.to = offset + 1n;
    else runs.push({ from: offset, to: offset + 1n });
  }
  return runs;
}
