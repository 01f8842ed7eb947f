import assert from 'node:assert/strict';
import test from 'node:test';
import { MemoryCommandLog, type CommandFault } from '../../testing/memory-command-log.ts';
import { quietEnvironment } from '../../testing/quiet-environment.ts';
import { markersIn, settled, textAt, turns } from './catalog.fixture.ts';
import { openCatalog, type OpenCatalog } from './index.ts';

function setUp(): { readonly log: MemoryCommandLog; readonly environment: ReturnType<typeof quietEnvironment> } {
  const environment = quietEnvironment();
  return { environment, log: new MemoryCommandLog(environment.clock) };
}

async function textOf(catalog: OpenCatalog): Promise<string> {
  await catalog.sync();
  return Buffer.from((await catalog.snapshot()).bytes).toString();
}

/** Adds one to `counter` by expected revision until it wins; returns the revisions it won. */
async function count(catalog: OpenCatalog, times: number): Promise<bigint[]> {
  const won: bigint[] = [];
  while (won.length < times) {
    const entry = catalog.get('counter');
    const value = ((entry?.value as number | undefined) ?? 0) + 1;
    const verdict = await catalog.propose([{ key: 'counter', expect: entry?.revision ?? null, put: value }]);
    if (verdict.accepted) won.push(verdict.revision);
  }
  return won;
}

/** Faults by a fixed sequence that looks like chance. */
function faults(seed: number, share: number): () => CommandFault {
  let state = seed;
  const kinds: readonly CommandFault[] = ['unanswered', 'doubled', 'lost', 'unanswered'];
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state % 100 < share ? kinds[state % kinds.length] : undefined;
  };
}

test('answers a proposal once it is folded, and shows it at once', async () => {
  const { log, environment } = setUp();
  const catalog = await openCatalog(log, environment);
  const seen: string[] = [];
  const end = catalog.watch('stream/', (key) => seen.push(`${key} ${JSON.stringify(catalog.get(key)?.value)}`));
  const verdict = await catalog.propose([
    { key: 'stream/b', expect: null, put: 1 },
    { key: 'other', put: 2 },
  ]);
  assert.ok(verdict.accepted);
  assert.deepEqual(catalog.get('stream/b'), { key: 'stream/b', revision: verdict.revision, value: 1 });
  assert.deepEqual(await catalog.propose([{ key: 'stream/b', expect: null, put: 3 }]), {
    accepted: false,
    conflicts: ['stream/b'],
  });
  await catalog.propose([{ key: 'stream/a', put: 4 }]);
  await catalog.propose([{ key: 'stream/b', remove: true }]);
  assert.deepEqual(
    catalog.list('stream/').map(({ key }) => key),
    ['stream/a'],
  );
  end();
  await catalog.propose([{ key: 'stream/c', put: 5 }]);
  assert.deepEqual(seen, ['stream/b 1', 'stream/a 4', 'stream/b undefined']);
  await catalog.close();
});

test('calls of one turn share an append', async () => {
  const { log, environment } = setUp();
  let appends = 0;
  log.fault = () => {
    appends += 1;
    return undefined;
  };
  const waiting: number[] = [];
  const gauge = (_name: string, _labels: object, value: number): void => void waiting.push(value);
  const meter = { value: { ...environment.meter, gauge } };
  const catalog = await openCatalog(log, Object.create(environment, { meter }) as typeof environment);
  const verdicts = await Promise.all(
    Array.from({ length: 1200 }, async (_, index) => await catalog.propose([{ key: `k/${index}`, put: index }])),
  );
  assert.ok(verdicts.every((verdict) => verdict.accepted));
  assert.equal(catalog.list('k/').length, 1200);
  assert.equal(appends, 4, 'one opens the session, three carry 1,200 proposals');
  assert.equal(Math.max(...waiting), 1200);
  assert.equal(waiting.at(-1), 0, 'nothing waits any more');
  await catalog.close();
});

test('two catalogs race for one key: one winner for each revision, equal bytes', async () => {
  for (const share of [0, 30]) {
    const { log } = setUp();
    log.fault = faults(7, share);
    const one = await openCatalog(log, quietEnvironment('one'));
    const two = await openCatalog(log, quietEnvironment('two'));
    const [wonByOne, wonByTwo] = await Promise.all([count(one, 100), count(two, 100)]);
    assert.equal(new Set([...wonByOne, ...wonByTwo]).size, 200);
    assert.equal(await textOf(one), await textOf(two));
    assert.equal(one.get('counter')?.value, 200);
    const late = await openCatalog(log, quietEnvironment('late'));
    assert.equal(await textOf(late), await textOf(one), 'who replays the log later holds the same bytes');
    await Promise.all([one.close(), two.close(), late.close()]);
  }
});

test('copies of commands in the log change nothing', async () => {
  const { log, environment } = setUp();
  const catalog = await openCatalog(log, environment);
  await catalog.propose([{ key: 'a', put: 1 }]);
  const copies = log.commands().map(({ bytes }) => bytes);
  await catalog.propose([{ key: 'a', put: 2 }]);
  log.place(copies);
  await catalog.sync();
  assert.equal(catalog.get('a')?.value, 2);
  await catalog.close();
  log.place(copies);
  const later = await openCatalog(log, environment);
  assert.equal(later.get('a')?.value, 2, 'also once their session ended');
  await later.close();
});

