/**
 * The bound on space, on real files: a stream kept for 24 h at 10 MB/s beside one kept for 8,760 h at 10 KB/s, with time
 * and bytes scaled 1:1000 together. Time is injected and nothing is synced: this is about bytes.
 */
import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openSegmentLog } from '../../src/engines/segment-log/index.ts';
import { packEntries } from '../../src/kernel/stream/packed-entries.ts';
import type { ShardRef, ShardWriter } from '../../src/ports/stream-store.ts';
import { removeDirectory, temporaryDirectory } from '../support/node-process.ts';
import { ScaledMachine } from './scaled-machine.ts';
import './week.ts';

const SEGMENT_BYTES = 64 * 1024;
const SLACK_BYTES = 512 * 1024;
const SHORT_MS = 86_400;
const LONG_MS = 31_536_000;
const PERIODS = 5;
const RUN_BYTES = 63_000;
/** 10 MB/s. */
const RUN_MS = 6.3;
/** 10 KB/s. */
const LONG_EVERY_MS = 102.4;
const LONG_BYTES = 1024;
const SAMPLE_MS = 200;

const home = temporaryDirectory('space');
after(() => removeDirectory(home));

const SHORT: ShardRef = { stream: 'short', generation: 1, ordinal: 0 };
const LONG: ShardRef = { stream: 'long', generation: 1, ordinal: 0 };

/** Bytes that are kept at a time, of a stream whose records all have one size. */
class Kept {
  readonly #arrivals: number[] = [];
  readonly #retentionMs: number;
  readonly #recordBytes: number;
  #gone = 0;

  constructor(retentionMs: number, recordBytes: number) {
    this.#retentionMs = retentionMs;
    this.#recordBytes = recordBytes;
  }

  add(at: number): void {
    this.#arrivals.push(at);
  }

  get takenBytes(): number {
    return this.#arrivals.length * this.#recordBytes;
  }

  bytes(now: number): number {
    while ((this.#arrivals[this.#gone] ?? Infinity) < now - this.#retentionMs) this.#gone += 1;
    return (this.#arrivals.length - this.#gone) * this.#recordBytes;
  }
}

function records(count: number, bytes: number): ReturnType<typeof packEntries> {
  const data = Buffer.alloc(bytes / count - 12, 'x');
  return packEntries(Array.from({ length: count }, () => ({ key: Buffer.from('key '), data })));
}

test('24 h at 10 MB/s beside 8,760 h at 10 KB/s, scaled 1:1000: bounds on disk and on writes', async (context) => {
  const machine = new ScaledMachine();
  const directory = join(home, 'log');
  const log = await openSegmentLog(machine.environment, {
    directory,
    epoch: 1,
    segmentBytesMax: SEGMENT_BYTES,
    reserveBytes: 0,
    onFailure: (error) => assert.fail(error),
  });
  const writers: ShardWriter[] = [];
  for (const [shard, retentionMs] of [
    [SHORT, SHORT_MS],
    [LONG, LONG_MS],
  ] as const) {
    await log.store.createShards([shard], { retentionMs });
    writers.push(await log.store.open(shard, 0n));
  }
  const [short, long] = writers as [ShardWriter, ShardWriter];
  const kept = { short: new Kept(SHORT_MS, RUN_BYTES), long: new Kept(LONG_MS, LONG_BYTES) };
  const worst = { ratio: 0, overBytes: -Infinity, files: 0 };
  const [run, record] = [records(63, RUN_BYTES), records(1, LONG_BYTES)];
  let [longAt, sampleAt] = [machine.now, machine.now];
  for (const end = machine.now + PERIODS * SHORT_MS; machine.now < end;) {
    await machine.pass(RUN_MS);
    kept.short.add((await short.append(run)).at);
    if (machine.now >= longAt) {
      longAt += LONG_EVERY_MS;
      kept.long.add((await long.append(record)).at);
    }
    if (machine.now < sampleAt) continue;
    sampleAt += SAMPLE_MS;
    const live = kept.short.bytes(machine.now) + kept.long.bytes(machine.now);
    const over = machine.diskBytes - 1.5 * live;
    worst.overBytes = Math.max(worst.overBytes, over);
    worst.files = Math.max(worst.files, machine.fileCount);
    if (machine.now > end - (PERIODS - 1) * SHORT_MS) worst.ratio = Math.max(worst.ratio, machine.diskBytes / live);
    assert.ok(over <= SLACK_BYTES, `${machine.diskBytes} bytes of files for ${live} bytes that are needed`);
  }
  const seen = readdirSync(directory).reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);
  const taken = kept.short.takenBytes + kept.long.takenBytes;
  const written = machine.writtenBytes / taken;
  context.diagnostic(JSON.stringify({ ...worst, taken, written, disk: seen }));
  assert.ok(
    Math.abs(seen - machine.diskBytes) <= 2 * SEGMENT_BYTES,
    `${seen} bytes are there, ${machine.diskBytes} counted`,
  );
  assert.ok(written <= 2.2, `${written} bytes are written for each taken in`);
  await log.close();
});
