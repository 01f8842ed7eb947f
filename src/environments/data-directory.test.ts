import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test, type TestContext } from 'node:test';
import type { Environment } from '../ports/environment.ts';
import { claimDataDirectory } from './data-directory.ts';
import { createNodeEnvironment } from './node/index.ts';
import { Simulation } from './simulated/index.ts';

const STARTERS = 50;
const SEEDS = 100;
const IN_USE = { name: 'EnvironmentError', code: 'EADDRINUSE' };

const real = createNodeEnvironment({ log: 'silent' });

async function temporary(context: TestContext, name = 'data'): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'millrace-claim-'));
  context.after(async () => await rm(root, { recursive: true, force: true }));
  return join(root, name);
}

/** Waits until the test says so, claims, tells how that went, and keeps what it has until its input ends. */
const STARTER = `
const { claimDataDirectory } = await import(${JSON.stringify(new URL('data-directory.js', import.meta.url).href)});
const { createNodeEnvironment } = await import(${JSON.stringify(new URL('node/index.js', import.meta.url).href)});
const environment = createNodeEnvironment({ log: 'silent' });
console.log('here');
await new Promise((resolve) => process.stdin.once('data', resolve));
try {
  const { epoch } = await claimDataDirectory(environment, process.argv[1]);
  console.log('won ' + epoch);
  process.stdin.on('end', () => process.exit(0));
} catch (error) {
  console.log('lost ' + error.code);
  process.exit(0);
}
`;

/** One starter in a process of its own. */
class Starter {
  readonly #process: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #ended: Promise<unknown>;

  constructor(directory: string) {
    this.#process = spawn(process.execPath, ['--input-type=module', '-e', STARTER, directory], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#ended = once(this.#process, 'exit');
    this.#lines = createInterface({ input: this.#process.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
  }

  /** `here`, then `won EPOCH` or `lost CODE`. */
  async line(): Promise<string> {
    return String((await this.#lines.next()).value);
  }

  go(): void {
    this.#process.stdin?.write('go\n');
  }

  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#ended;
  }
}

/** All at once; resolves with what each said. */
async function race(starters: readonly Starter[]): Promise<readonly string[]> {
  await Promise.all(starters.map(async (starter) => assert.equal(await starter.line(), 'here')));
  for (const starter of starters) starter.go();
  return await Promise.all(starters.map(async (starter) => await starter.line()));
}

/** Whether exactly this epoch owns the directory: its mark and files are the only ones, and its socket answers. */
async function assertOwned(directory: string, epoch: number): Promise<void> {
  const names = (await readdir(directory)).filter((name) => name.startsWith('owner-'));
  assert.deepEqual(names, [`owner-${epoch}`]);
  assert.equal(await real.network.answers(`${directory}/lock-${epoch}`), true);
}

test('of 50 processes that race over a killed owner’s socket one wins, and of 50 more none', async (context) => {
  const directory = await temporary(context);
  const all: Starter[] = [];
  context.after(async () => await Promise.all(all.map(async (starter) => await starter.kill())));
  const start = (count: number): readonly Starter[] => {
    const fresh = Array.from({ length: count }, () => new Starter(directory));
    all.push(...fresh);
    return fresh;
  };

  const [killed] = start(1);
  assert.ok(killed !== undefined);
  assert.deepEqual(await race([killed]), ['won 1']);
  await killed.kill();
  assert.deepEqual((await readdir(directory)).sort(), ['epoch-1', 'lock-1', 'owner-1'], 'a killed owner leaves all');
  assert.equal(await real.network.answers(`${directory}/lock-1`), false);

  const first = await race(start(STARTERS));
  const won = first.filter((line) => line.startsWith('won '));
  assert.equal(won.length, 1, first.join(', '));
  assert.deepEqual(new Set(first.filter((line) => !line.startsWith('won '))), new Set(['lost EADDRINUSE']));
  const epoch = Number(won[0]?.split(' ')[1]);
  assert.ok(epoch > 1);
  await assertOwned(directory, epoch);

  const second = await race(start(STARTERS));
  assert.deepEqual(new Set(second), new Set(['lost EADDRINUSE']));
  await assertOwned(directory, epoch);
  assert.deepEqual(
    (await readdir(directory)).sort(),
    [`epoch-${epoch}`, `lock-${epoch}`, `owner-${epoch}`],
    'those who lost leave nothing',
  );
});

test('whoever holds a directory keeps it; who releases it hands it on under a higher epoch', async (context) => {
  const directory = await temporary(context);
  const first = await claimDataDirectory(real, directory);
  await assert.rejects(claimDataDirectory(real, directory), IN_USE);
  await assertOwned(directory, first.epoch);
  await first.release();
  const second = await claimDataDirectory(real, directory);
  assert.ok(second.epoch > first.epoch);
  await assertOwned(directory, second.epoch);
  await second.release();
});

test('the path of a directory may be longer than a socket’s path can be', async (context) => {
  const directory = await temporary(context, 'deep/'.repeat(40));
  const claim = await claimDataDirectory(real, directory);
  await assert.rejects(claimDataDirectory(real, directory), IN_USE);
  await claim.release();
  await (await claimDataDirectory(real, directory)).release();
});

test('a file where the directory should be is said', async (context) => {
  const directory = await temporary(context, 'data');
  await writeFile(directory, '');
  for (const path of [directory, `${directory}/below`]) {
    const message = `${path} cannot be a data directory: there is a file on its way`;
    await assert.rejects(claimDataDirectory(real, path), { code: 'EEXIST', message });
  }
});

/** Several claims at once on the simulated machine; resolves with how many won. */
async function contend(environment: Environment, starters: number): Promise<number> {
  const claims = Array.from({ length: starters }, async (_, index) => {
    await environment.clock.sleep(environment.random.fraction() * index);
    return await claimDataDirectory(environment, '/data');
  });
  const settled = await Promise.allSettled(claims);
  for (const one of settled) {
    if (one.status === 'rejected') assert.equal((one.reason as { code?: unknown }).code, 'EADDRINUSE');
  }
  return settled.filter(({ status }) => status === 'fulfilled').length;
}

test(`one of several wins, in every order of their steps, over ${SEEDS} seeds and a power cut`, async () => {
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const simulation = new Simulation(seed);
    const starters = 2 + simulation.random.below(7);
    assert.equal(await simulation.drive(contend(simulation.environment, starters)), 1, `seed ${seed}`);
    assert.equal(await simulation.drive(contend(simulation.environment, starters)), 0, `seed ${seed}, owned`);
    simulation.crash();
    const environment = simulation.restart();
    assert.equal(await simulation.drive(contend(environment, starters)), 1, `seed ${seed}, after a power cut`);
  }
});

test('an epoch file is there before its number can be used again, also after a power cut', async () => {
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const simulation = new Simulation(seed);
    await simulation.drive(simulation.environment.files.makeDirectory('/data'));
    await simulation.drive(simulation.environment.files.syncDirectory('/'));
    const { epoch } = await simulation.drive(claimDataDirectory(simulation.environment, '/data'));
    simulation.crash();
    const next = await simulation.drive(claimDataDirectory(simulation.restart(), '/data'));
    assert.ok(next.epoch > epoch, `seed ${seed}: ${next.epoch} after ${epoch}`);
  }
});
