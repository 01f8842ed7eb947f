import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EnvironmentError } from '../../kernel/errors.ts';
import type { ShardRef } from '../../ports/stream-store.ts';
import { withFiles } from '../../testing/changed-files.ts';
import { TRAILER_BYTES } from './footer.ts';
import {
  A,
  B,
  DIRECTORY,
  flipped,
  type Image,
  lastSegment,
  LogUnderTest,
  machineWith,
  replaced,
} from './log.fixture.ts';

const OPTIONS = { segmentBytesMax: 1000, tailBytesMax: 0 };

type Texts = { readonly a: readonly string[]; readonly b: readonly string[] };

interface Sample {
  readonly image: Image;
  readonly wanted: Texts;
  /** Paths of the files, oldest first. */
  readonly files: readonly string[];
}

/** Several sealed files; the one in the middle holds records of both shards, one commit each. */
async function sample(): Promise<Sample> {
  const under = await LogUnderTest.open(undefined, OPTIONS);
  const [a, b]: [string[], string[]] = [[], []];
  for (let count = 0; count < 8; count += 1) {
    a.push(`a${count} ${'x'.repeat(20)}`);
    await under.append(under.a, a.at(-1) as string);
    b.push(`b${count} ${'y'.repeat(20)}`);
    await under.append(under.b, b.at(-1) as string);
  }
  await under.simulation.pass(100);
  const image = await under.image();
  const files = [...image.keys()].filter((path) => path.includes('/segment-')).sort();
  assert.ok(files.length >= 4, `${files.length} files`);
  return { image, wanted: { a, b }, files };
}

function bytesOf(image: Image, path: string | undefined): Buffer {
  return image.get(path ?? '') ?? Buffer.alloc(0);
}

/** End of the commits of a sealed file. */
function commitsEnd(bytes: Buffer): number {
  return bytes.readUInt32LE(bytes.length - TRAILER_BYTES + 16);
}

/** How many records are missing; what is there is right, and where something is missing health names the file. */
async function missingIn(under: LogUnderTest, wanted: Texts, path: string, what: string): Promise<number> {
  let missing = 0;
  const shards: [ShardRef, readonly string[]][] = [
    [A, wanted.a],
    [B, wanted.b],
  ];
  for (const [shard, texts] of shards) {
    const found = await under.survivors(shard);
    for (const [offset, text] of found) assert.equal(text, texts[Number(offset)], `${what}: offset ${offset}`);
    missing += texts.length - found.size;
  }
  const isNamed = under.log.health().some((problem) => problem.includes(path));
  if (missing > 0) assert.ok(isNamed, `${what}: health names the file`);
  return missing;
}

test('a wrong byte anywhere in a sealed file costs one commit at most, and nothing of the files around it', async () => {
  const { image, wanted, files } = await sample();
  const path = files[1] as string;
  const bytes = bytesOf(image, path);
  let hurt = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    const under = await LogUnderTest.openImage(replaced(image, path, flipped(bytes, at)), OPTIONS);
    const missing = await missingIn(under, wanted, path, `byte ${at}`);
    assert.ok(missing <= 1, `byte ${at}: ${missing} records are missing`);
    if (at >= commitsEnd(bytes)) assert.equal(missing, 0, `byte ${at} of the footer`);
    hurt += missing;
    assert.equal(under.simulation.logged.filter(({ event }) => event === 'log.tail.cut').length, 0);
  }
  assert.ok(hurt > 100, `${hurt} bytes matter`);
});

test('a footer that was being written when the power went is written again, whatever arrived of it', async () => {
  const { image, wanted, files } = await sample();
  for (const path of [files[1] as string, files.at(-2) as string]) {
    const bytes = bytesOf(image, path);
    for (let length = commitsEnd(bytes); length < bytes.length; length += 5) {
      for (const torn of [bytes.subarray(0, length), Buffer.from(bytes).fill(0, length)]) {
        const under = await LogUnderTest.openImage(replaced(image, path, torn), OPTIONS);
        assert.equal(await missingIn(under, wanted, path, `${length} bytes`), 0);
        assert.deepEqual(under.log.health(), [], `${length} bytes`);
        await under.simulation.pass(100);
        const again = bytesOf(await under.image(), path);
        assert.ok(again.equals(bytes), 'the same footer');
      }
    }
  }
});

