import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import { packEntries } from '../../kernel/stream/packed-entries.ts';
import { Simulation } from '../../environments/simulated/index.ts';
import type { Environment } from '../../ports/environment.ts';
import { withOpened } from '../../testing/changed-files.ts';
import { COMMIT_HEADER_BYTES, encodeCommitHeader } from './format.ts';
import {
  A,
  B,
  DIRECTORY,
  entry,
  flipped,
  type Image,
  lastSegment,
  LogUnderTest,
  machineWith,
  replaced,
} from './log.fixture.ts';

const HOUR_MS = 3_600_000;

interface Sample {
  readonly image: Image;
  readonly path: string;
  readonly bytes: Buffer;
  /** Where each append's commit ends. */
  readonly ends: readonly number[];
}

/** Three commits in one file, left as a power cut after the last answer would. */
async function sample(): Promise<Sample> {
  const under = await LogUnderTest.open();
  const ends: number[] = [];
  const note = async (): Promise<void> => void ends.push(lastSegment(await under.image()).bytes.length);
  await under.append(under.a, 'a1', 'a2');
  await note();
  await under.append(under.b, 'b1');
  await note();
  await under.append(under.a, 'a3', 'a4');
  await note();
  const image = await under.image();
  return { image, ...lastSegment(image), ends };
}

async function held(under: LogUnderTest): Promise<Record<string, readonly string[]>> {
  return { a: await under.texts(A), b: await under.texts(B) };
}

function cuts(under: LogUnderTest): number {
  return under.simulation.logged.filter(({ event }) => event === 'log.tail.cut').length;
}

const WHOLE = { a: ['a1', 'a2', 'a3', 'a4'], b: ['b1'] };
const WITHOUT_LAST = { a: ['a1', 'a2'], b: ['b1'] };

test('after a power cut everything that was answered is there, and the log goes on', async () => {
  const { image } = await sample();
  const under = await LogUnderTest.openImage(image);
  assert.deepEqual(await held(under), WHOLE);
  assert.equal(cuts(under), 0);
  await under.append(under.a, 'a5');
  assert.deepEqual(await under.texts(A), [...WHOLE.a, 'a5']);
});

test('a last commit that ends at any of its bytes is cut, and what came before stays', async () => {
  const { image, path, bytes, ends } = await sample();
  const from = ends[1] ?? 0;
  for (let length = from; length < bytes.length; length += 1) {
    const under = await LogUnderTest.openImage(replaced(image, path, bytes.subarray(0, length)));
    assert.deepEqual(await held(under), WITHOUT_LAST, `${length} of ${bytes.length} bytes`);
    assert.equal(cuts(under), length === from ? 0 : 1, `${length} of ${bytes.length} bytes`);
    assert.deepEqual(under.log.health(), [], 'nobody was told of what was not written to its end');
    // What was cut must not come back under what is written now.
    await under.append(under.a, 'other');
    const again = await LogUnderTest.openImage(await under.image(), { epoch: 3 });
    assert.deepEqual(await held(again), { ...WITHOUT_LAST, a: [...WITHOUT_LAST.a, 'other'] });
  }
});

test('a last commit with any byte wrong, or zeros from any byte on, is cut', async () => {
  const { image, path, bytes, ends } = await sample();
  for (let at = ends[1] ?? 0; at < bytes.length; at += 1) {
    const zeroed = Buffer.from(bytes).fill(0, at);
    for (const [what, torn] of [
      ['turned', flipped(bytes, at)],
      ['zeros from', zeroed],
    ] as const) {
      if (torn.equals(bytes)) continue;
      const under = await LogUnderTest.openImage(replaced(image, path, torn));
      assert.deepEqual(await held(under), WITHOUT_LAST, `${what} byte ${at}`);
      // It was answered, which nobody can tell; but its numbers are not given again, and people hear of it.
      assert.ok(under.log.store.bounds(A).end >= 4n, `${what} byte ${at}`);
      const doubts = under.log.health().filter((problem) => problem.includes('may have been answered'));
      assert.equal(doubts.length, what === 'turned' ? 1 : 0, `${what} byte ${at}`);
    }
  }
});

