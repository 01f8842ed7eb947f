/** Bytes of an id: the first half of a SHA-256. */
export const ID_BYTES = 16;

const CHUNK_IDS = 65_535;

/** Where the record of an id stands; `shard` is a number of the caller's table, `seconds` since the Unix epoch. */
export interface IdPlace {
  readonly shard: number;
  readonly offset: number;
  readonly seconds: number;
}

/** Ids fall out when they are older than `windowMs` or when more than `idsMax` came after them. */
export interface WindowBounds {
  readonly windowMs: number;
  readonly idsMax: number;
}

/**
 * The ids of one route, oldest first, in chunks of typed arrays: 30 bytes each and 4 for the index of its chunk.
 * A chunk's index never changes once the chunk is full, so that nothing is ever hashed again; a look-up asks
 * each chunk, newest first. Memory comes with use, a chunk at a time, and goes when a chunk's last id falls out.
 */
export class IdWindow {
  readonly #chunkIds: number;
  readonly #chunks: Chunk[] = [];
  readonly #wanted = new Uint32Array(4);
  #bounds: WindowBounds;
  /** Number of the oldest id still in the window; ids are numbered from 0 as they come. */
  #first = 0;
  #end = 0;
  /** Time of the newest id that only `idsMax` pushed out. */
  #pushedOutSeconds: number | undefined;

  constructor(bounds: WindowBounds, chunkIds = CHUNK_IDS) {
    this.#bounds = bounds;
    this.#chunkIds = chunkIds;
  }

  /** Ids in the window. */
  get size(): number {
    return this.#end - this.#first;
  }

  /** Number of the oldest id in the window. */
  get first(): number {
    return this.#first;
  }

  /** Number that the next id gets. */
  get end(): number {
    return this.#end;
  }

  get bounds(): WindowBounds {
    return this.#bounds;
  }

  /** Takes other bounds; ids that fell out earlier do not come back. */
  bound(bounds: WindowBounds): void {
    this.#bounds = bounds;
    this.#pushOut();
  }

