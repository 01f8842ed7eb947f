import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Simulation } from '../../environments/simulated/index.ts';
import { DiskFull } from '../../ports/stream-store.ts';
import { LogUnderTest, machineWith } from './log.fixture.ts';
import { Space, type SpaceOptions } from './space.ts';

const DIRECTORY = '/log';
const RESERVE = `${DIRECTORY}/reserve`;
const RESERVE_BYTES = 8192;
const MAX = 100_000;
const LONG_MS = 200_000;
const LOOK_MS = 5000;

/** What the log's files take; a test sets it. */
interface LogFiles {
  readonly options: { readonly directory: string; readonly epoch: number; readonly segmentBytesMax: number };
  totalBytes: number;
}

async function begin(options: Partial<SpaceOptions>) {
  const simulation = new Simulation(1);
  await simulation.drive(simulation.environment.files.makeDirectory(DIRECTORY));
  const files: LogFiles = { options: { directory: DIRECTORY, epoch: 1, segmentBytesMax: MAX }, totalBytes: 0 };
  const space = new Space(simulation.environment, files, { bytesMax: undefined, reserveBytes: 0, ...options });
  const look = async (): Promise<void> => await simulation.drive(space.look());
  const events = (): readonly string[] => simulation.logged.map(({ event }) => event);
  /** Past all waits between attempts. */
  const lookLater = async (): Promise<void> => {
    await simulation.pass(LONG_MS);
    await look();
  };
  return { simulation, files, space, look, lookLater, events };
}

/** One life of a log, in this order: bytes of its files; whether it hurries, says so, and refuses; warnings so far. */
const WATERMARKS: readonly (readonly [
  files: number,
  short: boolean,
  problem: RegExp,
  refused: boolean,
  warned: number,
])[] = [
  [0, false, /^$/, false, 0],
  [84_999, false, /^$/, false, 0],
  [85_000, true, /^$/, false, 1],
  [94_999, true, /^$/, false, 1],
  [95_000, true, /takes 95000 of 100000 bytes.*: appends are refused$/, true, 1],
  [120_000, true, /: appends are refused$/, true, 1],
  [94_999, true, /^$/, false, 1],
  [84_999, false, /^$/, false, 1],
  [90_000, true, /^$/, false, 2],
];

for (const reserveBytes of [0, RESERVE_BYTES]) {
  test(`watermarks of diskBytesMax, ${reserveBytes} bytes of it kept back`, async () => {
    const { simulation, files, space, look, events } = await begin({ bytesMax: MAX, reserveBytes });
    await look();
    for (const [bytes, isShort, problem, isRefused, warned] of WATERMARKS) {
      files.totalBytes = bytes - Math.min(bytes, reserveBytes);
      await look();
      const row = `${bytes} bytes`;
      assert.equal(space.isShort, isShort, row);
      assert.match(space.problems().join(), problem, row);
      assert.equal(space.refusal() !== undefined, isRefused, row);
      assert.equal(events().filter((event) => event === 'log.space.low').length, warned, row);
      assert.equal(simulation.metrics.get('log_disk_bytes{}'), files.totalBytes + reserveBytes, row);
    }
  });
}

test('a full disk takes the reserve, and is full no more once that stands again', async () => {
  const { simulation, space, look, lookLater, events } = await begin({ reserveBytes: RESERVE_BYTES });
  await look();
  assert.equal(simulation.sizeOf(RESERVE), RESERVE_BYTES);
  assert.equal(space.usedBytes, RESERVE_BYTES);
  simulation.limitDisk(0);
  assert.equal(await simulation.drive(space.makeRoom()), true, 'there is room now');
  assert.equal(simulation.sizeOf(RESERVE), undefined);
  assert.equal(space.refusal(), 'the disk is full');
  assert.deepEqual(space.problems(), ['the disk is full: appends are refused']);
  assert.ok(space.isShort);
  assert.equal(await simulation.drive(space.makeRoom()), false, 'nothing is left to give');
  // What a delete writes takes a part of it: the reserve does not fit any more.
  simulation.limitDisk(RESERVE_BYTES / 2);
  await look();
  assert.equal(simulation.sizeOf(RESERVE), undefined, 'what was made of it is given back');
  assert.equal(space.refusal(), 'the disk is full');
  simulation.limitDisk(Infinity);
  await lookLater();
  assert.equal(simulation.sizeOf(RESERVE), RESERVE_BYTES);
  assert.equal(space.refusal(), undefined);
  assert.deepEqual(space.problems(), []);
  assert.deepEqual(events(), ['log.full', 'log.writable']);
});

test('a start that finds no room for the reserve takes no appends until there is: it had been given up for what must be written', async () => {
  const { simulation, space, look, lookLater, events } = await begin({ reserveBytes: RESERVE_BYTES });
  simulation.limitDisk(RESERVE_BYTES - 1);
  await look();
  assert.equal(simulation.sizeOf(RESERVE), undefined);
  assert.equal(space.refusal(), 'the disk is full');
  await lookLater();
  simulation.limitDisk(RESERVE_BYTES);
  await lookLater();
  assert.equal(simulation.sizeOf(RESERVE), RESERVE_BYTES);
  assert.equal(space.refusal(), undefined);
  assert.deepEqual(events(), ['log.full', 'log.writable']);
});

test('where a life before gave the reserve up, a start knows whether there is room for it before it takes appends', async () => {
  const before = await LogUnderTest.open();
  await before.append(before.a, 'before');
  const image = await before.image();
  for (const room of [RESERVE_BYTES, Infinity]) {
    const simulation = await machineWith(image);
    simulation.limitDisk(room);
    const under = await LogUnderTest.open(simulation, { epoch: 2, reserveBytes: RESERVE_BYTES });
    const told = simulation.logged.map(({ event }) => event);
    const isKnown = told.slice(0, told.indexOf('log.opened')).includes('log.full');
    assert.equal(isKnown, room === RESERVE_BYTES, 'the first files of the life take a part of the room');
    const append = under.append(under.a, 'after');
    if (isKnown) await assert.rejects(append, DiskFull);
    else await append;
  }
});

test('a disk that has no room for the reserve is filled ever more rarely, and at once where the log became smaller', async () => {
  const { simulation, files, space, look } = await begin({ reserveBytes: RESERVE_BYTES });
  simulation.limitDisk(RESERVE_BYTES - 1);
  files.totalBytes = 500;
  /** Whether a look changes anything on the disk. */
  const tries = async (): Promise<boolean> => {
    const before = simulation.fileOperations;
    await look();
    return simulation.fileOperations > before;
  };
  const tried: number[] = [];
  for (let ms = 0; ms <= 290_000; ms += LOOK_MS) {
    if (await tries()) tried.push(Math.round(ms / 1000));
    await simulation.pass(LOOK_MS);
  }
  assert.deepEqual(tried, [0, 5, 15, 35, 65, 95, 125, 155, 185, 215, 245, 275]);
  assert.equal(await tries(), false);
  files.totalBytes = 400;
  simulation.limitDisk(RESERVE_BYTES);
  assert.equal(await tries(), true);
  assert.equal(space.refusal(), undefined);
});

test('without a reserve a commit that went to the disk says that there is room', async () => {
  const { simulation, space, events } = await begin({});
  assert.equal(await simulation.drive(space.makeRoom()), false);
  assert.equal(space.refusal(), undefined, 'the next append tries');
  assert.deepEqual(space.problems(), ['the disk is full: appends are refused']);
  space.wrote();
  assert.deepEqual(space.problems(), []);
  assert.deepEqual(events(), ['log.full', 'log.writable']);
});
