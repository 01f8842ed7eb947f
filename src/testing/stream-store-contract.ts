import assert from 'node:assert/strict';
import test from 'node:test';
import { packEntries } from '../kernel/stream/packed-entries.ts';
import {
  Fenced,
  Trimmed,
  UnknownShard,
  type Appended,
  type Entry,
  type PackedEntries,
  type ShardRef,
  type Slice,
  type StreamStore,
} from '../ports/stream-store.ts';

/** One store to try out, with the time it lives in. */
export interface StoreUnderTest {
  readonly store: StreamStore;
  /** Runs the work to its end, moving virtual time where there is any. */
  drive<T>(work: Promise<T>): Promise<T>;
  /** Lets at least `ms` pass on the store's clock. */
  readonly sleep: (ms: number) => Promise<void>;
  readonly now: () => number;
  close(): Promise<void>;
}

const LIMIT = { records: 1000, bytes: 10_000_000 };
const A: ShardRef = { stream: 'a', generation: 1, ordinal: 0 };
const B: ShardRef = { stream: 'a', generation: 1, ordinal: 1 };
const OTHER_GENERATION: ShardRef = { stream: 'a', generation: 2, ordinal: 0 };

function entry(text: string): Entry {
  return { key: Buffer.from(`key ${text}`), data: Buffer.from(text) };
}

function entries(from: number, count: number): Entry[] {
  return Array.from({ length: count }, (_, index) => entry(String(from + index)));
}

function packed(from: number, count: number): PackedEntries {
  return packEntries(entries(from, count));
}

async function texts(store: StreamStore, shard: ShardRef, from = 0n): Promise<string[]> {
  const slice = await store.read(shard, from, LIMIT);
  return slice.records.map(({ data }) => Buffer.from(data).toString());
}

type Case = readonly [what: string, body: (under: StoreUnderTest) => Promise<void>];

const CASES: readonly Case[] = [
  ['what is appended is read back whole', readsBack],
  ['runs are contiguous and in the order of calls', keepsOrder],
  ['an append made right after the answer to another one is answered too', appendsInSequence],
  ['a read is bounded by records and bytes, but gives at least one record', boundsReads],
  ['a second writer fences the first', fences],
  ['nothing follows END', closes],
  ['trimming never moves back and keeps what lies above', trims],
  ['positions by time', findsPositions],
  ['waiting ends with records, END, abort and drop', waits],
  ['shards are made once and dropped for good', makesAndDrops],
  ['shards do not see each other', separates],
];

/** Registers the tests that every StreamStore passes. `open` gives a fresh, empty store. */
export function streamStoreContract(name: string, open: () => Promise<StoreUnderTest>): void {
  for (const [what, body] of CASES) {
    void test(`${name}: ${what}`, { timeout: 20_000 }, async () => {
      const under = await open();
      await under.drive(under.store.createShards([A, B], { retentionMs: 86_400_000 }));
      await under.drive(body(under));
      await under.close();
    });
  }
}

async function readsBack({ store, now }: StoreUnderTest): Promise<void> {
  const writer = await store.open(A, 0n);
  assert.equal(writer.openedAt, store.bounds(A).end);
  const before = now();
  const big = Buffer.alloc(3_000_000, 7);
  const written: Entry[] = [
    { key: Buffer.from('ключ'), data: Buffer.from('one'), headers: [['id', Buffer.from('x')]] },
    { key: Buffer.from('k'), data: Buffer.alloc(0), headers: [] },
    {
      key: Buffer.from('k'),
      data: big,
      headers: [
        ['a', Buffer.alloc(0)],
        ['a', Buffer.alloc(1000, 1)],
      ],
    },
  ];
  const { first, count, at } = await writer.append(packEntries(written));
  assert.equal(count, 3);
  assert.ok(at >= before && at <= now());
  const wanted = written.map(({ data }) => Buffer.from(data));
  big.fill(0);
  const slice = await store.read(A, first, LIMIT);
  assert.deepEqual(
    slice.records.map(({ offset }) => offset),
    [first, first + 1n, first + 2n],
  );
  assert.deepEqual(
    slice.records.map(({ data }) => Buffer.from(data)),
    wanted,
  );
  for (const [index, record] of slice.records.entries()) {
    const { key, headers = [] } = written[index] as Entry;
    assert.deepEqual(Buffer.from(record.key), key);
    assert.deepEqual(
      record.headers.map(([header, value]) => [header, Buffer.from(value)]),
      headers.map(([header, value]) => [header, value]),
    );
    assert.equal(record.at, at);
  }
  assert.equal(slice.payloadBytes, payloadOf(slice));
  assert.equal(slice.next, first + 3n);
  assert.ok(slice.end >= slice.next);
  assert.equal(slice.closedAt, undefined);
  const nothing = await store.read(A, slice.end, LIMIT);
  assert.deepEqual([nothing.records.length, nothing.next, nothing.end], [0, slice.end, slice.end]);
}

