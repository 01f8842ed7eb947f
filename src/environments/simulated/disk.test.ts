/** What goes wrong on the simulated disk, each in the ways it can, over seeds. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OpenFile } from '../../ports/environment.ts';
import { Deadlock, Simulation } from './index.ts';

const SEEDS = 120;
const PAGE = 4096;

async function create(simulation: Simulation, path: string): Promise<OpenFile> {
  return await simulation.drive(simulation.environment.files.open(path, 'create'));
}

async function text(simulation: Simulation, path: string): Promise<string> {
  const { files } = simulation.environment;
  if ((await simulation.drive(files.size(path))) === undefined) return 'none';
  return Buffer.from(await simulation.drive(files.readFile(path))).toString();
}

/** A file with these bytes, durable with its name. */
async function durable(simulation: Simulation, path: string, content: string): Promise<OpenFile> {
  const file = await create(simulation, path);
  await simulation.drive(file.write(Buffer.from(content), 0));
  await simulation.drive(file.sync());
  await simulation.drive(simulation.environment.files.syncDirectory('/'));
  return file;
}

/** Every outcome over all seeds. */
async function outcomes(run: (simulation: Simulation) => Promise<string>): Promise<readonly string[]> {
  const seen = new Set<string>();
  for (let seed = 1; seed <= SEEDS; seed += 1) seen.add(await run(new Simulation(seed)));
  return [...seen].sort();
}

test('a process that ends loses nothing that it wrote; the power cut behind it may', async () => {
  const seen = await outcomes(async (simulation) => {
    const file = await durable(simulation, '/a', 'old');
    await simulation.drive(file.write(Buffer.from('new'), 0));
    simulation.kill();
    simulation.restart();
    assert.equal(await text(simulation, '/a'), 'new');
    simulation.crash();
    simulation.restart();
    return await text(simulation, '/a');
  });
  assert.ok(seen.includes('old') && seen.includes('new'), seen.join());
});

test('what a failed sync did not bring no later sync brings, only writing it again does', async () => {
  for (const isWrittenAgain of [false, true]) {
    const seen = await outcomes(async (simulation) => {
      const file = await durable(simulation, '/a', 'old');
      await simulation.drive(file.write(Buffer.from('new'), 0));
      simulation.failNext('sync', 'EIO');
      await assert.rejects(simulation.drive(file.sync()), { code: 'EIO' });
      assert.equal(await text(simulation, '/a'), 'new');
      if (isWrittenAgain) await simulation.drive(file.write(Buffer.from('new'), 0));
      await simulation.drive(file.sync());
      simulation.crash();
      simulation.restart();
      return await text(simulation, '/a');
    });
    assert.equal(seen.includes('old'), !isWrittenAgain, seen.join());
  }
});

test('what was written stays as it was, whatever its owner puts into the buffer next', async () => {
  const simulation = new Simulation(1);
  const file = await create(simulation, '/a');
  const buffer = Buffer.from('first');
  await simulation.drive(file.write(buffer, 0));
  buffer.write('other');
  await simulation.drive(file.sync());
  await simulation.drive(simulation.environment.files.syncDirectory('/'));
  simulation.crash();
  simulation.restart();
  assert.equal(await text(simulation, '/a'), 'first');
});

/** What the tally says of a write of three sectors of which this is left. */
function fateOf(left: string): string {
  if (left === 'xxx') return 'a write stays';
  if (left === '---') return 'a write is lost';
  if (left === '000') return 'zeros stand for a write';
  const isPrefix = /^x*p?-*$/.test(left);
  return isPrefix ? 'a write is cut short' : 'a write has holes';
}

test('a torn write leaves a prefix, sectors, zeros, all or nothing', async () => {
  const seen = await outcomes(async (simulation) => {
    const file = await durable(simulation, '/a', '');
    await simulation.drive(file.write(Buffer.alloc(1536, 'x'), 0));
    simulation.crash();
    simulation.restart();
    const sectors = (await text(simulation, '/a')).padEnd(1536, '-').match(/.{512}/gs) ?? [];
    const left = sectors.map((sector) => (/^(.)\1*$/s.exec(sector)?.[1] ?? 'p').replace('\0', '0')).join('');
    const fate = Object.keys(simulation.tally.counts).filter((name) => name.startsWith('a cut: '));
    assert.deepEqual(fate, [`a cut: ${fateOf(left)}`], left);
    return left;
  });
  for (const outcome of ['---', 'xxx', '000', '0xx', 'p--', 'xp-', 'x0x'])
    assert.ok(seen.includes(outcome), seen.join());
});