/** Damage to the file in the middle, and how many records it may cost. */
const DAMAGE: readonly [what: string, hurt: (bytes: Buffer) => Buffer][] = [
  ['its first sector is gone', (bytes) => Buffer.from(bytes).fill(0, 0, 512)],
  ['all of it is zeros', (bytes) => Buffer.alloc(bytes.length)],
  ['it is empty', () => Buffer.alloc(0)],
  ['its second half is gone', (bytes) => bytes.subarray(0, bytes.length / 2)],
  ['its commits but the first are gone', (bytes) => bytes.subarray(0, bytes.indexOf(bytes.subarray(40, 44), 44))],
  ['its footer is zeros', (bytes) => Buffer.from(bytes).fill(0, commitsEnd(bytes))],
];

for (const [what, hurt] of DAMAGE) {
  test(`of a file in the middle, ${what}: what stands before and behind it stays for ever`, async () => {
    const { image, wanted, files } = await sample();
    const path = files[1] as string;
    const untouched = await survivorsBut(image, path);
    let now = replaced(image, path, hurt(bytesOf(image, path)));
    const ends: bigint[] = [];
    const added: string[] = [];
    for (let life = 2; life < 6; life += 1) {
      const under = await LogUnderTest.openImage(now, { ...OPTIONS, epoch: life });
      const all = { a: wanted.a, b: wanted.b };
      const found = await under.survivors(A);
      for (const [offset, text] of untouched) assert.equal(found.get(offset), text, `offset ${offset} in life ${life}`);
      for (const text of added) assert.ok([...found.values()].includes(text), text);
      if (life === 2) await missingIn(under, all, path, what);
      ends.push(under.log.store.bounds(A).end);
      await under.append(under.a, `new in ${life}`);
      added.push(`new in ${life}`);
      // The cleaner looks, more than once.
      await under.simulation.pass(12_000);
      await under.drive(under.log.close());
      now = await under.image();
    }
    assert.ok((ends[0] ?? 0n) >= BigInt(wanted.a.length), 'no offset is given twice');
    const gaps = ends.slice(1).map((end, index) => end - (ends[index] ?? 0n));
    assert.deepEqual(gaps, [1n, 1n, 1n], 'a place that was lost once leaves one gap');
  });
}

test('a file in the middle that is gone is damage: health names the place, and what is older is still read', async () => {
  const { image, wanted, files } = await sample();
  for (const path of files.slice(1, -2)) {
    let now: Image = new Map([...image].filter(([name]) => name !== path));
    const gone: number[] = [];
    for (let life = 2; life < 5; life += 1) {
      const under = await LogUnderTest.openImage(now, { ...OPTIONS, epoch: life });
      const problems = under.log.health().filter((problem) => problem.includes('a file is missing in front of it'));
      assert.equal(problems.length, 1, `${path}: ${under.log.health().join()}`);
      const found = await under.survivors(A);
      assert.ok(found.has(0n), 'the oldest record is still read');
      assert.ok(found.has(BigInt(wanted.a.length - 1)));
      for (const [offset, text] of found) {
        if (Number(offset) < wanted.a.length) assert.equal(text, wanted.a[Number(offset)]);
      }
      gone.push(wanted.a.filter((text) => ![...found.values()].includes(text)).length);
      await under.append(under.a, `new in ${life}`);
      // The cleaner looks: what stands there stays.
      await under.simulation.pass(12_000);
      await under.drive(under.log.close());
      now = await under.image();
    }
    assert.ok((gone[0] ?? 0) > 0 && gone.every((count) => count === gone[0]), gone.join());
  }
});

test('the newest file without its first sector, or all of it zeros, stays for people to look at, and gives no number twice', async () => {
  const { image, wanted, files } = await sample();
  const path = files.at(-1) as string;
  for (const length of [512, bytesOf(image, path).length]) {
    let now = replaced(image, path, Buffer.from(bytesOf(image, path)).fill(0, 0, length));
    for (let life = 2; life < 4; life += 1) {
      const under = await LogUnderTest.openImage(now, { ...OPTIONS, epoch: life });
      assert.equal(under.log.health().length, 1, under.log.health().join('\n'));
      assert.ok(under.log.health()[0]?.includes(path));
      assert.ok(under.log.store.bounds(A).end >= BigInt(wanted.a.length));
      await under.append(under.a, `new in ${life}`);
      await under.simulation.pass(12_000);
      await under.drive(under.log.close());
      now = await under.image();
      assert.ok(now.has(path));
    }
  }
});

