import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EnvironmentError } from '../../kernel/errors.ts';
import { packEntries } from '../../kernel/stream/packed-entries.ts';
import { SimulatedCrash, Simulation } from '../../environments/simulated/index.ts';
import type { Environment } from '../../ports/environment.ts';
import { withFiles, withOpened } from '../../testing/changed-files.ts';
import { A, B, entry, flipped, type Image, LogUnderTest, machineWith, replaced } from './log.fixture.ts';

const HOUR_MS = 3_600_000;
const SEGMENT_BYTES = 4000;

function counted(simulation: Simulation, event: string): number {
  return simulation.logged.filter((line) => line.event === event).length;
}

/** A stream kept for an hour beside one kept for 48, in shared segments: most of each segment expires. */
async function mixed(
  simulation = new Simulation(1),
  environment: Environment = simulation.environment,
): Promise<LogUnderTest> {
  const under = await LogUnderTest.open(simulation, { segmentBytesMax: SEGMENT_BYTES }, environment);
  await under.drive(under.log.store.retain(A, HOUR_MS));
  await under.drive(under.log.store.retain(B, 48 * HOUR_MS));
  for (let round = 0; round < 60; round += 1) {
    const short = Array.from({ length: 8 }, (_, index) => `a${round}.${index} ${'x'.repeat(100)}`);
    await under.append(under.a, ...short);
    await under.append(under.b, `b${round}`);
    await under.simulation.pass(1000);
  }
  return under;
}

const KEPT = Array.from({ length: 60 }, (_, round) => `b${round}`);

test('what is needed of expired neighbours goes into one file, and readers notice nothing', async () => {
  const under = await mixed();
  const before = (await under.image()).size;
  await under.simulation.pass(2 * HOUR_MS);
  assert.deepEqual(await under.texts(B), KEPT);
  assert.ok(counted(under.simulation, 'log.settled') > 0);
  const image = await under.image();
  assert.ok(image.size < before / 3, `${image.size} files of ${before}`);
  const again = await LogUnderTest.openImage(image, { segmentBytesMax: SEGMENT_BYTES });
  assert.deepEqual(await again.texts(B), KEPT);
  await again.append(again.b, 'new');
  assert.deepEqual(await again.texts(B), [...KEPT, 'new']);
});

test('one long read sees every record while files are settled under it', async () => {
  const under = await mixed();
  let reads = 0;
  const until = under.simulation.now + 2 * HOUR_MS;
  while (under.simulation.now < until) {
    assert.deepEqual(await under.texts(B), KEPT);
    reads += 1;
    await under.simulation.pass(counted(under.simulation, 'log.settled') > 0 ? HOUR_MS : 20_000);
  }
  assert.ok(reads > 10 && counted(under.simulation, 'log.settled') > 0);
});

test('power cuts while files are settled and removed lose nothing and double nothing', async () => {
  let settled = 0;
  for (let operations = 1; operations < 120; operations += 5) {
    const under = await mixed(new Simulation(operations));
    under.simulation.crashAfterFileOperations(operations);
    // Where nothing is left to do before the cut comes, the machine is restarted without one.
    await under.simulation.pass(2 * HOUR_MS).catch((error: unknown) => assert.ok(error instanceof SimulatedCrash));
    settled += counted(under.simulation, 'log.settled');
    under.simulation.restart();
    const again = await LogUnderTest.open(under.simulation, { epoch: 2, segmentBytesMax: SEGMENT_BYTES });
    const { start, end } = again.log.store.bounds(B);
    assert.equal(end, 60n, `after ${operations} operations`);
    assert.deepEqual(await again.texts(B), KEPT.slice(Number(start)), `after ${operations} operations`);
    assert.deepEqual(again.log.health(), []);
  }
  assert.ok(settled > 3, `${settled} files were settled before the cuts`);
});