test('what was cut gives its numbers to nobody, in no later life, and not to a shard that nothing names any more', async () => {
  const first = await LogUnderTest.open();
  const last = lastSegment(await first.image()).bytes.length;
  await first.append(first.a, 'a1', 'a2', 'a3');
  const image = await first.image();
  const { path, bytes } = lastSegment(image);
  let now = replaced(image, path, flipped(bytes, bytes.length - 3));
  assert.ok(bytes.length > last);
  for (let life = 2; life < 5; life += 1) {
    const under = await LogUnderTest.openImage(now, { epoch: life });
    assert.deepEqual(under.log.health().length, life === 2 ? 1 : 0, 'a place that is gone is said once');
    assert.equal(under.simulation.metrics.get('log_cut_bytes{}'), life === 2 ? bytes.length - last : 0);
    assert.ok(under.log.store.bounds(A).end >= 3n, `life ${life}`);
    assert.equal(under.log.store.bounds(A).records, 0);
    now = await under.image();
  }
  const under = await LogUnderTest.openImage(now, { epoch: 5 });
  await under.append(under.a, 'new');
  assert.deepEqual(await under.texts(A), ['new']);
  const [[offset] = []] = [...(await under.survivors(A))];
  assert.ok(offset !== undefined && offset >= 3n);
});

const TURNED = { 'the header of its file': 12, 'the header of its commit': 50, 'what it says': 160 } as const;

for (const [where, at] of Object.entries(TURNED)) {
  for (const isClosed of [false, true]) {
    const end = isClosed ? 'clean stop' : 'power cut';
    test(`numbers given before a sync are given to nobody else when a start's word is lost in ${where}, after a ${end}`, async () => {
      const first = await LogUnderTest.open(new Simulation(1), { sync: 'none' });
      await first.append(first.a, 'a1');
      if (isClosed) await first.drive(first.log.close());
      let left = await first.image();
      const given = { a: 0n, b: -1n };
      for (let epoch = 2; epoch < 6; epoch += 1) {
        const under = await LogUnderTest.openImage(left, { epoch, sync: 'none' });
        const started = await under.image();
        await under.append(under.a, 'answered, and lost with the power');
        await under.append(under.b, 'this too');
        const { store } = under.log;
        const next = { a: store.bounds(A).end - 1n, b: store.bounds(B).end - 1n };
        assert.ok(next.a > given.a && next.b > given.b, `start ${epoch} gives ${next.a} and ${next.b} again`);
        Object.assign(given, next);
        const { path, bytes } = lastSegment(started);
        left = replaced(started, path, flipped(bytes, at));
      }
    });
  }
}

test('a file cut before its first commit is whole holds nothing, and is removed', async () => {
  const { path, bytes, ends } = await sample();
  const firstCommit = Buffer.from(bytes.subarray(0, (ends[0] ?? 0) - 1));
  const next = bytes.indexOf(bytes.subarray(40, 44), 44);
  for (let length = 0; length < next; length += 1) {
    const under = await LogUnderTest.openImage(new Map([[path, firstCommit.subarray(0, length)]]));
    assert.deepEqual(await held(under), { a: [], b: [] });
    assert.equal([...(await under.image()).keys()].includes(path), false, `${length} bytes`);
  }
});

/** What two shards may still hold when one place of the log is damaged: never a wrong text, and all but that place. */
async function checkDamaged(under: LogUnderTest, path: string, wanted: typeof WHOLE, what: string): Promise<number> {
  let missing = 0;
  for (const [shard, texts] of [
    [A, wanted.a],
    [B, wanted.b],
  ] as const) {
    const found = await under.survivors(shard);
    for (const [offset, text] of found) assert.equal(text, texts[Number(offset)], `${what}: offset ${offset}`);
    missing += texts.length - found.size;
  }
  assert.ok(missing <= 2, `${what}: one commit at most is lost, not ${missing} records`);
  if (missing > 0)
    assert.ok(
      under.log.health().some((problem) => problem.includes(path)),
      `${what}: health names it`,
    );
  return missing;
}

test('a wrong byte in front of the last commit is damage: the rest is served, nothing is cut, health names it', async () => {
  const { image, path, bytes, ends } = await sample();
  let hurt = 0;
  for (let at = 0; at < (ends[1] ?? 0); at += 1) {
    const simulation = await machineWith(replaced(image, path, flipped(bytes, at)));
    const under = await LogUnderTest.open(simulation, { epoch: 2 });
    hurt += await checkDamaged(under, path, WHOLE, `byte ${at}`);
    assert.equal(cuts(under), 0, `byte ${at}`);
    await under.append(under.a, 'new');
    assert.equal([...(await under.survivors(A)).values()].at(-1), 'new', `byte ${at}`);
  }
  assert.ok(hurt > 100, 'most bytes matter');
});

