import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PlannedRead } from './read-plan.ts';
import { Segment } from './segment.ts';
import { type SharedWindow, SharedWindows, WINDOW_BYTES } from './shared-windows.ts';

const MIB = 1024 * 1024;

/** A file of `end` bytes, each of which says in which MiB it stands; reads can fail, or come to an early end. */
class FakeFile {
  readonly segment = new Segment('/log', { version: 2, epoch: 1, segment: 1, salt: 1, settledFrom: 0 });
  readonly reads: number[] = [];
  lastByte = Number.MAX_SAFE_INTEGER;
  failing = false;

  constructor(end: number) {
    this.segment.end = end;
  }

  async readSome(_: Segment, position: number, bytes: Buffer): Promise<number> {
    this.reads.push(position / MIB);
    await new Promise((resolve) => setImmediate(resolve));
    if (this.failing) throw new Error('cannot be read');
    for (let at = 0; at < bytes.length; at += 1) bytes[at] = Math.floor((position + at) / MIB);
    return Math.max(0, Math.min(bytes.length, this.lastByte - position));
  }
}

/** From and to in parts of a MiB. */
function part(from: number, to: number): PlannedRead {
  const [position, end] = [from * MIB, to * MIB];
  return { position, end, first: 0, next: 1, wantedBytes: end - position };
}

test('who wants what lies in one window shares one read, at once or later', async () => {
  const file = new FakeFile(5 * MIB);
  const windows = new SharedWindows(file);
  const both = await Promise.all([part(0, 0.9), part(0.1, 1.02)].map((one) => windows.acquire(file.segment, one)));
  assert.equal(both[0], both[1]);
  assert.equal((await windows.acquire(file.segment, part(0.3, 1)))?.bytes, both[0]?.bytes);
  assert.equal((await windows.acquire(file.segment, part(2.2, 2.9)))?.position, 2 * WINDOW_BYTES);
  assert.deepEqual(file.reads, [0, 2]);
});

test('what is small, or longer than a window, has none', async () => {
  const file = new FakeFile(5 * MIB);
  const windows = new SharedWindows(file);
  for (const one of [part(0.1, 0.5), part(0.1, 1.2)]) assert.equal(await windows.acquire(file.segment, one), undefined);
  assert.deepEqual(file.reads, []);
});

test('a window of a file that has grown is read again where it ended before', async () => {
  const file = new FakeFile(0.75 * MIB);
  const windows = new SharedWindows(file);
  await windows.acquire(file.segment, part(0, 0.75));
  file.segment.end = 1.5 * MIB;
  await windows.acquire(file.segment, part(0.1, 0.75));
  assert.deepEqual(file.reads, [0]);
  assert.ok(((await windows.acquire(file.segment, part(0.1, 0.9)))?.end ?? 0) >= 0.9 * MIB);
  assert.deepEqual(file.reads, [0, 0]);
});

test('a window that cannot be read, or not so far, is nobody’s, and read again', async () => {
  const file = new FakeFile(5 * MIB);
  const windows = new SharedWindows(file);
  file.failing = true;
  assert.equal(await windows.acquire(file.segment, part(0, 0.9)), undefined);
  file.failing = false;
  file.lastByte = 0.7 * MIB;
  assert.equal(await windows.acquire(file.segment, part(0, 0.9)), undefined);
  assert.notEqual(await windows.acquire(file.segment, part(0, 0.6)), undefined);
});

test('memory in use is never used for another window, and memory that is not is used again', async () => {
  const file = new FakeFile(100 * MIB);
  const windows = new SharedWindows(file);
  const used: SharedWindow[] = [];
  for (let at = 0; at < 20; at += 1) {
    const window = await windows.acquire(file.segment, part(at, at + 0.9));
    assert.ok(window !== undefined);
    used.push(window);
  }
  assert.equal(new Set(used.map(({ bytes }) => bytes.buffer)).size, 20);
  for (const [at, { bytes }] of used.entries()) assert.equal(bytes[0], at);
  const kept = used.slice(0, 8).map(({ bytes }) => bytes.buffer);
  for (const window of used) windows.release(window);
  for (let at = 50; at < 70; at += 1) {
    const window = await windows.acquire(file.segment, part(at, at + 0.9));
    assert.ok(window !== undefined && window.bytes[0] === at && kept.includes(window.bytes.buffer));
    windows.release(window);
  }
});
