/**
 * MD5 (RFC 1321) in plain arithmetic: a call into a native hash costs several times the hash of a short key.
 * Only for placing records by key, where AWS prescribes it; never for anything that must be secure.
 */

const BLOCK_BYTES = 64;
/** Where the number of bits stands in the last block. */
const LENGTH_AT = 56;

// Scratch space shared by all calls: each runs to its end without a pause. Larger than needed: what is beyond 64 bytes
// never moves, and is reached without a look at where it is.
const words = new Int32Array(32);
// A typed array, since a module's variable would put each number beyond 31 bits on the heap.
const registers = new Int32Array(32);

/**
 * Writes the digest of the bytes from `from` to `to` into `into` as four 32-bit words of the big-endian 128-bit number,
 * highest first.
 */
export function md5Words(bytes: Uint8Array, into: Uint32Array, from = 0, to = bytes.length): void {
  keep(0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476);
  const rest = (to - from) % BLOCK_BYTES;
  const whole = to - rest;
  for (let at = from; at < whole; at += BLOCK_BYTES) {
    readBlock(bytes, at);
    mixBlock();
  }
  words.fill(0);
  for (let index = 0; index < rest; index += 1) addByte(index, bytes[whole + index] as number);
  addByte(rest, 0x80);
  if (rest >= LENGTH_AT) {
    mixBlock();
    words.fill(0);
  }
  words[14] = (to - from) << 3;
  words[15] = Math.floor((to - from) / 0x20000000);
  mixBlock();
  into[0] = swap(registers[0] as number);
  into[1] = swap(registers[1] as number);
  into[2] = swap(registers[2] as number);
  into[3] = swap(registers[3] as number);
}

function readBlock(bytes: Uint8Array, at: number): void {
  for (let index = 0, byte = at; index < 16; index += 1, byte += 4) {
    words[index] =
      (bytes[byte] as number) |
      ((bytes[byte + 1] as number) << 8) |
      ((bytes[byte + 2] as number) << 16) |
      ((bytes[byte + 3] as number) << 24);
  }
}

function addByte(index: number, byte: number): void {
  words[index >> 2] = (words[index >> 2] as number) | (byte << (8 * (index & 3)));
}

function swap(word: number): number {
  return (word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24);
}

function mixBlock(): void {
  const a = registers[0] as number;
  const b = registers[1] as number;
  const c = registers[2] as number;
  const d = registers[3] as number;
  mixFirst();
  mixSecond();
  mixThird();
  mixFourth();
  keep(
    (registers[0] as number) + a,
    (registers[1] as number) + b,
    (registers[2] as number) + c,
    (registers[3] as number) + d,
  );
}

function keep(a: number, b: number, c: number, d: number): void {
  registers[0] = a;
  registers[1] = b;
  registers[2] = c;
  registers[3] = d;
}

/** One step: the rotated sum, added to `b`; `word` is the block's and the step's constant, in one. */
function turn(b: number, a: number, mixed: number, word: number, shift: number): number {
  const sum = (a + mixed + word) | 0;
  return (b + ((sum << shift) | (sum >>> (32 - shift)))) | 0;
}

// The four rounds of sixteen steps, each step written out: in a loop, where to find word, constant and shift costs more
// than the step. The constants are floor(2^32 * |sin(step + 1)|), as signed numbers.
function mixFirst(): void {
  let a = registers[0] as number;
  let b = registers[1] as number;
  let c = registers[2] as number;
  let d = registers[3] as number;
  a = turn(b, a, d ^ (b & (c ^ d)), (words[0] as number) - 0x28955b88, 7);
  d = turn(a, d, c ^ (a & (b ^ c)), (words[1] as number) - 0x173848aa, 12);
  c = turn(d, c, b ^ (d & (a ^ b)), (words[2] as number) + 0x242070db, 17);
  b = turn(c, b, a ^ (c & (d ^ a)), (words[3] as number) - 0x3e423112, 22);
  a = turn(b, a, d ^ (b & (c ^ d)), (words[4] as number) - 0x0a83f051, 7);
  d = turn(a, d, c ^ (a & (b ^ c)), (words[5] as number) + 0x4787c62a, 12);
  c = turn(d, c, b ^ (d & (a ^ b)), (words[6] as number) - 0x57cfb9ed, 17);
  b = turn(c, b, a ^ (c & (d ^ a)), (words[7] as number) - 0x02b96aff, 22);
  a = turn(b, a, d ^ (b & (c ^ d)), (words[8] as number) + 0x698098d8, 7);
  d = turn(a, d, c ^ (a & (b ^ c)), (words[9] as number) - 0x74bb0851, 12);
  c = turn(d, c, b ^ (d & (a ^ b)), (words[10] as number) - 0x0000a44f, 17);
  b = turn(c, b, a ^ (c & (d ^ a)), (words[11] as number) - 0x76a32842, 22);
  a = turn(b, a, d ^ (b & (c ^ d)), (words[12] as number) + 0x6b901122, 7);
  d = turn(a, d, c ^ (a & (b ^ c)), (words[13] as number) - 0x02678e6d, 12);
  c = turn(d, c, b ^ (d & (a ^ b)), (words[14] as number) - 0x5986bc72, 17);
  b = turn(c, b, a ^ (c & (d ^ a)), (words[15] as number) + 0x49b40821, 22);
  keep(a, b, c, d);
}

