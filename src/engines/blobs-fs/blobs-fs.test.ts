import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile, mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test, type TestContext } from 'node:test';
import * as fc from 'fast-check';
import { createNodeEnvironment } from '../../environments/node/index.ts';
import { Simulation } from '../../environments/simulated/index.ts';
import { DeliveryError } from '../../kernel/errors.ts';
import type { BlobStore } from '../../ports/blob-store.ts';
import { keyOrder } from './key-order.ts';
import { whole } from '../../testing/whole-object.ts';
import { openFolderBlobs } from './index.ts';
import { isBucketName } from '../../kernel/names.ts';
import { textOfFileName } from '../../kernel/paths.ts';
import { keyPath } from './paths.ts';

const BUCKET = 'bucket';

interface Folder {
  readonly directory: string;
  readonly blobs: BlobStore;
  /** Paths of all files below the directory. */
  readonly files: () => Promise<readonly string[]>;
}

/** Buckets in a folder that goes with the test. */
async function folder(context: TestContext): Promise<Folder> {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-blobs-'));
  context.after(async () => await rm(directory, { recursive: true }));
  const blobs = openFolderBlobs(createNodeEnvironment({ log: 'silent' }), directory);
  const files = async (): Promise<readonly string[]> => {
    const found = await readdir(directory, { recursive: true, withFileTypes: true });
    const names = found.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    return names.map((name) => name.slice(directory.length + 1)).sort();
  };
  return { directory, blobs, files };
}

async function* chunks(...texts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

async function keys(blobs: BlobStore, options?: Parameters<BlobStore['list']>[1]): Promise<readonly string[]> {
  return (await blobs.list(BUCKET, options)).map(({ key }) => key);
}

test('which paths keys get', () => {
  const table: readonly (readonly [key: string, path: string])[] = [
    ['2026/01/31/12/a-1-x.gz', '2026/01/31/12/a-1-x.gz'],
    ['ü 𝕏', 'ü 𝕏'],
    ['..', '%2E.'],
    ['../../etc/passwd', '%2E./%2E./etc/passwd'],
    ['.', '%2E'],
    ['.hidden', '%2Ehidden'],
    ['a..b.', 'a..b.'],
    ['/a', '%/a'],
    ['a//b', 'a/%/b'],
    ['a/', 'a/%'],
    ['/', '%/%'],
    ['%', '%25'],
    ['%2E', '%252E'],
    ['a\u0000b\n\u007f\u0085', 'a%00b%0A%7F%85'],
    [String.raw`C:\x*?"<>|`, 'C%3A%5Cx%2A%3F%22%3C%3E%7C'],
  ];
  for (const [key, path] of table) {
    assert.equal(keyPath(key), path);
    assert.equal(path.split('/').map(textOfFileName).join('/'), key);
  }
});

test('keys that no folder can hold', () => {
  for (const key of ['', 'x'.repeat(255), `a/${'ü'.repeat(128)}/b`, '%'.repeat(85)]) {
    assert.throws(() => keyPath(key), { name: 'DeliveryError', code: 'S3.KeyTooLongError', retryable: false });
  }
  assert.equal(keyPath('x'.repeat(254)).length, 254);
  assert.equal(keyPath('%'.repeat(84)).length, 252);
});

test('two keys never share a path, and none leads out', () => {
  const key = fc.oneof(
    fc.string({ unit: fc.constantFrom('.', '/', '%', '2', 'E', 'a', '\\', '\n', ':'), minLength: 1 }),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 60 }),
  );
  fc.assert(
    fc.property(key, key, (one, other) => {
      const path = keyPath(one);
      const absolute = resolve('/buckets/one', path);
      assert.equal(absolute, `/buckets/one/${path}`, 'nothing in it means another folder');
      assert.equal(path === keyPath(other), one === other);
    }),
    { numRuns: 2000 },
  );
});

