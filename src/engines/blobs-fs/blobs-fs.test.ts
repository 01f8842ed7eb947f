import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile, mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test, type TestContext } from 'node:test';
import * as fc from 'fast-check';
import { createNodeEnvironment } from '../../environments/node/index.ts';
import { DeliveryError } from '../../kernel/errors.ts';
import type { BlobStore } from '../../ports/blob-store.ts';
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
  for (const key of ['', 'x'.repeat(256), `a/${'ü'.repeat(128)}/b`, '%'.repeat(86)]) {
    assert.throws(() => keyPath(key), { name: 'DeliveryError', code: 'S3.KeyTooLongError', retryable: false });
  }
  assert.equal(keyPath('x'.repeat(255)).length, 255);
  assert.equal(keyPath('%'.repeat(85)).length, 255);
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

test('an object comes back whole, is replaced whole, and goes', async (context) => {
  const { blobs, directory, files } = await folder(context);
  assert.equal(await blobs.put(BUCKET, 'a/b', chunks('one', '', 'two')), 6);
  assert.equal(String(await blobs.get(BUCKET, 'a/b')), Buffer.from('onetwo').toString());
  assert.equal(blobs.locate(BUCKET, 'a/b'), `${directory}/bucket/a/b`);
  assert.equal(await blobs.put(BUCKET, 'a/b', chunks()), 0);
  assert.deepEqual(await blobs.list(BUCKET), [{ key: 'a/b', sizeBytes: 0 }]);
  assert.deepEqual(await files(), ['bucket/a/b'], 'nothing is left beside it');
  await blobs.remove(BUCKET, 'a/b');
  await blobs.remove(BUCKET, 'a/b');
  assert.equal(await blobs.get(BUCKET, 'a/b'), undefined);
  assert.deepEqual(await blobs.list(BUCKET), []);
});

test('what is not there', async (context) => {
  const { blobs } = await folder(context);
  await blobs.put(BUCKET, 'a/b', chunks('x'));
  for (const key of ['a', 'a/', 'a/b/c', 'b']) assert.equal(await blobs.get(BUCKET, key), undefined, key);
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
  assert.equal(String(Buffer.from((await blobs.get(BUCKET, 'old')) ?? [])), 'before');
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
  assert.ok(bodies.includes(Buffer.from((await blobs.get(BUCKET, 'same')) ?? []).toString()));
  assert.deepEqual(await files(), ['bucket/one', 'bucket/same', 'bucket/three', 'bucket/two']);
});

test('a disk that fails is a delivery to be tried again', async (context) => {
  const { blobs } = await folder(context);
  await blobs.put(BUCKET, 'a', chunks('x'));
  // A file stands where the key wants a folder.
  await assert.rejects(blobs.put(BUCKET, 'a/b', chunks('x')), {
    name: 'DeliveryError',
    retryable: true,
    code: /^S3\.E/,
  });
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
        assert.deepEqual(Buffer.from((await blobs.get(bucket, text)) ?? []), Buffer.from(text));
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
