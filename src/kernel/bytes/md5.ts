/**
 * MD5 (RFC 1321) in plain arithmetic: a call into a native hash costs several times the hash of a short key.
 * Only for placing records by key, where AWS prescribes it; never for anything that must be secure.
 */

const BLOCK_BYTES = 64;
/** floor(2^32 * |sin(step + 1)|), written out because engines may round `Math.sin` differently. */
const SINES = Int32Array.from(
  (
    'd76aa478e8c7b756242070dbc1bdceeef57c0faf4787c62aa8304613fd469501' +
    '698098d88b44f7afffff5bb1895cd7be6b901122fd987193a679438e49b40821' +
    'f61e2562c040b340265e5a51e9b6c7aad62f105d02441453d8a1e681e7d3fbc8' +
    '21e1cde6c33707d6f4d50d87455a14eda9e3e905fcefa3f8676f02d98d2a4c8a' +
    'fffa39428771f6816d9d6122fde5380ca4beea444bdecfa9f6bb4b60bebfbc70' +
    '289b7ec6eaa127fad4ef308504881d05d9d4d039e6db99e51fa27cf8c4ac5665' +
    'f4292244432aff97ab9423a7fc93a039655b59c38f0ccc92ffeff47d85845dd1' +
    '6fa87e4ffe2ce6e0a30143144e0811a1f7537e82bd3af2352ad7d2bbeb86d391'
  )
    .match(/.{8}/g)
    ?.map((word) => Number.parseInt(word, 16)) ?? [],
);

// Scratch space shared by all calls: each runs to its end without a pause.
const words = new Int32Array(16);
const tail = new Uint8Array(2 * BLOCK_BYTES);
// A typed array, since a module's variable would put each number beyond 31 bits on the heap.
const registers = new Int32Array(4);

/**
 * Writes the digest of the bytes from `from` to `to` into `into` as four 32-bit words of the big-endian 128-bit number,
 * highest first.
 */
export function md5Words(bytes: Uint8Array, into: Uint32Array, from = 0, to = bytes.length): void {
  keep(0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476);
  const length = to - from;
  const rest = length % BLOCK_BYTES;
  const whole = to - rest;
  for (let at = from; at < whole; at += BLOCK_BYTES) mixBlock(bytes, at);
  for (let index = 0; index < rest; index += 1) tail[index] = bytes[whole + index] as number;
  tail[rest] = 0x80;
  const padded = rest < BLOCK_BYTES - 8 ? BLOCK_BYTES : 2 * BLOCK_BYTES;
  for (let index = rest + 1; index < padded; index += 1) tail[index] = 0;
  writeBitLength(length, padded - 8);
  mixBlock(tail, 0);
  if (padded > BLOCK_BYTES) mixBlock(tail, BLOCK_BYTES);
  into[0] = swap(registers[0] as number);
  into[1] = swap(registers[1] as number);
  into[2] = swap(registers[2] as number);
  into[3] = swap(registers[3] as number);
}

function writeBitLength(bytes: number, at: number): void {
  const low = (bytes << 3) >>> 0;
  const high = Math.floor(bytes / 0x20000000);
  for (let index = 0; index < 4; index += 1) {
    tail[at + index] = low >>> (8 * index);
    tail[at + 4 + index] = high >>> (8 * index);
  }
}

function swap(word: number): number {
  return (word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24);
}

function mixBlock(from: Uint8Array, at: number): void {
  for (let index = 0, byte = at; index < 16; index += 1, byte += 4) {
    words[index] =
      (from[byte] as number) |
      ((from[byte + 1] as number) << 8) |
      ((from[byte + 2] as number) << 16) |
      ((from[byte + 3] as number) << 24);
  }
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

/** One step: the rotated sum, added to `b`. */
function turn(b: number, sum: number, index: number, word: number, shift: number): number {
  const total = (sum + (SINES[index] as number) + (words[word & 15] as number)) | 0;
  return (b + ((total << shift) | (total >>> (32 - shift)))) | 0;
}

// The four rounds of sixteen steps; four steps at a time bring the registers back to their places.
function mixFirst(): void {
  let a = registers[0] as number;
  let b = registers[1] as number;
  let c = registers[2] as number;
  let d = registers[3] as number;
  for (let index = 0; index < 16; index += 4) {
    a = turn(b, a + ((b & c) | (~b & d)), index, index, 7);
    d = turn(a, d + ((a & b) | (~a & c)), index + 1, index + 1, 12);
    c = turn(d, c + ((d & a) | (~d & b)), index + 2, index + 2, 17);
    b = turn(c, b + ((c & d) | (~c & a)), index + 3, index + 3, 22);
  }
  keep(a, b, c, d);
}

function mixSecond(): void {
  let a = registers[0] as number;
  let b = registers[1] as number;
  let c = registers[2] as number;
  let d = registers[3] as number;
  for (let index = 16; index < 32; index += 4) {
    a = turn(b, a + ((d & b) | (~d & c)), index, 5 * index + 1, 5);
    d = turn(a, d + ((c & a) | (~c & b)), index + 1, 5 * index + 6, 9);
    c = turn(d, c + ((b & d) | (~b & a)), index + 2, 5 * index + 11, 14);
    b = turn(c, b + ((a & c) | (~a & d)), index + 3, 5 * index + 16, 20);
  }
  keep(a, b, c, d);
}

function mixThird(): void {
  let a = registers[0] as number;
  let b = registers[1] as number;
  let c = registers[2] as number;
  let d = registers[3] as number;
  for (let index = 32; index < 48; index += 4) {
    a = turn(b, a + (b ^ c ^ d), index, 3 * index + 5, 4);
    d = turn(a, d + (a ^ b ^ c), index + 1, 3 * index + 8, 11);
    c = turn(d, c + (d ^ a ^ b), index + 2, 3 * index + 11, 16);
    b = turn(c, b + (c ^ d ^ a), index + 3, 3 * index + 14, 23);
  }
  keep(a, b, c, d);
}

function mixFourth(): void {
  let a = registers[0] as number;
  let b = registers[1] as number;
  let c = registers[2] as number;
  let d = registers[3] as number;
  for (let index = 48; index < 64; index += 4) {
    a = turn(b, a + (c ^ (b | ~d)), index, 7 * index, 6);
    d = turn(a, d + (b ^ (a | ~c)), index + 1, 7 * index + 7, 10);
    c = turn(d, c + (a ^ (d | ~b)), index + 2, 7 * index + 14, 15);
    b = turn(c, b + (d ^ (c | ~a)), index + 3, 7 * index + 21, 21);
  }
  keep(a, b, c, d);
}
