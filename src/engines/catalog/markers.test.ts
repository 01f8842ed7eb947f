import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import * as fc from 'fast-check';
import { Simulation } from '../../environments/simulated/index.ts';
import type { CommandLog, LoggedCommand } from '../../ports/command-log.ts';
import type { Clock, Environment } from '../../ports/environment.ts';
import type { Offset } from '../../ports/stream-store.ts';
import { MemoryCommandLog } from '../../testing/memory-command-log.ts';
import { quietEnvironment } from '../../testing/quiet-environment.ts';
import { Snapshots } from '../segment-log/snapshots.ts';
import { bytesOf, foldUpTo, markersIn, partsOf, restored, settled, textAt, tickingClock } from './catalog.fixture.ts';
import { turns } from './catalog.fixture.ts';
import { decodeCommand } from './command.ts';
import { openCatalog, type CatalogOptions, type OpenCatalog } from './index.ts';
import { CatalogState } from './model.ts';
import { SnapshotWriter } from './snapshot-writer.ts';

const EVERY = { snapshotEvery: 20 };

function setUp(log = new MemoryCommandLog({ now: () => 0 })): {
  readonly log: MemoryCommandLog;
  readonly open: (name: string, options?: CatalogOptions) => Promise<OpenCatalog>;
} {
  return { log, open: async (name, options = EVERY) => await openCatalog(log, quietEnvironment(name), options) };
}

function on(clock: Clock, name: string): Environment {
  return Object.create(quietEnvironment(name), { clock: { value: clock } }) as Environment;
}

/** Puts, removes and leases among a few keys, so that much of the state changes between two markers. */
async function work(catalog: OpenCatalog, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    const key = `k/${(round * 7) % 30}`;
    if (round % 5 === 4) await catalog.propose([{ key, remove: true }]);
    else if (round % 11 === 3) await catalog.propose([{ key: `lease/${round}`, lease: { owner: 'me', ttlMs: 50 } }]);
    else await catalog.propose([{ key, put: { round, text: 'ä'.repeat(round % 9) } }]);
    await turns(1);
  }
}

function digestOf(bytes: Uint8Array): string {
  return (JSON.parse(Buffer.from(bytes).toString().trimEnd().split('\n').at(-1) ?? '') as { sha256: string }).sha256;
}

test('what stands at a marker is the same bytes for the writer, for others, from the start and from a snapshot', async () => {
  const { log, open } = setUp();
  const one = await open('one');
  const two = await open('two');
  await Promise.all([work(one, 90), work(two, 90)]);
  await settled(log);
  await Promise.all([one.close(), two.close()]);
  const markers = markersIn(log);
  assert.ok(markers.length > 6);
  const saved = log.snapshots.toSorted((left, right) => Number(left.at - right.at));
  assert.deepEqual(
    saved.map(({ at }) => at),
    markers,
  );
  for (const [index, { at, bytes }] of saved.entries()) {
    assert.equal(Buffer.from(bytes).toString(), await textAt(log, at), `from the start to ${at}`);
    const before = saved[index - 1];
    if (before === undefined) continue;
    const state = foldUpTo(log, at, await restored(before.bytes));
    assert.deepEqual(await bytesOf(state.freeze()), bytes, `from the snapshot before ${at}`);
  }
});

test('a marker carries the hash of the snapshot before it', async () => {
  const { log, open } = setUp();
  const catalog = await open('one');
  await work(catalog, 70);
  await settled(log);
  await catalog.close();
  const markers = log.commands().flatMap(({ bytes }) => decodeCommand(bytes).marker ?? []);
  assert.deepEqual(markers[0], {});
  for (const [index, { previous }] of markers.slice(1).entries()) {
    const { at, bytes } = log.snapshots[index] ?? assert.fail('fewer snapshots than markers');
    assert.deepEqual(previous, { at, format: 3, hash: digestOf(bytes) });
  }
  const later = await open('later');
  await later.propose([{ key: 'a', put: 1 }]);
  await later.close();
  const last = decodeCommand(log.commands().at(-1)?.bytes ?? assert.fail('no command')).marker;
  assert.equal(last?.previous?.hash, digestOf(log.snapshots.at(-2)?.bytes ?? assert.fail('no snapshot')));
});

/** The log as a reader sees it that takes a letter of one command for another. */
function misread(log: MemoryCommandLog, wrong: Offset): CommandLog {
  return {
    append: (commands) => log.append(commands),
    end: () => log.end(),
    saveSnapshot: (at, parts) => log.saveSnapshot(at, parts),
    loadSnapshot: () => log.loadSnapshot(),
    trim: (before) => log.trim(before),
    async *tail(from, signal) {
      for await (const batch of log.tail(from, signal)) {
        yield batch.map((command) => (command.offset === wrong ? changed(command) : command));
      }
    },
  };
}

function changed(command: LoggedCommand): LoggedCommand {
  const text = Buffer.from(command.bytes).toString();
  assert.match(text, /"round"/);
  return { ...command, bytes: Buffer.from(text.replace('"round"', '"rounD"')) };
}