/** The first settled file gets its name, the folder's sync fails, and for the time given so does its removal. */
function withGivenUp(simulation: Simulation, seen: string[], removableAt: number): Environment {
  const { files } = simulation.environment;
  let isDue = false;
  const fail = async (): Promise<never> => await Promise.reject(new EnvironmentError('EIO', 'asked for'));
  return withFiles(simulation.environment, {
    async rename(from, to) {
      await files.rename(from, to);
      isDue = seen.length === 0;
      if (isDue) seen.push(to);
    },
    async syncDirectory(path) {
      if (isDue) await fail();
      await files.syncDirectory(path);
    },
    async remove(path) {
      isDue = false;
      if (seen.includes(path) && simulation.now < removableAt) await fail();
      await files.remove(path);
    },
  });
}

for (const removableAt of [0, 3 * HOUR_MS, Infinity]) {
  test(`a settled file that was given up and can be removed after ${removableAt} ms doubles nothing`, async () => {
    const simulation = new Simulation(1);
    const seen: string[] = [];
    const under = await mixed(simulation, withGivenUp(simulation, seen, removableAt));
    await simulation.pass(2 * HOUR_MS + 60_000);
    assert.equal(counted(simulation, 'log.settle.failed'), 1);
    const [path = ''] = seen;
    const isStuck = removableAt > 0;
    assert.equal((await under.image()).has(path), isStuck);
    assert.equal(counted(simulation, 'log.segment.stuck') > 0, isStuck);
    assert.equal(counted(simulation, 'log.settled') > 0, !isStuck, 'nothing is settled beside it');
    await simulation.pass(2 * HOUR_MS);
    assert.equal(counted(simulation, 'log.settled') > 0, removableAt < Infinity);
    const again = await LogUnderTest.openImage(await under.image(), { segmentBytesMax: SEGMENT_BYTES });
    assert.deepEqual(await again.texts(B), KEPT);
    assert.deepEqual(again.log.health(), []);
  });
}

/** The first file that is removed, a source of the first settled one, stays for the time given. */
function withStuckSource(simulation: Simulation, stuck: string[], removableAt: number): Environment {
  const { files } = simulation.environment;
  return withFiles(simulation.environment, {
    async remove(path) {
      if (stuck.length === 0) stuck.push(path);
      if (stuck.includes(path) && simulation.now < removableAt) throw new EnvironmentError('EIO', 'asked for');
      await files.remove(path);
    },
  });
}

for (const removableAt of [3 * HOUR_MS, Infinity]) {
  test(`a source that can be removed after ${removableAt} ms doubles nothing, and health tells of nothing`, async () => {
    const simulation = new Simulation(1);
    const stuck: string[] = [];
    const under = await mixed(simulation, withStuckSource(simulation, stuck, removableAt));
    await simulation.pass(2 * HOUR_MS + 60_000);
    assert.equal(counted(simulation, 'log.settled'), 1, 'nothing is settled beside it');
    assert.equal((await under.image()).has(stuck[0] ?? ''), true);
    await simulation.pass(50 * HOUR_MS);
    assert.equal(counted(simulation, 'log.settled') > 1, removableAt < Infinity);
    assert.equal((await under.image()).has(stuck[0] ?? ''), removableAt === Infinity);
    const again = await LogUnderTest.openImage(await under.image(), { segmentBytesMax: SEGMENT_BYTES });
    assert.deepEqual(again.log.health(), []);
  });
}

test('a damaged file is never taken over from: its records answer an error, the others stay', async () => {
  const under = await mixed();
  await under.drive(under.log.close());
  const image = await under.image();
  const path = [...image.keys()].find((name) => name.includes('segment-0000000003')) ?? '';
  const bytes = image.get(path) ?? Buffer.alloc(0);
  const at = bytes.indexOf(Buffer.from('key of b')) - 20;
  const again = await LogUnderTest.openImage(replaced(image, path, flipped(bytes, at)), {
    segmentBytesMax: SEGMENT_BYTES,
  });
  await again.drive(again.log.store.retain(A, HOUR_MS));
  await again.drive(again.log.store.retain(B, 48 * HOUR_MS));
  await again.simulation.pass(3 * HOUR_MS);
  const found = [...(await again.survivors(B)).values()];
  assert.deepEqual(
    found,
    KEPT.filter((text) => found.includes(text)),
    'in order, each once',
  );
  assert.ok(found.length >= KEPT.length - 2, `${found.length} of ${KEPT.length}`);
  assert.ok(again.log.health().join().includes(path));
  assert.ok((await again.image()).has(path), 'the file stays');
});

