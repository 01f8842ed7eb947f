/** What is long is checked in pieces of work, when it is written and when it is read, and no less well. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Simulation } from '../../environments/simulated/index.ts';
import { packEntries } from '../../kernel/stream/packed-entries.ts';
import { Damaged } from '../../ports/stream-store.ts';
import { A, DIRECTORY, LogUnderTest } from './log.fixture.ts';

const MIB = 1024 * 1024;
const KEY = Buffer.from('key');
const LIMIT = { records: 10_000, bytes: 1 };

/** A log whose turns of the loop are counted. */
async function open(): Promise<{
  readonly under: LogUnderTest;
  readonly turnsOf: <T>(work: Promise<T>) => Promise<number>;
}> {
  const simulation = new Simulation(1);
  const { clock } = simulation.environment;
  let turns = 0;
  const soon = (run: () => void): void => {
    turns += 1;
    clock.soon(run);
  };
  const under = await LogUnderTest.open(simulation, {}, { ...simulation.environment, clock: { ...clock, soon } });
  // The newest records are in memory: what follows these comes from the file.
  const turnsOf = async <T>(work: Promise<T>): Promise<number> => {
    const before = turns;
    await under.drive(work);
    return turns - before;
  };
  return { under, turnsOf };
}

const whole = Buffer.alloc(10 * MIB, 'whole');
const many = Array.from({ length: 400 }, (_, index) => ({ key: KEY, data: Buffer.alloc(25 * 1024, index) }));

test('a record of 10 MiB, and as much in 400, is written and read with a turn of the loop after each MiB', async () => {
  const { under, turnsOf } = await open();
  const append = async (entries: Parameters<typeof packEntries>[0]): Promise<number> =>
    await turnsOf(under.a.append(packEntries(entries)));
  const small = await append([{ key: KEY, data: KEY }]);
  assert.deepEqual([(await append([{ key: KEY, data: whole }])) - small, (await append(many)) - small], [10, 10]);
  const { store } = under.log;
  let data: Uint8Array = KEY;
  const read = store.read(A, 1n, LIMIT).then(({ records }) => (data = records[0]?.data ?? KEY));
  assert.equal(await turnsOf(read), 11);
  assert.ok(whole.equals(data));
});

test('a byte that goes wrong in the middle of it is not served', async () => {
  const { under } = await open();
  await under.drive(under.a.append(packEntries([{ key: KEY, data: whole }])));
  await under.drive(under.a.append(packEntries(many)));
  const image = await under.image();
  const [path = ''] = [...image.keys()].filter((name) => name.startsWith(`${DIRECTORY}/segment-`));
  const file = image.get(path) ?? assert.fail();
  file[5 * MIB] = (file[5 * MIB] ?? 0) ^ 1;
  const again = await LogUnderTest.openImage(image);
  await again.drive(assert.rejects(again.log.store.read(A, 0n, LIMIT), Damaged));
});