test('who folded something else stops at the next marker, decides nothing more and stores nothing', async () => {
  const { log, open } = setUp();
  const one = await open('one');
  await work(one, 25);
  await settled(log);
  const [first] = markersIn(log);
  const failures: string[] = [];
  const two = await openCatalog(misread(log, 28n), quietEnvironment('two'), {
    snapshotEvery: 1_000_000,
    onFailure: (error) => failures.push(error.message),
  });
  await work(one, 22);
  await settled(log);
  assert.equal(markersIn(log).length, 2);
  assert.deepEqual(failures, [], 'the marker right behind says nothing about itself yet');
  await work(one, 22);
  await settled(log);
  await turns(5);
  assert.deepEqual([first, markersIn(log)[1]], [21n, 42n]);
  assert.equal(failures.length, 1);
  assert.match(failures.join('\n'), /up to command 42 is not what the writer of a marker found there/);
  await assert.rejects(two.propose([{ key: 'k/1', put: 1 }]), { name: 'Unavailable' });
  await assert.rejects(two.sync(), { name: 'Unavailable' });
  await two.close();
  await work(one, 25);
  await one.close();
  const saved = log.snapshots.map(({ at }) => at);
  assert.deepEqual(saved, markersIn(log), 'the writer of the markers goes on');
});

test('folding goes on while a snapshot is stored, and shows nothing of it there', async () => {
  const { log, open } = setUp();
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  const save = log.saveSnapshot.bind(log);
  log.saveSnapshot = async (at, parts) => {
    await held;
    await save(at, parts);
  };
  const catalog = await open('one');
  await work(catalog, 100);
  assert.equal(catalog.get('k/25')?.revision !== undefined, true);
  assert.deepEqual(log.snapshots, []);
  assert.equal(markersIn(log).length, 1, 'no second marker before the first has its snapshot');
  release();
  await settled(log);
  const [{ at, bytes } = assert.fail('no snapshot')] = log.snapshots;
  assert.equal(Buffer.from(bytes).toString(), await textAt(log, at));
  await work(catalog, 1);
  await settled(log);
  assert.equal(log.snapshots.length, 2);
  await catalog.close();
});

test('markers of others that come faster than they can be looked at hold the fold, not the memory', async () => {
  const { log, open } = setUp();
  const gate: (() => void)[] = [];
  const clock = { ...tickingClock(0), soon: (run: () => void) => void gate.push(run) };
  const reader = await openCatalog(log, on(clock, 'reader'));
  const writer = await open('writer', { snapshotEvery: 2 });
  for (let round = 1; round <= 20; round += 1) {
    await writer.propose([{ key: 'round', put: round }]);
    await settled(log);
  }
  const markers = markersIn(log);
  assert.ok(markers.length > 8);
  const upToFourth = foldUpTo(log, markers[3] ?? 0n);
  assert.deepEqual(reader.get('round'), upToFourth.entries.get('round'), 'the fifth is not folded while four wait');
  const opening = setInterval(() => {
    for (const run of gate.splice(0)) run();
  }, 1);
  await reader.sync();
  assert.equal(reader.get('round')?.value, 20);
  await Promise.all([reader.close(), writer.close()]);
  clearInterval(opening);
});

test('a snapshot that was not stored costs the trim alone: its hash is known, the next marker stores again', async () => {
  const { log, open } = setUp();
  const save = log.saveSnapshot.bind(log);
  const failing: Error[] = [new Error('the disk is full')];
  log.saveSnapshot = async (at, parts) => {
    const failure = failing.pop();
    if (failure !== undefined) throw failure;
    await save(at, parts);
  };
  const catalog = await open('one');
  await work(catalog, 25);
  await turns(5);
  await work(catalog, 25);
  await catalog.close();
  const [first, second] = markersIn(log);
  const markers = log.commands().flatMap(({ bytes }) => decodeCommand(bytes).marker ?? []);
  assert.equal(markers[1]?.previous?.at, first);
  assert.equal(markers[1]?.previous?.hash, digestOf(await bytesOf(foldUpTo(log, first ?? 0n).freeze())));
  assert.deepEqual(log.snapshots.map(({ at }) => at).slice(0, 1), [second]);
});

test('the more entries, the rarer are the markers', async () => {
  const { log, open } = setUp();
  const catalog = await open('one', { snapshotEvery: 1 });
  const ops = Array.from({ length: 400 }, (_, index) => ({ key: `k/${index}`, put: index }));
  await catalog.propose(ops);
  await settled(log);
  const before = markersIn(log).length;
  for (let round = 0; round < 250; round += 1) {
    await catalog.propose([{ key: 'k/1', put: round }]);
    await settled(log);
  }
  assert.equal(markersIn(log).length - before, 2, '400 entries: one for each 100 commands');
  await catalog.close();
});

