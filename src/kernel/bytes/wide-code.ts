/**
 * Code in the platform's portable instructions (WebAssembly), which reach the processor's wide registers where
 * JavaScript cannot: 16 bytes a step. Written down instruction by instruction, so that nothing has to be built, or
 * trusted unread. Its two functions take three places in a memory that is given to it:
 *
 * `copy(from, to, at)` copies the bytes from `from` to `to` to `at`, their number rounded up to a multiple of 16.
 * `encode(from, to, at)` writes the bytes from `from` to `to` as base64 at `at`, their number rounded down to a
 * multiple of 12; it looks at four bytes more.
 */

type Code = readonly number[];

/** Codes behind each other. */
const run = (...codes: readonly Code[]): Code => codes.flat();

/** Places of the parameters, and of the 16 bytes that are worked on. */
const FROM = 0;
const TO = 1;
const AT = 2;
const LANES = 3;

const get = (local: number): Code => [0x20, local];
const set = (local: number): Code => [0x21, local];
/** A number below 64. */
const small = (value: number): Code => [0x41, value];
/** Of numbers with a sign: a copy may go past its end. */
const isBelow: Code = [0x48];
const add: Code = [0x6a];
const subtract: Code = [0x6b];

/** Instructions for wide registers; names end with the bits of the lanes that they work on. */
const load: Code = [0xfd, 0x00, 0, 0];
const store: Code = [0xfd, 0x0b, 0, 0];
const swizzle8: Code = [0xfd, 0x0e];
const isBelow8: Code = [0xfd, 0x25];
const and: Code = [0xfd, 0x4e];
const or: Code = [0xfd, 0x50];
const add8: Code = [0xfd, 0x6e];
const subtractToZero8: Code = [0xfd, 0x73];
const multiply16: Code = [0xfd, 0x95, 0x01];
const shiftRight32: Code = [0xfd, 0xad, 0x01];

/** What lies between a digit and its letter: by its group, of which A to Z is 13, a to z is 0, then 0 to 9, + and /. */
const DISTANCES: Code = [71, -4, -4, -4, -4, -4, -4, -4, -4, -4, -4, -19, -16, 65, 0, 0].map((value) => value & 0xff);

/**
 * Wide constants. They stand at the start of the memory and are loaded once a call: as constants of the code they would
 * be put together again in each step, which takes as long as the rest of it (measured).
 */
const CONSTANTS = {
  /** Three bytes b0 b1 b2 become b1 b0 b2 b1: each of their four digits of six bits then lies in a half of a lane. */
  spread: [1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10],
  first: all32(63, 0, 0, 0),
  third: all32(0, 0, 63, 0),
  others: all32(0xf0, 0x03, 0x3f, 0),
  factors: all32(16, 0, 0, 1),
  distances: DISTANCES,
  fiftyOne: all8(51),
  twentySix: all8(26),
  thirteen: all8(13),
} as const satisfies Readonly<Record<string, Code>>;

/** Bytes at the start of the memory that belong to the code. */
export const CONSTANT_BYTES = 16 * Object.keys(CONSTANTS).length;

function all8(value: number): Code {
  return Array.from({ length: 16 }, () => value);
}

function all32(...bytes: [number, number, number, number]): Code {
  return [...bytes, ...bytes, ...bytes, ...bytes];
}

const constant = (name: keyof typeof CONSTANTS): Code => get(LANES + 1 + Object.keys(CONSTANTS).indexOf(name));

/** Does `step`, which moves on, for as long as `least` bytes are left. */
function whileLeft(least: number, step: Code): Code {
  const isOver = [...get(TO), ...get(FROM), ...subtract, ...small(least), ...isBelow];
  return [0x02, 0x40, 0x03, 0x40, ...isOver, 0x0d, 1, ...step, 0x0c, 0, 0x0b, 0x0b];
}

const moveOn = (from: number, at: number): Code => [
  ...run(get(FROM), small(from), add, set(FROM)),
  ...run(get(AT), small(at), add, set(AT)),
];

const copyStep: Code = [...get(AT), ...get(FROM), ...load, ...store, ...moveOn(16, 16)];

/** The digits, each in a byte of its own: the first and the third by shifts, the others by a product for each half. */
const toDigits: Code = [
  ...run(get(LANES), small(10), shiftRight32, constant('first'), and),
  ...run(get(LANES), small(6), shiftRight32, constant('third'), and, or),
  ...run(get(LANES), constant('others'), and, constant('factors'), multiply16, or),
];

const toLetters: Code = [
  ...constant('distances'),
  ...run(get(LANES), constant('fiftyOne'), subtractToZero8),
  ...run(get(LANES), constant('twentySix'), isBelow8, constant('thirteen'), and, or),
  ...run(swizzle8, get(LANES), add8),
];

const encodeStep: Code = [
  ...run(get(FROM), load, constant('spread'), swizzle8, set(LANES)),
  ...run(toDigits, set(LANES)),
  ...run(get(AT), toLetters, store),
  ...moveOn(12, 16),
];

const loadConstants: Code = Object.values(CONSTANTS).flatMap((_, index) => [
  ...run(small(0), [0xfd, 0x00, 0], length(16 * index)),
  ...set(LANES + 1 + index),
]);

/** A number below 2^14. */
function length(value: number): Code {
  return value < 128 ? [value] : [(value & 127) | 128, value >> 7];
}

const sized = (content: Code): Code => [...length(content.length), ...content];
const section = (id: number, content: Code): Code => [id, ...sized(content)];
const name = (text: string): Code => sized(Array.from(text, (letter) => letter.charCodeAt(0)));
/** With so many local variables of 128 bits. */
const body = (locals: number, code: Code): Code => sized([1, locals, 0x7b, ...code, 0x0b]);

/** Magic number and version. */
const HEADER: Code = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0];

/** The module: imports `memory` from `env`, of one page of 64 KiB at least, and exports the two functions. */
export const WIDE_CODE: Uint8Array = Uint8Array.from([
  ...HEADER,
  // One type: three 32-bit numbers, no result.
  ...section(1, [1, 0x60, 3, 0x7f, 0x7f, 0x7f, 0]),
  ...section(2, [1, ...name('env'), ...name('memory'), 2, 0, 1]),
  ...section(3, [2, 0, 0]),
  ...section(7, [2, ...name('copy'), 0, 0, ...name('encode'), 0, 1]),
  ...section(10, [
    2,
    ...body(0, whileLeft(1, copyStep)),
    ...body(1 + Object.keys(CONSTANTS).length, [...loadConstants, ...whileLeft(12, encodeStep)]),
  ]),
  // What the memory begins with.
  ...section(11, [1, 0, ...small(0), 0x0b, ...sized(Object.values(CONSTANTS).flat())]),
]);