test('what is known not to be written is refused, what is not known is repeated', async () => {
  const { log, environment } = setUp();
  const catalog = await openCatalog(log, environment);
  const script: CommandFault[] = ['refused'];
  log.fault = () => script.shift();
  await assert.rejects(catalog.propose([{ key: 'a', put: 1 }]), { name: 'Unavailable' });
  assert.ok((await catalog.propose([{ key: 'a', expect: null, put: 2 }])).accepted);
  script.push('refused');
  await assert.rejects(catalog.propose([{ key: 'a', put: 3 }]), { name: 'Unavailable' });
  script.push('lost', 'refused', 'unanswered');
  const verdict = await catalog.propose([{ key: 'b', expect: null, put: 4 }]);
  assert.ok(verdict.accepted, 'a refusal after an unknown outcome says nothing about the first try');
  assert.equal(catalog.get('a')?.value, 2);
  await catalog.close();
});

test('a session forgotten by the log is opened again', async () => {
  const { log, environment } = setUp();
  const quiet = await openCatalog(log, environment);
  const busy = await openCatalog(log, quietEnvironment('busy'));
  await quiet.propose([{ key: 'a', put: 1 }]);
  environment.advance(30 * 3_600_000);
  await busy.propose([{ key: 'b', put: 1 }]);
  await busy.propose([{ key: 'b', put: 2 }]);
  const verdicts = await Promise.all([1, 2, 3].map(async (value) => await quiet.propose([{ key: 'a', put: value }])));
  assert.ok(verdicts.every(({ accepted }) => accepted));
  assert.equal(quiet.get('a')?.value, 3, 'in the order of the calls');
  await Promise.all([quiet.close(), busy.close()]);
});

test('snapshots stand at markers; the log is trimmed below the one before', async () => {
  const { log, environment } = setUp();
  let catalog = await openCatalog(log, environment, { snapshotEvery: 10 });
  for (let value = 0; value < 25; value += 1) {
    await catalog.propose([{ key: `k/${value % 7}`, put: value }]);
    await settled(log);
  }
  await catalog.close();
  const before = await textAt(log, BigInt(log.commands().length));
  assert.deepEqual(
    log.snapshots.map(({ at }) => at),
    markersIn(log),
  );
  assert.deepEqual(markersIn(log), [11n, 22n, 29n]);
  assert.equal(log.trimmedBelow, 22n);
  for (const { at, bytes } of log.snapshots) assert.equal(Buffer.from(bytes).toString(), await textAt(log, at));
  for (const snapshot of log.snapshots.splice(0, 3).slice(1)) {
    log.snapshots.splice(0, 1, snapshot);
    catalog = await openCatalog(log, environment);
    assert.equal(await textOf(catalog), before);
    await catalog.close();
  }
  assert.equal(log.snapshots.length, 1, 'nothing new, no new snapshot');
});

test('a snapshot that cannot be stored costs nothing but a warning', async () => {
  const { log, environment } = setUp();
  log.saveSnapshot = async () => await Promise.reject(new Error('the disk is full'));
  const catalog = await openCatalog(log, environment, { snapshotEvery: 2 });
  for (let value = 0; value < 5; value += 1) {
    await catalog.propose([{ key: 'a', put: value }]);
    await turns(5);
  }
  await catalog.close();
  assert.deepEqual(new Set(environment.troubles), new Set(['catalog.snapshot.failed']));
  assert.ok(environment.troubles.length > 1, 'each marker tries again');
  assert.equal(log.trimmedBelow, 0n);
  const later = await openCatalog(log, environment);
  assert.equal(later.get('a')?.value, 4);
  await later.close();
});

test('a command of another release stops the catalog', async () => {
  const { log, environment } = setUp();
  const failures: string[] = [];
  const catalog = await openCatalog(log, environment, { onFailure: (error) => failures.push(error.name) });
  await catalog.propose([{ key: 'a', put: 1 }]);
  log.fault = () => 'lost';
  const waiting = catalog.propose([{ key: 'a', put: 2 }]);
  log.place([Buffer.from('{"v":4}')]);
  await assert.rejects(waiting, /written by another release/);
  await assert.rejects(catalog.propose([{ key: 'a', put: 3 }]), { name: 'Unavailable' });
  await assert.rejects(catalog.sync(), { name: 'Unavailable' });
  assert.equal(catalog.get('a')?.value, 1);
  assert.deepEqual(failures, ['EnvironmentError']);
  await catalog.close();
  await assert.rejects(openCatalog(log, environment), { name: 'EnvironmentError' });
});

test('a watcher that fails harms nobody', async () => {
  const { log, environment } = setUp();
  const catalog = await openCatalog(log, environment);
  let seen = 0;
  catalog.watch('', () => {
    throw new Error('mistake');
  });
  catalog.watch('', () => void (seen += 1));
  assert.ok((await catalog.propose([{ key: 'a', put: 1 }])).accepted);
  assert.equal(seen, 1);
  assert.deepEqual(environment.troubles, ['catalog.watcher.failed']);
  await catalog.close();
});

test('closing answers everybody, also over a log that does not answer', async () => {
  const { log, environment } = setUp();
  const catalog = await openCatalog(log, environment);
  await catalog.propose([{ key: 'a', put: 1 }]);
  const last = catalog.propose([{ key: 'a', put: 2 }]);
  await catalog.close();
  assert.ok((await last).accepted);
  await assert.rejects(catalog.propose([{ key: 'a', put: 3 }]), { name: 'Unavailable' });
  const stuck = await openCatalog(log, environment);
  log.fault = () => 'lost';
  const lost = stuck.propose([{ key: 'a', put: 4 }]);
  const closing = stuck.close();
  await assert.rejects(lost, /did not come/);
  await closing;
});
