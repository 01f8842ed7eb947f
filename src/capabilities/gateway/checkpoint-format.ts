import { Defect } from '../../kernel/errors.ts';
import { ID_BYTES } from './id-window.ts';

const VERSION = 1;

/** A stream as it was when ids were stored in it; one created again has another time of creation. */
export interface StreamName {
  readonly stream: string;
  readonly createdAt: number;
}

/** One shard of such a stream. */
export interface ShardName extends StreamName {
  readonly generation: number;
  readonly ordinal: number;
}

/** An id with where its record stands. */
export interface CheckpointId {
  readonly route: string;
  readonly id: Uint8Array;
  readonly shard: ShardName;
  readonly offset: number;
  readonly seconds: number;
}

/** Ids of records below `position` are in this chunk or an earlier one. */
export interface CoveredShard {
  readonly generation: number;
  readonly ordinal: number;
  readonly position: bigint;
}

/** How far a stream is covered; its shards that are not named have to be read from their start. */
export interface CoveredStream extends StreamName {
  readonly shards: readonly CoveredShard[];
}

/** One entry of the checkpoint stream. `covered` takes the place of all earlier ones; absent: they still hold. */
export interface Chunk {
  readonly covered: readonly CoveredStream[] | undefined;
  readonly ids: readonly CheckpointId[];
}

/**
 * The bytes of a chunk, little-endian: version (1), 0 or 1 for whether covered positions follow (1), routes, shards,
 * covered streams, ids. Each list starts with its length (4); texts with theirs (2).
 * Ids name routes and shards by number.
 */
export function encodeChunk(chunk: Chunk): Uint8Array {
  const routes = new Names<string>((route) => route);
  const shards = new Names<ShardName>(({ stream, createdAt, generation, ordinal }) =>
    JSON.stringify([stream, createdAt, generation, ordinal]),
  );
  const ids = new Writer(4 + 34 * chunk.ids.length);
  ids.u32(chunk.ids.length);
  for (const { route, id, shard, offset, seconds } of chunk.ids) {
    ids.u16(routes.number(route));
    ids.u32(shards.number(shard));
    ids.bytes(id);
    ids.u64(BigInt(offset));
    ids.u32(seconds);
  }
  const writer = new Writer(1024 + ids.length);
  writer.u8(VERSION);
  writer.u8(chunk.covered === undefined ? 0 : 1);
  writer.list(routes.all, (route) => writer.text(route));
  writer.list(shards.all, (shard) => writeShard(writer, shard));
  if (chunk.covered !== undefined) writer.list(chunk.covered, (covered) => writeCovered(writer, covered));
  writer.bytes(ids.done());
  return writer.done();
}

/** The chunk of these bytes. Defect when they are none: the log vouches for every byte it returns. */
export function decodeChunk(bytes: Uint8Array): Chunk {
  const reader = new Reader(bytes);
  const version = reader.u8();
  if (version !== VERSION) throw new Defect(`a checkpoint of version ${version}, known is ${VERSION}`);
  const isCovering = reader.u8() === 1;
  const routes = reader.list(() => reader.text());
  const shards = reader.list(() => readShard(reader));
  const covered = isCovering ? reader.list(() => readCovered(reader)) : undefined;
  const ids = reader.list(() => readId(reader, routes, shards));
  if (!reader.isAtEnd) throw new Defect('a checkpoint is longer than it says');
  return { covered, ids };
}

function writeStream(writer: Writer, { stream, createdAt }: StreamName): void {
  writer.text(stream);
  writer.u64(BigInt(createdAt));
}

function writeShard(writer: Writer, shard: ShardName): void {
  writeStream(writer, shard);
  writer.u32(shard.generation);
  writer.u32(shard.ordinal);
}

function writeCovered(writer: Writer, covered: CoveredStream): void {
  writeStream(writer, covered);
  writer.list(covered.shards, ({ generation, ordinal, position }) => {
    writer.u32(generation);
    writer.u32(ordinal);
    writer.u64(position);
  });
}