test('a full disk takes what fits, stays full over a crash, and has room again once something is removed', async () => {
  const simulation = new Simulation(1);
  const { drive } = { drive: simulation.drive.bind(simulation) };
  const other = await durable(simulation, '/other', 'x'.repeat(PAGE));
  const file = await durable(simulation, '/a', 'x');
  simulation.limitDisk(PAGE);
  await assert.rejects(drive(file.write(Buffer.alloc(4 * PAGE, 'y'), 0)), { code: 'ENOSPC' });
  assert.equal(await drive(file.size()), 2 * PAGE);
  await drive(file.write(Buffer.alloc(2 * PAGE, 'z'), 0));
  await drive(file.sync());
  simulation.crash();
  const { files } = simulation.restart();
  const again = await drive(files.open('/a', 'write'));
  await assert.rejects(drive(again.write(Buffer.alloc(PAGE), 2 * PAGE)), { code: 'ENOSPC' });
  await drive(files.remove('/other'));
  await drive(again.write(Buffer.alloc(PAGE), 2 * PAGE));
  assert.equal(other.path, '/other');
});

test('space is counted in pages that were written, and comes back when nobody has the file any more', async () => {
  const simulation = new Simulation(1);
  const { files } = simulation.environment;
  const file = await create(simulation, '/a');
  await simulation.drive(file.write(Buffer.from('x'), 10 * PAGE));
  assert.equal(simulation.diskBytes, PAGE);
  await simulation.drive(file.write(Buffer.alloc(PAGE), 100));
  assert.equal(simulation.diskBytes, 3 * PAGE);
  await simulation.drive(file.truncate(PAGE));
  assert.equal(simulation.diskBytes, PAGE);
  await simulation.drive(files.remove('/a'));
  assert.equal(simulation.diskBytes, PAGE);
  await simulation.drive(file.close());
  assert.equal(simulation.diskBytes, 0);
  const kept = await create(simulation, '/b');
  await simulation.drive(kept.write(Buffer.from('x'), 0));
  await simulation.drive(files.remove('/b'));
  simulation.kill();
  assert.equal(simulation.diskBytes, 0);
});

test('a new name may find no space either, another time it does', async () => {
  const seen = await outcomes(async (simulation) => {
    simulation.limitDisk(0);
    try {
      await create(simulation, '/a');
      return 'made';
    } catch (error) {
      return String((error as { code?: unknown }).code);
    }
  });
  assert.deepEqual(seen, ['ENOSPC', 'made']);
});

test('names of two folders are kept and lost one by one, those of one file in their order', async () => {
  const seen = await outcomes(async (simulation) => {
    const { files } = simulation.environment;
    for (const folder of ['/x', '/y']) await simulation.drive(files.makeDirectory(folder));
    await simulation.drive(files.syncDirectory('/'));
    for (const path of ['/x/1', '/x/2', '/y/3']) await create(simulation, path);
    simulation.crash();
    const after = simulation.restart().files;
    return [...(await simulation.drive(after.list('/x'))), ...(await simulation.drive(after.list('/y')))].join('');
  });
  assert.deepEqual(seen, ['', '1', '12', '123', '13', '2', '23', '3']);
});

test('a rename out of a folder is whole, and durable once one of both is synced', async () => {
  for (const synced of ['/x', '/y']) {
    const seen = await outcomes(async (simulation) => {
      const { files } = simulation.environment;
      for (const folder of ['/x', '/y']) await simulation.drive(files.makeDirectory(folder));
      await simulation.drive(files.syncDirectory('/'));
      await create(simulation, '/x/part');
      await simulation.drive(files.rename('/x/part', '/y/whole'));
      await simulation.drive(files.syncDirectory(synced));
      simulation.crash();
      const after = simulation.restart().files;
      const lists = [await simulation.drive(after.list('/x')), await simulation.drive(after.list('/y'))];
      return lists.map((names) => names.join()).join('|');
    });
    assert.deepEqual(seen, ['|whole']);
  }
});

test('what is asked for fails, once each, and what comes then works', async () => {
  const simulation = new Simulation(2);
  const file = await durable(simulation, '/a', 'kept');
  const { files } = simulation.environment;
  const operations = [
    ['read', async () => await file.read(new Uint8Array(1), 0)],
    ['read', async () => await files.readFile('/a')],
    ['truncate', async () => await file.truncate(4)],
    ['open', async () => await files.open('/a', 'read')],
    ['list', async () => await files.list('/')],
    ['makeDirectory', async () => await files.makeDirectory('/d')],
    ['rename', async () => await files.rename('/a', '/b')],
    ['syncDirectory', async () => await files.syncDirectory('/')],
    ['remove', async () => await files.remove('/b')],
    ['size', async () => await files.size('/b')],
    ['size', async () => await file.size()],
    ['isDirectory', async () => await files.isDirectory('/d')],
    ['close', async () => await file.close()],
  ] as const;
  for (const [operation, call] of operations) {
    simulation.failNext(operation, 'EIO');
    await assert.rejects(simulation.drive<unknown>(call()), { code: 'EIO' }, operation);
    await simulation.drive<unknown>(call());
  }
});

