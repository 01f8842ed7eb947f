import assert from 'node:assert/strict';
import { Simulation } from '../../environments/simulated/index.ts';
import { packEntries } from '../../kernel/stream/packed-entries.ts';
import type { Environment } from '../../ports/environment.ts';
import type { Entry, ShardRef, ShardWriter } from '../../ports/stream-store.ts';
import { openSegmentLog, type SegmentLog, type SegmentLogOptions } from './index.ts';

/** Where logs under test live. */
export const DIRECTORY = '/data/log';
export const A: ShardRef = { stream: 'a', generation: 1, ordinal: 0 };
export const B: ShardRef = { stream: 'b', generation: 1, ordinal: 0 };
const LIMIT = { records: 100_000, bytes: 100_000_000 };
const DAY_MS = 86_400_000;

/** Names and contents of all files of a data directory. */
export type Image = ReadonlyMap<string, Buffer>;

/** A log on a simulated machine, with a writer for each of two shards. */
export class LogUnderTest {
  readonly simulation: Simulation;
  readonly log: SegmentLog;
  readonly failures: Error[];
  readonly a: ShardWriter;
  readonly b: ShardWriter;

  private constructor(
    simulation: Simulation,
    log: SegmentLog,
    failures: Error[],
    writers: { readonly a: ShardWriter; readonly b: ShardWriter },
  ) {
    this.simulation = simulation;
    this.log = log;
    this.failures = failures;
    this.a = writers.a;
    this.b = writers.b;
  }

  static async open(
    simulation = new Simulation(1),
    options: Partial<SegmentLogOptions> = {},
    environment: Environment = simulation.environment,
  ): Promise<LogUnderTest> {
    const failures: Error[] = [];
    return await simulation.drive(
      (async () => {
        await environment.files.makeDirectory('/data');
        await environment.files.syncDirectory('/');
        const onFailure = (error: Error): void => void failures.push(error);
        const log = await openSegmentLog(environment, {
          directory: DIRECTORY,
          epoch: 1,
          reserveBytes: 0,
          onFailure,
          ...options,
        });
        await log.store.createShards([A, B], { retentionMs: DAY_MS });
        const writers = { a: await log.store.open(A, 0n), b: await log.store.open(B, 0n) };
        return new LogUnderTest(simulation, log, failures, writers);
      })(),
    );
  }

  /** On a machine whose disk holds exactly this. */
  static async openImage(image: Image, options: Partial<SegmentLogOptions> = {}): Promise<LogUnderTest> {
    return await LogUnderTest.open(await machineWith(image), { epoch: 2, ...options });
  }

  async drive<T>(work: Promise<T>): Promise<T> {
    return await this.simulation.drive(work);
  }

  /** One commit for each call. */
  async append(writer: ShardWriter, ...texts: readonly string[]): Promise<void> {
    await this.drive(writer.append(packEntries(texts.map(entry))));
  }

  /** The texts a shard holds; keys, headers and offsets, dense but for numbers given up, are checked on the way. */
  async texts(shard: ShardRef): Promise<readonly string[]> {
    const { store } = this.log;
    const { start, end, records } = store.bounds(shard);
    const slice = await this.drive(store.read(shard, start, LIMIT));
    const isDense = records === Number(end - start);
    let next = start;
    return slice.records.map(({ offset, key, data, headers }) => {
      const text = Buffer.from(data).toString();
      assert.ok(isDense ? offset === next : offset >= next, `offset ${offset}, not ${next}`);
      next = offset + 1n;
      const expected = entry(text);
      assert.deepEqual(Buffer.from(key), expected.key);
      assert.deepEqual(
        headers.map(([name, value]) => [name, Buffer.from(value)]),
        expected.headers,
      );
      return text;
    });
  }

  /** What can be read of a shard, by offset, past places that answer an error. */
  async survivors(shard: ShardRef): Promise<ReadonlyMap<bigint, string>> {
    const { store } = this.log;
    const found = new Map<bigint, string>();
    const { start, end } = store.bounds(shard);
    for (let at = start; at < end; at += 1n) {
      try {
        const slice = await this.drive(store.read(shard, at, { records: 1, bytes: 1 }));
        const [record] = slice.records;
        if (record !== undefined) found.set(record.offset, Buffer.from(record.data).toString());
      } catch (error) {
        assert.equal((error as { code?: unknown }).code, 'EIO');
      }
    }
    return found;
  }

  async image(): Promise<Image> {
    const { files } = this.simulation.environment;
    const image = new Map<string, Buffer>();
    for (const folder of [DIRECTORY, '/data/catalog']) {
      for (const name of await this.drive(files.list(folder))) {
        const path = `${folder}/${name}`;
        image.set(path, Buffer.from(await this.drive(files.readFile(path))));
      }
    }
    return image;
  }
}

/** A machine whose disk holds exactly these files, durably. */
export async function machineWith(image: Image, simulation = new Simulation(2)): Promise<Simulation> {
  const { files } = simulation.environment;
  const write = async (): Promise<void> => {
    for (const folder of [DIRECTORY, '/data/catalog']) await files.makeDirectory(folder);
    for (const [path, bytes] of image) {
      const file = await files.open(path, 'create');
      await file.write(bytes, 0);
      await file.sync();
      await file.close();
    }
    for (const folder of ['/', '/data', DIRECTORY, '/data/catalog']) await files.syncDirectory(folder);
  };
  await simulation.drive(write());
  return simulation;
}

/** An entry whose key and header follow from its text. */
export function entry(text: string): Entry {
  const short = text.slice(0, 20);
  return { key: Buffer.from(`key of ${short}`), data: Buffer.from(text), headers: [['n', Buffer.from(short)]] };
}

/** The only segment of an image, or its last one. */
export function lastSegment(image: Image): { readonly path: string; readonly bytes: Buffer } {
  const path =
    [...image.keys()]
      .filter((name) => name.startsWith(`${DIRECTORY}/segment-`))
      .sort()
      .at(-1) ?? '';
  return { path, bytes: image.get(path) ?? Buffer.alloc(0) };
}

/** The image with one file's bytes replaced. */
export function replaced(image: Image, path: string, bytes: Buffer): Image {
  return new Map([...image, [path, bytes]]);
}

/** A copy with the bits of one byte turned. */
export function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 0xff;
  return copy;
}
