import assert from 'node:assert/strict';
import { packEntries } from '../../kernel/stream/packed-entries.ts';
import type { SeededRandom } from '../../environments/simulated/chance.ts';
import {
  type ShardRef,
  shardKey,
  type ShardWriter,
  type StoredRecord,
  type StreamStore,
  Trimmed,
  UnknownShard,
} from '../../ports/stream-store.ts';
import { entry, type LogUnderTest } from './log.fixture.ts';

const ALL = { records: 100_000, bytes: 100_000_000 };

interface Told {
  readonly text: string;
  readonly at: number;
}

/** What the clients of one shard were told. */
interface ShardTold {
  readonly ref: ShardRef;
  /** By offset; a number that a start gave up has none. */
  readonly records: (Told | undefined)[];
  /** Appends that got no answer: they stand behind the others, in this order, each whole or not at all. */
  readonly doubtful: string[][];
  trimmed: number;
  /** Undefined: the call got no answer. */
  closed: boolean | undefined;
  dropped: boolean | undefined;
  retentionMs: number;
  /** Nothing older than this is promised: shorter retentions took it before they were made longer. */
  promisedFrom: number;
  /** Oldest kept offset that this life showed: it never falls, though a start may have forgotten the latest trims. */
  startSeen: number;
  writer: ShardWriter | undefined;
}

/** Clients that do what comes by chance to some shards, and an oracle of what they were told, over all lives. */
export class Workload {
  #random: SeededRandom;
  readonly #told = new Map<string, ShardTold>();
  #under: LogUnderTest;
  #texts = 0;
  /** Bytes of filling in a record, at most. */
  readonly #bytesMax: number;
  readonly #retentions: readonly number[];
  readonly done: Record<string, number> = {};

  constructor(under: LogUnderTest, random: SeededRandom, options: { bytesMax: number; retentions: readonly number[] }) {
    this.#under = under;
    this.#random = random;
    this.#bytesMax = options.bytesMax;
    this.#retentions = options.retentions;
  }

  /** The same clients with the same memories, for another future. */
  copy(): Workload {
    const copy = new Workload(this.#under, this.#random, { bytesMax: this.#bytesMax, retentions: this.#retentions });
    for (const [key, told] of this.#told) {
      copy.#told.set(key, { ...told, records: [...told.records], doubtful: [...told.doubtful], writer: undefined });
    }
    copy.#texts = this.#texts;
    return copy;
  }

  get #store(): StreamStore {
    return this.#under.log.store;
  }

