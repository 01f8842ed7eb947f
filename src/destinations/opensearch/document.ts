const NEWLINE = 0x0a;
const RETURN = 0x0d;
const SPACE = 0x20;
const TAB = 0x09;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/**
 * The one JSON object that a record holds, on one line, else undefined. Texts and numbers stay byte for byte: parsing
 * and printing would change numbers of more than 53 bits. What else is wrong inside of it is found by who indexes it.
 */
export function oneLineObject(data: Uint8Array): Uint8Array | undefined {
  const start = afterBlanks(data, 0);
  if (data[start] !== OPEN_OBJECT) return undefined;
  const { end, hasLines } = endOfObject(data, start);
  if (end === 0 || afterBlanks(data, end) < data.length) return undefined;
  const object = data.subarray(start, end);
  return hasLines ? object.map((byte) => (byte === NEWLINE || byte === RETURN ? SPACE : byte)) : object;
}

/** Behind the object that begins at `start`; 0 when it does not end, or a text in it holds what no text may. */
function endOfObject(data: Uint8Array, start: number): { readonly end: number; readonly hasLines: boolean } {
  let depth = 0;
  let hasLines = false;
  for (let at = start; at < data.length; at += 1) {
    const byte = data[at];
    if (byte === QUOTE) {
      at = endOfText(data, at);
      if (at === 0) return { end: 0, hasLines };
    } else if (byte === OPEN_OBJECT || byte === OPEN_LIST) {
      depth += 1;
    } else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) {
      depth -= 1;
      if (depth === 0) return { end: byte === CLOSE_OBJECT ? at + 1 : 0, hasLines };
    } else if (byte === NEWLINE || byte === RETURN) {
      hasLines = true;
    }
  }
  return { end: 0, hasLines };
}

/** The place of the quote that ends the text; 0 when none does, or it holds a control character. */
function endOfText(data: Uint8Array, quote: number): number {
  for (let at = quote + 1; at < data.length; at += 1) {
    const byte = data[at] as number;
    if (byte === QUOTE) return at;
    if (byte === BACKSLASH) at += 1;
    else if (byte < SPACE) return 0;
  }
  return 0;
}

function afterBlanks(data: Uint8Array, from: number): number {
  let at = from;
  while (at < data.length && isBlank(data[at] as number)) at += 1;
  return at;
}

function isBlank(byte: number): boolean {
  return byte === SPACE || byte === NEWLINE || byte === RETURN || byte === TAB;
}