test('a turn ends by its time, and by its bytes; one large entry is a turn of its own', async () => {
  const state = new CatalogState();
  for (let index = 0; index < 100; index += 1) {
    state.entries.set({ key: `k/${String(index).padStart(3, '0')}`, revision: 1n, value: index });
  }
  const frozen = state.freeze();
  const lines = (parts: readonly Buffer[]): number[] => parts.map((part) => part.toString().split('\n').length - 1);
  // 2 ms for a turn, a look at the clock with each line: head, entries and the hash are 102 lines.
  assert.deepEqual(lines(await partsOf(frozen, tickingClock(0))), [102]);
  const quick = lines(await partsOf(frozen, tickingClock(0.1)));
  assert.ok(quick.length >= 5 && quick.every((count) => count <= 21), quick.join());
  const slow = lines(await partsOf(frozen, tickingClock(5)));
  assert.deepEqual(new Set(slow.slice(0, -1)), new Set([1]));
  state.entries.set({ key: 'k/050', revision: 1n, value: 'x'.repeat(1_000_000) });
  const large = await partsOf(state.freeze(), tickingClock(0));
  assert.equal(large.length, 2);
  assert.deepEqual(Buffer.concat(large), await bytesOf(state.freeze()));
});

test('loading and folding let others go on, too', async () => {
  const { log, open } = setUp();
  const writer = await open('one', { snapshotEvery: 1_000_000 });
  const put = 'x'.repeat(100);
  const puts = Array.from({ length: 3000 }, async (_, index) => await writer.propose([{ key: `k/${index}`, put }]));
  await Promise.all(puts);
  let passed = 0;
  const clock = tickingClock(1, () => (passed += 1));
  const reader = await openCatalog(log, on(clock, 'reader'));
  assert.ok(passed > 1000, `${passed} turns for 3,000 commands of 1 ms each`);
  await reader.close();
  await writer.close();
  passed = 0;
  const again = await openCatalog(log, on(clock, 'again'));
  assert.equal(again.list('k/').length, 3000);
  assert.ok(passed >= 8, `${passed} turns for 350 KB in steps of 16 KB and 1 ms`);
  await again.close();
});

test('a snapshot file of the first format is opened as it was stored', async () => {
  const simulation = new Simulation(1);
  const { files } = simulation.environment;
  const stored = await simulation.drive(
    (async () => {
      await files.makeDirectory('/catalog');
      const file = await files.open('/catalog/snapshot-00000000000000000007.bin', 'create');
      await file.write(readFileSync('test/fixtures/catalog-snapshot-format-1.bin'), 0);
      await file.close();
      return await new Snapshots(simulation.environment, '/catalog').load();
    })(),
  );
  const { at, bytes } = stored ?? assert.fail('not loaded');
  const state = await restored(bytes);
  assert.equal(at, 7n);
  assert.equal(state.next, 7n);
  assert.deepEqual(
    state.entries.under('').map(({ key, revision }) => `${key} ${revision}`),
    [
      'counter/generation 2',
      'delivery-position/archive 5',
      'delivery/archive 3',
      'stream/orders 1',
      'stream/payments 2',
    ],
  );
  assert.deepEqual(state.entries.get('counter/generation'), { key: 'counter/generation', revision: 2n, value: 2 });
  // What is stored next is of the newer format, and of the same content.
  const again = await restored(await bytesOf(state.freeze()));
  assert.deepEqual(again.entries.under(''), state.entries.under(''));
});

test('any batching of the same log gives the same bytes at each place', async () => {
  const { log, open } = setUp();
  const catalog = await open('one', { snapshotEvery: 1_000_000 });
  await work(catalog, 60);
  await catalog.close();
  const end = log.commands().length;
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 10 }), fc.nat(end), async (sizes, stop) => {
      let state = new CatalogState();
      let next = 0;
      for (const size of sizes) {
        next = Math.min(next + size, stop);
        foldUpTo(log, BigInt(next), state);
        state = await restored(await bytesOf(state.freeze()));
      }
      foldUpTo(log, BigInt(stop), state);
      assert.equal((await bytesOf(state.freeze())).toString(), await textAt(log, BigInt(stop)));
    }),
    { seed: 1, numRuns: 50 },
  );
});

test('once it differs from others, nothing that waits is stored', async () => {
  const { log, open } = setUp();
  const catalog = await open('one');
  await work(catalog, 30);
  await settled(log);
  await catalog.close();
  const [{ at } = assert.fail('no snapshot')] = log.snapshots;
  const digest = { at, format: 2, hash: 'of this process' };
  const failures: string[] = [];
  const loaded = { at, digest };
  const stored = log.snapshots.length;
  const writer = new SnapshotWriter(log, quietEnvironment('two'), loaded, ({ message }) => failures.push(message));
  const frozen = foldUpTo(log, at + 5n).freeze();
  writer.take({ marker: { previous: { ...digest, format: 3, hash: 'other' } }, frozen, isOwn: true });
  writer.take({ marker: { previous: { ...digest, at: at - 1n, hash: 'other' } }, frozen, isOwn: true });
  await writer.idle();
  assert.deepEqual(failures, [], 'other formats and places tell nothing');
  assert.equal(log.snapshots.length, stored + 2);
  writer.take({ marker: { previous: { ...digest, hash: 'other' } }, frozen, isOwn: true });
  writer.take({ marker: {}, frozen, isOwn: true });
  await writer.idle();
  assert.equal(failures.length, 1);
  assert.equal(log.snapshots.length, stored + 2);
});