  get #now(): number {
    return this.#under.simulation.environment.clock.now();
  }

  /** Makes one shard for each retention; to be awaited inside `drive`. */
  async create(): Promise<void> {
    for (const [index, retentionMs] of this.#retentions.entries()) {
      await this.#create({ stream: `s${index}`, generation: 1, ordinal: 0 }, retentionMs);
    }
  }

  async #create(ref: ShardRef, retentionMs: number): Promise<void> {
    await this.#store.createShards([ref], { retentionMs });
    const writer = await this.#store.open(ref, 0n);
    const state = { trimmed: 0, closed: false, dropped: false, promisedFrom: 0, startSeen: 0 };
    // Numbers that an earlier start gave up are not given to a new shard either.
    const records = Array.from({ length: Number(this.#store.bounds(ref).end) }, () => undefined);
    this.#told.set(shardKey(ref), { ref, records, doubtful: [], retentionMs, writer, ...state });
  }

  #live(): ShardTold[] {
    return [...this.#told.values()].filter(({ dropped }) => dropped === false);
  }

  #pick(): ShardTold {
    const live = this.#live();
    return live[this.#random.below(live.length)] as ShardTold;
  }

  #note(what: string): void {
    this.done[what] = (this.done[what] ?? 0) + 1;
  }

  /** One thing that a client may do, by chance; to be awaited inside `drive`. */
  async act(): Promise<void> {
    const fate = this.#random.below(200);
    const told = this.#pick();
    if (fate === 0) await this.#end(told);
    else if (fate === 1) await this.#drop(told);
    else if (fate < 6) await this.#trim(told);
    else if (fate < 9) await this.#retain(told);
    else await this.append(told);
  }

  /** One append of a few records, to the shard of this name if one is given. */
  async append(to: ShardTold | string): Promise<void> {
    const told = typeof to === 'string' ? this.#told.get(to) : to;
    if (told?.writer === undefined || told.closed !== false || told.dropped !== false) return;
    const texts = Array.from({ length: 1 + this.#random.below(4) }, () => this.#text(told));
    told.doubtful.push(texts);
    const { first, at } = await told.writer.append(packEntries(texts.map(entry)));
    assert.equal(told.doubtful.shift(), texts, 'answers come in the order of calls');
    assert.equal(Number(first), told.records.length, 'offsets are dense while a process lives');
    assert.ok(at >= (told.records.at(-1)?.at ?? 0), 'arrival times never fall');
    told.records.push(...texts.map((text) => ({ text, at })));
    this.#note('append');
  }

  #text({ ref }: ShardTold): string {
    this.#texts += 1;
    return `${this.#texts} ${ref.stream}/${ref.generation} ${'x'.repeat(this.#random.below(this.#bytesMax))}`;
  }

  /** Ends a shard; a later one of the same stream goes on, with the next generation. */
  async #end(told: ShardTold): Promise<void> {
    if (told.writer === undefined || told.closed !== false) return;
    told.closed = undefined;
    const end = await told.writer.close();
    told.closed = true;
    assert.equal(Number(end), told.records.length);
    this.#note('end');
    await this.#next(told);
  }

  async #drop(told: ShardTold): Promise<void> {
    told.dropped = undefined;
    await this.#store.dropShards([told.ref]);
    told.dropped = true;
    this.#note('drop');
    await this.#next(told);
  }

  async #next({ ref, retentionMs }: ShardTold): Promise<void> {
    const next = { ...ref, generation: ref.generation + 1 };
    if (!this.#told.has(shardKey(next))) await this.#create(next, retentionMs);
  }

  async #trim(told: ShardTold): Promise<void> {
    const before = this.#random.below(told.records.length + 1);
    told.trimmed = Math.max(told.trimmed, before);
    await this.#store.trim(told.ref, BigInt(before));
    this.#note('trim');
  }

  async #retain(told: ShardTold): Promise<void> {
    const retentionMs = this.#retentions[this.#random.below(this.#retentions.length)] as number;
    told.promisedFrom = Math.max(told.promisedFrom, this.#now - told.retentionMs);
    told.retentionMs = retentionMs;
    await this.#store.retain(told.ref, retentionMs);
    this.#note('retain');
  }

  /** One read at a random offset, or one look for a time, compared with what was told; inside `drive`. */
  async readSomewhere(): Promise<void> {
    const told = this.#pick();
    const { start, end } = this.#store.bounds(told.ref);
    if (start === end) return;
    const from = start + BigInt(this.#random.below(Number(end - start)));
    const limit = { records: 1 + this.#random.below(50), bytes: 1 + this.#random.below(20_000) };
    try {
      if (this.#random.chance(0.2)) return await this.#position(told, from);
      const { records, next } = await this.#store.read(told.ref, from, limit);
      const isSomething = nextGiven(told, Number(from)) < told.records.length;
      assert.ok(records.length > 0 || !isSomething, `something stands at ${from} of ${shardKey(told.ref)}`);
      assert.ok(next >= (records.at(-1)?.offset ?? from - 1n) + 1n);
      this.#compare(told, Number(from), records);
      this.#note('read');
    } catch (error) {
      // What was asked for went away meanwhile, which is how readers learn of it.
      if (error instanceof Trimmed) assert.ok(error.start > from);
      else if (!(error instanceof UnknownShard && told.dropped !== false)) throw error;
    }
  }

  async #position(told: ShardTold, from: bigint): Promise<void> {
    const at = told.records[Number(from)]?.at;
    if (at === undefined) return;
    const expected = told.records.findIndex((record) => record !== undefined && record.at >= at);
    const found = Number(await this.#store.positionAt(told.ref, at));
    const { start } = this.#store.bounds(told.ref);
    assert.equal(found, Math.max(expected, Math.min(found, Number(start))), `the first record at ${at}`);
    this.#note('position');
  }

  #compare(told: ShardTold, from: number, records: readonly StoredRecord[]): void {
    let number = from;
    for (const { offset, at, key, data, headers } of records) {
      number = nextGiven(told, number);
      assert.equal(Number(offset), number);
      const expected = told.records[number];
      // What is durable may be read before its writer heard of it.
      const text = expected?.text ?? told.doubtful.flat()[number - told.records.length] ?? '';
      number += 1;
      assert.equal(Buffer.from(data).toString(), text, `${shardKey(told.ref)} ${offset}`);
      if (expected !== undefined) assert.equal(at, expected.at);
      const { key: wanted, headers: fields } = entry(text);
      assert.deepEqual(Buffer.from(key), wanted);
      assert.deepEqual(
        headers.map(([name, value]) => [name, Buffer.from(value)]),
        fields,
      );
    }
  }

  /** Takes over after a restart: opens all shards again and learns what became of calls without an answer. */
  async reopen(under: LogUnderTest): Promise<void> {
    this.#under = under;
    this.#random = under.simulation.random;
    const stored = new Set(this.#store.shards().map(shardKey));
    for (const told of this.#told.values()) {
      const isThere = stored.has(shardKey(told.ref));
      if (told.dropped === true) assert.ok(!isThere, `${shardKey(told.ref)} stays away`);
      told.dropped ??= !isThere;
      told.startSeen = 0;
      if (told.dropped) continue;
      await this.#store.createShards([told.ref], { retentionMs: told.retentionMs });
      await this.#learn(told);
      told.writer = await this.#store.open(told.ref, 0n);
    }
    for (const told of this.#told.values()) if (told.dropped === true || told.closed === true) await this.#next(told);
  }

  async #learn(told: ShardTold): Promise<void> {
    const { start, end, closedAt } = this.#store.bounds(told.ref);
    const known = told.records.length;
    assert.ok(Number(end) >= known, `${shardKey(told.ref)}: ${end} of ${known} records are there`);
    const from = BigInt(Math.max(known, Number(start)));
    const { records } = await this.#store.read(told.ref, from, ALL);
    this.#compare(told, known, records);
    for (let learned = 0; learned < records.length;) {
      const texts = told.doubtful.shift() ?? [];
      const found = records.slice(learned, learned + texts.length);
      assert.equal(found.length, texts.length, 'an append is there whole or not at all');
      told.records.push(...texts.map((text, index) => ({ text, at: found[index]?.at ?? 0 })));
      learned += texts.length;
    }
    told.doubtful.length = 0;
    const isClosed = closedAt !== undefined;
    if (told.closed !== undefined) assert.equal(isClosed, told.closed);
    told.closed = isClosed;
    // Numbers of what a power cut left unfinished are not given again.
    assert.ok(Number(end) >= told.records.length);
    while (told.records.length < Number(end)) told.records.push(undefined);
  }

  async #readAll(told: ShardTold, start: bigint, end: bigint): Promise<void> {
    for (let next = start; next < end;) {
      try {
        const slice = await this.#store.read(told.ref, next, ALL);
        const isSomething = nextGiven(told, Number(next)) < told.records.length;
        assert.ok(slice.records.length > 0 || !isSomething, `${shardKey(told.ref)}: nothing at ${next}`);
        this.#compare(told, Number(next), slice.records);
        next = slice.next;
      } catch (error) {
        if (!(error instanceof Trimmed) || error.start <= next) throw error;
        next = error.start;
      }
    }
  }

  /** Everything that was promised stands there, and nothing else; inside `drive`. */
  async check(): Promise<void> {
    for (const told of this.#live()) {
      const { start, end, closedAt } = this.#store.bounds(told.ref);
      const name = shardKey(told.ref);
      assert.equal(Number(end), told.records.length, name);
      assert.equal(closedAt !== undefined, told.closed, name);
      assert.ok(Number(start) >= told.startSeen, `${name}: the oldest kept offset falls`);
      told.startSeen = Math.max(told.startSeen, Number(start));
      const promised = Math.max(told.promisedFrom, this.#now - told.retentionMs);
      const wanted = told.records.findIndex(
        (record, offset) => record !== undefined && offset >= told.trimmed && record.at >= promised,
      );
      if (wanted >= 0) assert.ok(Number(start) <= wanted, `${name}: ${start} is kept, ${wanted} is promised`);
      await this.#readAll(told, start, end);
    }
    assert.deepEqual(this.#under.log.health(), []);
    assert.deepEqual(this.#under.failures, []);
  }
}

/** The first offset from `from` on that a record has, or may have. */
function nextGiven({ records }: ShardTold, from: number): number {
  let at = from;
  while (at < records.length && records[at] === undefined) at += 1;
  return at;
}