test('the only file without its first sector stays, with its records, and gives no number twice', async () => {
  const under = await LogUnderTest.open();
  const texts = Array.from({ length: 10 }, (_, count) => `a${count} ${'x'.repeat(100)}`);
  for (const text of texts) await under.append(under.a, text);
  const image = await under.image();
  const { path, bytes } = lastSegment(image);
  const broken = Buffer.from(bytes).fill(0, 0, 512);
  let now = replaced(image, path, broken);
  for (let life = 2; life < 5; life += 1) {
    const again = await LogUnderTest.openImage(now, { epoch: life });
    assert.equal(again.log.health().length, 1, again.log.health().join('\n'));
    assert.ok(again.log.health()[0]?.includes(path));
    const { end } = again.log.store.bounds(A);
    assert.ok(end >= BigInt(texts.length));
    await again.append(again.a, `new in ${life}`);
    await again.simulation.pass(12_000);
    now = await again.image();
    assert.deepEqual(bytesOf(now, path), broken);
  }
});

test('any file without its first sector stays, and is named, a settled one too', async () => {
  const under = await LogUnderTest.open(undefined, { ...OPTIONS, segmentBytesMax: 3000 });
  for (let count = 0; count < 120; count += 1) {
    await under.append(count % 4 === 0 ? under.a : under.b, `${count} ${'x'.repeat(60)}`);
  }
  await under.drive(under.log.store.trim(B, 80n));
  await under.simulation.pass(12_000);
  const image = await under.image();
  const files = [...image.keys()].filter((path) => path.includes('/segment-')).sort();
  const isSettled = (path: string): boolean => bytesOf(image, path).readUInt32LE(32) > 0;
  assert.ok(files.some(isSettled) && !files.every(isSettled), 'files of both kinds');
  for (const path of files) {
    const broken = Buffer.from(bytesOf(image, path)).fill(0, 0, 512);
    const again = await LogUnderTest.openImage(replaced(image, path, broken));
    assert.ok(
      again.log.health().some((problem) => problem.includes(path)),
      `${path}: ${again.log.health().join()}`,
    );
    assert.deepEqual(bytesOf(await again.image(), path), broken);
  }
});

/** So much that its file is not worth settling. */
const KEPT = 'k'.repeat(900);

test('files that retention or the cleaner took from the middle are no damage, whenever the power goes', async () => {
  const larger = { ...OPTIONS, segmentBytesMax: 2000 };
  let holes = 0;
  for (let cut = 0; cut < 60; cut += 1) {
    const under = await LogUnderTest.open(undefined, larger);
    const { simulation } = under;
    await under.append(under.a, KEPT);
    for (let count = 0; count < 20; count += 1) await under.append(under.b, `b${count} ${'y'.repeat(100)}`);
    // Older records of B stay where those of A are needed.
    if (cut > 0) simulation.crashAfterFileOperations(cut);
    const clean = async (): Promise<void> => {
      await under.drive(under.log.store.trim(B, 15n));
      for (let count = 0; count < 4; count += 1) await under.append(under.b, `c${count} ${'z'.repeat(100)}`);
      await simulation.pass(12_000);
    };
    await clean().catch(() => undefined);
    const image = cut > 0 ? undefined : await under.image();
    simulation.crash();
    simulation.restart();
    const again = await LogUnderTest.open(simulation, { ...larger, epoch: 2 });
    assert.deepEqual(again.log.health(), [], `cut at ${cut}`);
    assert.equal((await again.survivors(A)).get(0n), KEPT);
    const left = [...(await again.survivors(B)).keys()];
    for (let offset = 15n; offset < 20n; offset += 1n) assert.ok(left.includes(offset), `cut at ${cut}: ${offset}`);
    if (image !== undefined) holes = Number(again.log.store.bounds(B).start);
  }
  assert.ok(holes > 5, 'files did go');
});

/** Read from its commits, the file shows a wrong byte in the first of them. */
function withoutFooter(bytes: Buffer): Buffer {
  return flipped(bytes.subarray(0, -1), bytes.indexOf('key of') - 1);
}

/** What shard A holds outside of one file, which in this sample is what stands there without it. */
async function survivorsBut(image: Image, path: string): Promise<ReadonlyMap<bigint, string>> {
  const under = await LogUnderTest.openImage(image, OPTIONS);
  const all = await under.survivors(A);
  const { files } = under.simulation.environment;
  const file = await under.drive(files.open(path, 'write'));
  await under.drive(file.write(Buffer.alloc(bytesOf(image, path).length), 0));
  const left = await under.survivors(A);
  assert.ok(left.size < all.size && left.size > 0);
  return left;
}

