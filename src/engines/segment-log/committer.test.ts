import assert from 'node:assert/strict';
import { packEntries } from '../../kernel/stream/packed-entries.ts';
import { test } from 'node:test';
import { EnvironmentError, type EnvironmentCode } from '../../kernel/errors.ts';
import { nextTurn } from '../../kernel/flow/next-turn.ts';
import { Simulation } from '../../environments/simulated/index.ts';
import type { Environment, OpenFile } from '../../ports/environment.ts';
import { Unavailable, type Appended } from '../../ports/stream-store.ts';
import { withFiles, withOpened } from '../../testing/changed-files.ts';
import { A, B, entry, LogUnderTest } from './log.fixture.ts';

const SEEDS = 20;

function segments(names: readonly string[]): readonly string[] {
  return names.filter((name) => name.startsWith('segment-'));
}

async function list({ simulation }: LogUnderTest): Promise<readonly string[]> {
  return segments(await simulation.drive(simulation.environment.files.list('/data/log')));
}

function numbers(from: number, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `record ${from + index}`);
}

test('a full segment is followed by a new one, and readers cross from file to file', async () => {
  const under = await LogUnderTest.open(new Simulation(1), { segmentBytesMax: 1000 });
  for (const text of numbers(0, 30)) await under.append(under.a, text);
  const names = await list(under);
  assert.ok(names.length > 3);
  assert.deepEqual(
    names,
    names.map((_, index) => `segment-${String(index + 1).padStart(10, '0')}-epoch-1.log`),
  );
  const image = await under.image();
  for (const name of names) assert.ok((image.get(`/data/log/${name}`)?.length ?? Infinity) <= 1000 + 900, name);
  assert.deepEqual(await under.texts(A), numbers(0, 30));
  const again = await LogUnderTest.openImage(image);
  assert.deepEqual(await again.texts(A), numbers(0, 30));
  assert.equal((await list(again)).at(-1), `segment-${String(names.length + 1).padStart(10, '0')}-epoch-2.log`);
});

test('a file that cannot be closed is let go: all of it was confirmed', async () => {
  const simulation = new Simulation(1);
  const environment = withOpened(simulation.environment, (file, mode) => {
    if (mode !== 'create' || !file.path.endsWith('.log')) return file;
    const close = async (): Promise<void> => {
      await file.close();
      throw new EnvironmentError('EIO', 'as the test says');
    };
    return { ...file, close };
  });
  const under = await LogUnderTest.open(simulation, { segmentBytesMax: 1000 }, environment);
  for (const text of numbers(0, 30)) await under.append(under.a, text);
  const count = (await list(under)).length;
  await under.drive(under.log.close());
  assert.deepEqual(under.failures, []);
  const told = simulation.logged.filter(({ event }) => event === 'log.close.failed');
  assert.deepEqual([count > 3, told.length], [true, count]);
  const again = await LogUnderTest.openImage(await under.image());
  assert.deepEqual(await again.texts(A), numbers(0, 30));
});

test('a run that is larger than a segment, or than a usual commit, stays in one piece', async () => {
  const under = await LogUnderTest.open(new Simulation(1), { segmentBytesMax: 10_000 });
  const large = 'x'.repeat(3_000_000);
  await under.append(under.a, large, large);
  await under.append(under.a, 'small');
  assert.deepEqual(
    (await under.texts(A)).map(({ length }) => length),
    [3_000_000, 3_000_000, 5],
  );
  // The cleaner takes away what nobody needs before the disk is looked at.
  await under.simulation.pass(1000);
  const again = await LogUnderTest.openImage(await under.image());
  assert.equal((await again.texts(A)).length, 3);
});

test('segments that nobody needs go, the newest stays, and what is left can be opened', async () => {
  const under = await LogUnderTest.open(new Simulation(1), { segmentBytesMax: 1000 });
  for (const text of numbers(0, 30)) await under.append(under.a, text);
  const before = await list(under);
  await under.drive(under.log.store.trim(A, 30n));
  // The next roll asks retention to look.
  for (const text of numbers(30, 8)) await under.append(under.a, text);
  await under.simulation.pass(1000);
  const after = await list(under);
  assert.ok(!after.includes(before[0] ?? ''), 'the oldest went');
  assert.ok(after.length < before.length);
  assert.deepEqual(await under.texts(A), numbers(30, 8));
  const again = await LogUnderTest.openImage(await under.image());
  assert.equal(again.log.store.bounds(A).end, 38n);
  assert.deepEqual((await again.texts(A)).slice(-8), numbers(30, 8));
});

