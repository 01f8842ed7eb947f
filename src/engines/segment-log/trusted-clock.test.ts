import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Simulation } from '../../environments/simulated/index.ts';
import { A, LogUnderTest } from './log.fixture.ts';
import { TrustedClock } from './trusted-clock.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Rows of: minutes that pass, minutes by which the clock is set then, and how far behind the wall it is believed. */
const STORIES: readonly (readonly [string, readonly (readonly [number, number, number])[]])[] = [
  [
    'a clock that is left alone',
    [
      [10, 0, 0],
      [10_000, 0, 0],
    ],
  ],
  [
    'set forward: believed after a quarter of an hour',
    [
      [10, 3000, 3000],
      [14, 0, 3000],
      [2, 0, 0],
    ],
  ],
  [
    'set forward and back',
    [
      [10, 3000, 3000],
      [5, -3000, 0],
      [60, 0, 0],
    ],
  ],
  [
    'set forward twice: the second time counts anew',
    [
      [10, 3000, 3000],
      [14, 3000, 6000],
      [14, 0, 6000],
      [2, 0, 0],
    ],
  ],
  [
    'set back: believed at once',
    [
      [10, -3000, 0],
      [10, 0, 0],
    ],
  ],
  [
    'less than a minute is no step',
    [
      [10, 0.9, 0],
      [10, 0.9, 0],
    ],
  ],
];

for (const [story, rows] of STORIES) {
  test(`when records are deleted for good: ${story}`, async () => {
    const simulation = new Simulation(1);
    const clock = new TrustedClock(simulation.environment.clock);
    for (const [pass, step, behind] of rows) {
      // As often as the cleaner looks.
      for (let left = pass; left > 0; left -= 1) {
        await simulation.pass(Math.min(1, left) * MINUTE_MS);
        clock.now();
      }
      simulation.stepClock(step * MINUTE_MS);
      const now = clock.now();
      assert.equal(Math.round((simulation.wallNow - now) / MINUTE_MS), behind);
      assert.equal(clock.isDoubting, behind > 0);
    }
  });
}

test('over days back and forth arrivals never fall, and what is inside its retention stays', async () => {
  const under = await LogUnderTest.open(new Simulation(1), { segmentBytesMax: 2000 });
  const { simulation } = under;
  const times: number[] = [];
  const texts: string[] = [];
  const put = async (count: number): Promise<void> => {
    for (let left = count; left > 0; left -= 1) {
      texts.push(`${texts.length} ${'x'.repeat(300)}`);
      await under.append(under.a, texts.at(-1) as string);
      await simulation.pass(MINUTE_MS);
    }
  };
  const read = async (): Promise<readonly string[]> => {
    const { store } = under.log;
    const { start } = store.bounds(A);
    const { records } = await under.drive(store.read(A, start, { records: 10_000, bytes: 10_000_000 }));
    times.push(...records.map(({ at }) => at));
    for (let index = 1; index < records.length; index += 1) {
      assert.ok(
        (records[index]?.at ?? 0) >= (records[index - 1]?.at ?? 0),
        `record ${index} came before the one before`,
      );
    }
    return records.map(({ data }) => Buffer.from(data).toString());
  };
  await put(30);
  simulation.stepClock(-3 * DAY_MS);
  await put(30);
  assert.deepEqual(await read(), texts);
  simulation.stepClock(3 * DAY_MS);
  await put(30);
  assert.deepEqual(await read(), texts);
  // By a mistake, for some minutes: nothing is gone afterwards.
  simulation.stepClock(10 * DAY_MS);
  await simulation.pass(10 * MINUTE_MS);
  simulation.stepClock(-10 * DAY_MS);
  await put(5);
  assert.deepEqual(await read(), texts);
  // For good: what is too old goes after a quarter of an hour, what came since stays.
  simulation.stepClock(10 * DAY_MS);
  const before = texts.length;
  await put(30);
  const left = await read();
  assert.ok(left.length < before, `${left.length} of ${texts.length} are left`);
  assert.deepEqual(left, texts.slice(-left.length));
  assert.ok(left.length >= 30);
});
