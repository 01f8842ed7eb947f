const [QUOTE, BACKSLASH, COMMA, COLON, SPACE] = [0x22, 0x5c, 0x2c, 0x3a, 0x20];
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];
/** Bytes that are looked at in one turn. */
const PIECE_BYTES = 64 * 1024;
/** A longer name is none that anybody asks for. */
const NAME_BYTES_MAX = 512;
const decoder = new TextDecoder();

/** What stands directly in a list or an object: from byte `at` to before `end`. */
export interface JsonChild {
  /** Undefined in a list, and where it is longer than 512 bytes. */
  readonly name: string | undefined;
  readonly at: number;
  readonly end: number;
}

/**
 * What stands in the list or object that begins at byte `from` of JSON text that JsonScanner found right, without
 * building its values. Undefined: 64 KiB were looked at, and others may have their turn.
 */
export function* jsonChildren(bytes: Uint8Array, from: number): Generator<JsonChild | undefined, void> {
  const reading: Reading = { depth: 0, isText: false, name: undefined, first: -1, last: -1 };
  let pieceEnd = from + PIECE_BYTES;
  for (let at = from + 1; at < bytes.length;) {
    if (at >= pieceEnd) {
      pieceEnd = at + PIECE_BYTES;
      yield undefined;
    }
    if (reading.isText) {
      while (at < pieceEnd && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1;
      if (at >= pieceEnd) continue;
      reading.isText = false;
      at += 1;
      reading.last = at;
      continue;
    }
    const byte = bytes[at] ?? 0;
    const isEnd = reading.depth === 0 && (byte === CLOSE_LIST || byte === CLOSE_OBJECT);
    if (isEnd || (reading.depth === 0 && byte === COMMA)) {
      if (reading.first >= 0) yield { name: reading.name, at: reading.first, end: reading.last };
      if (isEnd) return;
      reading.first = -1;
    } else if (byte > SPACE) take(reading, bytes, at);
    at += 1;
  }
}

/** Members of these names in what begins at byte `from`, the last of each; none where that is no object. */
export function* jsonMembers(
  bytes: Uint8Array,
  from: number,
  names: readonly string[],
): Generator<undefined, ReadonlyMap<string, JsonChild>> {
  const found = new Map<string, JsonChild>();
  if (bytes[from] !== OPEN_OBJECT) return found;
  for (const child of jsonChildren(bytes, from)) {
    if (child === undefined) yield;
    else if (child.name !== undefined && names.includes(child.name)) found.set(child.name, child);
  }
  return found;
}

/** The last member of that name in JSON text that holds an object; undefined: it has none. */
export function jsonMember(bytes: Uint8Array, name: string): JsonChild | undefined {
  const looking = jsonMembers(bytes, bytes.indexOf(OPEN_OBJECT), [name]);
  for (;;) {
    const { done, value } = looking.next();
    if (done === true) return value.get(name);
  }
}

interface Reading {
  depth: number;
  isText: boolean;
  name: string | undefined;
  /** Of the name or the value that is read; -1: it did not begin. */
  first: number;
  last: number;
}

/** A byte that ends no child. */
function take(reading: Reading, bytes: Uint8Array, at: number): void {
  const byte = bytes[at];
  if (byte === COLON && reading.depth === 0) {
    const { first, last } = reading;
    reading.name = last - first > NAME_BYTES_MAX ? undefined : jsonTextAt(bytes, first, last);
    reading.first = -1;
    return;
  }
  if (reading.first < 0) reading.first = at;
  reading.last = at + 1;
  if (byte === QUOTE) reading.isText = true;
  else if (byte === OPEN_LIST || byte === OPEN_OBJECT) reading.depth += 1;
  else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) reading.depth -= 1;
}

/** The text that stands there; undefined where it is another value. */
export function jsonTextAt(bytes: Uint8Array, at: number, end: number): string | undefined {
  if (bytes[at] !== QUOTE) return undefined;
  return JSON.parse(decoder.decode(bytes.subarray(at, end))) as string;
}
