/** Snapshots of the catalog and the log of its commands: neither may say more than the other. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Simulation } from '../../environments/simulated/index.ts';
import { CATALOG_SHARD } from './shard-table.ts';
import { A, B, flipped, type Image, lastSegment, LogUnderTest, replaced } from './log.fixture.ts';
import type { SyncMode } from './index.ts';

const SEEDS = 30;
const SNAPSHOT = '/data/catalog/snapshot-00000000000000000003.bin';

async function* parts(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('a state');
}

async function append(under: LogUnderTest, ...texts: readonly string[]): Promise<void> {
  for (const text of texts) await under.drive(under.log.commands.append([Buffer.from(text)]));
}

/** The commands from `from` up to the end. */
async function commands(under: LogUnderTest, from: bigint): Promise<readonly string[]> {
  const { commands: log } = under.log;
  const stop = new AbortController();
  const read = async (): Promise<readonly string[]> => {
    const end = await log.end();
    const found: string[] = [];
    if (end <= from) return found;
    for await (const batch of log.tail(from, stop.signal)) {
      found.push(...batch.map(({ bytes }) => Buffer.from(bytes).toString()));
      if ((batch.at(-1)?.offset ?? -1n) + 1n >= end) break;
    }
    return found;
  };
  try {
    return await under.drive(read());
  } finally {
    stop.abort();
  }
}

for (const sync of ['always', 'interval', 'none'] as const satisfies readonly SyncMode[]) {
  test(`with ${sync} a power cut leaves no snapshot without the commands that it covers`, async () => {
    let saved = 0;
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const under = await LogUnderTest.open(new Simulation(seed), { sync });
      await append(under, 'one', 'two', 'three');
      under.simulation.crashAfterFileOperations(1 + (seed % 12));
      await under.drive(under.log.commands.saveSnapshot(3n, parts())).catch(() => undefined);
      under.simulation.crash();
      under.simulation.restart();
      const again = await LogUnderTest.open(under.simulation, { sync, epoch: 2 });
      const snapshot = await again.drive(again.log.commands.loadSnapshot());
      assert.deepEqual(again.log.health(), [], `seed ${seed}`);
      if (snapshot === undefined) continue;
      saved += 1;
      assert.ok((await again.drive(again.log.commands.end())) >= snapshot.at, `seed ${seed}`);
      assert.deepEqual(await commands(again, 0n), ['one', 'two', 'three'], `seed ${seed}`);
    }
    assert.ok(saved > SEEDS / 4, `${saved} snapshots`);
  });
}

/** Three commands under a snapshot, of which the last is alone in the newest file; and a record in each file. */
async function sample(): Promise<Image> {
  const first = await LogUnderTest.open();
  await append(first, 'one', 'two');
  await first.append(first.a, 'older');
  await first.drive(first.log.close());
  const second = await LogUnderTest.openImage(await first.image());
  await append(second, 'three');
  await second.append(second.a, 'newer 1', 'newer 2');
  await second.drive(second.log.commands.saveSnapshot(3n, parts()));
  await second.simulation.pass(100);
  return await second.image();
}

function without(image: Image, path: string): Image {
  return new Map([...image].filter(([name]) => name !== path));
}

test('the newest file is gone: the snapshot stays, commands go on behind it, no number comes twice, health says it', async () => {
  const image = await sample();
  let now = without(image, lastSegment(image).path);
  for (let life = 3; life < 6; life += 1) {
    const under = await LogUnderTest.openImage(now, { epoch: life });
    assert.equal(under.log.health().length > 0, life === 3, under.log.health().join('\n'));
    assert.equal((await under.drive(under.log.commands.loadSnapshot()))?.at, 3n);
    assert.ok((await under.drive(under.log.commands.end())) >= 3n);
    const { end } = under.log.store.bounds(A);
    assert.ok(end >= 3n, 'numbers of the lost records are not given again');
    await append(under, `of life ${life}`);
    assert.equal((await commands(under, 3n)).at(-1), `of life ${life}`);
    await under.append(under.a, `a ${life}`);
    assert.equal(under.log.store.bounds(A).records <= 2 + life, true, 'what was given up counts for nothing');
    await under.drive(under.log.close());
    now = await under.image();
  }
});

