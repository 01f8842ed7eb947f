import { createHash } from 'node:crypto';

const WORDS = (
  'opened closed repository sensor robot page title comment revision user minor bot namespace length server type ' +
  'change stream archive temperature humidity pressure position joint torque battery warning error information'
).split(' ');
const READINGS = 12;
const TEXT_WORDS = 25;

/**
 * Lines of JSON as events are, some 800 bytes each: ids and numbers that do not repeat, names and words that do. `seed`
 * gives others; together at least `sizeBytes`.
 */
export function eventRecords(sizeBytes: number, seed: number): readonly string[] {
  let state = 88_172_645 + seed;
  const below = (bound: number): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % bound;
  };
  const word = (): string => WORDS[below(WORDS.length)] as string;
  const records: string[] = [];
  for (let size = 0; size < sizeBytes;) {
    const id = records.length;
    const record = `${JSON.stringify({
      id,
      at: 1_700_000_000_000 + id * 17,
      uuid: createHash('sha256').update(`${seed} ${id}`).digest('hex').slice(0, 32),
      type: word(),
      user: `user${below(5000)}`,
      page: { url: `https://example.com/wiki/${word()}_${below(100_000)}`, old: below(50_000), new: below(50_000) },
      minor: below(2) === 0,
      readings: Array.from({ length: READINGS }, () => ({ name: word(), value: below(1_000_000) / 1000 })),
      text: Array.from({ length: TEXT_WORDS }, word).join(' '),
    })}\n`;
    records.push(record);
    size += record.length;
  }
  return records;
}