test('bucket names', async (context) => {
  const { blobs } = await folder(context);
  const table: readonly (readonly [name: string, isTaken: boolean])[] = [
    ['abc', true],
    ['git-data.1', true],
    ['a'.repeat(63), true],
    ['ab', false],
    ['a'.repeat(64), false],
    ['..', false],
    ['a..b', false],
    ['.incoming', false],
    ['Abc', false],
    ['a_b', false],
    ['a/b', false],
    ['-ab', false],
    ['192.168.0.1', false],
    ['', false],
  ];
  for (const [name, isTaken] of table) {
    assert.equal(isBucketName(name), isTaken, name);
    const wanted = { name: 'DeliveryError', code: 'S3.InvalidBucketName', retryable: false };
    if (!isTaken) await assert.rejects(blobs.put(name, 'k', chunks('x')), wanted);
  }
});

test('what an earlier attempt wrote stays, also where a later one has less', async (context) => {
  const { blobs, files } = await folder(context);
  for (const key of ['a', 'a/b']) {
    await blobs.put(BUCKET, key, chunks('first'));
    assert.equal(await blobs.put(BUCKET, key, chunks('two')), 3);
  }
  for (const key of ['a', 'a/b']) assert.equal(String(await whole(blobs, BUCKET, key)), 'first');
  await blobs.put(BUCKET, 'a', chunks('two'));
  assert.equal(String(await whole(blobs, BUCKET, 'a')), 'first', 'one that was moved aside is the same');
  assert.equal((await files()).length, 2, 'nothing is left beside it');
});

test('an object whose name may not have become durable is placed anew: a sync that succeeds later proves nothing', async () => {
  const simulation = new Simulation(1);
  const { files } = simulation.environment;
  const blobs = openFolderBlobs(simulation.environment, '/buckets');
  await simulation.drive(blobs.put(BUCKET, 'other', chunks('x')));
  const asked: string[] = [];
  const [rename, syncDirectory] = [files.rename.bind(files), files.syncDirectory.bind(files)];
  files.rename = async (from, to) => {
    asked.push(`rename ${to}`);
    if (asked.length === 1) simulation.failNext('syncDirectory', 'EIO');
    await rename(from, to);
  };
  files.syncDirectory = async (path) => {
    asked.push(`sync ${path}`);
    await syncDirectory(path);
  };
  await assert.rejects(simulation.drive(blobs.put(BUCKET, 'a', chunks('all of it'))), { code: 'S3.EIO' });
  await simulation.drive(blobs.put(BUCKET, 'a', chunks('less')));
  const placed = ['rename /buckets/bucket/a', 'sync /buckets/bucket'];
  assert.deepEqual(asked, [...placed, ...placed]);
  assert.deepEqual(await simulation.drive(blobs.list(BUCKET, { prefix: 'a' })), [{ key: 'a', sizeBytes: 9 }]);
});

test('an object comes back whole, is replaced whole, and goes', async (context) => {
  const { blobs, directory, files } = await folder(context);
  assert.equal(await blobs.put(BUCKET, 'a/b', chunks('one', '', 'two')), 6);
  assert.equal(String(await whole(blobs, BUCKET, 'a/b')), Buffer.from('onetwo').toString());
  assert.equal(blobs.locate(BUCKET, 'a/b'), `${directory}/bucket/a/b`);
  assert.equal(await blobs.put(BUCKET, 'a/b', chunks(), { replaces: true }), 0);
  assert.deepEqual(await blobs.list(BUCKET), [{ key: 'a/b', sizeBytes: 0 }]);
  assert.deepEqual(await files(), ['bucket/a/b'], 'nothing is left beside it');
  await blobs.remove(BUCKET, 'a/b');
  await blobs.remove(BUCKET, 'a/b');
  assert.equal(await whole(blobs, BUCKET, 'a/b'), undefined);
  assert.deepEqual(await blobs.list(BUCKET), []);
});

test('what is not there', async (context) => {
  const { blobs } = await folder(context);
  await blobs.put(BUCKET, 'a/b', chunks('x'));
  for (const key of ['a', 'a/', 'a/b/c', 'b']) assert.equal(await whole(blobs, BUCKET, key), undefined, key);
  assert.deepEqual(await blobs.list('empty'), []);
});