test('what is needed between larger records that are not comes through byte for byte', async () => {
  const under = await LogUnderTest.open(new Simulation(1), { segmentBytesMax: 100_000 });
  await under.drive(under.log.store.retain(A, 48 * HOUR_MS));
  await under.drive(under.log.store.retain(B, HOUR_MS));
  const wanted = Array.from({ length: 200 }, (_, round) => `a${round} ${'x'.repeat(round)}`);
  for (const text of wanted) {
    await under.append(under.a, text);
    await under.append(under.b, 'y'.repeat(20_000));
  }
  await under.simulation.pass(2 * HOUR_MS);
  assert.ok(counted(under.simulation, 'log.settled') > 0);
  assert.deepEqual(await under.texts(A), wanted);
  const again = await LogUnderTest.openImage(await under.image(), { segmentBytesMax: 100_000 });
  assert.deepEqual(await again.texts(A), wanted);
});

test('records that lie scattered are brought together ten seconds after the last one at the latest', async () => {
  const under = await LogUnderTest.open();
  const data = 'x'.repeat(1000);
  for (let round = 0; round < 1200; round += 1) {
    await under.drive(
      Promise.all([under.a, under.b].map(async (writer) => await writer.append(packEntries([entry(data)])))),
    );
  }
  await under.simulation.pass(4900);
  assert.equal(counted(under.simulation, 'log.settled'), 0, 'more may come');
  await under.simulation.pass(5600);
  assert.equal(counted(under.simulation, 'log.settled'), 1);
  await under.simulation.pass(60_000);
  assert.equal(counted(under.simulation, 'log.settled'), 1);
  assert.equal((await under.texts(A)).length, 1200);
  assert.equal(under.simulation.metrics.get('log_unsettled_bytes{}'), 0);
});

/** Of two such files' records that are kept for long one is made. */
const LAYER_BYTES = 8000;
const C = { stream: 'c', generation: 1, ordinal: 0 };

/** Files that hold much of B and little of C, and behind them settled ones of the same; the node is stopped. */
async function layered(): Promise<{ image: Image; texts: readonly string[] }> {
  const under = await LogUnderTest.open(new Simulation(1), { segmentBytesMax: LAYER_BYTES });
  await under.drive(under.log.store.createShards([C], { retentionMs: Infinity }));
  await under.drive(under.log.store.retain(A, HOUR_MS));
  const c = await under.drive(under.log.store.open(C, 0n));
  const texts = Array.from({ length: 36 }, (_, round) => `c${round}`);
  for (const [round, text] of texts.entries()) {
    if (round >= 12) await under.append(under.a, 'x'.repeat(5000));
    await under.append(under.b, 'x'.repeat(1500));
    await under.append(c, text);
  }
  await under.simulation.pass(1.2 * HOUR_MS);
  assert.ok(counted(under.simulation, 'log.settled') > 0);
  await under.drive(under.log.close());
  return { image: await under.image(), texts };
}

/** Nothing can be written to a file that was there already. */
function withStuck(environment: Environment, path: string): Environment {
  const write = async (): Promise<void> => await Promise.reject(new EnvironmentError('ENOSPC', 'no room'));
  return withOpened(environment, (file, mode) => (mode === 'write' && file.path === path ? { ...file, write } : file));
}

