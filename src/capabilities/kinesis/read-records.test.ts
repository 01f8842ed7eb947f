/** Memory of reads is given back when nobody looks at it or writes into it any more, and not before. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openPlainBase64Memory } from '../../kernel/bytes/base64-memory.ts';
import { BufferPool } from '../../kernel/bytes/buffer-pool.ts';
import type { ReadMemory } from '../../kernel/bytes/read-memory.ts';
import { packEntries } from '../../kernel/stream/packed-entries.ts';
import type { ShardInfo, StreamInfo } from '../../ports/records.ts';
import { Slice, type Offset } from '../../ports/stream-store.ts';
import { AnswerPieces } from './answer-pieces.ts';
import { formOf } from './form.ts';
import type { KinesisState } from './model.ts';
import { RecordsWriter } from './outgoing.ts';
import { readRecords } from './read-records.ts';

const PIECE_BYTES = 1024 * 1024;
const GONE = 0xee;
const SHARD = { id: 'shardId-000000000000', ref: { stream: 'a', generation: 1, ordinal: 0 } } as ShardInfo;
const STREAM = { name: 'a', settings: {} } as unknown as StreamInfo;

/** A pool that spoils what it is given back, and sees whether anybody writes into that. */
class WatchedPool extends BufferPool {
  readonly #free = new Set<Buffer>();
  given = 0;

  constructor() {
    super(PIECE_BYTES, 100);
  }

  override take(): Buffer {
    this.check();
    const piece = super.take();
    this.#free.delete(piece);
    return piece;
  }

  override giveBack(piece: Buffer): void {
    assert.ok(!this.#free.has(piece), 'given back once');
    piece.fill(GONE);
    this.#free.add(piece);
    this.given += 1;
    super.giveBack(piece);
  }

  check(): void {
    for (const piece of this.#free) {
      assert.ok(
        piece.every((byte) => byte === GONE),
        'somebody wrote into memory that was given back',
      );
    }
  }
}

/** A log whose slices come late, piece by piece; `failsAt`: the read of this slice fails after its first half. */
class SlowRecords {
  readonly pool = new WatchedPool();
  readonly #slices: readonly (readonly string[])[];
  readonly #failsAt: number;
  underWay = 0;

  constructor(slices: readonly (readonly string[])[], failsAt = Infinity) {
    this.#slices = slices;
    this.#failsAt = failsAt;
  }

  get state(): KinesisState {
    const memory = { reads: this.pool, answers: new BufferPool(PIECE_BYTES, 10), text: openPlainBase64Memory(16) };
    const read = async (_: StreamInfo, __: ShardInfo, from: Offset, ___: object, into: ReadMemory): Promise<Slice> =>
      await this.#read(from, into);
    const environment = { clock: { soon: (run: () => void) => void setImmediate(run) } };
    return { memory, records: { read }, environment } as unknown as KinesisState;
  }

  /** Resolves once no read is under way. */
  async quiet(): Promise<void> {
    while (this.underWay > 0) await pause();
    this.pool.check();
  }

  async #read(from: Offset, into: ReadMemory): Promise<Slice> {
    this.underWay += 1;
    try {
      return await this.#fill(Number(from), into);
    } finally {
      this.underWay -= 1;
    }
  }

  /** Offsets are numbers of slices times 1,000. */
  async #fill(from: number, into: ReadMemory): Promise<Slice> {
    const index = from / 1000;
    const texts = this.#slices[index] ?? [];
    const bounds = { next: BigInt(from + 1000), end: BigInt(this.#slices.length * 1000), start: 0n };
    const { bytes, count } = packEntries(texts.map((text) => ({ key: Buffer.from('k'), data: Buffer.from(text) })));
    const place = into.take(bytes.length);
    const half = bytes.length >> 1;
    place.set(bytes.subarray(0, half));
    await pause();
    await pause();
    if (index === this.#failsAt) throw new Error('cannot be read');
    place.set(bytes.subarray(half), half);
    return new Slice([{ bytes: place, from: 0, to: bytes.length, first: from, count, at: 1 }], bounds);
  }
}

async function pause(): Promise<void> {
  await new Promise((resolve) => void setImmediate(resolve));
}

function answering({ memory }: KinesisState): { readonly answer: AnswerPieces; readonly writer: RecordsWriter } {
  const answer = new AnswerPieces(new BufferPool(PIECE_BYTES, 10));
  const { record } = formOf({ form: 'text' });
  return { answer, writer: new RecordsWriter(record, SHARD.ref, memory.text, answer, () => false) };
}

/** The data of all records of one GetRecords. */
async function read(log: SlowRecords): Promise<readonly string[]> {
  const { answer, writer } = answering(log.state);
  await readRecords(log.state, STREAM, SHARD, 0n, 10_000, writer);
  const records = JSON.parse(`[${Buffer.concat(answer.end()).toString()}]`) as readonly { readonly Data: string }[];
  return records.map(({ Data }) => Buffer.from(Data, 'base64').toString());
}

function slices(count: number, bytes: number): string[][] {
  return Array.from({ length: count }, (_, slice) => [0, 1, 2].map((one) => `${slice}.${one} ${'x'.repeat(bytes)}`));
}

test('reads of many at once get their own records, whatever is used again meanwhile', async () => {
  for (const bytes of [10, 200_000, 500_000]) {
    const wanted = slices(6, bytes);
    const log = new SlowRecords(wanted);
    const all = await Promise.all([read(log), read(log), read(log), read(log)]);
    for (const one of all) assert.deepEqual(one, wanted.flat());
    await log.quiet();
    assert.ok(log.pool.given > 0 || bytes * 3 > PIECE_BYTES, 'memory is used again');
  }
});

test('a read-ahead that fails half-way, or is not wanted, keeps its memory until it is over', async () => {
  const failing = new SlowRecords(slices(4, 1000), 2);
  assert.deepEqual(await read(failing), slices(2, 1000).flat());
  await failing.quiet();
  // The sixth slice does not fit into the 10 MiB of an answer.
  const tooMuch = new SlowRecords(slices(8, 300_000).map((texts) => [...texts, 'y'.repeat(950_000)]));
  assert.ok((await read(tooMuch)).length < 32);
  await tooMuch.quiet();
});

test('an answer that breaks off while the next slice is read gives back nothing that is still written', async () => {
  const log = new SlowRecords(slices(5, 100_000));
  const { answer, writer } = answering(log.state);
  let adds = 0;
  answer.add = () => {
    adds += 1;
    if (adds > 3) throw new Error('the receiver is gone');
  };
  await assert.rejects(readRecords(log.state, STREAM, SHARD, 0n, 10_000, writer), /the receiver is gone/);
  assert.ok(log.underWay > 0, 'a read is under way');
  await log.quiet();
});