test('of the appends and readers that one commit concerns, 32 go on in one turn of the loop', async () => {
  const simulation = new Simulation(1);
  const { clock } = simulation.environment;
  const perTurn: number[] = [];
  let told = 0;
  const soon = (run: () => void): void => {
    clock.soon(() => {
      perTurn.push(told);
      told = 0;
      run();
    });
  };
  const environment = { ...simulation.environment, clock: { ...clock, soon } };
  const under = await LogUnderTest.open(simulation, {}, environment);
  const heard = (): void => void (told += 1);
  const never = new AbortController().signal;
  const readers = Array.from({ length: 50 }, async () => await under.log.store.waitForMore(A, 0n, never).then(heard));
  const appends = numbers(0, 100).map(async (text) => await under.a.append(packEntries([entry(text)])).then(heard));
  await under.drive(Promise.all([...appends, ...readers]));
  await under.drive(under.log.close());
  const all = [...perTurn, told];
  assert.equal(Math.max(...all), 32);
  assert.equal(
    all.reduce((sum, count) => sum + count),
    150,
  );
});

test('appends that wait share one write and one sync', async () => {
  const under = await LogUnderTest.open();
  const commits = (): number => under.simulation.metrics.get('log_commits_total{}') ?? 0;
  const before = commits();
  const texts = numbers(0, 100);
  await under.drive(
    Promise.all(
      texts.map(async (text, index) => await (index % 2 === 0 ? under.a : under.b).append(packEntries([entry(text)]))),
    ),
  );
  assert.equal(commits() - before, 1);
  assert.equal(under.simulation.metrics.get('log_pending_bytes{}'), 0, 'nothing waits any more');
  assert.deepEqual(
    await under.texts(A),
    texts.filter((_, index) => index % 2 === 0),
  );
});

test('more bytes than may wait are refused, known not to be stored, and room comes back', async () => {
  const under = await LogUnderTest.open(new Simulation(1), { pendingBytesMax: 2000 });
  const calls = numbers(0, 50);
  const settled = await under.drive(
    Promise.allSettled(calls.map(async (text) => await under.a.append(packEntries([entry(text)])))),
  );
  const stored = calls.filter((_, index) => settled[index]?.status === 'fulfilled');
  assert.ok(stored.length > 5 && stored.length < 50);
  for (const one of settled) if (one.status === 'rejected') assert.ok(one.reason instanceof Unavailable);
  assert.deepEqual(await under.texts(A), stored);
  assert.equal(under.simulation.metrics.get('log_refused_total{"reason":"pending"}'), 50 - stored.length);
  await under.append(under.a, 'after');
  assert.deepEqual(await under.texts(A), [...stored, 'after']);
  await assert.rejects(
    under.drive(under.a.append(packEntries([entry('x'.repeat(3000))]))),
    Unavailable,
    'alone too large',
  );
  assert.deepEqual(under.failures, []);
});

test('the metrics say which mode of sync they were taken in', async () => {
  for (const [sync, label] of [
    [undefined, 'always'],
    ['interval', 'interval'],
    ['none', 'none'],
  ] as const) {
    const { simulation } = await LogUnderTest.open(new Simulation(1), sync === undefined ? {} : { sync });
    const told = [...simulation.metrics.keys()].filter((name) => name.startsWith('log_info'));
    assert.deepEqual(told, [`log_info{"sync":"${label}"}`]);
  }
});

test('a failed sync ends the log once: who was being written is not told that nothing is stored', async () => {
  const under = await LogUnderTest.open();
  await under.append(under.a, 'before');
  under.simulation.failNext('sync', 'EIO');
  const settled = await under.drive(
    (async () => {
      const written = under.a.append(packEntries([entry('in doubt')]));
      // Queued while the commit of the first is at the disk.
      await nextTurn(under.simulation.environment.clock);
      const waiting = under.b.append(packEntries([entry('behind')]));
      return await Promise.allSettled([written, waiting]);
    })(),
  );
  const [doubt, behind] = settled.map((one) => (one.status === 'rejected' ? (one.reason as Error) : undefined));
  assert.ok(doubt instanceof EnvironmentError && !(doubt instanceof Unavailable));
  assert.ok(behind instanceof Unavailable);
  assert.equal(under.failures.length, 1);

  const operations = under.simulation.fileOperations;
  for (const writer of [under.a, under.b])
    await assert.rejects(under.drive(writer.append(packEntries([entry('x')]))), Unavailable);
  await assert.rejects(under.drive(under.log.store.createShards([A], { retentionMs: 1 })), Unavailable);
  assert.equal(under.failures.length, 1, 'told once');
  assert.match(under.log.health().join(), /the log cannot be written/);
  assert.deepEqual(await under.texts(A), ['before'], 'what was durable is still served');
  await under.drive(under.log.close());
  assert.equal(under.simulation.fileOperations, operations, 'nothing is written or synced again');
});

