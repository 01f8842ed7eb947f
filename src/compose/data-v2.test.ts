import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import {
  CONTENT_V2,
  contentOf,
  DATA_V2,
  filesOf,
  IDS_V2,
  placeFiles,
  SECTIONS_V2,
  sendHook,
} from '../testing/data-directory-v2.ts';
import { NodeBench } from '../testing/node-bench.ts';

type Files = ReadonlyMap<string, Buffer>;

const CONTENT = JSON.parse(readFileSync(join(DATA_V2, CONTENT_V2), 'utf8')) as readonly {
  readonly StreamName: string;
  readonly shards: readonly { readonly ShardId: string; readonly Records: readonly object[] }[];
}[];

function fixture(): Files {
  const names = readdirSync(DATA_V2, { recursive: true, encoding: 'utf8' });
  const paths = names.filter((name) => name !== CONTENT_V2 && name !== 'log' && name !== 'catalog');
  return new Map(paths.map((path) => [path.replaceAll('\\', '/'), readFileSync(join(DATA_V2, path))]));
}

const isSegment = (path: string): boolean => path.startsWith('log/segment-');
const isSettled = (bytes: Buffer): boolean => bytes.readUInt32LE(32) > 0;
const isSealed = (bytes: Buffer): boolean => bytes.subarray(-32, -24).toString('latin1') === 'millfoot';

async function openOn(files: Files): Promise<NodeBench> {
  const bench = new NodeBench(2);
  await placeFiles(bench, files);
  return await bench.open(SECTIONS_V2);
}

test('the fixture of format 2 has all that the format has', () => {
  const files = fixture();
  const segments = [...files].filter(([path]) => isSegment(path)).map(([, bytes]) => bytes);
  assert.ok(segments.every((bytes) => bytes.readUInt32LE(8) === 2));
  assert.ok(segments.some(isSettled), 'a settled file');
  assert.ok(
    segments.some((bytes) => isSealed(bytes) && !isSettled(bytes)),
    'a sealed part of the journal',
  );
  assert.ok(
    segments.some((bytes) => !isSealed(bytes)),
    'one without a footer',
  );
  assert.ok([...files.keys()].some((path) => path.startsWith('catalog/snapshot-')));
  const kept = CONTENT.find(({ StreamName }) => StreamName === 'kept');
  assert.equal(kept?.shards.length, 5, 'two shards, two of a split, one of a merge');
  assert.ok([...files.values()].reduce((sum, { length }) => sum + length, 0) < 100_000, 'and it is small');
});

test('a data directory of format 2 is opened: every record, every number and time, and what was learnt of repeats', async () => {
  const bench = await openOn(fixture());
  assert.deepEqual(await contentOf(bench), CONTENT);
  assert.deepEqual(bench.node.health(), { ok: true, problems: [] });
  for (const id of IDS_V2) assert.equal((await sendHook(bench, id)).duplicate, true, id);
  assert.equal((await sendHook(bench, 'new')).duplicate, false);
  // The delivery goes on behind its position: what it had delivered does not come again.
  await bench.simulation.pass(120_000);
  const delivered = [...(await bench.objects('archive')).values()].map((bytes) => bytes.toString()).join('');
  assert.deepEqual(delivered.match(/id-\d+|new/g), [...IDS_V2.slice(8), 'new']);
  await bench.call('Kinesis_20131202.PutRecord', { StreamName: 'kept', PartitionKey: 'k', Data: 'bmV3' });
  const before = (await contentOf(bench)) as object;
  await bench.close();
  const again = await openOn(await filesOf(bench));
  assert.deepEqual(await contentOf(again), before);
});

/** Which file, where its version stands, and where which bytes' checksum does; positions below 0 are from the end. */
const NEWER: readonly (readonly [
  what: string,
  wanted: (path: string, bytes: Buffer) => boolean,
  version: number,
  covered: readonly (readonly [number, number?])[],
  checksum: number,
])[] = [
  ['a part of the journal', (path, bytes) => isSegment(path) && !isSettled(bytes), 8, [[0, 36]], 36],
  ['a settled file', (path, bytes) => isSegment(path) && isSettled(bytes), 8, [[0, 36]], 36],
  ['the index of a sealed file', (path, bytes) => isSegment(path) && isSealed(bytes), -24, [[-32, -4]], -4],
  ['the index of a settled file', (path, bytes) => isSegment(path) && isSettled(bytes), -24, [[-32, -4]], -4],
  ['a snapshot of the catalog', (path) => path.startsWith('catalog/'), 8, [[0, 28], [32]], 28],
]; // prettier-ignore

for (const [what, wanted, version, covered, checksum] of NEWER) {
  test(`${what} of a newer format is refused with its name, and every file stays as it is`, async () => {
    const files = new Map(fixture());
    const [path, bytes] = [...files].findLast((one) => wanted(...one)) ?? assert.fail('the fixture has one');
    const newer = Buffer.from(bytes);
    newer.writeUInt32LE(9, (version + newer.length) % newer.length);
    const sum = covered.reduce((crc, [from, to]) => crc32(newer.subarray(from, to), crc), 0);
    newer.writeUInt32LE(sum, (checksum + newer.length) % newer.length);
    files.set(path, newer);
    const bench = new NodeBench(2);
    await placeFiles(bench, files);
    await assert.rejects(bench.open(SECTIONS_V2), (error: Error & { readonly code?: string }) => {
      assert.equal(error.code, 'EOTHER');
      assert.ok(error.message.includes(path), error.message);
      assert.match(error.message, /has on-disk format 9, written by a newer millrace; this one reads up to \d$/);
      return true;
    });
    for (const [name, left] of await filesOf(bench))
      if (name.includes('/')) assert.deepEqual(left, files.get(name), name);
  });
}
