import { assert } from '../assert.ts';

/**
 * Layout of a sequence number, 186 bits, always 56 decimal digits: marker `10` at bit 184, generation (32 bits) at 152,
 * shard ordinal (32) at 120, zero (16) at 104, offset (64) at 40, zero (8) at 32, sub-index (24) at 8, check byte at 0.
 * Numbers of one shard sort as its offsets do; a later generation sorts after an earlier one.
 */
const MARKER = 2n << 184n;
const OFFSET_STEP = 1n << 40n;
const DIGITS = 56;
const OFFSET_MAX = (1n << 64n) - 1n;
const WORD_MAX = 0xffff_ffff;
const SUB_INDEX_MAX = 0xff_ffff;

/** Names the shard a sequence number belongs to. */
export interface SequenceNumberShard {
  readonly generation: number;
  readonly ordinal: number;
}

/** The parts of a sequence number. */
export interface SequenceNumber extends SequenceNumberShard {
  readonly offset: bigint;
  readonly subIndex: number;
}

/** The sequence number of a record, 56 digits. Defect when a part does not fit its bits. */
export function encodeSequenceNumber(shard: SequenceNumberShard, offset: bigint, subIndex = 0): string {
  assert(offset >= 0n && offset <= OFFSET_MAX, 'an offset has 64 bits');
  assert(isWithin(subIndex, SUB_INDEX_MAX), 'a sub-index has 24 bits');
  const check = checkOffset(checkOfShard(shard), offset, subIndex);
  return (baseOf(shard) + offset * OFFSET_STEP + BigInt(subIndex * 256 + check)).toString();
}

/** The parts of a sequence number, or undefined for any text that `encodeSequenceNumber` cannot have made. */
export function decodeSequenceNumber(text: string): SequenceNumber | undefined {
  if (text.length !== DIGITS || !/^[0-9]{56}$/.test(text)) return undefined;
  const number = BigInt(text);
  const generation = Number((number >> 152n) & 0xffffffffn);
  const ordinal = Number((number >> 120n) & 0xffffffffn);
  const offset = (number >> 40n) & OFFSET_MAX;
  const subIndex = Number((number >> 8n) & 0xffffffn);
  if (number >> 184n !== 2n) return undefined;
  // Also refuses bits that are always zero and a wrong check byte.
  if (encodeSequenceNumber({ generation, ordinal }, offset, subIndex) !== text) return undefined;
  return { generation, ordinal, offset, subIndex };
}

const LIMB = 1e14;
const LIMB_DIGITS = 14;
const HEAD_DIGITS = DIGITS - LIMB_DIGITS;
const STEP = Number(OFFSET_STEP);
const HALF = 1e7;
const PREVIOUS = 0;
const MIDDLE = 1;
const LOW = 2;
const ZERO = 0x30;

/**
 * The number of a record of one shard. Offsets that follow each other cost no bigint arithmetic: the number is kept as
 * groups of 14 decimal digits, and one offset further is one addition in the lowest group.
 */
class RunningNumber {
  readonly #shard: SequenceNumberShard;
  readonly #base: bigint;
  readonly #checkStart: number;
  // Numbers of a typed array: a member would put each number beyond 31 bits on the heap.
  readonly #state = Float64Array.of(Number.NaN, 0, 0);
  /** All digits but the lowest group. */
  head = '';

  constructor(shard: SequenceNumberShard) {
    this.#shard = shard;
    this.#base = baseOf(shard);
    this.#checkStart = checkOfShard(shard);
  }