test('who waits for a commit that a failed sync ends waits no longer', async () => {
  const under = await LogUnderTest.open();
  under.simulation.failNext('sync', 'EIO');
  const ends = async (): Promise<string> => {
    const written = under.a.append(packEntries([entry('in doubt')])).catch(() => undefined);
    await nextTurn(under.simulation.environment.clock);
    const opened = under.log.store.open(A, 1n).then(
      () => 'opened',
      () => 'refused',
    );
    await written;
    return await Promise.race([opened, under.simulation.environment.clock.sleep(1000).then(() => 'waits')]);
  };
  assert.notEqual(await under.drive(ends()), 'waits');
  assert.equal(under.failures.length, 1);
});

test('after a failed sync and a power cut the record in doubt is there whole, or not at all', async () => {
  const seen = new Set<string>();
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const under = await LogUnderTest.open(new Simulation(seed));
    await under.append(under.a, 'before');
    under.simulation.failNext('sync', 'EIO');
    await assert.rejects(under.append(under.a, 'in doubt'));
    under.simulation.crash();
    under.simulation.restart();
    const again = await LogUnderTest.open(under.simulation, { epoch: 2 });
    seen.add((await again.texts(A)).join());
    await again.append(again.a, 'after');
    assert.equal((await again.texts(A)).at(-1), 'after');
  }
  assert.deepEqual([...seen].sort(), ['before', 'before,in doubt']);
});

test('a full disk refuses, leaves nothing behind, keeps reading, and takes again what fits', async () => {
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const under = await LogUnderTest.open(new Simulation(seed));
    await under.append(under.a, 'before');
    under.simulation.failNext('write', 'ENOSPC', 'ENOSPC');
    for (const text of ['refused 1', 'refused 2']) {
      await assert.rejects(under.append(under.a, text), Unavailable);
      assert.deepEqual(under.log.health(), ['the disk is full: appends are refused']);
      assert.deepEqual(await under.texts(A), ['before']);
    }
    await under.append(under.a, 'after');
    assert.deepEqual(under.log.health(), []);
    assert.deepEqual(under.failures, []);
    assert.deepEqual(await under.texts(A), ['before', 'after']);
    under.simulation.crash();
    under.simulation.restart();
    const again = await LogUnderTest.open(under.simulation, { epoch: 2 });
    assert.deepEqual(await again.texts(A), ['before', 'after'], `seed ${seed}`);
  }
});

test('what a full disk left of a refused commit does not come back behind a new segment', async () => {
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const simulation = new Simulation(seed);
    const disk = { isFull: false };
    const under = await LogUnderTest.open(
      simulation,
      { segmentBytesMax: 3000 },
      arriving(simulation.environment, disk),
    );
    await under.append(under.a, 'before');
    disk.isFull = true;
    await assert.rejects(under.append(under.a, 'r'.repeat(1500)), Unavailable);
    // Too much for the rest of the segment: the log goes on in another file.
    const larger = 'l'.repeat(2800);
    await under.append(under.a, larger);
    under.simulation.crash();
    under.simulation.restart();
    const again = await LogUnderTest.open(under.simulation, { epoch: 2 });
    assert.deepEqual(await again.texts(A), ['before', larger], `seed ${seed}`);
  }
});

/** The machine whose next write, once `disk` is full, arrives whole and is refused all the same. */
function arriving(environment: Environment, disk: { isFull: boolean }): Environment {
  return withOpened(environment, (file) => ({
    ...file,
    async write(bytes, position) {
      await file.write(bytes, position);
      if (!disk.isFull) return;
      disk.isFull = false;
      throw new EnvironmentError('ENOSPC', 'the last byte was one too many');
    },
  }));
}