test('a body that fails leaves the object as it was', async (context) => {
  const { blobs, files } = await folder(context);
  const broken = async function* (): AsyncGenerator<Uint8Array> {
    yield Buffer.from('half');
    throw new DeliveryError('Test.Broken', 'the source ended', true);
  };
  await assert.rejects(blobs.put(BUCKET, 'new', broken()), { code: 'Test.Broken' });
  assert.deepEqual(await files(), []);
  await blobs.put(BUCKET, 'old', chunks('before'));
  await assert.rejects(blobs.put(BUCKET, 'old', broken()), { code: 'Test.Broken' });
  assert.equal(String(Buffer.from((await whole(blobs, BUCKET, 'old')) ?? [])), 'before');
  assert.deepEqual(await files(), ['bucket/old']);
});

test('an object that grows is not seen, and what a crash left half written goes at the next put', async (context) => {
  const { blobs, directory, files } = await folder(context);
  await mkdir(join(directory, '.incoming'));
  await writeFile(join(directory, '.incoming', 'left'), 'half');
  let seen: readonly unknown[] = ['not asked'];
  const watching = async function* (): AsyncGenerator<Uint8Array> {
    yield Buffer.from('half');
    seen = await blobs.list(BUCKET);
    yield Buffer.from('whole');
  };
  await blobs.put(BUCKET, 'a', watching());
  assert.deepEqual(seen, []);
  assert.deepEqual(await files(), ['bucket/a']);
});

test('several at once, also of one key', async (context) => {
  const { blobs, files } = await folder(context);
  const bodies = ['one', 'two', 'three'];
  await Promise.all(bodies.map(async (text) => await blobs.put(BUCKET, 'same', chunks(text))));
  await Promise.all(bodies.map(async (text) => await blobs.put(BUCKET, text, chunks(text))));
  assert.ok(bodies.includes(Buffer.from((await whole(blobs, BUCKET, 'same')) ?? []).toString()));
  assert.deepEqual(await files(), ['bucket/one', 'bucket/same', 'bucket/three', 'bucket/two']);
});

test('a disk that fails is a delivery to be tried again', async (context) => {
  const { blobs, directory } = await folder(context);
  // A file stands where the bucket's folder should.
  await writeFile(join(directory, BUCKET), 'x');
  await assert.rejects(blobs.put(BUCKET, 'a/b', chunks('x')), {
    name: 'DeliveryError',
    retryable: true,
    code: /^S3\.E/,
  });
});

/** Keys that stand on each other's way, in the order of S3's list, and the paths they get in a bucket. */
const CROWDED: readonly (readonly [key: string, path: string])[] = [
  ['a', 'a%'],
  ['a!', 'a!'],
  ['a/', 'a/%%'],
  ['a//b', 'a/%/b'],
  ['a/b', 'a/b%'],
  ['a/b%', 'a/b%25'],
  ['a/b/c', 'a/b/c%'],
  ['a/b/c/d', 'a/b/c/d'],
  ['a0', 'a0'],
];

/** Puts the crowded keys in this order, one after the other or at once, then takes them away again. */
async function crowd(blobs: BlobStore, bucket: string, order: readonly string[], isAtOnce: boolean): Promise<void> {
  const all = CROWDED.map(([key]) => key);
  const puts = order.map((key) => async () => await blobs.put(bucket, key, chunks(key)));
  if (isAtOnce) await Promise.all(puts.map(async (put) => await put()));
  else for (const put of puts) await put();
  const listed = (await blobs.list(bucket)).map(({ key, sizeBytes }) => [key, sizeBytes]);
  assert.deepEqual(
    listed,
    all.map((key) => [key, key.length]),
  );
  for (const key of all) assert.equal(String(Buffer.from((await whole(blobs, bucket, key)) ?? [])), key);
  for (const [at, key] of order.entries()) {
    await blobs.put(bucket, key, chunks('anew'), { replaces: true });
    assert.equal((await whole(blobs, bucket, key))?.length, 4);
    await blobs.remove(bucket, key);
    assert.equal(await whole(blobs, bucket, key), undefined, key);
    const left = new Set(order.slice(at + 1));
    const keys = (await blobs.list(bucket)).map((one) => one.key);
    assert.deepEqual(
      keys,
      all.filter((one) => left.has(one)),
    );
  }
}