test('after a clean stop a wrong byte anywhere in the records is damage', async () => {
  const under = await LogUnderTest.open();
  await under.append(under.a, 'a1');
  const { length } = lastSegment(await under.image()).bytes;
  await under.drive(under.log.close());
  const image = await under.image();
  const { path, bytes } = lastSegment(image);
  assert.ok(bytes.length > length, 'the last commit vouches for those before');
  for (let at = 0; at < length; at += 1) {
    const reopened = await LogUnderTest.openImage(replaced(image, path, flipped(bytes, at)));
    await checkDamaged(reopened, path, { a: ['a1'], b: [] }, `byte ${at}`);
    assert.equal(cuts(reopened), 0);
  }
  for (let cut = 1; cut < length; cut += 7) {
    const simulation = await machineWith(replaced(image, path, bytes.subarray(0, cut)));
    const reopened = await LogUnderTest.open(simulation, { epoch: 2 });
    assert.ok((await reopened.texts(A)).length <= 1, 'a file cut short is a torn write: nothing says otherwise');
  }
});

test('an older file must be whole: neither a wrong byte nor a missing end passes unnoticed', async () => {
  const under = await LogUnderTest.open();
  await under.append(under.a, 'a1');
  const first = lastSegment(await under.image());
  const second = await LogUnderTest.openImage(await under.image());
  await second.append(second.a, 'a2');
  const image = await second.image();
  assert.ok(lastSegment(image).path > first.path);
  const wanted = { a: ['a1', 'a2'], b: [] };
  for (let at = 0; at < first.bytes.length; at += 1) {
    const broken = replaced(image, first.path, flipped(first.bytes, at));
    const under3 = await LogUnderTest.openImage(broken, { epoch: 3 });
    await checkDamaged(under3, first.path, wanted, `byte ${at}`);
    assert.equal([...(await under3.survivors(A)).values()].at(-1), 'a2');
  }
  for (let length = 0; length < first.bytes.length; length += 1) {
    const broken = replaced(image, first.path, first.bytes.subarray(0, length));
    const under3 = await LogUnderTest.openImage(broken, { epoch: 3 });
    assert.deepEqual([...(await under3.survivors(A))], [[1n, 'a2']], `${length} bytes`);
    assert.ok(
      under3.log.health().some((problem) => problem.includes(first.path)),
      `${length} bytes`,
    );
    const { files } = under3.simulation.environment;
    assert.equal(await under3.drive(files.size(first.path)), length, 'nothing is removed');
  }
});

test('a footer that a power cut left unfinished takes nothing from the file behind it', async () => {
  const under = await LogUnderTest.open(new Simulation(1), { segmentBytesMax: 1000 });
  const wanted: string[] = [];
  let full = lastSegment(await under.image());
  for (let next = full; next.path === full.path; next = lastSegment(await under.image())) {
    full = next;
    wanted.push(`a${wanted.length}`);
    await under.append(under.a, wanted.at(-1) as string);
  }
  // Nothing but the first commit of the next file tells that all of the full one was durable.
  for (const rest of [Buffer.alloc(100), Buffer.alloc(100, 'x')]) {
    const image = replaced(await under.image(), full.path, Buffer.concat([full.bytes, rest]));
    const again = await LogUnderTest.openImage(image);
    assert.deepEqual(await again.texts(A), wanted);
    assert.equal(cuts(again), 0);
  }
});

/** Commits of 300 KB, each written beside the sync of the one before, and where each begins. */
async function overlapping(count: number): Promise<{ readonly image: Image; readonly starts: readonly number[] }> {
  const under = await LogUnderTest.open();
  const { simulation } = under;
  const { path } = lastSegment(await under.image());
  const starts: number[] = [];
  simulation.slowDisk(1000, 1000);
  const answers: Promise<unknown>[] = [];
  for (let index = 0; index < count; index += 1) {
    const start = simulation.sizeOf(path) ?? 0;
    starts.push(start);
    answers.push(under.a.append(packEntries([entry(`a${index} ${'x'.repeat(300_000)}`)])));
    while (simulation.sizeOf(path) === start) await simulation.pass(1);
  }
  await under.drive(Promise.all(answers));
  return { image: await under.image(), starts };
}

