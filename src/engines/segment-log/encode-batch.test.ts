import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Simulation } from '../../environments/simulated/index.ts';
import { packEntries } from '../../kernel/stream/packed-entries.ts';
import type { Environment } from '../../ports/environment.ts';
import { Fenced, type ShardRef } from '../../ports/stream-store.ts';
import { A, B, DIRECTORY, entry, LogUnderTest } from './log.fixture.ts';

const SHARDS = 1000;
const PER_TURN = 100;

/** What is left when all files in front of the newest one are gone, as retention takes them. */
async function openNewest(under: LogUnderTest): Promise<LogUnderTest> {
  const image = await under.image();
  const newest =
    [...image.keys()]
      .filter((path) => path.startsWith(`${DIRECTORY}/segment-`))
      .toSorted()
      .at(-1) ?? '';
  return await LogUnderTest.openImage(new Map([[newest, image.get(newest) ?? Buffer.alloc(0)]]));
}

test('a new file says where every shard stands, with a turn of the loop after each hundred', async () => {
  const simulation = new Simulation(1);
  let turns = 0;
  const { clock } = simulation.environment;
  const soon = (run: () => void): void => {
    turns += 1;
    clock.soon(run);
  };
  const environment: Environment = { ...simulation.environment, clock: { ...clock, soon } };
  const under = await LogUnderTest.open(simulation, { segmentBytesMax: 1_000_000 }, environment);
  const { store } = under.log;
  const many = Array.from({ length: SHARDS }, (_, ordinal): ShardRef => ({ stream: 'many', generation: 1, ordinal }));
  await under.drive(store.createShards(many, { retentionMs: Infinity }));
  const put = async (ref: ShardRef): Promise<void> => {
    await (await store.open(ref, 0n)).append(packEntries([entry('one')]));
  };
  await under.drive(Promise.all(many.map(put)));
  turns = 0;
  await under.append(under.a, 'x'.repeat(900_000));
  assert.ok(turns >= SHARDS / PER_TURN, `${turns} turns`);
  const again = await openNewest(under);
  await again.drive(again.log.store.createShards(many, { retentionMs: Infinity }));
  assert.deepEqual(new Set(many.map((ref) => again.log.store.bounds(ref).end)), new Set([1n]));
});

test('a file whose first commit came to nothing says it with the next', async () => {
  const under = await LogUnderTest.open(new Simulation(1), { segmentBytesMax: 2000 });
  for (const writer of [under.a, under.b]) await under.append(writer, 'one', 'two');
  const late = under.a.append(packEntries([entry('x'.repeat(2000))]));
  // Another writer takes the shard before the commit is made that the run begins a file with.
  const taken = under.log.store.open(A, 1n);
  await under.drive(assert.rejects(late, Fenced));
  await under.drive(taken);
  await under.append(under.b, 'three');
  const again = await openNewest(under);
  assert.deepEqual(
    [A, B].map((ref) => again.log.store.bounds(ref).end),
    [2n, 3n],
  );
});

test('a shard that is dropped while its first commit is encoded leaves no records that nobody knows', async () => {
  const simulation = new Simulation(1);
  const { clock } = simulation.environment;
  let between = (): void => undefined;
  const soon = (run: () => void): void =>
    clock.soon(() => {
      between();
      run();
    });
  const under = await LogUnderTest.open(simulation, {}, { ...simulation.environment, clock: { ...clock, soon } });
  const { store } = under.log;
  const late: ShardRef = { stream: 'late', generation: 1, ordinal: 0 };
  await under.drive(store.createShards([late], { retentionMs: Infinity }));
  const writer = await under.drive(store.open(late, 0n));
  // In the same commit: the large ones are checked in pieces of work before it is the shard's turn.
  const large = under.a.append(packEntries([entry('x'.repeat(3_000_000))]));
  const small = writer.append(packEntries([entry('one')]));
  let turns = 0;
  let dropped: Promise<void> | undefined;
  between = () => {
    turns += 1;
    if (turns === 3) dropped = store.dropShards([late]);
  };
  await under.drive(Promise.allSettled([large, small]));
  assert.ok(dropped !== undefined);
  await under.drive(dropped);
  const again = await LogUnderTest.openImage(await under.image());
  assert.deepEqual(again.log.health(), []);
});
