/**
 * The bound on space over a week of virtual time, power cuts included: a stream kept for 24 h beside one that is kept for
 * 8,760 h and gets a thousandth of the bytes.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Simulation } from '../../src/environments/simulated/index.ts';
import { packEntries, type PackedEntries } from '../../src/kernel/stream/packed-entries.ts';
import type { Environment } from '../../src/ports/environment.ts';
import { withOpened } from '../../src/testing/changed-files.ts';
import { A, B, LogUnderTest } from '../../src/engines/segment-log/log.fixture.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const SEGMENT_BYTES = 64 * 1024;
const SLACK_BYTES = 8 * SEGMENT_BYTES;
const APPENDS_PER_DAY = 640;
const RUN_BYTES = 8000;
const LONG_EVERY = 10;
const LONG_BYTES = 80;
const DAYS = 8;

/** One shard's appended bytes, with the time of each append. */
class Taken {
  readonly #retentionMs: number;
  readonly #bytes: number;
  readonly #arrivals: number[] = [];

  constructor(retentionMs: number, bytes: number) {
    this.#retentionMs = retentionMs;
    this.#bytes = bytes;
  }

  add(at: number): void {
    this.#arrivals.push(at);
  }

  get bytes(): number {
    return this.#arrivals.length * this.#bytes;
  }

  /** How many appends are still to be read at a time. */
  keptAt(now: number): number {
    return this.#arrivals.filter((at) => at >= now - this.#retentionMs).length;
  }

  keptBytesAt(now: number): number {
    return this.keptAt(now) * this.#bytes;
  }
}

/** The machine, with a count of the bytes that go to its disk. */
function counting(environment: Environment, written: (bytes: number) => void): Environment {
  return withOpened(environment, (file) => ({
    ...file,
    write: async (bytes, position) => {
      written(bytes instanceof Uint8Array ? bytes.length : bytes.reduce((sum, piece) => sum + piece.length, 0));
      await file.write(bytes, position);
    },
  }));
}

function records(count: number, bytes: number): PackedEntries {
  const data = Buffer.alloc(bytes / count - 12, 'x');
  return packEntries(Array.from({ length: count }, () => ({ key: Buffer.from('key '), data })));
}

class Week {
  readonly #simulation = new Simulation(1);
  readonly short = new Taken(DAY_MS, RUN_BYTES);
  readonly long = new Taken(365 * DAY_MS, LONG_BYTES);
  written = 0;
  worstRatio = 0;
  #epoch = 0;

  async open(): Promise<LogUnderTest> {
    this.#epoch += 1;
    const environment = counting(this.#simulation.environment, (bytes) => (this.written += bytes));
    const options = { segmentBytesMax: SEGMENT_BYTES, epoch: this.#epoch };
    const under = await LogUnderTest.open(this.#simulation, options, environment);
    await under.drive(under.log.store.retain(A, DAY_MS));
    await under.drive(under.log.store.retain(B, 365 * DAY_MS));
    return under;
  }

  /** A day's appends, with the bound looked at behind each, and the power cut somewhere in it. */
  async day(under: LogUnderTest, day: number): Promise<LogUnderTest> {
    const cutAt = this.#simulation.random.below(APPENDS_PER_DAY);
    let now = under;
    for (let append = 0; append < APPENDS_PER_DAY; append += 1) {
      if (append === cutAt) now = await this.#cut();
      await this.#append(now, append);
      await this.#simulation.pass(DAY_MS / APPENDS_PER_DAY);
      this.#look(day);
    }
    return now;
  }

  /** Everything that is still kept can be read. */
  async check(under: LogUnderTest): Promise<void> {
    const { store } = under.log;
    for (const [shard, taken, records] of [
      [A, this.short, 8],
      [B, this.long, 1],
    ] as const) {
      const since = this.#simulation.wallNow - (shard === A ? DAY_MS : 365 * DAY_MS);
      const reading = async (): Promise<number> => {
        let count = 0;
        for (let at = await store.positionAt(shard, since); ;) {
          const slice = await store.read(shard, at, { records: 1000, bytes: 1_000_000 });
          if (slice.count === 0) return count;
          count += slice.count;
          at = slice.next;
        }
      };
      const count = await under.drive(reading());
      assert.equal(count, taken.keptAt(this.#simulation.wallNow) * records);
    }
  }

  async #cut(): Promise<LogUnderTest> {
    this.#simulation.crash();
    this.#simulation.restart();
    return await this.open();
  }

  async #append(under: LogUnderTest, append: number): Promise<void> {
    this.short.add((await under.drive(under.a.append(records(8, RUN_BYTES)))).at);
    if (append % LONG_EVERY !== 0) return;
    this.long.add((await under.drive(under.b.append(records(1, LONG_BYTES)))).at);
  }

  #look(day: number): void {
    const { wallNow, diskBytes } = this.#simulation;
    const live = this.short.keptBytesAt(wallNow) + this.long.keptBytesAt(wallNow);
    if (day > 1) this.worstRatio = Math.max(this.worstRatio, diskBytes / live);
    assert.ok(diskBytes <= 1.5 * live + SLACK_BYTES, `day ${day}: ${diskBytes} bytes for ${live} that are needed`);
  }
}

test('a week beside a year, with a power cut each day: the bounds on disk and on writes hold', async (context) => {
  const week = new Week();
  let under = await week.open();
  for (let day = 1; day <= DAYS; day += 1) {
    under = await week.day(under, day);
    await week.check(under);
  }
  const taken = week.short.bytes + week.long.bytes;
  context.diagnostic(JSON.stringify({ taken, written: week.written / taken, worstRatio: week.worstRatio }));
  assert.ok(week.written <= 2.2 * taken, `${week.written} bytes written for ${taken}`);
  assert.deepEqual(under.log.health(), []);
});
