import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Deadlock, SimulatedCrash, Simulation } from './index.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

async function write(simulation: Simulation, path: string, text: string, options: { sync: boolean }): Promise<void> {
  const { files } = simulation.environment;
  const file = await files.open(path, 'create');
  await file.write(bytes(text), 0);
  if (options.sync) await file.sync();
}

test('virtual time passes without waiting, timers run in order', async () => {
  const simulation = new Simulation(1);
  const seen: string[] = [];
  const { clock } = simulation.environment;
  clock.timer(3_600_000, () => seen.push('hour'));
  clock.timer(1000, () => seen.push('second'));
  clock.timer(500, () => seen.push('never'))();
  clock.soon(() => seen.push('soon'));
  await simulation.pass(4_000_000);
  assert.deepEqual(seen, ['soon', 'second', 'hour']);
  assert.equal(simulation.now, 4_000_000);
});

test('work that nothing will ever end is a deadlock', async () => {
  await assert.rejects(new Simulation(1).drive(new Promise(() => undefined)), Deadlock);
});

test('synced bytes under a synced name survive every crash', async () => {
  for (let seed = 0; seed < 50; seed += 1) {
    const simulation = new Simulation(seed);
    const { files } = simulation.environment;
    await simulation.drive(files.makeDirectory('/d'));
    await simulation.drive(files.syncDirectory('/'));
    await simulation.drive(write(simulation, '/d/a', 'kept', { sync: true }));
    await simulation.drive(files.syncDirectory('/d'));
    simulation.crash();
    const after = simulation.restart();
    assert.equal(Buffer.from(await simulation.drive(after.files.readFile('/d/a'))).toString(), 'kept');
  }
});

test('unsynced bytes, unsynced names are kept in some crashes and lost in others', async () => {
  const outcomes = new Set<string>();
  for (let seed = 0; seed < 80; seed += 1) {
    const simulation = new Simulation(seed);
    await simulation.drive(write(simulation, '/a', 'x'.repeat(2000), { sync: false }));
    simulation.crash();
    const { files } = simulation.restart();
    const size = await simulation.drive(files.size('/a'));
    if (size === undefined) outcomes.add('name lost');
    else outcomes.add(size === 0 ? 'bytes lost' : size === 2000 ? 'kept' : 'torn');
  }
  assert.deepEqual([...outcomes].sort(), ['bytes lost', 'kept', 'name lost', 'torn']);
});

test('a rename is whole or not at all', async () => {
  const seen = new Set<string>();
  for (let seed = 0; seed < 50; seed += 1) {
    const simulation = new Simulation(seed);
    await simulation.drive(write(simulation, '/a', 'new', { sync: true }));
    await simulation.drive(simulation.environment.files.syncDirectory('/'));
    await simulation.drive(simulation.environment.files.rename('/a', '/b'));
    simulation.crash();
    seen.add((await simulation.drive(simulation.restart().files.list('/'))).join());
  }
  assert.deepEqual([...seen].sort(), ['a', 'b']);
});

test('the power can be cut at any file operation, and the old life never completes', async () => {
  const simulation = new Simulation(7);
  simulation.crashAfterFileOperations(2);
  let completed = false;
  const old = write(simulation, '/a', 'x', { sync: true }).then(() => {
    completed = true;
  });
  await assert.rejects(simulation.drive(old), SimulatedCrash);
  simulation.restart();
  await simulation.pass(10_000);
  assert.equal(completed, false);
});

test('faults come as asked', async () => {
  const simulation = new Simulation(3);
  simulation.failNext('write', 'ENOSPC');
  simulation.failNext('sync', 'EIO');
  await assert.rejects(simulation.drive(write(simulation, '/a', 'x', { sync: true })), { code: 'ENOSPC' });
  await assert.rejects(simulation.drive(write(simulation, '/b', 'x', { sync: true })), { code: 'EIO' });
  await simulation.drive(write(simulation, '/c', 'x', { sync: true }));
});

test('the same seed gives the same run', async () => {
  const run = async (seed: number): Promise<string> => {
    const simulation = new Simulation(seed);
    const work = ['/a', '/b', '/c'].map(async (path) => {
      await write(simulation, path, path.repeat(300), { sync: path !== '/b' });
      return simulation.now;
    });
    const times = await simulation.drive(Promise.all(work));
    simulation.crash();
    const { files, random } = simulation.restart();
    const names = await simulation.drive(files.list('/'));
    return JSON.stringify([times, names, random.uuid()]);
  };
  assert.equal(await run(5), await run(5));
  assert.notEqual(await run(5), await run(6));
});

test('gzip gives one member', async () => {
  const { gunzipSync } = await import('node:zlib');
  const { compute } = new Simulation(1).environment;
  const out: Uint8Array[] = [];
  const input = (async function* (): AsyncGenerator<Uint8Array> {
    yield bytes('a');
    yield bytes('b');
  })();
  for await (const chunk of compute.gzip(input)) out.push(chunk);
  assert.equal(gunzipSync(Buffer.concat(out)).toString(), 'ab');
});