async function keepsOrder({ store }: StoreUnderTest): Promise<void> {
  const writer = await store.open(A, 0n);
  const calls = Array.from({ length: 60 }, async (_, call) => await writer.append(packed(call * 5, 5)));
  const appended = await Promise.all(calls);
  assert.deepEqual(
    await texts(store, A),
    Array.from({ length: 300 }, (_, index) => String(index)),
  );
  for (const [index, { first, at }] of appended.entries()) {
    const previous = appended[index - 1];
    if (previous === undefined) continue;
    assert.ok(first >= previous.first + 5n && at >= previous.at, 'offsets and times grow');
  }
  const slice = await store.read(A, appended[3]?.first ?? 0n, LIMIT);
  assert.equal(Buffer.from(slice.records[0]?.data ?? []).toString(), '15');
}

async function appendsInSequence({ store }: StoreUnderTest): Promise<void> {
  const writer = await store.open(A, 0n);
  for (let index = 0; index < 20; index += 1) await writer.append(packed(index, 1));
  assert.equal((await texts(store, A)).length, 20);
}

async function boundsReads({ store }: StoreUnderTest): Promise<void> {
  const writer = await store.open(A, 0n);
  await writer.append(packed(0, 30));
  await writer.append(packed(30, 30));
  const seen: string[] = [];
  for (let from = store.bounds(A).start; from < store.bounds(A).end;) {
    const slice = await store.read(A, from, { records: 7, bytes: LIMIT.bytes });
    assert.ok(slice.records.length <= 7);
    assert.ok(slice.next > from, 'reading moves on');
    assert.equal(slice.payloadBytes, payloadOf(slice));
    seen.push(...slice.records.map(({ data }) => Buffer.from(data).toString()));
    from = slice.next;
  }
  assert.deepEqual(
    seen,
    entries(0, 60).map(({ data }) => Buffer.from(data).toString()),
  );
  const one = await store.read(A, store.bounds(A).start, { records: 1000, bytes: 1 });
  assert.equal(one.payloadBytes, payloadOf(one));
  assert.ok(one.records.length >= 1 && one.records.length < 30, 'about one byte is the first record, or a few');
}

/** Of keys and data alone. */
function payloadOf({ records }: Slice): number {
  return records.reduce((sum, { key, data }) => sum + key.length + data.length, 0);
}

async function fences({ store }: StoreUnderTest): Promise<void> {
  const first = await store.open(A, 0n);
  await first.append(packed(0, 1));
  const second = await store.open(A, 1n);
  assert.ok(second.token > first.token);
  assert.equal(second.openedAt, store.bounds(A).end);
  await assert.rejects(first.append(packed(1, 1)), Fenced);
  await second.append(packed(2, 1));
  await assert.rejects(first.append(packed(3, 1)), Fenced);
  assert.deepEqual(await texts(store, A), ['0', '2']);
  await second.release();
  const third = await store.open(A, 2n);
  await third.append(packed(4, 1));
  assert.deepEqual(await texts(store, A), ['0', '2', '4']);
}

async function closes({ store }: StoreUnderTest): Promise<void> {
  const writer = await store.open(A, 0n);
  const { first } = await writer.append(packed(0, 2));
  const end = await writer.close();
  assert.ok(end >= first + 2n);
  await assert.rejects(writer.append(packed(2, 1)), Fenced);
  assert.equal(store.bounds(A).closedAt, end);
  const slice = await store.read(A, first, LIMIT);
  assert.equal(slice.closedAt, end);
  assert.equal(slice.records.length, 2);
  await store.waitForMore(A, end, new AbortController().signal);
}

