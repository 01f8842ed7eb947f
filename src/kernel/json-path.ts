/** Names of members and indexes of lists, from the outside in. */
export type JsonPath = readonly string[];

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
/** First letters of `true` and `false`. */
const TRUE = 0x74;
const FALSE = 0x66;
const NOWHERE = -1;
const SEGMENTS_MAX = 32;

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** `meta.id`, `$.meta.id`, `rows[0].id`, `order no.id`; undefined when the text is no path. */
export function parseJsonPath(text: string): JsonPath | undefined {
  const path = text.replace(/^\$\.?/, '').replaceAll(/\[(\d{1,9})\]/g, '.$1');
  const segments = path.replace(/^\./, '').split('.');
  const isPath = segments.length <= SEGMENTS_MAX && segments.every((segment) => /^[^[\].]+$/.test(segment));
  return isPath ? segments : undefined;
}

/**
 * Text of the scalar that stands at a path of JSON in UTF-8: of a string its characters, of a number, `true` and
 * `false` what is written; undefined for anything else, and for what is no JSON as far as it is looked at. Of a member
 * that stands there twice the first one counts. It looks at the bytes in front of the value and no further.
 */
export class JsonPathFinder {
  readonly #names: readonly Uint8Array[];
  readonly #path: JsonPath;
  /** Where the text stands that `findPlain` found. */
  from = 0;
  to = 0;

  constructor(path: JsonPath) {
    this.#path = path;
    this.#names = path.map((segment) => encoder.encode(segment));
  }

  find(bytes: Uint8Array): string | undefined {
    const at = this.#place(bytes);
    return at === NOWHERE ? undefined : scalar(bytes, at);
  }

  /** As `find`, of a string that is not empty or of a number alone: what tells one thing from others. */
  findName(bytes: Uint8Array): string | undefined {
    const at = this.#place(bytes);
    if (at === NOWHERE || bytes[at] === TRUE || bytes[at] === FALSE) return undefined;
    const text = scalar(bytes, at);
    return text === '' ? undefined : text;
  }

  /** Whether `find` would find a string of ASCII without escapes: then it is the bytes from `from` to `to`. */
  findPlain(bytes: Uint8Array): boolean {
    const at = this.#place(bytes);
    if (at === NOWHERE || bytes[at] !== QUOTE) return false;
    let end = at + 1;
    while (end < bytes.length && isPlain(bytes[end] as number)) end += 1;
    this.from = at + 1;
    this.to = end;
    return bytes[end] === QUOTE;
  }

  #place(bytes: Uint8Array): number {
    let at = skipSpace(bytes, 0);
    for (let depth = 0; depth < this.#names.length; depth += 1) {
      const name = this.#names[depth] as Uint8Array;
      if (bytes[at] === OPEN_OBJECT) at = member(bytes, at, name);
      else if (bytes[at] === OPEN_LIST) at = item(bytes, at, this.#path[depth] as string);
      else return NOWHERE;
      if (at === NOWHERE) return NOWHERE;
    }
    return at;
  }
}

/** Where the value of a member of the object at `at` begins. */
function member(bytes: Uint8Array, at: number, name: Uint8Array): number {
  let next = skipSpace(bytes, at + 1);
  while (bytes[next] === QUOTE) {
    const end = skipString(bytes, next);
    if (end === NOWHERE) return NOWHERE;
    const colon = skipSpace(bytes, end);
    if (bytes[colon] !== COLON) return NOWHERE;
    const value = skipSpace(bytes, colon + 1);
    if (isKey(bytes, next + 1, end - 1, name)) return value;
    next = afterValue(bytes, value);
    if (next === NOWHERE || bytes[next] !== COMMA) return NOWHERE;
    next = skipSpace(bytes, next + 1);
  }
  return NOWHERE;
}

