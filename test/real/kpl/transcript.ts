/** What the producer told of one record, once it was stored. */
export interface Put {
  readonly number: number;
  readonly key: string;
  readonly hashKey: bigint | undefined;
  readonly shard: string;
  /** Of the record that it was packed into. */
  readonly sequenceNumber: string;
  readonly attempts: number;
}

/** A record that stands in the stream, alone or in another. */
export interface Found {
  readonly shard: string;
  readonly sequenceNumber: string;
  /** Undefined for one that was not packed. */
  readonly subSequenceNumber: number | undefined;
  readonly key: string;
  readonly data: string;
}

/** The keys of a shard. */
export interface Range {
  readonly first: bigint;
  readonly last: bigint;
}

const PROBLEMS_MAX = 10;

/** Reads one line of the producer; undefined when it is none. */
export function parsePut(line: string): Put | undefined {
  const [event, number, key = '', hashKey = '', shard = '', sequenceNumber = '', attempts] = line.split('\t');
  if (event !== 'PUT') return undefined;
  const place = hashKey === '-' ? undefined : BigInt(hashKey);
  return { number: Number(number), key, hashKey: place, shard, sequenceNumber, attempts: Number(attempts) };
}

/** The data of a number. */
export function dataOf(number: number): string {
  return `record ${number}\n`;
}

/**
 * What is wrong with what is found of what was put: empty when each record stands where its producer was told, in a
 * shard that has its hash key, once, or again only where the producer tried again; and when the numbers of what one
 * record holds are 0, 1, ... in order.
 */
export function judge(
  puts: readonly Put[],
  found: readonly Found[],
  ranges: ReadonlyMap<string, Range>,
): readonly string[] {
  const times = new Map<string, number>();
  for (const { data } of found) times.set(data, (times.get(data) ?? 0) + 1);
  const places = new Set(found.map(place));
  const problems = puts.flatMap((put) => checkPut(put, times, places, ranges));
  const known = new Set(puts.map(({ number }) => dataOf(number)));
  problems.push(...found.filter(({ data }) => !known.has(data)).map(({ data }) => `${data.trim()} was never put`));
  problems.push(...checkNumbers(found));
  return problems.slice(0, PROBLEMS_MAX);
}

function place({ shard, sequenceNumber, key, data }: Omit<Found, 'subSequenceNumber'>): string {
  return [shard, sequenceNumber, key, data].join('\t');
}

function checkPut(
  put: Put,
  times: ReadonlyMap<string, number>,
  places: ReadonlySet<string>,
  ranges: ReadonlyMap<string, Range>,
): readonly string[] {
  const data = dataOf(put.number);
  const problems: string[] = [];
  if (!places.has(place({ ...put, data }))) problems.push(`${data.trim()} is not at ${put.sequenceNumber}`);
  if ((times.get(data) ?? 0) > put.attempts) problems.push(`${data.trim()} is there ${times.get(data)} times`);
  const range = ranges.get(put.shard);
  const { hashKey } = put;
  const isInside = range !== undefined && (hashKey === undefined || (range.first <= hashKey && hashKey <= range.last));
  if (!isInside) problems.push(`${data.trim()} is in ${put.shard}, which has not its hash key`);
  return problems;
}

function checkNumbers(found: readonly Found[]): readonly string[] {
  const next = new Map<string, number>();
  const problems: string[] = [];
  for (const { sequenceNumber, subSequenceNumber = 0 } of found) {
    const due = next.get(sequenceNumber) ?? 0;
    if (subSequenceNumber !== due) problems.push(`${subSequenceNumber} in ${sequenceNumber} where ${due} was due`);
    next.set(sequenceNumber, due + 1);
  }
  return problems;
}
