import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BufferPool } from '../../kernel/bytes/buffer-pool.ts';
import { ReadMemory } from '../../kernel/bytes/read-memory.ts';
import { Simulation } from '../../environments/simulated/index.ts';
import { EnvironmentError } from '../../kernel/errors.ts';
import type { Environment, OpenFile } from '../../ports/environment.ts';
import type { Slice } from '../../ports/stream-store.ts';
import { withOpened } from '../../testing/changed-files.ts';
import { A, B, flipped, type Image, lastSegment, LogUnderTest, machineWith, replaced } from './log.fixture.ts';

const MIB = 1024 * 1024;
const LIMIT = { records: 1000, bytes: 10_000_000 };

function texts(slice: Slice): string[] {
  return slice.records.map(({ data }) => Buffer.from(data).toString());
}

/** The larger memories that a slice lies in. */
function places(slice: Slice): ReadonlySet<ArrayBufferLike> {
  return new Set(slice.runs.map(({ bytes }) => bytes.buffer));
}

test('what is read from memory or from a file lies in the memory of who reads', async () => {
  const pool = new BufferPool(64 * 1024, 10);
  const under = await LogUnderTest.open();
  for (const text of ['0', '1', '2', '3']) await under.append(under.a, text, `${text}+`);
  const wanted = ['0+', '1', '1+', '2', '2+'];
  const cold = await LogUnderTest.openImage(await under.image());
  for (const { log, drive } of [under, cold].map((one) => ({ log: one.log, drive: one.drive.bind(one) }))) {
    const memory = new ReadMemory(pool);
    const slice = await drive(log.store.read(A, 1n, { records: 5, bytes: 1000 }, memory));
    assert.deepEqual(texts(slice), wanted);
    assert.deepEqual(
      slice.runs.map(({ first, count }) => [first, count]),
      [[1, 1], [2, 2], [4, 2]],
    ); // prettier-ignore
    const mine = memory.take(1);
    assert.deepEqual([...places(slice)], [mine.buffer]);
    // Nothing else refers to it: what its owner does with it is seen in this slice alone.
    memory.reset();
    pool.take().fill(0xff);
    assert.deepEqual(texts(await drive(log.store.read(A, 1n, { records: 5, bytes: 1000 }))), wanted);
  }
});

test('newest records that were read so do not change when the log uses its memory again', async () => {
  const under = await LogUnderTest.open();
  await under.append(under.a, 'first', 'second');
  const memory = new ReadMemory(new BufferPool(64 * 1024, 10));
  const slice = await under.drive(under.log.store.read(A, 0n, LIMIT, memory));
  // More than the log keeps for readers, and then more than the memory that it uses in turn.
  for (let index = 0; index < 60; index += 1) {
    const bytes = under.log.store.lend(600_000);
    bytes.fill(0x20 + index);
    const head = Buffer.alloc(8);
    head.writeUInt32LE(600_000 - 8, 0);
    bytes.set(head);
    await under.drive(under.b.append({ bytes, count: 1 }));
  }
  assert.deepEqual(texts(slice), ['first', 'second']);
});

/** A log whose shard A lies scattered between larger records of B, opened again so that all comes from the file. */
async function scattered(count: number, change = (image: Image): Image => image): Promise<LogUnderTest> {
  const under = await LogUnderTest.open();
  for (let index = 0; index < count; index += 1) {
    await under.append(under.a, `${index} `.repeat(300));
    await under.append(under.b, 'y'.repeat(20_000));
  }
  return await LogUnderTest.openImage(change(await under.image()), { tailBytesMax: 0 });
}

test('records that lie scattered come together in one read, and stay when its memory is used again', async () => {
  const cold = await scattered(40);
  const wanted = Array.from({ length: 40 }, (_, index) => `${index} `.repeat(300));
  const memory = new ReadMemory(new BufferPool(256 * 1024, 10));
  const lent = await cold.drive(cold.log.store.read(A, 0n, LIMIT, memory));
  const own = await cold.drive(cold.log.store.read(A, 0n, LIMIT));
  const mine = memory.take(1);
  assert.deepEqual([...places(lent)], [mine.buffer]);
  assert.equal(places(own).size, 1);
  const [place] = places(own);
  assert.ok(place !== undefined && place.byteLength < 40 * 1000, 'no memory beside what the records take');
  // What these read goes where the first two had it.
  for (const from of [0n, 20n]) await cold.drive(cold.log.store.read(B, from, { records: 15, bytes: 10_000_000 }));
  for (const from of [7n, 21n]) await cold.drive(cold.log.store.read(A, from, LIMIT, new ReadMemory(new BufferPool(9000, 1)))); // prettier-ignore
  assert.deepEqual(texts(lent), wanted);
  assert.deepEqual(texts(own), wanted);
});

