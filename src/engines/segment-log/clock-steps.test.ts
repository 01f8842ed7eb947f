import assert from 'node:assert/strict';
import { test } from 'node:test';
import { packEntries } from '../../kernel/stream/packed-entries.ts';
import { Simulation } from '../../environments/simulated/index.ts';
import type { ShardRef } from '../../ports/stream-store.ts';
import { A, B, entry, LogUnderTest } from './log.fixture.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const DOUBT_MS = 15 * MINUTE_MS;
const OPTIONS = { segmentBytesMax: 4000 };

interface Watched {
  readonly shard: ShardRef;
  readonly retentionMs: number;
  /** Arrival times, by offset. */
  readonly at: number[];
  start: number;
}

/** Two shards, kept for 6 hours and for 18, that are written to while the clock is set; with a model of what may go. */
class Stepped {
  under: LogUnderTest;
  readonly a: Watched = { shard: A, retentionMs: 6 * HOUR_MS, at: [], start: 0 };
  readonly b: Watched = { shard: B, retentionMs: 18 * HOUR_MS, at: [], start: 0 };
  #doubtUntil = -Infinity;
  /** What the clock that is believed shows. */
  #believed: { wall: number; now: number };
  #epoch = 1;

  constructor(under: LogUnderTest) {
    this.under = under;
    this.#believed = { wall: under.simulation.wallNow, now: under.simulation.now };
  }

  static async open(seed = 1): Promise<Stepped> {
    const stepped = new Stepped(await LogUnderTest.open(new Simulation(seed), OPTIONS));
    await stepped.#retain();
    return stepped;
  }

  /** Sets the wall clock. */
  set(ms: number): void {
    const { simulation } = this.under;
    this.#look();
    simulation.stepClock(ms);
    const expected = this.#believed.wall + simulation.now - this.#believed.now;
    if (simulation.wallNow <= expected + MINUTE_MS) this.#doubtUntil = -Infinity;
    else if (ms > 0) this.#doubtUntil = simulation.now + DOUBT_MS;
  }

  /** Lets time pass, with a record for each shard in every part of it; each time all that is promised is looked at. */
  async pass(ms: number, parts = 1): Promise<void> {
    for (let part = 0; part < parts; part += 1) {
      await this.under.simulation.pass(ms / parts);
      await this.#put(this.a);
      await this.#put(this.b);
      this.#check(this.a);
      this.#check(this.b);
      assert.deepEqual(this.under.log.health(), []);
    }
  }

  /** How many records of a shard can be read, each with what was written. */
  async held({ shard }: Watched): Promise<number> {
    return (await this.under.texts(shard)).length;
  }

  /** Whether the model does not believe the wall clock now. */
  get isDoubting(): boolean {
    return this.under.simulation.now < this.#doubtUntil;
  }

  async restart(): Promise<void> {
    const { simulation } = this.under;
    simulation.restart();
    this.#epoch += 1;
    this.under = await LogUnderTest.open(simulation, { ...OPTIONS, epoch: this.#epoch });
    await this.#retain();
  }

  async #retain(): Promise<void> {
    const { under } = this;
    for (const { shard, retentionMs } of [this.a, this.b])
      await under.drive(under.log.store.retain(shard, retentionMs));
  }

  async #put(watched: Watched): Promise<void> {
    const { under } = this;
    const text = `${watched.at.length} ${'x'.repeat(300)}`;
    const { first, at } = await under.drive(
      (watched === this.a ? under.a : under.b).append(packEntries([entry(text)])),
    );
    const before = watched.at.at(-1) ?? 0;
    assert.equal(first, BigInt(watched.at.length));
    assert.equal(at, Math.max(before, at), 'arrival times never fall');
    watched.at.push(at);
  }

  #look(): void {
    const { now, wallNow } = this.under.simulation;
    const isDoubted = now < this.#doubtUntil;
    const expected = this.#believed.wall + now - this.#believed.now;
    this.#believed = { wall: isDoubted ? expected : wallNow, now };
  }

  #check(watched: Watched): void {
    this.#look();
    const { start, end } = this.under.log.store.bounds(watched.shard);
    assert.equal(end, BigInt(watched.at.length));
    const since = this.#believed.wall - watched.retentionMs;
    for (let offset = watched.start; offset < start; offset += 1) {
      const age = `${since - (watched.at[offset] ?? 0)} ms too old`;
      assert.ok((watched.at[offset] ?? 0) < since, `record ${offset} of ${watched.shard.stream} went: ${age}`);
    }
    watched.start = Number(start);
  }
}

test('set forward while the machine was down: the next start does not believe it at once', async () => {
  const log = await Stepped.open();
  await log.pass(5 * HOUR_MS, 40);
  log.set(5 * DAY_MS);
  await log.restart();
  await log.pass(14 * MINUTE_MS, 14);
  assert.equal(await log.held(log.a), 54);
  log.set(-5 * DAY_MS);
  await log.pass(HOUR_MS / 2, 4);
  assert.equal(await log.held(log.a), 58);
});

test('clocks set at random, by days, while records arrive and expire', async () => {
  let gone = 0;
  for (let seed = 1; seed <= 4; seed += 1) {
    const log = await Stepped.open(seed);
    const { random } = log.under.simulation;
    for (let step = 0; step < 14; step += 1) {
      await log.pass(random.below(3) === 0 ? 2 * HOUR_MS : (1 + random.below(25)) * MINUTE_MS, 8);
      // What came under a clock in doubt is all that a start has to go by: the doubt does not outlive the process.
      const mayRestart = !log.isDoubting;
      log.set((random.below(9) - 2) * DAY_MS);
      if (mayRestart && random.below(2) === 0) await log.restart();
    }
    await log.pass(20 * MINUTE_MS, 4);
    for (const watched of [log.a, log.b]) {
      gone += watched.start;
      assert.equal(await log.held(watched), watched.at.length - watched.start, `seed ${seed}`);
    }
  }
  assert.ok(gone > 100, `${gone} records are gone`);
});
