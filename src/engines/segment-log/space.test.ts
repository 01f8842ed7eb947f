import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Simulation } from '../../environments/simulated/index.ts';
import { Space, type SpaceOptions } from './space.ts';

const DIRECTORY = '/log';
const RESERVE = `${DIRECTORY}/reserve`;
const RESERVE_BYTES = 8192;
const MAX = 100_000;

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
  return { simulation, files, space, look, events };
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
  [85_000, true, /takes 85000 of 100000 bytes.*at 95 % appends are refused$/, false, 1],
  [94_999, true, /at 95 % appends are refused$/, false, 1],
  [95_000, true, /takes 95000 of 100000 bytes.*: appends are refused$/, true, 1],
  [120_000, true, /: appends are refused$/, true, 1],
  [94_999, true, /at 95 % appends are refused$/, false, 1],
  [84_999, false, /^$/, false, 1],
  [90_000, true, /at 95 % appends are refused$/, false, 2],
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
  const { simulation, space, look, events } = await begin({ reserveBytes: RESERVE_BYTES });
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
  await look();
  assert.equal(simulation.sizeOf(RESERVE), RESERVE_BYTES);
  assert.equal(space.refusal(), undefined);
  assert.deepEqual(space.problems(), []);
  assert.deepEqual(events(), ['log.full', 'log.writable']);
});

test('a start that finds no room for the reserve takes no appends until there is: it had been given up for what must be written', async () => {
  const { simulation, space, look, events } = await begin({ reserveBytes: RESERVE_BYTES });
  simulation.limitDisk(RESERVE_BYTES - 1);
  await look();
  assert.equal(simulation.sizeOf(RESERVE), undefined);
  assert.equal(space.refusal(), 'the disk is full');
  await look();
  simulation.limitDisk(RESERVE_BYTES);
  await look();
  assert.equal(simulation.sizeOf(RESERVE), RESERVE_BYTES);
  assert.equal(space.refusal(), undefined);
  assert.deepEqual(events(), ['log.full', 'log.writable']);
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