test('shards that lie between each other are read for both at once, also while they grow', async () => {
  const simulation = new Simulation(1);
  let reads = 0;
  const counted = (file: OpenFile): OpenFile => ({ ...file, read: async (into, position) => (reads += 1, await file.read(into, position)) }); // prettier-ignore
  const under = await LogUnderTest.open(simulation, { tailBytesMax: 0 }, withOpened(simulation.environment, counted));
  const text = (name: string, index: number): string => `${name}${index}`.padEnd(4000, '.');
  const readsOf = async (shard: typeof A, name: string, count: number): Promise<number> => {
    const before = reads;
    const slice = await under.drive(under.log.store.read(shard, 0n, LIMIT, new ReadMemory(new BufferPool(MIB, 10))));
    assert.deepEqual(
      texts(slice),
      Array.from({ length: count }, (_, index) => text(name, index)),
    );
    return reads - before;
  };
  for (const [from, to] of [
    [0, 120],
    [120, 240],
  ] as const) {
    for (let index = from; index < to; index += 1) {
      await under.append(under.a, text('a', index));
      await under.append(under.b, text('b', index));
    }
    assert.ok((await readsOf(A, 'a', to)) > 0);
    assert.equal(await readsOf(B, 'b', to), 0);
  }
});

test('who asks for few records has little read', async () => {
  const [simulation, under] = [new Simulation(2), await scattered(200)];
  const sizes: number[] = [];
  const sized = (file: OpenFile): OpenFile => ({ ...file, read: async (into, position) => (sizes.push(into.length), await file.read(into, position)) }); // prettier-ignore
  await machineWith(await under.image(), simulation);
  const options = { epoch: 3, tailBytesMax: 0 };
  const cold = await LogUnderTest.open(simulation, options, withOpened(simulation.environment, sized));
  for (const [records, bytesMax] of [
    [1, 100_000],
    [10, 400_000],
    [150, 5_000_000],
  ] as const) {
    await cold.drive(cold.log.store.read(A, 9n, { records: 1, bytes: 1 }));
    sizes.length = 0;
    const slice = await cold.drive(cold.log.store.read(A, 10n, { records, bytes: 10_000_000 }));
    assert.equal(slice.count, records);
    const read = sizes.reduce((sum, size) => sum + size, 0);
    assert.ok(read < bytesMax, `${read} bytes for ${records} records`);
  }
});

test('of scattered records those in front of a damaged place come back', async () => {
  const cold = await scattered(40, (image) => {
    const { path, bytes } = lastSegment(image);
    return replaced(image, path, flipped(bytes, bytes.indexOf('25 25 25')));
  });
  const memory = new ReadMemory(new BufferPool(256 * 1024, 10));
  const slice = await cold.drive(cold.log.store.read(A, 0n, LIMIT, memory));
  await assert.rejects(cold.drive(cold.log.store.read(A, slice.next, LIMIT, memory)), { next: 26n });
  const rest = await cold.drive(cold.log.store.read(A, 26n, LIMIT));
  assert.deepEqual(
    [...texts(slice), ...texts(rest)].map((text) => Number.parseInt(text, 10)),
    Array.from({ length: 40 }, (_, index) => index).filter((index) => index !== 25),
  );
});

/** The files of a machine, whose reads wait until a test lets them go on, and may then fail. */
class HeldReads {
  readonly waiting: { readonly position: number; readonly end: (error?: Error) => void }[] = [];
  isOn = false;

  over(environment: Environment): Environment {
    return withOpened(environment, (file) => ({ ...file, read: this.#held(file) }));
  }

  #held(file: OpenFile): OpenFile['read'] {
    return async (into, position) => {
      if (!this.isOn) return await file.read(into, position);
      return await new Promise<number>((resolve, reject) => {
        const end = (error?: Error): void => {
          into.fill(0xee);
          if (error === undefined) resolve(into.length);
          else reject(error);
        };
        this.waiting.push({ position, end });
      });
    };
  }
}

test('a read that fails is over only when nobody writes into its memory any more', async () => {
  const under = await LogUnderTest.open();
  // Records of the other shard keep those of this one apart, so that one call is several reads.
  for (let index = 0; index < 3; index += 1) {
    await under.append(under.a, 'x'.repeat(100));
    await under.append(under.b, 'y'.repeat(90_000));
  }
  const held = new HeldReads();
  const simulation = await machineWith(await under.image());
  const cold = await LogUnderTest.open(simulation, { epoch: 2 }, held.over(simulation.environment));
  held.isOn = true;
  const memory = new ReadMemory(new BufferPool(1024 * 1024, 10));
  let isOver = false;
  const read = cold.log.store.read(A, 0n, LIMIT, memory).finally(() => (isOver = true));
  read.catch(() => undefined);
  const turn = async (): Promise<void> => await new Promise((resolve) => setImmediate(resolve));
  await cold.drive(simulation.environment.clock.sleep(1000));
  assert.equal(held.waiting.length, 3);
  held.waiting[0]?.end(new EnvironmentError('EIO', 'no'));
  held.waiting[2]?.end();
  await turn();
  assert.equal(isOver, false, 'one read may still write');
  held.waiting[1]?.end();
  await assert.rejects(read, { code: 'EIO' });
});