  /** Goes to an offset and returns the lowest group of its number; -1 where only `whole` knows the number. */
  moveTo(at: number): number {
    if (!(at >= 0 && at < Number.MAX_SAFE_INTEGER)) return -1;
    if (at === (this.#state[PREVIOUS] as number) + 1) this.#step(at);
    else this.#jump(at);
    this.#state[PREVIOUS] = at;
    const lowest = (this.#state[LOW] as number) + checkWord(checkSafeOffset(this.#checkStart, at), 0);
    // The check byte carried into the next group.
    return lowest < LIMB ? lowest : -1;
  }

  whole(offset: bigint): string {
    return encodeSequenceNumber(this.#shard, offset);
  }

  #jump(at: number): void {
    const digits = (this.#base + BigInt(at) * OFFSET_STEP).toString();
    this.head = digits.slice(0, HEAD_DIGITS);
    this.#state[MIDDLE] = Number(digits.slice(HEAD_DIGITS - LIMB_DIGITS, HEAD_DIGITS));
    this.#state[LOW] = Number(digits.slice(HEAD_DIGITS));
  }

  #step(at: number): void {
    const low = (this.#state[LOW] as number) + STEP;
    const middle = (this.#state[MIDDLE] as number) + 1;
    if (low < LIMB) this.#state[LOW] = low;
    else if (middle === LIMB) this.#jump(at);
    else {
      this.#state[LOW] = low - LIMB;
      this.#state[MIDDLE] = middle;
      this.head = this.head.slice(0, HEAD_DIGITS - LIMB_DIGITS) + limbText(middle);
    }
  }
}

/** An encoder for the records of one shard; offsets that follow each other are cheap. */
export function sequenceNumberEncoder(shard: SequenceNumberShard): (offset: bigint | number) => string {
  const running = new RunningNumber(shard);
  return (offset) => {
    const lowest = running.moveTo(Number(offset));
    return lowest < 0 ? running.whole(BigInt(offset)) : running.head + limbText(lowest);
  };
}

/** Digits of a sequence number: how many bytes a writer keeps. */
export const SEQUENCE_NUMBER_BYTES = DIGITS;

/**
 * The same as bytes: a writer that keeps the number of an offset below 2^53 in `into` at `at`, where nobody else
 * writes, so that only the digits that differ from the offset before are written.
 */
export function sequenceNumberWriter(
  shard: SequenceNumberShard,
  into: Uint8Array,
  at: number,
): (offset: number) => void {
  const running = new RunningNumber(shard);
  let shown = '';
  return (offset) => {
    const lowest = running.moveTo(offset);
    if (lowest < 0) {
      shown = '';
      writeDigits(running.whole(BigInt(offset)), into, at);
      return;
    }
    if (running.head !== shown) {
      shown = running.head;
      writeDigits(shown, into, at);
    }
    const high = Math.floor(lowest / HALF);
    writeHalf(high, into, at + HEAD_DIGITS);
    writeHalf(lowest - high * HALF, into, at + HEAD_DIGITS + LIMB_DIGITS / 2);
  };
}

function writeDigits(text: string, into: Uint8Array, at: number): void {
  for (let index = 0; index < text.length; index += 1) into[at + index] = text.charCodeAt(index);
}

function writeHalf(half: number, into: Uint8Array, at: number): void {
  let rest = half | 0;
  for (let index = at + LIMB_DIGITS / 2 - 1; index >= at; index -= 1) {
    const next = (rest / 10) | 0;
    into[index] = ZERO + rest - next * 10;
    rest = next;
  }
}

/** Fourteen digits, written as two halves that fit small integers. */
function limbText(limb: number): string {
  const high = Math.floor(limb / HALF);
  return halfText(high) + halfText(limb - high * HALF);
}

function halfText(half: number): string {
  return half >= HALF / 10 ? String(half) : String(half).padStart(LIMB_DIGITS / 2, '0');
}

function isWithin(value: number, max: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= max;
}

function baseOf(shard: SequenceNumberShard): bigint {
  assert(
    isWithin(shard.generation, WORD_MAX) && isWithin(shard.ordinal, WORD_MAX),
    'a shard is named by 32-bit numbers',
  );
  return MARKER + (BigInt(shard.generation) << 152n) + (BigInt(shard.ordinal) << 120n);
}

// CRC-8 with polynomial x^8 + x^2 + x + 1.
const CHECKS = Uint8Array.from({ length: 256 }, (_, byte) => {
  let check = byte;
  for (let bit = 0; bit < 8; bit += 1) check = ((check << 1) ^ (check & 0x80 ? 0x07 : 0)) & 0xff;
  return check;
});

function checkWord(check: number, word: number): number {
  let result = CHECKS[check ^ (word >>> 24)] as number;
  result = CHECKS[result ^ ((word >>> 16) & 0xff)] as number;
  result = CHECKS[result ^ ((word >>> 8) & 0xff)] as number;
  return CHECKS[result ^ (word & 0xff)] as number;
}

function checkOfShard(shard: SequenceNumberShard): number {
  return checkWord(checkWord(0, shard.generation), shard.ordinal);
}

function checkOffset(check: number, offset: bigint, subIndex: number): number {
  const high = checkWord(check, Number(offset >> 32n));
  return checkWord(checkWord(high, Number(offset & 0xffffffffn)), subIndex);
}

/** As `checkOffset` before the sub-index, for an offset below 2^53. */
function checkSafeOffset(check: number, offset: number): number {
  return checkWord(checkWord(check, Math.floor(offset / 0x1_0000_0000)), offset % 0x1_0000_0000);
}