test('the last records of a shard, trimmed and gone, are no damage while older ones stand in a file of others', async () => {
  const under = await LogUnderTest.open(undefined, { segmentBytesMax: 1500 });
  const { store, commands } = under.log;
  // The first file stays, for the command in it.
  await under.append(under.a, 'older');
  await under.drive(commands.append([Buffer.from('x'.repeat(800))]));
  for (let count = 0; count < 30; count += 1) await under.append(under.a, `newer ${count}`);
  // Too large for the file of the last of them: that one has nothing else.
  await under.append(under.b, 'y'.repeat(2000));
  await under.drive(store.trim(A, store.bounds(A).end));
  await under.simulation.pass(20_000);
  for (let count = 0; count < 30; count += 1) await under.append(under.b, `other ${count}`);
  await under.drive(store.trim(B, store.bounds(B).end));
  await under.simulation.pass(20_000);
  // As after a crash: the only file that says where A starts and ends has no footer, and no record of A.
  const again = await LogUnderTest.openImage(await under.image());
  assert.deepEqual(again.log.health(), []);
  assert.deepEqual(await again.texts(A), []);
  assert.equal(again.log.store.bounds(A).end, 31n);
});

test('cleaning goes on behind a damaged file: what expires later is removed', async () => {
  const { image, files } = await sample();
  const path = files[1] as string;
  const under = await LogUnderTest.openImage(replaced(image, path, withoutFooter(bytesOf(image, path))), OPTIONS);
  assert.ok(under.log.health().some((problem) => problem.includes(path)));
  const before = await under.drive(under.simulation.environment.files.list(DIRECTORY));
  const { end } = under.log.store.bounds(B);
  await under.drive(under.log.store.trim(B, end));
  // Records of A are needed in the damaged file and before; behind it, everything may go.
  for (let count = 0; count < 60; count += 1) await under.append(under.b, `later ${count}`);
  await under.drive(under.log.store.trim(B, under.log.store.bounds(B).end));
  await under.simulation.pass(12_000);
  const after = await under.drive(under.simulation.environment.files.list(DIRECTORY));
  assert.ok(after.includes(path.slice(DIRECTORY.length + 1)), 'the damaged file stays');
  assert.ok(after.length <= before.length + 2, `${before.length} files, then ${after.length}`);
});

test('a wrong byte in the first file costs the same in every later life, also once the files that told its end are gone', async () => {
  const under = await LogUnderTest.open();
  const wanted = { a: ['a1', 'a2', 'a3'], b: [] };
  const ends: number[] = [];
  for (const text of wanted.a) {
    ends.push(lastSegment(await under.image()).bytes.length);
    await under.append(under.a, text);
  }
  const image = await under.image();
  const { path } = lastSegment(image);
  // What is wrong with the last commit is cut, and told once.
  for (let at = 0; at < (ends.at(-1) ?? 0); at += 5) {
    let now = replaced(image, path, flipped(bytesOf(image, path), at));
    const missing: number[] = [];
    for (let life = 2; life < 6; life += 1) {
      const again = await LogUnderTest.openImage(now, { epoch: life });
      missing.push(await missingIn(again, wanted, path, `byte ${at}, life ${life}`));
      await again.simulation.pass(12_000);
      now = await again.image();
    }
    assert.ok(
      missing.every((count) => count === missing[0]),
      `byte ${at}: ${missing.join()}`,
    );
  }
});

test('a log opens with damage in every file, and says so', async () => {
  const { image, files, wanted } = await sample();
  let now = image;
  for (const path of files.slice(0, -1)) now = replaced(now, path, withoutFooter(bytesOf(now, path)));
  const under = await LogUnderTest.openImage(now, OPTIONS);
  assert.equal(under.log.health().length >= files.length - 1, true, under.log.health().join('\n'));
  await under.append(under.a, 'new');
  const found = await under.survivors(A);
  assert.equal([...found.values()].at(-1), 'new');
  for (const [offset, text] of found) if (text !== 'new') assert.equal(text, wanted.a[Number(offset)]);
});

test('a file that cannot be read at all ends the start with its error', async () => {
  const { image } = await sample();
  const simulation = await machineWith(image);
  const { environment } = simulation;
  const open: typeof environment.files.open = async (path, mode) => {
    if (path.includes('segment-0000000002')) throw new EnvironmentError('EIO', `cannot read ${path}`);
    return await environment.files.open(path, mode);
  };
  const broken = withFiles(environment, { open });
  await assert.rejects(LogUnderTest.open(simulation, { epoch: 2 }, broken), { code: 'EIO' });
});