/** Where an item of the list at `at` begins. */
function item(bytes: Uint8Array, at: number, segment: string): number {
  if (!/^\d{1,9}$/.test(segment)) return NOWHERE;
  let next = skipSpace(bytes, at + 1);
  if (bytes[next] === CLOSE_LIST) return NOWHERE;
  for (let left = Number(segment); left > 0; left -= 1) {
    next = afterValue(bytes, next);
    if (next === NOWHERE || bytes[next] !== COMMA) return NOWHERE;
    next = skipSpace(bytes, next + 1);
  }
  return next;
}

function scalar(bytes: Uint8Array, at: number): string | undefined {
  if (bytes[at] === QUOTE) {
    const end = skipString(bytes, at);
    return end === NOWHERE ? undefined : stringOf(bytes, at + 1, end - 1);
  }
  const text = decoder.decode(bytes.subarray(at, endOfWord(bytes, at)));
  return /^(?:true|false|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)$/.test(text) ? text : undefined;
}

function stringOf(bytes: Uint8Array, from: number, to: number): string | undefined {
  const piece = bytes.subarray(from, to);
  if (!piece.includes(BACKSLASH)) return decoder.decode(piece);
  try {
    return JSON.parse(`"${decoder.decode(piece)}"`) as string;
  } catch {
    return undefined;
  }
}

function isKey(bytes: Uint8Array, from: number, to: number, name: Uint8Array): boolean {
  if (to - from === name.length) {
    for (let index = 0; index < name.length; index += 1) if (bytes[from + index] !== name[index]) return false;
    return true;
  }
  // Escapes make it longer; a key is written so by few.
  if (to - from < name.length || !hasEscape(bytes, from, to)) return false;
  return stringOf(bytes, from, to) === decoder.decode(name);
}

function hasEscape(bytes: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at += 1) if (bytes[at] === BACKSLASH) return true;
  return false;
}

/** Position after the value at `at` and the space behind it. */
function afterValue(bytes: Uint8Array, at: number): number {
  const first = bytes[at];
  let end: number;
  if (first === QUOTE) end = skipString(bytes, at);
  else if (first === OPEN_OBJECT || first === OPEN_LIST) end = skipNested(bytes, at);
  else end = endOfWord(bytes, at);
  return end === NOWHERE || end === at ? NOWHERE : skipSpace(bytes, end);
}

function skipNested(bytes: Uint8Array, from: number): number {
  let depth = 0;
  let at = from;
  while (at < bytes.length) {
    const byte = bytes[at];
    if (byte === QUOTE) {
      at = skipString(bytes, at);
      if (at === NOWHERE) return NOWHERE;
      continue;
    }
    at += 1;
    if (byte === OPEN_OBJECT || byte === OPEN_LIST) depth += 1;
    else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) {
      depth -= 1;
      if (depth === 0) return at;
    }
  }
  return NOWHERE;
}

function skipString(bytes: Uint8Array, from: number): number {
  for (let at = bytes.indexOf(QUOTE, from + 1); at !== NOWHERE; at = bytes.indexOf(QUOTE, at + 1)) {
    let before = at - 1;
    while (bytes[before] === BACKSLASH) before -= 1;
    // Backslashes in pairs are backslashes; one that is left makes the quote a part of the string.
    if ((at - before) % 2 === 1) return at + 1;
  }
  return NOWHERE;
}

function isPlain(byte: number): boolean {
  return byte < 0x80 && byte !== QUOTE && byte !== BACKSLASH;
}

function endOfWord(bytes: Uint8Array, from: number): number {
  let at = from;
  while (at < bytes.length && isWord(bytes[at] as number)) at += 1;
  return at;
}

/** Digits, letters, `+`, `-` and `.`: what numbers and literals are made of. */
function isWord(byte: number): boolean {
  const letter = byte | 0x20;
  const isLetter = letter >= 0x61 && letter <= 0x7a;
  return isLetter || (byte >= 0x30 && byte <= 0x39) || byte === 0x2b || byte === 0x2d || byte === 0x2e;
}

function skipSpace(bytes: Uint8Array, from: number): number {
  let at = from;
  while (bytes[at] === 0x20 || bytes[at] === 0x0a || bytes[at] === 0x0d || bytes[at] === 0x09) at += 1;
  return at;
}