test('a commit written beside a sync vouches for none of the two: a wrong byte costs no more than the last two', async () => {
  const { image, starts } = await overlapping(6);
  const { path, bytes } = lastSegment(image);
  const all = starts.map((_, index) => index);
  // What a power cut leaves that came while the last two were unconfirmed looks the same, and nobody was told of them.
  for (const [wrong, kept, isCut] of [
    [5, all.slice(0, 5), true],
    [4, all.slice(0, 4), true],
    [3, all.filter((index) => index !== 3), false],
    [0, all.filter((index) => index !== 0), false],
  ] as const) {
    const torn = replaced(image, path, flipped(bytes, (starts[wrong] ?? 0) + 1000));
    const under = await LogUnderTest.openImage(torn);
    const found = [...(await under.survivors(A)).values()].map((text) => Number(text.slice(1, text.indexOf(' '))));
    assert.deepEqual(found, kept, `a wrong byte in commit ${wrong}`);
    const cut = under.simulation.logged
      .filter(({ event }) => event === 'log.tail.cut')
      .map(({ fields }) => fields['bytes']);
    assert.deepEqual(cut, isCut ? [bytes.length - (starts[wrong] ?? 0)] : [], `a wrong byte in commit ${wrong}`);
    const health = under.log.health().join();
    assert.match(health, /not match (its|their) checksum/, `a wrong byte in commit ${wrong}`);
    assert.equal(health.includes('so it was cut'), isCut, `a wrong byte in commit ${wrong}`);
  }
});

test('two torn commits are no commit that was written whole', async () => {
  const under = await LogUnderTest.open(new Simulation(1), { sync: 'none' });
  const { path, bytes: before } = lastSegment(await under.image());
  await under.append(under.a, 'first');
  const { bytes: between } = lastSegment(await under.image());
  await under.append(under.a, 'second');
  const image = await under.image();
  const { bytes } = lastSegment(image);
  for (let kept = 0; kept < COMMIT_HEADER_BYTES; kept += 1) {
    // Of the first a part of its header is left, of the second one, too, and what stands between is zeros.
    const torn = Buffer.alloc(between.length + 17);
    bytes.copy(torn, 0, 0, before.length + kept);
    bytes.copy(torn, between.length, between.length);
    const again = await LogUnderTest.openImage(replaced(image, path, torn), { sync: 'none' });
    assert.deepEqual(again.log.health(), [], `${kept} bytes`);
    assert.equal(cuts(again), 1, `${kept} bytes`);
  }
  const wrong = await LogUnderTest.openImage(replaced(image, path, flipped(bytes, before.length + 20)), {
    sync: 'none',
  });
  assert.match(wrong.log.health().join(), /seems to have been written whole/);
});

test('a log of version 1 is read, and goes on', async () => {
  const folder = new URL('../../../../fixtures/log-v1/', import.meta.url);
  const image = new Map(
    readdirSync(folder).map((name) => [`${DIRECTORY}/${name}`, readFileSync(new URL(name, folder))] as const),
  );
  const under = await LogUnderTest.openImage(image, { epoch: 3 });
  const a = Array.from({ length: 16 }, (_, index) => [`a${index}`, `a${index}x`]).flat();
  assert.deepEqual(await under.texts(A), a);
  assert.equal(under.log.store.bounds(B).closedAt, 12n);
  assert.deepEqual(
    await under.texts(B),
    Array.from({ length: 12 }, (_, index) => `b${index} ${'z'.repeat(100)}`),
  );
  const names = under.log.store.shards().map(({ stream }) => stream);
  assert.deepEqual(names.sort(), ['a', 'b', 'd'], 'c was dropped');
  await under.append(under.a, 'new');
  assert.deepEqual(await (await LogUnderTest.openImage(await under.image(), { epoch: 4 })).texts(A), [...a, 'new']);
});

test('the start of a file that a crash left without a commit is removed, whichever file it is', async () => {
  const { image, path, bytes } = await sample();
  const later = path.replace('segment-0000000001', 'segment-0000000002');
  const started = replaced(image, later, bytes.subarray(0, 20));
  const under = await LogUnderTest.openImage(started);
  assert.deepEqual(await held(under), WHOLE);
  assert.deepEqual([...(await under.image()).keys()], [path, path.replace('1-epoch-1', '3-epoch-2')]);
});

