import { assert } from '../assert.ts';
import { md5Words } from '../bytes/md5.ts';

/** One above the largest hash key: 2^128. */
export const HASH_KEY_END = 1n << 128n;

const encoder = new TextEncoder();
const digest = new Uint32Array(4);

/** The hash key of a partition key: MD5 of its UTF-8 bytes as a big-endian number, as AWS places records. */
export function hashKeyOf(partitionKey: Uint8Array | string): bigint {
  md5Words(typeof partitionKey === 'string' ? encoder.encode(partitionKey) : partitionKey, digest);
  let key = 0n;
  for (const word of digest) key = (key << 32n) | BigInt(word);
  return key;
}

/**
 * Splits 0 .. 2^128 - 1 into `count` ranges of equal width with inclusive bounds; the last takes the remainder, as on
 * AWS.
 */
export function splitHashKeys(count: number): { readonly start: bigint; readonly end: bigint }[] {
  assert(Number.isSafeInteger(count) && count > 0, 'a stream has at least one shard');
  const width = HASH_KEY_END / BigInt(count);
  return Array.from({ length: count }, (_, index) => ({
    start: width * BigInt(index),
    end: index === count - 1 ? HASH_KEY_END - 1n : width * BigInt(index + 1) - 1n,
  }));
}

/** Finds the range a record belongs to, by its index in the list the router was made from. */
export interface HashKeyRouter {
  /** For a partition key in UTF-8, which may stand in larger memory. */
  ofKey(bytes: Uint8Array, from?: number, to?: number): number;
  /** For an explicit hash key of 0 .. 2^128 - 1. */
  ofHash(hashKey: bigint): number;
}

/** A router over ranges that cover all hash keys, given by their first keys in ascending order from 0. */
export function hashKeyRouter(starts: readonly bigint[]): HashKeyRouter {
  assert(starts[0] === 0n, 'the first range starts at 0');
  assert(
    starts.every((start, index) => index === 0 || start > (starts[index - 1] ?? 0n)),
    'ranges stand in ascending order',
  );
  const words = new Uint32Array(4 * starts.length);
  for (const [index, start] of starts.entries()) writeWords(start, words.subarray(4 * index, 4 * index + 4));
  return {
    ofKey(bytes, from, to) {
      md5Words(bytes, digest, from, to);
      return lastAtMost(words, digest);
    },
    ofHash(hashKey) {
      assert(hashKey >= 0n && hashKey < HASH_KEY_END, 'a hash key has 128 bits');
      writeWords(hashKey, digest);
      return lastAtMost(words, digest);
    },
  };
}

function writeWords(key: bigint, into: Uint32Array): void {
  for (let index = 0; index < 4; index += 1) into[index] = Number((key >> BigInt(96 - 32 * index)) & 0xffffffffn);
}

/** Index of the last start that is not above `key`; compares word by word, so that no bigint is made per record. */
function lastAtMost(starts: Uint32Array, key: Uint32Array): number {
  let low = 0;
  let high = starts.length / 4 - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (isAtMost(starts, 4 * middle, key)) low = middle;
    else high = middle - 1;
  }
  return low;
}

function isAtMost(starts: Uint32Array, at: number, key: Uint32Array): boolean {
  for (let index = 0; index < 4; index += 1) {
    const start = starts[at + index] as number;
    const word = key[index] as number;
    if (start !== word) return start < word;
  }
  return true;
}