  /** The newest place of an id that is in the window at `nowMs`. */
  find(id: Uint8Array, nowMs: number): IdPlace | undefined {
    loadId(id, this.#wanted);
    for (let at = this.#chunks.length - 1; at >= 0; at -= 1) {
      const chunk = this.#chunks[at] as Chunk;
      const index = chunk.locate(this.#wanted, this.#first - chunk.base);
      if (index === undefined) continue;
      const place = chunk.place(index);
      return this.#isAlive(place.seconds, nowMs) ? place : undefined;
    }
    return undefined;
  }

  /** Adds an id; the oldest one falls out when there are more than `idsMax`. */
  add(id: Uint8Array, place: IdPlace): void {
    let chunk = this.#chunks.at(-1);
    if (chunk === undefined || chunk.count === this.#chunkIds) {
      chunk = new Chunk(this.#end, this.#chunkIds);
      this.#chunks.push(chunk);
    }
    loadId(id, this.#wanted);
    chunk.add(this.#wanted, place);
    this.#end += 1;
    this.#pushOut();
  }

  /** Lets go of what is older than the window. */
  expire(nowMs: number): void {
    while (this.#first < this.#end && !this.#isAlive(this.#secondsOf(this.#first), nowMs)) this.#first += 1;
    this.#free();
  }

  /** The window as it really is, in ms: shorter than asked for while `idsMax` pushes ids out before their time. */
  realWindowMs(nowMs: number): number {
    const { windowMs } = this.#bounds;
    if (this.#pushedOutSeconds === undefined || !this.#isAlive(this.#pushedOutSeconds, nowMs)) return windowMs;
    return Math.min(windowMs, Math.max(0, nowMs - this.#pushedOutSeconds * 1000));
  }

  /** The id with this number, copied, or undefined when it fell out. */
  entry(number: number): { readonly id: Uint8Array; readonly place: IdPlace } | undefined {
    if (number < this.#first || number >= this.#end) return undefined;
    const chunk = this.#chunkOf(number);
    const index = number - chunk.base;
    return { id: chunk.id(index), place: chunk.place(index) };
  }

  /** Bytes of memory held. */
  get bytes(): number {
    return this.#chunks.reduce((sum, chunk) => sum + chunk.bytes, 0);
  }

  #isAlive(seconds: number, nowMs: number): boolean {
    return seconds * 1000 + this.#bounds.windowMs > nowMs;
  }

  #pushOut(): void {
    while (this.size > this.#bounds.idsMax) {
      this.#pushedOutSeconds = this.#secondsOf(this.#first);
      this.#first += 1;
    }
    this.#free();
  }

  #free(): void {
    for (let oldest = this.#chunks[0]; oldest !== undefined; oldest = this.#chunks[0]) {
      if (oldest.count < this.#chunkIds || this.#first < oldest.base + oldest.count) return;
      this.#chunks.shift();
    }
  }

  #secondsOf(number: number): number {
    const chunk = this.#chunkOf(number);
    return chunk.place(number - chunk.base).seconds;
  }

  /** All chunks but the last are full, so the place follows from the number. */
  #chunkOf(number: number): Chunk {
    const base = (this.#chunks[0] as Chunk).base;
    return this.#chunks[Math.floor((number - base) / this.#chunkIds)] as Chunk;
  }
}

class Chunk {
  readonly base: number;
  count = 0;
  readonly #ids: Uint32Array;
  readonly #offsetLow: Uint32Array;
  readonly #offsetHigh: Uint16Array;
  readonly #shards: Uint32Array;
  readonly #seconds: Uint32Array;
  /** Open addressing: 0 is free, else an index plus one. */
  readonly #slots: Uint16Array;

  constructor(base: number, capacity: number) {
    this.base = base;
    this.#ids = new Uint32Array(4 * capacity);
    this.#offsetLow = new Uint32Array(capacity);
    this.#offsetHigh = new Uint16Array(capacity);
    this.#shards = new Uint32Array(capacity);
    this.#seconds = new Uint32Array(capacity);
    this.#slots = new Uint16Array(2 ** Math.ceil(Math.log2(capacity * 1.5 + 1)));
  }

  get bytes(): number {
    const arrays = [this.#ids, this.#offsetLow, this.#offsetHigh, this.#shards, this.#seconds, this.#slots];
    return arrays.reduce((sum, array) => sum + array.byteLength, 0);
  }

  /** The newest index of the id, not below `from`. An id added twice stands twice: the later one is further along. */
  locate(wanted: Uint32Array, from: number): number | undefined {
    const mask = this.#slots.length - 1;
    let found: number | undefined;
    for (let slot = (wanted[0] as number) & mask; ; slot = (slot + 1) & mask) {
      const index = (this.#slots[slot] as number) - 1;
      if (index < 0) return found;
      if (index >= from && this.#holds(index, wanted)) found = Math.max(found ?? 0, index);
    }
  }

  add(id: Uint32Array, place: IdPlace): void {
    const index = this.count;
    this.#ids.set(id, 4 * index);
    this.#offsetLow[index] = place.offset % 0x1_0000_0000;
    this.#offsetHigh[index] = Math.floor(place.offset / 0x1_0000_0000);
    this.#shards[index] = place.shard;
    this.#seconds[index] = place.seconds;
    const mask = this.#slots.length - 1;
    let slot = (id[0] as number) & mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    this.#slots[slot] = index + 1;
    this.count += 1;
  }

  place(index: number): IdPlace {
    return {
      shard: this.#shards[index] as number,
      offset: (this.#offsetHigh[index] as number) * 0x1_0000_0000 + (this.#offsetLow[index] as number),
      seconds: this.#seconds[index] as number,
    };
  }

  id(index: number): Uint8Array {
    const bytes = new Uint8Array(ID_BYTES);
    const view = new DataView(bytes.buffer);
    for (let word = 0; word < 4; word += 1) view.setUint32(4 * word, this.#ids[4 * index + word] as number, true);
    return bytes;
  }

  #holds(index: number, wanted: Uint32Array): boolean {
    const at = 4 * index;
    return (
      this.#ids[at] === wanted[0] &&
      this.#ids[at + 1] === wanted[1] &&
      this.#ids[at + 2] === wanted[2] &&
      this.#ids[at + 3] === wanted[3]
    );
  }
}

function loadId(id: Uint8Array, into: Uint32Array): void {
  const view = new DataView(id.buffer, id.byteOffset, ID_BYTES);
  for (let word = 0; word < 4; word += 1) into[word] = view.getUint32(4 * word, true);
}