function mixSecond(): void {
  let a = registers[0] as number;
  let b = registers[1] as number;
  let c = registers[2] as number;
  let d = registers[3] as number;
  a = turn(b, a, c ^ (d & (b ^ c)), (words[1] as number) - 0x09e1da9e, 5);
  d = turn(a, d, b ^ (c & (a ^ b)), (words[6] as number) - 0x3fbf4cc0, 9);
  c = turn(d, c, a ^ (b & (d ^ a)), (words[11] as number) + 0x265e5a51, 14);
  b = turn(c, b, d ^ (a & (c ^ d)), (words[0] as number) - 0x16493856, 20);
  a = turn(b, a, c ^ (d & (b ^ c)), (words[5] as number) - 0x29d0efa3, 5);
  d = turn(a, d, b ^ (c & (a ^ b)), (words[10] as number) + 0x02441453, 9);
  c = turn(d, c, a ^ (b & (d ^ a)), (words[15] as number) - 0x275e197f, 14);
  b = turn(c, b, d ^ (a & (c ^ d)), (words[4] as number) - 0x182c0438, 20);
  a = turn(b, a, c ^ (d & (b ^ c)), (words[9] as number) + 0x21e1cde6, 5);
  d = turn(a, d, b ^ (c & (a ^ b)), (words[14] as number) - 0x3cc8f82a, 9);
  c = turn(d, c, a ^ (b & (d ^ a)), (words[3] as number) - 0x0b2af279, 14);
  b = turn(c, b, d ^ (a & (c ^ d)), (words[8] as number) + 0x455a14ed, 20);
  a = turn(b, a, c ^ (d & (b ^ c)), (words[13] as number) - 0x561c16fb, 5);
  d = turn(a, d, b ^ (c & (a ^ b)), (words[2] as number) - 0x03105c08, 9);
  c = turn(d, c, a ^ (b & (d ^ a)), (words[7] as number) + 0x676f02d9, 14);
  b = turn(c, b, d ^ (a & (c ^ d)), (words[12] as number) - 0x72d5b376, 20);
  keep(a, b, c, d);
}

function mixThird(): void {
  let a = registers[0] as number;
  let b = registers[1] as number;
  let c = registers[2] as number;
  let d = registers[3] as number;
  a = turn(b, a, b ^ c ^ d, (words[5] as number) - 0x0005c6be, 4);
  d = turn(a, d, a ^ b ^ c, (words[8] as number) - 0x788e097f, 11);
  c = turn(d, c, d ^ a ^ b, (words[11] as number) + 0x6d9d6122, 16);
  b = turn(c, b, c ^ d ^ a, (words[14] as number) - 0x021ac7f4, 23);
  a = turn(b, a, b ^ c ^ d, (words[1] as number) - 0x5b4115bc, 4);
  d = turn(a, d, a ^ b ^ c, (words[4] as number) + 0x4bdecfa9, 11);
  c = turn(d, c, d ^ a ^ b, (words[7] as number) - 0x0944b4a0, 16);
  b = turn(c, b, c ^ d ^ a, (words[10] as number) - 0x41404390, 23);
  a = turn(b, a, b ^ c ^ d, (words[13] as number) + 0x289b7ec6, 4);
  d = turn(a, d, a ^ b ^ c, (words[0] as number) - 0x155ed806, 11);
  c = turn(d, c, d ^ a ^ b, (words[3] as number) - 0x2b10cf7b, 16);
  b = turn(c, b, c ^ d ^ a, (words[6] as number) + 0x04881d05, 23);
  a = turn(b, a, b ^ c ^ d, (words[9] as number) - 0x262b2fc7, 4);
  d = turn(a, d, a ^ b ^ c, (words[12] as number) - 0x1924661b, 11);
  c = turn(d, c, d ^ a ^ b, (words[15] as number) + 0x1fa27cf8, 16);
  b = turn(c, b, c ^ d ^ a, (words[2] as number) - 0x3b53a99b, 23);
  keep(a, b, c, d);
}

function mixFourth(): void {
  let a = registers[0] as number;
  let b = registers[1] as number;
  let c = registers[2] as number;
  let d = registers[3] as number;
  a = turn(b, a, c ^ (b | ~d), (words[0] as number) - 0x0bd6ddbc, 6);
  d = turn(a, d, b ^ (a | ~c), (words[7] as number) + 0x432aff97, 10);
  c = turn(d, c, a ^ (d | ~b), (words[14] as number) - 0x546bdc59, 15);
  b = turn(c, b, d ^ (c | ~a), (words[5] as number) - 0x036c5fc7, 21);
  a = turn(b, a, c ^ (b | ~d), (words[12] as number) + 0x655b59c3, 6);
  d = turn(a, d, b ^ (a | ~c), (words[3] as number) - 0x70f3336e, 10);
  c = turn(d, c, a ^ (d | ~b), (words[10] as number) - 0x00100b83, 15);
  b = turn(c, b, d ^ (c | ~a), (words[1] as number) - 0x7a7ba22f, 21);
  a = turn(b, a, c ^ (b | ~d), (words[8] as number) + 0x6fa87e4f, 6);
  d = turn(a, d, b ^ (a | ~c), (words[15] as number) - 0x01d31920, 10);
  c = turn(d, c, a ^ (d | ~b), (words[6] as number) - 0x5cfebcec, 15);
  b = turn(c, b, d ^ (c | ~a), (words[13] as number) + 0x4e0811a1, 21);
  a = turn(b, a, c ^ (b | ~d), (words[4] as number) - 0x08ac817e, 6);
  d = turn(a, d, b ^ (a | ~c), (words[11] as number) - 0x42c50dcb, 10);
  c = turn(d, c, a ^ (d | ~b), (words[2] as number) + 0x2ad7d2bb, 15);
  b = turn(c, b, d ^ (c | ~a), (words[9] as number) - 0x14792c6f, 21);
  keep(a, b, c, d);
}
