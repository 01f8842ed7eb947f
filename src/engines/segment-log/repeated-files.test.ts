import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Simulation } from '../../environments/simulated/index.ts';
import { crcOf } from './format.ts';
import { A, B, type Image, LogUnderTest, replaced } from './log.fixture.ts';

const HOUR_MS = 3_600_000;
const OPTIONS = { segmentBytesMax: 4000 };
const KEPT = Array.from({ length: 60 }, (_, round) => `b${round}`);

/** Sealed files in which records that are kept stand between others that soon expire. */
async function unsettled(): Promise<Image> {
  const under = await LogUnderTest.open(new Simulation(1), OPTIONS);
  for (const text of KEPT) {
    await under.append(under.a, ...Array<string>(8).fill('x'.repeat(100)));
    await under.append(under.b, text);
  }
  await under.simulation.pass(1000);
  await under.drive(under.log.close());
  return await under.image();
}

/** What becomes of it when the process starts so many times before the records expire. */
async function settled(image: Image, starts: number): Promise<{ readonly image: Image; readonly path: string }> {
  let [left, path] = [image, ''];
  for (let start = 1; start <= starts; start += 1) {
    const under = await LogUnderTest.openImage(left, { ...OPTIONS, epoch: 1 + start });
    if (start === starts) {
      await under.drive(under.log.store.retain(A, HOUR_MS));
      await under.drive(under.log.store.retain(B, 48 * HOUR_MS));
      await under.simulation.pass(2 * HOUR_MS);
      const lines = under.simulation.logged.filter(({ event }) => event === 'log.settled');
      path = String(lines.at(-1)?.fields['path']);
    }
    await under.drive(under.log.close());
    left = await under.image();
  }
  return { image: left, path };
}

const FOOTER_HEAD_BYTES = 32;
const TRAILER_BYTES = 32;

/** The segments that a settled file says it was made of; `change` gives each another number. */
function sourcesOf(file: Buffer, change?: (source: number, index: number) => number): readonly number[] {
  const trailer = file.length - TRAILER_BYTES;
  const footer = file.readUInt32LE(trailer + 16);
  const sources = Array.from({ length: file.readUInt32LE(footer + 20) }, (_, index) => {
    const at = footer + FOOTER_HEAD_BYTES + 4 * index;
    const source = file.readUInt32LE(at);
    if (change !== undefined) file.writeUInt32LE(change(source, index), at);
    return source;
  });
  file.writeUInt32LE(crcOf(file, footer, trailer), trailer + 24);
  file.writeUInt32LE(crcOf(file, trailer, trailer + 28), trailer + 28);
  return sources;
}

function fileOf({ image, path }: { readonly image: Image; readonly path: string }): Buffer {
  return Buffer.from(image.get(path) ?? assert.fail(path));
}

/** Two histories of one log, and which settled file came of it; in the second it has the higher number. */
async function histories() {
  const before = await unsettled();
  const [one, other] = [await settled(before, 1), await settled(before, 3)];
  assert.ok(one.path < other.path);
  assert.ok(sourcesOf(fileOf(one)).length > 5);
  return { one, other };
}

/** What a start finds of both: the files that it leaves, the records that are kept, and what health says. */
async function found(image: Image, paths: readonly string[]) {
  const under = await LogUnderTest.openImage(image, { ...OPTIONS, epoch: 9 });
  const [texts, health] = [await under.texts(B), under.log.health()];
  await under.drive(under.log.close());
  const left = await under.image();
  return { files: paths.map((path) => left.has(path)), texts, health, left };
}

test('of two settled files that were made of the same, the newer one stays, and no record comes twice', async () => {
  const { one, other } = await histories();
  const newer = fileOf(other);
  const sources = sourcesOf(fileOf(one));
  sourcesOf(newer, (source) => (sources.includes(source) ? source : (sources[0] ?? 0)));
  const { left: _, ...rest } = await found(replaced(one.image, other.path, newer), [one.path, other.path]);
  assert.deepEqual(rest, { files: [false, true], texts: KEPT, health: [] });
});

test('of two settled files the one that was made of more stays, also where it is the older one', async () => {
  const { one, other } = await histories();
  const newer = fileOf(other);
  const [first = 0, ...more] = sourcesOf(fileOf(one));
  // As if the newer one had been made of one file less.
  sourcesOf(newer, (source) => (more.slice(0, -1).includes(source) ? source : first));
  const { left: _, ...rest } = await found(replaced(one.image, other.path, newer), [one.path, other.path]);
  assert.deepEqual(rest, { files: [true, false], texts: KEPT, health: [] });
});

test('where neither of two settled files holds all, each record is read once, and health names the file', async () => {
  const { one, other } = await histories();
  const newer = fileOf(other);
  sourcesOf(newer, (source, index) => (index === 0 ? 999_999 : source));
  const { left, health, ...rest } = await found(replaced(one.image, other.path, newer), [one.path, other.path]);
  assert.deepEqual(rest, { files: [true, true], texts: KEPT });
  const said = /at byte \d+: its footer tells of records that a file in front of it holds$/;
  assert.deepEqual(
    health.map((problem) => [problem.includes(other.path), said.test(problem)]),
    [[true, true]],
  );
  const again = await LogUnderTest.openImage(left, { ...OPTIONS, epoch: 10 });
  await again.append(again.b, 'new');
  assert.deepEqual(await again.texts(B), [...KEPT, 'new']);
});
