/** What has to happen in the runs of the suite, and how often at least in 100 of them. */
export const MUST_HAPPEN: Readonly<Record<string, number>> = {
  'a bit is turned': 4,
  'a cut takes a change of names': 62,
  'a cut takes a change of names and leaves a later one': 5,
  'a cut: a truncation is lost': 4,
  'a cut: a truncation stays': 4,
  'a cut: a write has holes': 9,
  'a cut: a write is cut short': 54,
  'a cut: a write is lost': 51,
  'a cut: a write stays': 43,
  'a cut: zeros stand for a write': 35,
  'a delivery is tried again': 39,
  'a failed sync: a truncation is lost': 0.1,
  'a failed sync: a truncation stays': 0.1,
  'a failed sync: a write has holes': 0.9,
  'a failed sync: a write is cut short': 1,
  'a failed sync: a write is lost': 1,
  'a failed sync: a write stays': 0.9,
  'a failed sync: zeros stand for a write': 0.67,
  'a file that nobody needs is removed': 180,
  'a full disk refuses a name': 4,
  'a full disk refuses a write': 43,
  'a function gets a record again': 130,
  'a record that was read expires': 8,
  'a refused write leaves its first bytes': 31,
  'a repeated webhook gets its answer': 190,
  'a repeated webhook gets its answer of an earlier life': 260,
  'a shard is split': 28,
  'a slow operation': 100,
  'a torn tail is cut off': 29,
  'create fails with ENOSPC': 1,
  'files are settled': 86,
  'open fails with EIO': 0.2,
  'read fails with EIO': 0.2,
  'list fails with EIO': 1,
  'remove fails with EIO': 1,
  'rename fails with EIO': 0.9,
  'sync fails with EIO': 5,
  'syncDirectory fails with EIO': 1,
  'the clock is set back': 4,
  'the clock is set forward': 4,
  'the log finds room on the disk again': 8,
  'the log finds the disk full': 10,
  'the power goes in a start': 26,
  'the power goes in one start after the other': 28,
  'the shards are counted anew': 14,
  'truncate fails with EIO': 1,
  'two shards are merged': 23,
  'write fails with EIO': 1,
  'write fails with ENOSPC': 4,
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