/** The machine with a fault in one kind of call, as often as `left` says. */
function failing(
  environment: Environment,
  fault: { code: EnvironmentCode; left: number; on: 'create' | 'truncate' | 'syncDirectory' },
): Environment {
  const fail = (on: string): void => {
    if (fault.on !== on || fault.left === 0) return;
    fault.left -= 1;
    throw new EnvironmentError(fault.code, `${on} fails`);
  };
  const { files } = withOpened(environment, (file) => ({
    ...file,
    truncate: async (length) => {
      fail('truncate');
      await file.truncate(length);
    },
  }));
  return withFiles(environment, {
    open: async (path, mode) => {
      if (mode === 'create') fail('create');
      return await files.open(path, mode);
    },
    syncDirectory: async (path) => {
      fail('syncDirectory');
      await environment.files.syncDirectory(path);
    },
  });
}

/** The machine, and the files of the log that were made and are open; none of them can be removed. */
function noting(environment: Environment, opened: Set<OpenFile>): Environment {
  const kept = withFiles(environment, {
    remove: async (path) => {
      if (path.endsWith('.log')) throw new EnvironmentError('EACCES', 'it stays');
      await environment.files.remove(path);
    },
  });
  return withOpened(kept, (file, mode) => {
    if (mode !== 'create' || !file.path.endsWith('.log')) return file;
    const noted = {
      ...file,
      close: async (): Promise<void> => {
        opened.delete(noted);
        await file.close();
      },
    };
    opened.add(noted);
    return noted;
  });
}

for (const on of ['create', 'syncDirectory'] as const) {
  test(`no room for a new segment (${on}) refuses appends until there is`, async () => {
    const simulation = new Simulation(1);
    const fault = { code: 'ENOSPC' as const, left: 0, on };
    const options = { segmentBytesMax: 1000 };
    const opened = new Set<OpenFile>();
    const environment = failing(simulation.environment, fault);
    const under = await LogUnderTest.open(simulation, options, noting(environment, opened));
    fault.left = 3;
    const stored: string[] = [];
    for (const text of numbers(0, 40)) {
      try {
        await under.append(under.a, text);
        stored.push(text);
      } catch (error) {
        assert.ok(error instanceof Unavailable);
      }
    }
    assert.deepEqual([stored.length, fault.left], [37, 0]);
    assert.equal(simulation.metrics.get('log_pending_bytes{}'), 0);
    assert.equal(opened.size, 1, 'no file is made anew, nor stays open');
    assert.deepEqual(under.failures, []);
    assert.deepEqual(await under.texts(A), stored);
    const again = await LogUnderTest.openImage(await under.image());
    assert.deepEqual(again.log.health(), []);
    assert.deepEqual(await again.texts(A), stored);
  });
}

test('when what arrived of a refused commit cannot be taken back, the log ends', async () => {
  const simulation = new Simulation(1);
  const fault = { code: 'EIO' as const, left: 0, on: 'truncate' as const };
  const under = await LogUnderTest.open(simulation, {}, failing(simulation.environment, fault));
  await under.append(under.a, 'before');
  fault.left = 1;
  simulation.failNext('write', 'ENOSPC');
  await assert.rejects(under.append(under.a, 'in doubt'), (error) => !(error instanceof Unavailable));
  assert.equal(under.failures.length, 1);
});

test('a write that fails for another reason than room ends the log', async () => {
  const under = await LogUnderTest.open();
  under.simulation.failNext('write', 'EIO');
  await assert.rejects(under.append(under.a, 'in doubt'), (error) => !(error instanceof Unavailable));
  assert.equal(under.failures.length, 1);
  await assert.rejects(under.append(under.b, 'x'), Unavailable);
});

test('closing writes what waits; later calls are refused', async () => {
  const under = await LogUnderTest.open();
  const appended: Promise<Appended>[] = numbers(0, 10).map(
    async (text) => await under.a.append(packEntries([entry(text)])),
  );
  await under.drive(under.log.close());
  assert.equal((await under.drive(Promise.all(appended))).length, 10);
  await assert.rejects(under.drive(under.a.append(packEntries([entry('late')]))), Unavailable);
  await assert.rejects(under.texts(A), Unavailable);
  const again = await LogUnderTest.openImage(await under.image());
  assert.deepEqual(await again.texts(A), numbers(0, 10));
  assert.deepEqual(await again.texts(B), []);
});