test('the newest file and all before are gone: a new shard begins behind every number that was given', async () => {
  const image = await sample();
  const none = new Map([...image].filter(([name]) => !name.endsWith('.log')));
  const under = await LogUnderTest.openImage(none, { epoch: 3 });
  assert.match(under.log.health().join('\n'), /ends in front of command 3/);
  assert.ok(under.log.store.bounds(A).end >= 3n);
  const c = { stream: 'c', generation: 1, ordinal: 0 };
  await under.drive(under.log.store.createShards([c], { retentionMs: 1000 }));
  assert.ok(under.log.store.bounds(c).end >= 3n);
  under.simulation.crash();
  under.simulation.restart();
  // Nothing was written to the shard: the next start knows it all the same.
  const again = await LogUnderTest.open(under.simulation, { epoch: 4 });
  await again.drive(again.log.store.createShards([c], { retentionMs: 1000 }));
  assert.ok(again.log.store.bounds(c).end >= 3n);
  assert.deepEqual(
    again.log.store
      .shards()
      .map(({ stream }) => stream)
      .sort(),
    ['a', 'b', 'c'],
  );
});

test('a damaged snapshot whose commands are there is named and costs nothing', async () => {
  const image = await sample();
  const damaged = replaced(image, SNAPSHOT, flipped(image.get(SNAPSHOT) ?? Buffer.alloc(0), 35));
  const under = await LogUnderTest.openImage(damaged, { epoch: 3 });
  assert.match(under.log.health().join('\n'), /snapshot-00000000000000000003.bin: a snapshot of the catalog/);
  assert.equal(await under.drive(under.log.commands.loadSnapshot()), undefined);
  assert.deepEqual(await commands(under, 0n), ['one', 'two', 'three']);
});

test('a damaged snapshot and the commands gone that it knew: the start is refused, and nothing is changed', async () => {
  const image = await sample();
  const damaged = replaced(image, SNAPSHOT, flipped(image.get(SNAPSHOT) ?? Buffer.alloc(0), 35));
  const short = without(damaged, lastSegment(image).path);
  await assert.rejects(LogUnderTest.openImage(short, { epoch: 3 }), {
    code: 'EIO',
    message: /snapshot-0+3\.bin: a snapshot of the catalog does not match its checksum, .* the log ends after 2$/,
  });
});

test('what the snapshot alone knows is not folded over: from an older snapshot the start is refused', async () => {
  const image = await sample();
  const under = await LogUnderTest.openImage(without(image, lastSegment(image).path), { epoch: 3 });
  await assert.rejects(commands(under, 0n), { name: 'Trimmed' });
  await assert.rejects(under.drive(under.log.store.read(CATALOG_SHARD, 2n, { records: 1, bytes: 1 })), { start: 3n });
});

for (const sync of ['interval', 'none'] as const) {
  test(`with ${sync} no file goes before the disk has the one that says where its shards stood`, async () => {
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const options = { sync, segmentBytesMax: 1000 };
      const under = await LogUnderTest.open(new Simulation(seed), options);
      under.simulation.crashAfterFileOperations(20 + seed);
      const work = async (): Promise<void> => {
        for (let count = 0; count < 40; count += 1) {
          await under.append(under.a, `record ${count}`);
          await under.drive(under.log.store.trim(A, BigInt(count + 1)));
          await under.simulation.pass(seed % 7);
        }
      };
      await work().catch(() => undefined);
      under.simulation.crash();
      under.simulation.restart();
      const again = await LogUnderTest.open(under.simulation, { ...options, epoch: 2 });
      const isDeleted = under.simulation.logged.some(({ event }) => event === 'log.segment.deleted');
      assert.ok(!isDeleted || again.log.store.bounds(A).end > 0n, `seed ${seed}: the shard begins anew`);
    }
  });

  test(`with ${sync} no file goes while a power cut would bring back the shard whose records it held`, async () => {
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const options = { sync, intervalMs: 60_000, segmentBytesMax: 1000 };
      const under = await LogUnderTest.open(new Simulation(seed), options);
      await under.append(under.a, 'stays');
      await under.append(under.b, 'beside it');
      for (let count = 0; count < 5; count += 1) await under.append(under.b, 'x'.repeat(900));
      await under.append(under.a, 'stays');
      await under.append(under.b, 'beside it');
      await under.drive(under.log.store.dropShards([B]));
      await under.simulation.pass(10_000);
      const isDeleted = under.simulation.logged.some(({ event }) => event === 'log.segment.deleted');
      assert.ok(isDeleted, 'files of the dropped shard are removed');
      under.simulation.crash();
      under.simulation.restart();
      const again = await LogUnderTest.open(under.simulation, { ...options, epoch: 2 });
      assert.deepEqual(again.log.health(), [], `seed ${seed}`);
    }
  });
}
