/** What has to happen in the runs of the suite, and how often at least in 100 of them. */
export const MUST_HAPPEN: Readonly<Record<string, number>> = {
  'a bit is turned': 5,
  'a cut takes a change of names': 63,
  'a cut takes a change of names and leaves a later one': 6,
  'a cut: a truncation is lost': 4,
  'a cut: a truncation stays': 4,
  'a cut: a write has holes': 12,
  'a cut: a write is cut short': 40,
  'a cut: a write is lost': 42,
  'a cut: a write stays': 34,
  'a cut: zeros stand for a write': 30,
  'a delivery is tried again': 36,
  'a failed sync: a truncation is lost': 0.13,
  'a failed sync: a truncation stays': 0.1,
  'a failed sync: a write has holes': 0.53,
  'a failed sync: a write is cut short': 0.93,
  'a failed sync: a write is lost': 1,
  'a failed sync: a write stays': 1,
  'a failed sync: zeros stand for a write': 0.53,
  'a file that nobody needs is removed': 160,
  'a full disk refuses a name': 3,
  'a full disk refuses a write': 15,
  'a function gets a record again': 110,
  'a record that was read expires': 20,
  'a refused write leaves its first bytes': 10,
  'a repeated webhook gets its answer': 180,
  'a repeated webhook gets its answer of an earlier life': 240,
  'a shard is split': 28,
  'a slow operation': 93,
  'a torn tail is cut off': 25,
  'close fails with EIO': 0.13,
  'create fails with ENOSPC': 0.4,
  'files are settled': 67,
  'isDirectory fails with EIO': 1,
  'list fails with EIO': 0.8,
  'makeDirectory fails with EIO': 0.13,
  'makeDirectory fails with ENOSPC': 1,
  'open fails with EIO': 1,
  'read fails with EIO': 2,
  'remove fails with EIO': 1,
  'rename fails with EIO': 0.67,
  'size fails with EIO': 0.13,
  'sync fails with EIO': 4,
  'syncDirectory fails with EIO': 0.8,
  'the clock is set back': 3,
  'the clock is set forward': 4,
  'the log finds room on the disk again': 6,
  'the log finds the disk full': 8,
  'the power goes in a start': 25,
  'the power goes in one start after the other': 29,
  'the shards are counted anew': 14,
  'truncate fails with EIO': 0.67,
  'two shards are merged': 20,
  'write fails with EIO': 0.93,
  'write fails with ENOSPC': 3,
  'a log that took almost all it may takes something new again': 2,
  'the log takes 85 % of what it may': 9,
  'the reserve is freed': 2,
  'the reserve is made again': 2,
  'what is new is refused, as the log takes almost all it may': 40,
};

/** Over fewer seeds than these were measured with, a number this small may be chance: then nothing is owed. */
const SEEDS_MEASURED = 2000;
const CHANCE_MAX = 5;

/** What happened, with what is owed over so many seeds, as lines for people. */
export function tableOf(met: Readonly<Record<string, number>>, seeds: number): readonly string[] {
  const names = Object.keys(MUST_HAPPEN);
  const width = Math.max(...names.map((name) => name.length));
  return names.map((name) => `${name.padEnd(width)} ${String(met[name] ?? 0).padStart(8)}   owed ${owed(name, seeds)}`);
}

/** What did not happen as often as is owed; and what happened and stands in no table, so that nobody would miss it. */
export function missingOf(met: Readonly<Record<string, number>>, seeds: number): readonly string[] {
  const seldom = Object.keys(MUST_HAPPEN).filter((name) => (met[name] ?? 0) < owed(name, seeds));
  const unknown = Object.keys(met).filter((name) => MUST_HAPPEN[name] === undefined);
  return [
    ...seldom.map((name) => `${name}: only ${met[name] ?? 0} of ${owed(name, seeds)}`),
    ...unknown.map((name) => `${name}: nothing is owed`),
  ];
}

function owed(name: string, seeds: number): number {
  const count = Math.floor(((MUST_HAPPEN[name] ?? 0) * seeds) / 100);
  return seeds < SEEDS_MEASURED && count < CHANCE_MAX ? 0 : count;
}