const ORDER = fc.shuffledSubarray(
  CROWDED.map(([key]) => key),
  { minLength: CROWDED.length },
);

test('a bucket holds a key and keys below it, put in any order, and lists them as S3 does', async () => {
  const property = fc.asyncProperty(ORDER, fc.boolean(), fc.nat(), async (order, isAtOnce, seed) => {
    const simulation = new Simulation(seed);
    await simulation.drive(crowd(openFolderBlobs(simulation.environment, '/buckets'), BUCKET, order, isAtOnce));
  });
  await fc.assert(property, { numRuns: 60 });
});

test('the same on the machine’s own files, and which names they get', async (context) => {
  const { blobs, files } = await folder(context);
  const keys = CROWDED.map(([key]) => key);
  for (const [run, isAtOnce] of [true, true, false].entries()) {
    await crowd(blobs, `bucket-${run}`, run === 1 ? keys : keys.toReversed(), isAtOnce);
  }
  await Promise.all(keys.map(async (key) => await blobs.put(BUCKET, key, chunks(key))));
  assert.deepEqual(await files(), CROWDED.map(([, path]) => `${BUCKET}/${path}`).sort());
});

test('a list misses no object that is moved aside meanwhile', async () => {
  for (let seed = 1; seed <= 40; seed += 1) {
    const simulation = new Simulation(seed);
    const blobs = openFolderBlobs(simulation.environment, '/buckets');
    await simulation.drive(blobs.put(BUCKET, 'a', chunks('x')));
    const lists = Array.from({ length: 10 }, async (_, index) => {
      await simulation.environment.clock.sleep(index);
      assert.deepEqual((await blobs.list(BUCKET))[0], { key: 'a', sizeBytes: 1 }, `seed ${seed}`);
    });
    await simulation.drive(Promise.all([...lists, blobs.put(BUCKET, 'a/b', chunks('x'))]));
  }
});

test('a folder that is gone gives its name back: the newer object is the one that counts', async (context) => {
  const { blobs, directory, files } = await folder(context);
  for (const key of ['a', 'a/b']) await blobs.put(BUCKET, key, chunks(key));
  await rm(join(directory, BUCKET, 'a'), { recursive: true });
  assert.equal((await whole(blobs, BUCKET, 'a'))?.length, 1, 'the object stays');
  await blobs.put(BUCKET, 'a', chunks('newer'), { replaces: true });
  assert.equal((await whole(blobs, BUCKET, 'a'))?.length, 5);
  assert.deepEqual(await blobs.list(BUCKET), [{ key: 'a', sizeBytes: 5 }]);
  await blobs.put(BUCKET, 'a/b', chunks('x'));
  assert.deepEqual(await files(), ['bucket/a%', 'bucket/a/b']);
  assert.equal((await whole(blobs, BUCKET, 'a'))?.length, 5);
  await blobs.remove(BUCKET, 'a');
  assert.deepEqual(await files(), ['bucket/a/b']);
});

test('a power cut leaves an object that makes way whole at one of its places, and the new one whole or not at all', async () => {
  const found = new Set<boolean>();
  for (let operations = 1; operations < 16; operations += 1) {
    for (let seed = 1; seed <= 6; seed += 1) {
      const simulation = new Simulation(seed);
      const before = openFolderBlobs(simulation.environment, '/buckets');
      await simulation.drive(before.put(BUCKET, 'x/a', chunks('first')));
      simulation.crashAfterFileOperations(operations);
      await simulation.drive(before.put(BUCKET, 'x/a/b/c', chunks('second'))).catch(() => undefined);
      simulation.crash();
      simulation.restart();
      const after = openFolderBlobs(simulation.environment, '/buckets');
      const listed = await simulation.drive(after.list(BUCKET));
      assert.deepEqual(listed[0], { key: 'x/a', sizeBytes: 5 }, `seed ${seed}, after ${operations} operations`);
      assert.deepEqual(listed.slice(1), listed.length > 1 ? [{ key: 'x/a/b/c', sizeBytes: 6 }] : []);
      found.add(listed.length > 1);
      await simulation.drive(after.put(BUCKET, 'x/a/b/c', chunks('again')));
      assert.equal((await simulation.drive(after.list(BUCKET))).length, 2);
    }
  }
  assert.equal(found.size, 2);
});