function readShard(reader: Reader): ShardName {
  return {
    stream: reader.text(),
    createdAt: Number(reader.u64()),
    generation: reader.u32(),
    ordinal: reader.u32(),
  };
}

function readCovered(reader: Reader): CoveredStream {
  return {
    stream: reader.text(),
    createdAt: Number(reader.u64()),
    shards: reader.list(() => ({ generation: reader.u32(), ordinal: reader.u32(), position: reader.u64() })),
  };
}

function readId(reader: Reader, routes: readonly string[], shards: readonly ShardName[]): CheckpointId {
  const route = routes[reader.u16()];
  const shard = shards[reader.u32()];
  if (route === undefined || shard === undefined) throw new Defect('a checkpoint names what it does not hold');
  return { route, shard, id: reader.bytes(ID_BYTES), offset: Number(reader.u64()), seconds: reader.u32() };
}

/** Numbers for names, in the order they come. */
class Names<T> {
  readonly all: T[] = [];
  readonly #textOf: (name: T) => string;
  readonly #numbers = new Map<string, number>();
  #last: T | undefined;
  #lastNumber = 0;

  constructor(textOf: (name: T) => string) {
    this.#textOf = textOf;
  }

  number(name: T): number {
    // Neighbours mostly share their names.
    if (this.#last !== name) {
      this.#lastNumber = this.#find(name);
      this.#last = name;
    }
    return this.#lastNumber;
  }

  #find(name: T): number {
    const text = this.#textOf(name);
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    this.#numbers.set(text, this.all.length);
    this.all.push(name);
    return this.all.length - 1;
  }
}

class Writer {
  #buffer: Uint8Array;
  #view: DataView;
  #length = 0;

  constructor(capacity: number) {
    this.#buffer = new Uint8Array(capacity);
    this.#view = new DataView(this.#buffer.buffer);
  }

  get length(): number {
    return this.#length;
  }

  u8(value: number): void {
    const at = this.#take(1);
    this.#view.setUint8(at, value);
  }
  u16(value: number): void {
    const at = this.#take(2);
    this.#view.setUint16(at, value, true);
  }
  u32(value: number): void {
    const at = this.#take(4);
    this.#view.setUint32(at, value, true);
  }
  u64(value: bigint): void {
    const at = this.#take(8);
    this.#view.setBigUint64(at, value, true);
  }
  bytes(bytes: Uint8Array): void {
    const at = this.#take(bytes.length);
    this.#buffer.set(bytes, at);
  }
  text(text: string): void {
    const bytes = new TextEncoder().encode(text);
    this.u16(bytes.length);
    this.bytes(bytes);
  }
  list<T>(items: readonly T[], write: (item: T) => void): void {
    this.u32(items.length);
    items.forEach(write);
  }
  done(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  /** Makes room; buffer and view may be others afterwards. */
  #take(count: number): number {
    const at = this.#length;
    this.#length += count;
    if (this.#length > this.#buffer.length) {
      const larger = new Uint8Array(2 * this.#length);
      larger.set(this.#buffer.subarray(0, at));
      this.#buffer = larger;
      this.#view = new DataView(larger.buffer);
    }
    return at;
  }
}

class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }
  u16(): number {
    return this.#view.getUint16(this.#take(2), true);
  }
  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }
  u64(): bigint {
    return this.#view.getBigUint64(this.#take(8), true);
  }
  /** A view of the chunk's own bytes. */
  bytes(count: number): Uint8Array {
    const at = this.#take(count);
    return this.#bytes.subarray(at, at + count);
  }
  text(): string {
    return new TextDecoder().decode(this.bytes(this.u16()));
  }
  list<T>(read: () => T): T[] {
    const items: T[] = [];
    for (let left = this.u32(); left > 0; left -= 1) items.push(read());
    return items;
  }

  #take(count: number): number {
    const at = this.#at;
    this.#at += count;
    if (this.#at > this.#bytes.length) throw new Defect('a checkpoint ends early');
    return at;
  }
}