test('one damaged place is one line of health and one in the metric, however often it is met; it names stream and shard', async () => {
  const { image, path, bytes } = await sample();
  const text = bytes.indexOf('b1');
  const header = bytes.lastIndexOf(Buffer.from('65 78 f5 ff'.replaceAll(' ', ''), 'hex'), text);
  for (const [at, sentence] of [
    [text, /: records 0 to 0 of shardId-000000000000 of stream b do not match their checksum$/],
    [header + 20, /: the header of an extent does not match its checksum$/],
  ] as const) {
    const under = await LogUnderTest.openImage(replaced(image, path, flipped(bytes, at)));
    for (let look = 0; look < 3; look += 1) {
      const [problem, ...more] = under.log.health();
      assert.match(problem ?? '', sentence);
      assert.deepEqual(more, []);
      assert.equal(under.simulation.metrics.get('log_damaged_places{}'), 1);
      assert.equal(under.simulation.logged.filter(({ event }) => event === 'log.damaged').length, 1);
      await under.survivors(A);
      await under.survivors(B);
    }
  }
});

/** Makes a byte's change under a running log; what was read right before must be read so again, or not at all. */
test('bytes that go wrong under a running log are never served', async () => {
  const { image, path, bytes } = await sample();
  const under = await LogUnderTest.openImage(image);
  const expected = await held(under);
  const { files } = under.simulation.environment;
  const file = await under.drive(files.open(path, 'write'));
  let refused = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    await under.drive(file.write(flipped(bytes, at).subarray(at, at + 1), at));
    for (const [shard, texts] of [
      [A, expected['a']],
      [B, expected['b']],
    ] as const) {
      try {
        const found = await under.texts(shard);
        assert.deepEqual(found, texts?.slice(0, found.length), `byte ${at}`);
        if (found.length < (texts?.length ?? 0)) refused += 1;
      } catch (error) {
        if ((error as { code?: unknown }).code !== 'EIO') throw error;
        refused += 1;
      }
    }
    await under.drive(file.write(bytes.subarray(at, at + 1), at));
  }
  assert.ok(refused > 100, 'most bytes matter to a reader');
  assert.deepEqual(await held(under), expected, 'and it goes on once they are right again');
  assert.ok(under.log.health().some((problem) => problem.includes(path)));
  assert.ok(under.simulation.logged.some(({ event }) => event === 'log.damaged'));
});

const HEADERS: readonly (readonly [what: string, at: number, bytes: number, wrong?: number])[] = [
  ['a segment', 0, 40],
  ['its first commit', 40, 64],
  ['its first commit, behind a damaged header,', 40, 64, 3],
];

for (const [what, at, length, wrong] of HEADERS) {
  test(`${what} of a newer format is refused, and the files stay as they are`, async () => {
    const { image, path, bytes } = await sample();
    const newer = wrong === undefined ? Buffer.from(bytes) : flipped(bytes, wrong);
    newer.writeUInt32LE(3, at + (length === 40 ? 8 : 4));
    newer.writeUInt32LE(crc32(newer.subarray(at, at + length - 4)), at + length - 4);
    const simulation = await machineWith(replaced(image, path, newer));
    await assert.rejects(LogUnderTest.open(simulation, { epoch: 2 }), (error: Error & { code?: string }) => {
      assert.equal(error.code, 'EOTHER');
      assert.match(error.message, /has on-disk format 3, written by a newer millrace; this one reads up to 2$/);
      return true;
    });
    const { files } = simulation.environment;
    assert.ok(newer.equals(await simulation.drive(files.readFile(path))));
    assert.deepEqual(await simulation.drive(files.list('/data/log')), [path.slice('/data/log/'.length)]);
  });
}

test('a record that holds a copy of the log’s own bytes is a record', async () => {
  const { bytes } = await sample();
  const under = await LogUnderTest.open();
  const copy = bytes.toString('latin1');
  await under.append(under.a, copy);
  const { bytes: own } = lastSegment(await under.image());
  await under.append(under.a, own.toString('latin1'), 'last');
  const image = await under.image();
  const { path, bytes: whole } = lastSegment(image);
  assert.deepEqual((await (await LogUnderTest.openImage(image)).texts(A)).length, 3);
  // Behind a torn place the copy's commits look whole; they are not of that place.
  const torn = await LogUnderTest.openImage(replaced(image, path, flipped(whole, own.length + 70)));
  assert.deepEqual(await torn.texts(A), [copy]);
});