test('keys sort by the bytes of their UTF-8', () => {
  const text = fc.string({
    unit: fc.constantFrom('a', '/', 'ü', '\ud7ff', '\ue000', '\uffff', '😀', '𝕏'),
    maxLength: 4,
  });
  fc.assert(
    fc.property(text, text, (one, other) => {
      assert.equal(Math.sign(keyOrder(one, other)), Buffer.compare(Buffer.from(one), Buffer.from(other)));
    }),
  );
});

test('any key comes back from the list and finds its object', async (context) => {
  const { blobs } = await folder(context);
  const part = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 30 }),
    fc.constantFrom('', '.', '..', '%', '%2F', '.incoming', '\u0000', 'CON'),
  );
  const key = fc.array(part, { minLength: 1, maxLength: 5 }).map((parts) => parts.join('/'));
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(
      key.filter((text) => text !== ''),
      async (text) => {
        // A bucket of its own: folders that an earlier key left could stand where this one wants a file.
        const bucket = `bucket-${(runs += 1)}`;
        await blobs.put(bucket, text, chunks(text));
        assert.deepEqual(await blobs.list(bucket), [{ key: text, sizeBytes: Buffer.byteLength(text) }]);
        assert.deepEqual(Buffer.from((await whole(blobs, bucket, text)) ?? []), Buffer.from(text));
        await blobs.remove(bucket, text);
        assert.deepEqual(await blobs.list(bucket), []);
      },
    ),
    { numRuns: 60 },
  );
});

test('the list is sorted by key, and prefix, after and limit choose from it', async (context) => {
  const { blobs } = await folder(context);
  const all = [
    'a',
    'a!',
    'a-/x',
    'a.b/x',
    'a0',
    'b/',
    'b/%',
    'b/../x',
    'b/a/x',
    'b/a/y',
    'b/a0',
    'c//x',
    'ü',
    '~',
  ].sort();
  for (const key of all.toReversed()) await blobs.put(BUCKET, key, chunks(key));
  assert.deepEqual(await keys(blobs), all);
  const table: readonly (readonly [options: Parameters<BlobStore['list']>[1], keys: readonly string[]])[] = [
    [{ prefix: 'b/' }, ['b/', 'b/%', 'b/../x', 'b/a/x', 'b/a/y', 'b/a0']],
    [{ prefix: 'b/a/' }, ['b/a/x', 'b/a/y']],
    [{ prefix: 'b/..' }, ['b/../x']],
    [{ prefix: 'a' }, ['a', 'a!', 'a-/x', 'a.b/x', 'a0']],
    [{ prefix: 'zz' }, []],
    [{ after: 'b/a/x', limit: 2 }, ['b/a/y', 'b/a0']],
    [{ after: 'b/a/' }, ['b/a/x', 'b/a/y', 'b/a0', 'c//x', '~', 'ü']],
    [{ limit: 1 }, ['a']],
    [{ limit: 0 }, []],
    [{ after: 'ü' }, []],
  ];
  for (const [options, wanted] of table) assert.deepEqual(await keys(blobs, options), wanted, JSON.stringify(options));
  const text = fc.oneof(fc.constantFrom(...all), fc.string({ unit: fc.constantFrom('a', 'b', '/', '.', '0', 'x') }));
  await fc.assert(
    fc.asyncProperty(text, text, fc.nat(15), async (prefix, after, limit) => {
      const chosen = all.filter((key) => key.startsWith(prefix) && key > after).slice(0, limit);
      assert.deepEqual(await keys(blobs, { prefix, after, limit }), chosen);
    }),
    { numRuns: 150 },
  );
});