test('that no index can be written is told once, and again after one could', async () => {
  const simulation = new Simulation(1);
  let isFull = true;
  const environment = withOpened(simulation.environment, (file, mode) => {
    const write = file.write.bind(file);
    const writeIfRoom: typeof write = async (...what) => {
      if (isFull && mode === 'write') throw new EnvironmentError('ENOSPC', `no room for ${file.path}`);
      await write(...what);
    };
    return { ...file, write: writeIfRoom };
  });
  const under = await LogUnderTest.open(simulation, { segmentBytesMax: 1000 }, environment);
  const fill = async (): Promise<void> => {
    for (let round = 0; round < 6; round += 1) await under.append(under.a, 'x'.repeat(900));
    await simulation.pass(60_000);
  };
  await fill();
  assert.equal(counted(simulation, 'log.seal.failed'), 1);
  isFull = false;
  await simulation.pass(10_000);
  isFull = true;
  await fill();
  assert.equal(counted(simulation, 'log.seal.failed'), 2);
});

test('files around one that may not go yet are not put together: its records lie between theirs', async () => {
  const { image, texts } = await layered();
  const [oldest = ''] = [...image.keys()].filter((name) => name.includes('/segment-')).sort();
  let simulation = await machineWith(image);
  const open = async (epoch: number, environment: Environment): Promise<LogUnderTest> => {
    const under = await LogUnderTest.open(simulation, { epoch, segmentBytesMax: LAYER_BYTES }, environment);
    await under.drive(under.log.store.createShards([C], { retentionMs: Infinity }));
    return under;
  };
  // Its footer is not known to be durable: what stands behind it may not go yet, settled files apart.
  const under = await open(2, withStuck(simulation.environment, oldest));
  await under.drive(under.log.store.dropShards([B]));
  await simulation.pass(60_000);
  assert.equal(counted(simulation, 'log.seal.failed'), 1);
  assert.ok(counted(simulation, 'log.settled') > 0);
  assert.deepEqual(await under.texts(C), texts);
  await under.drive(under.log.close());
  simulation = await machineWith(await under.image());
  const again = await open(3, simulation.environment);
  assert.deepEqual(await again.texts(C), texts);
  assert.deepEqual(again.log.health(), []);
});

/** The oldest file stays because of B; of A it holds a record older than those of the next files, which expire. */
async function aged(): Promise<LogUnderTest> {
  const under = await LogUnderTest.open(new Simulation(1), { segmentBytesMax: 1000 });
  await under.drive(under.log.store.retain(A, HOUR_MS));
  await under.drive(under.log.store.retain(B, 48 * HOUR_MS));
  await under.append(under.a, 'older');
  await under.append(under.b, 'stays');
  for (let round = 0; round < 4; round += 1) await under.append(under.a, 'x'.repeat(900));
  await under.append(under.b, 'stays');
  // Until the footers are written: the next sync is that of a commit.
  await under.simulation.pass(1000);
  return under;
}

const REFUSALS = [
  {
    what: 'the log has failed: no file goes, since nobody can write where its shards start',
    happens: async (under: LogUnderTest): Promise<void> => {
      under.simulation.failNext('sync', 'EIO');
      await assert.rejects(under.append(under.b, 'in doubt'));
    },
    areRemoved: false,
  },
  {
    what: 'the disk is full to the last byte: files go all the same',
    happens: async (under: LogUnderTest): Promise<void> => {
      under.simulation.limitDisk(0);
      await assert.rejects(under.append(under.b, 'x'.repeat(5000)), { name: 'Unavailable' });
    },
    areRemoved: true,
  },
] as const;

for (const { what, happens, areRemoved } of REFUSALS) {
  test(what, async () => {
    const under = await aged();
    await happens(under);
    const before = (await under.image()).size;
    await under.simulation.pass(2 * HOUR_MS);
    assert.equal(counted(under.simulation, 'log.segment.deleted') > 0, areRemoved);
    assert.equal((await under.image()).size < before, areRemoved);
  });
}