test('a fault counts when an operation meets it, not when it is asked for, and is forgotten with its life', async () => {
  const simulation = new Simulation(1);
  simulation.failNext('remove', 'EIO');
  simulation.slowDisk(1, 10);
  assert.deepEqual([simulation.faultsMet, simulation.slowed], [0, 0]);
  await simulation.drive(simulation.environment.files.list('/'));
  assert.deepEqual([simulation.faultsMet, simulation.slowed], [0, 1]);
  await assert.rejects(simulation.drive(simulation.environment.files.remove('/a')), { code: 'EIO' });
  assert.equal(simulation.faultsMet, 1);
  simulation.limitDisk(PAGE);
  const file = await create(simulation, '/a');
  await assert.rejects(simulation.drive(file.write(Buffer.alloc(PAGE + 1), 0)), { code: 'ENOSPC' });
  assert.equal(simulation.faultsMet, 2);
  simulation.stepClock(-1);
  simulation.restart();
  assert.deepEqual([simulation.faultsMet, simulation.slowed], [0, 0]);
  const { counts } = simulation.tally;
  for (const met of ['a slow operation', 'remove fails with EIO', 'a full disk refuses a write'])
    assert.equal(counts[met], 1, met);
  assert.equal(counts['a refused write leaves its first bytes'], 1);
  assert.equal(counts['the clock is set back'], 1);
});

test('a write that fails may leave its first bytes behind', async () => {
  const seen = await outcomes(async (simulation) => {
    const file = await create(simulation, '/a');
    simulation.failNext('write', 'EIO');
    await assert.rejects(simulation.drive(file.write(Buffer.from('abc'), 0)), { code: 'EIO' });
    return await text(simulation, '/a');
  });
  assert.deepEqual(seen, ['', 'a', 'ab', 'abc']);
});

test('a bit that is turned stays turned; what waits for a sync has no bit to turn', async () => {
  const simulation = new Simulation(1);
  const file = await durable(simulation, '/a', 'aaa');
  assert.equal(simulation.flipBit('/a', 1, 1), true);
  assert.equal(await text(simulation, '/a'), 'aca');
  simulation.crash();
  simulation.restart();
  assert.equal(await text(simulation, '/a'), 'aca');
  await durable(simulation, '/b', 'bbb');
  const open = await simulation.drive(simulation.environment.files.open('/b', 'write'));
  await simulation.drive(open.write(Buffer.from('c'), 0));
  assert.equal(simulation.flipBit('/b', 2, 0), false);
  assert.equal(simulation.flipBit('/a', 3, 0), false);
  assert.deepEqual(simulation.tally.counts['a bit is turned'], 1);
  assert.equal(await text(simulation, '/b'), 'cbb');
  assert.equal(file.path, '/a');
});

test('a slow disk takes its time, then it is quick again', async () => {
  const simulation = new Simulation(4);
  const { files } = simulation.environment;
  simulation.slowDisk(20, 5000);
  for (let count = 0; count < 20; count += 1) await simulation.drive(files.list('/'));
  assert.ok(simulation.now > 20_000 && simulation.now < 100_000, String(simulation.now));
  const slowUntil = simulation.now;
  await simulation.drive(files.list('/'));
  assert.ok(simulation.now - slowUntil <= 2);
});

test('the wall clock steps forward and back; timers and the other clock go on', async () => {
  const simulation = new Simulation(1);
  const { clock } = simulation.environment;
  const startedAt = clock.now();
  simulation.stepClock(-86_400_000);
  await simulation.pass(1000);
  assert.equal(clock.now() - startedAt, 1000 - 86_400_000);
  assert.equal(clock.monotonic(), 1000);
  simulation.stepClock(2 * 86_400_000);
  simulation.crash();
  assert.equal(simulation.restart().clock.now() - startedAt, 1000 + 86_400_000);
});

test('work that takes longer than it may is stopped', async () => {
  const simulation = new Simulation(1);
  const waits = async (): Promise<never> => {
    for (;;) await simulation.environment.clock.sleep(1000);
  };
  await assert.rejects(simulation.drive(waits(), 60_000), Deadlock);
  assert.ok(simulation.now < 62_000);
});