async function trims({ store }: StoreUnderTest): Promise<void> {
  const writer = await store.open(A, 0n);
  const { first } = await writer.append(packed(0, 10));
  await store.trim(A, first + 4n);
  const { start } = store.bounds(A);
  assert.ok(start >= first && start <= first + 4n);
  await store.trim(A, first + 2n);
  assert.ok(store.bounds(A).start >= start);
  assert.deepEqual(await texts(store, A, first + 4n), ['4', '5', '6', '7', '8', '9']);
  if (start > 0n) {
    await assert.rejects(
      store.read(A, start - 1n, LIMIT),
      (error) => error instanceof Trimmed && error.start === store.bounds(A).start,
    );
  }
  await store.trim(A, first + 1000n);
  assert.ok(store.bounds(A).start <= store.bounds(A).end, 'trimming stops at the end');
  const after = await writer.append(packed(10, 1));
  assert.ok(after.first >= first + 10n);
  assert.deepEqual(await texts(store, A, after.first), ['10']);
}

async function findsPositions({ store, sleep }: StoreUnderTest): Promise<void> {
  assert.equal(await store.positionAt(A, 0), store.bounds(A).end);
  const writer = await store.open(A, 0n);
  const appended: Appended[] = [];
  for (let index = 0; index < 5; index += 1) {
    appended.push(await writer.append(packed(index * 3, 3)));
    await sleep(5);
  }
  for (const [index, { first, at }] of appended.entries()) {
    assert.equal(await store.positionAt(A, at), first, `batch ${index}`);
    const following = appended[index + 1]?.first ?? store.bounds(A).end;
    assert.equal(await store.positionAt(A, at + 1), following, `after batch ${index}`);
  }
  assert.equal(await store.positionAt(A, 0), appended[0]?.first);
  assert.equal(await store.positionAt(A, Number.MAX_SAFE_INTEGER), store.bounds(A).end);
}

async function waits({ store, sleep }: StoreUnderTest): Promise<void> {
  const writer = await store.open(A, 0n);
  const never = new AbortController().signal;
  const order: string[] = [];
  const waiting = store.waitForMore(A, store.bounds(A).end, never).then(() => order.push('woken'));
  await sleep(2);
  order.push('append');
  const { first } = await writer.append(packed(0, 1));
  await waiting;
  assert.deepEqual(order, ['append', 'woken']);
  await store.waitForMore(A, first, never);
  const controller = new AbortController();
  const aborted = store.waitForMore(A, first + 1n, controller.signal);
  controller.abort();
  await aborted;
  await store.waitForMore(A, first + 1n, AbortSignal.abort());
  const closed = store.waitForMore(A, store.bounds(A).end, never);
  await writer.close();
  await closed;
  const dropped = store.waitForMore(B, store.bounds(B).end, never);
  await store.dropShards([B]);
  await dropped;
}

async function makesAndDrops({ store }: StoreUnderTest): Promise<void> {
  const writer = await store.open(A, 0n);
  await writer.append(packed(0, 1));
  await store.createShards([A, OTHER_GENERATION], { retentionMs: 1000 });
  assert.deepEqual(await texts(store, A), ['0'], 'what exists is left alone');
  assert.deepEqual(keys(store), ['1/0', '1/1', '2/0']);
  await store.dropShards([A, { stream: 'never', generation: 9, ordinal: 9 }]);
  assert.deepEqual(keys(store), ['1/1', '2/0']);
  await assert.rejects(store.read(A, 0n, LIMIT), UnknownShard);
  await assert.rejects(store.open(A, 0n), UnknownShard);
  await assert.rejects(writer.append(packed(1, 1)));
  assert.throws(() => store.bounds(A), UnknownShard);
}

function keys(store: StreamStore): string[] {
  const named = store.shards().filter(({ stream }) => stream === 'a');
  return named.map(({ generation, ordinal }) => `${generation}/${ordinal}`).sort();
}

async function separates({ store }: StoreUnderTest): Promise<void> {
  const writers = [await store.open(A, 0n), await store.open(B, 0n)];
  await Promise.all(
    Array.from(
      { length: 40 },
      async (_, index) => await writers[index % 2]?.append(packEntries([entry(String(index))])),
    ),
  );
  const odd = Array.from({ length: 20 }, (_, index) => String(2 * index + 1));
  assert.deepEqual(await texts(store, B), odd);
  await store.dropShards([A]);
  assert.deepEqual(await texts(store, B), odd);
}
