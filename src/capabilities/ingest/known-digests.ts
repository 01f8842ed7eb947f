import { DIGEST_WORDS, type Digest } from './arrival-headers.ts';

const SLOTS_MIN = 64;
/** Words of a slot: the digest, and what is known of it. */
const SLOT_WORDS = 8;
/** How often it stands in the stream; 0: the slot is free. */
const STORED = 4;
/** How often it came in the connection. */
const SEEN = 5;
const CONNECTION = 6;
/** 1: others adopted it, and it is known here no more; the way to those behind it still goes through its slot. */
const IS_GONE = 7;

/**
 * Digests and what is known of each, in one piece of memory: with an object for each, the collector's work and what the
 * processor has to fetch cost more than all else that is done to an event (measured).
 */
export class KnownDigests {
  /** Odd numbers that who sends events cannot know, and so cannot make digests that stand in each other's way. */
  readonly #mixers: readonly [number, number];
  #slots = new Uint32Array(SLOTS_MIN * SLOT_WORDS);
  /** How many of 32 mixed bits are too many for a slot's number. */
  #shift = 32 - Math.log2(SLOTS_MIN);
  #size = 0;

  /** `secret`: 8 random bytes. */
  constructor(secret: Uint8Array) {
    const [first = 0, second = 0] = new Uint32Array(secret.slice(0, 8).buffer);
    this.#mixers = [first | 1, second | 1];
  }

  get size(): number {
    return this.#size;
  }

  /** Where it stands, until the next one is added; undefined: it is not known. */
  find(digest: Digest): number | undefined {
    const at = this.#search(digest);
    const slots = this.#slots;
    return slots[at + STORED] === 0 || slots[at + IS_GONE] === 1 ? undefined : at;
  }

  /** Notes one that is not known, and stands in the stream once. */
  add(digest: Digest, connection: number): void {
    this.#write(digest, 1, 1, connection);
  }

  /** Takes over what others, which get no more until they are cleared, know of a digest that is not known here. */
  adopt(digest: Digest, others: KnownDigests, at: number): number {
    const slots = others.#slots;
    slots[at + IS_GONE] = 1;
    others.#size -= 1;
    return this.#write(
      digest,
      slots[at + STORED] as number,
      slots[at + SEEN] as number,
      slots[at + CONNECTION] as number,
    );
  }

  countStored(at: number): void {
    this.#slots[at + STORED] = (this.#slots[at + STORED] as number) + 1;
  }

  /** Whether it came in the connection more often than it stands in the stream: then it stands there once more. */
  isAnother(at: number, connection: number): boolean {
    const slots = this.#slots;
    const seen = slots[at + CONNECTION] === connection ? (slots[at + SEEN] as number) + 1 : 1;
    slots[at + CONNECTION] = connection;
    slots[at + SEEN] = seen;
    if (seen <= (slots[at + STORED] as number)) return false;
    this.countStored(at);
    return true;
  }

  /** Forgets all; the memory stays. */
  clear(): void {
    this.#slots.fill(0);
    this.#size = 0;
  }

  #write(digest: Digest, stored: number, seen: number, connection: number): number {
    if (2 * (this.#size + 1) * SLOT_WORDS > this.#slots.length) this.#grow();
    const at = this.#search(digest);
    const slots = this.#slots;
    for (let word = 0; word < DIGEST_WORDS; word += 1) slots[at + word] = digest[word] as number;
    slots[at + STORED] = stored;
    slots[at + SEEN] = seen;
    slots[at + CONNECTION] = connection;
    this.#size += 1;
    return at;
  }

  /** Where the digest stands, known or gone, or else the free slot that it would get. */
  #search(digest: Digest): number {
    const slots = this.#slots;
    const [first, second] = this.#mixers;
    const mixed = Math.imul(digest[0] as number, first) + Math.imul(digest[1] as number, second);
    let at = (mixed >>> this.#shift) * SLOT_WORDS;
    while (slots[at + STORED] !== 0 && !isAt(slots, at, digest)) {
      at += SLOT_WORDS;
      if (at === slots.length) at = 0;
    }
    return at;
  }

  #grow(): void {
    const before = this.#slots;
    this.#slots = new Uint32Array(2 * before.length);
    this.#shift -= 1;
    for (let from = 0; from < before.length; from += SLOT_WORDS) {
      const slot = before.subarray(from, from + SLOT_WORDS);
      if (slot[STORED] !== 0) this.#slots.set(slot, this.#search(slot));
    }
  }
}

function isAt(slots: Uint32Array, at: number, digest: Digest): boolean {
  for (let word = 0; word < DIGEST_WORDS; word += 1) if (slots[at + word] !== digest[word]) return false;
  return true;
}
