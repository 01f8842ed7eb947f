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
const STEP = Number(OFFSET_STEP);
const HALF = 1e7;
const PREVIOUS = 0;
const MIDDLE = 1;
const LOW = 2;

/**
 * An encoder for the records of one shard. Offsets that follow each other cost no bigint arithmetic: the number is kept
 * as groups of 14 decimal digits, and one offset further is one addition in the lowest group.
 */
export function sequenceNumberEncoder(shard: SequenceNumberShard): (offset: bigint) => string {
  const base = baseOf(shard);
  const checkStart = checkOfShard(shard);
  let head = '';
  // Numbers of a typed array: a closure's variable would put each number beyond 31 bits on the heap.
  const state = Float64Array.of(Number.NaN, 0, 0);
  const jump = (offset: bigint): void => {
    const digits = (base + offset * OFFSET_STEP).toString();
    head = digits.slice(0, 3 * LIMB_DIGITS);
    state[MIDDLE] = Number(digits.slice(2 * LIMB_DIGITS, 3 * LIMB_DIGITS));
    state[LOW] = Number(digits.slice(3 * LIMB_DIGITS));
  };
  const step = (offset: bigint): void => {
    const low = (state[LOW] as number) + STEP;
    const middle = (state[MIDDLE] as number) + 1;
    if (low < LIMB) state[LOW] = low;
    else if (middle === LIMB) jump(offset);
    else {
      state[LOW] = low - LIMB;
      state[MIDDLE] = middle;
      head = head.slice(0, 2 * LIMB_DIGITS) + limbText(middle);
    }
  };
  return (offset) => {
    const at = Number(offset);
    if (!(at >= 0 && at < Number.MAX_SAFE_INTEGER)) return encodeSequenceNumber(shard, offset);
    if (at === (state[PREVIOUS] as number) + 1) step(offset);
    else jump(offset);
    state[PREVIOUS] = at;
    const lowest = (state[LOW] as number) + checkWord(checkSafeOffset(checkStart, at), 0);
    // The check byte carried into the next group.
    if (lowest >= LIMB) return encodeSequenceNumber(shard, offset);
    return head + limbText(lowest);
  };
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