test('a record made to look like a commit at its very place proves nothing: it does not know the file’s salt', async () => {
  const imageWith = async (record: Buffer): Promise<Image> => {
    const under = await LogUnderTest.open();
    await under.append(under.a, 'a1');
    await under.drive(under.a.append(packEntries([{ key: Buffer.from('k'), data: record }])));
    return await under.image();
  };
  const marker = Buffer.alloc(64, 'marker');
  const { bytes: measured } = lastSegment(await imageWith(marker));
  const position = measured.indexOf(marker);
  for (const [salt, expected] of [
    [measured.readUInt32LE(20) ^ 1, 'cut'],
    [measured.readUInt32LE(20), 'damage'],
  ] as const) {
    const forged = Buffer.alloc(64);
    const synced = { segment: 1, position };
    const header = { salt: salt >>> 0, epoch: 1, segment: 1, position, number: 9, at: 9, bodyBytes: 0, extentCount: 0 };
    encodeCommitHeader(forged, { ...header, synced });
    const image = await imageWith(forged);
    const { path, bytes } = lastSegment(image);
    assert.equal(bytes.indexOf(forged), position);
    const torn = replaced(image, path, flipped(bytes, position - 100));
    if (expected === 'cut') assert.deepEqual(await (await LogUnderTest.openImage(torn)).texts(A), ['a1']);
    else assert.match((await LogUnderTest.openImage(torn)).log.health().join(), /damaged/, 'whoever knew it could');
  }
});

/** The machine on which nobody waits for the disk when a file is changed that was there before: a footer's. */
function unsynced(environment: Environment): Environment {
  return withOpened(environment, (file, mode) => (mode === 'write' ? { ...file, sync: async () => undefined } : file));
}

test('a footer that only the system remembers is not relied on when the file behind it goes', async () => {
  const kept = 'k'.repeat(2500);
  const opened = async (simulation: Simulation, epoch: number, environment?: Environment): Promise<LogUnderTest> => {
    const under = await LogUnderTest.open(simulation, { segmentBytesMax: 3000, epoch }, environment);
    await under.drive(under.log.store.retain(A, HOUR_MS));
    await under.drive(under.log.store.retain(B, 48 * HOUR_MS));
    return under;
  };
  for (let seed = 1; seed < 12; seed += 1) {
    const simulation = new Simulation(seed);
    const first = await opened(simulation, 1, unsynced(simulation.environment));
    // The second file is kept, with its only commit; those behind it are not, and only they tell where it ends.
    await first.append(first.a, 'a'.repeat(2500));
    await first.append(first.b, kept);
    for (let round = 0; round < 4; round += 1) await first.append(first.a, `${round}`.repeat(2500));
    simulation.kill();
    simulation.restart();
    await opened(simulation, 2);
    await simulation.pass(2 * HOUR_MS);
    simulation.crash();
    simulation.restart();
    const last = await opened(simulation, 3);
    assert.deepEqual(last.log.health(), []);
    assert.deepEqual(await last.texts(B), [kept]);
  }
});

test('records in front of those that retention removed do not come back as a hole when they are kept longer', async () => {
  const under = await LogUnderTest.open(new Simulation(1), { segmentBytesMax: 3000 });
  await under.drive(under.log.store.retain(B, 90 * HOUR_MS));
  await under.drive(under.log.store.retain(A, HOUR_MS));
  // The first file stays because of b, the ones behind it go, and the newest says only where a stands.
  await under.append(under.a, 'expired');
  await under.append(under.b, 'kept');
  for (let round = 0; round < 3; round += 1) await under.append(under.a, `${round}`.repeat(2500));
  await under.simulation.pass(2 * HOUR_MS);
  await under.append(under.a, 'new');
  const again = await LogUnderTest.openImage(await under.image(), { segmentBytesMax: 3000 });
  await again.drive(again.log.store.retain(A, 90 * HOUR_MS));
  await again.append(again.a, 'newer');
  const short = (await again.texts(A)).map((text) => text.slice(0, 5));
  // What shares the newest file with them is still there.
  assert.deepEqual(short, ['22222', 'new', 'newer']);
  assert.deepEqual(again.log.health(), []);
});

test('a reader is told where it may go on behind a damaged place', async () => {
  const { image, path, bytes } = await sample();
  const under = await LogUnderTest.openImage(replaced(image, path, flipped(bytes, bytes.indexOf('a1'))));
  const { store } = under.log;
  const limit = { records: 10, bytes: 1000 };
  await assert.rejects(under.drive(store.read(A, 0n, limit)), { name: 'EnvironmentError', code: 'EIO', next: 2n });
  const { records } = await under.drive(store.read(A, 2n, limit));
  assert.deepEqual(
    records.map(({ data }) => Buffer.from(data).toString()),
    ['a3', 'a4'],
  );
});
