/** What may come next. */
const VALUE = 0;
const VALUE_OR_END = 1;
const KEY = 2;
const KEY_OR_END = 3;
const COLON = 4;
const AFTER = 5;
const KEY_TEXT = 6;
const VALUE_TEXT = 7;

const [QUOTE, BACKSLASH, COMMA, MINUS, DOT, ZERO] = [0x22, 0x5c, 0x2c, 0x2d, 0x2e, 0x30];
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];
const WORDS: ReadonlyMap<number, Uint8Array> = new Map(
  ['true', 'false', 'null'].map((word) => [word.charCodeAt(0), new TextEncoder().encode(word)] as const),
);
/** Of an escape: behind a backslash, beside `u`. */
const ESCAPED: ReadonlySet<number> = new Set(new TextEncoder().encode('"\\/bfnrt'));
const UNICODE = 0x75;
const STACK_BYTES = 64;

/**
 * Looks whether bytes are JSON text, in pieces and without building its values: `JSON.parse` of a few MiB takes a tenth
 * of a second, and two of nothing but brackets. Bytes that are no UTF-8 pass within texts, as they do when decoded.
 */
export class JsonScanner {
  readonly #bytes: Uint8Array;
  #at = 0;
  #next = VALUE;
  /** Open lists and objects, by their first byte. */
  #stack = new Uint8Array(STACK_BYTES);
  #depth = 0;
  #isWrong = false;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Where what is wrong stands, from 0; the length of all when the end is missing; undefined: nothing is, so far. */
  get wrongAt(): number | undefined {
    const isCut = this.#at >= this.#bytes.length && (this.#depth > 0 || this.#next !== AFTER);
    return this.#isWrong || isCut ? Math.min(this.#at, this.#bytes.length) : undefined;
  }

  /** Looks at about so many bytes more; false: all was looked at, or something is wrong. */
  scan(count: number): boolean {
    const bytes = this.#bytes;
    const end = Math.min(bytes.length, this.#at + count);
    while (this.#at < end && !this.#isWrong) {
      if (this.#next >= KEY_TEXT) this.#scanText(end);
      else {
        const byte = bytes[this.#at] ?? 0;
        if (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) this.#at += 1;
        else if (!this.#take(byte)) this.#isWrong = true;
      }
    }
    return this.#at < bytes.length && !this.#isWrong;
  }

  /** False: it may not stand here. */
  #take(byte: number): boolean {
    switch (this.#next) {
      case COLON:
        if (byte !== 0x3a) return false;
        this.#next = VALUE;
        this.#at += 1;
        return true;
      case AFTER:
        return this.#takeAfter(byte);
      case KEY:
      case KEY_OR_END:
        if (byte === CLOSE_OBJECT && this.#next === KEY_OR_END) return this.#close(OPEN_OBJECT);
        if (byte !== QUOTE) return false;
        this.#next = KEY_TEXT;
        this.#at += 1;
        return true;
      default:
        if (byte === CLOSE_LIST && this.#next === VALUE_OR_END) return this.#close(OPEN_LIST);
        return this.#takeValue(byte);
    }
  }

  #takeAfter(byte: number): boolean {
    if (byte === CLOSE_LIST) return this.#close(OPEN_LIST);
    if (byte === CLOSE_OBJECT) return this.#close(OPEN_OBJECT);
    if (byte !== COMMA || this.#depth === 0) return false;
    this.#next = this.#stack[this.#depth - 1] === OPEN_OBJECT ? KEY : VALUE;
    this.#at += 1;
    return true;
  }

  #takeValue(byte: number): boolean {
    if (byte === QUOTE) {
      this.#next = VALUE_TEXT;
      this.#at += 1;
      return true;
    }
    if (byte === OPEN_LIST || byte === OPEN_OBJECT) return this.#open(byte);
    this.#next = AFTER;
    const word = WORDS.get(byte);
    return word === undefined ? this.#takeNumber() : this.#takeWord(word);
  }

  #open(byte: number): boolean {
    if (this.#depth === this.#stack.length) {
      const larger = new Uint8Array(this.#stack.length * 2);
      larger.set(this.#stack);
      this.#stack = larger;
    }
    this.#stack[this.#depth] = byte;
    this.#depth += 1;
    this.#next = byte === OPEN_LIST ? VALUE_OR_END : KEY_OR_END;
    this.#at += 1;
    return true;
  }

  #close(opened: number): boolean {
    if (this.#depth === 0 || this.#stack[this.#depth - 1] !== opened) return false;
    this.#depth -= 1;
    this.#next = AFTER;
    this.#at += 1;
    return true;
  }

  #takeWord(word: Uint8Array): boolean {
    for (const byte of word) {
      if (this.#bytes[this.#at] !== byte) return false;
      this.#at += 1;
    }
    return true;
  }

  #takeNumber(): boolean {
    if (this.#bytes[this.#at] === MINUS) this.#at += 1;
    if (this.#bytes[this.#at] === ZERO) this.#at += 1;
    else if (!this.#digits()) return false;
    if (this.#bytes[this.#at] === DOT) {
      this.#at += 1;
      if (!this.#digits()) return false;
    }
    const exponent = this.#bytes[this.#at];
    if (exponent !== 0x65 && exponent !== 0x45) return true;
    this.#at += 1;
    const sign = this.#bytes[this.#at];
    if (sign === MINUS || sign === 0x2b) this.#at += 1;
    return this.#digits();
  }

  /** False: there is none. */
  #digits(): boolean {
    const from = this.#at;
    for (let byte = this.#bytes[from] ?? 0; byte >= ZERO && byte <= 0x39; byte = this.#bytes[this.#at] ?? 0) {
      this.#at += 1;
    }
    return this.#at > from;
  }

  #scanText(end: number): void {
    const bytes = this.#bytes;
    let at = this.#at;
    for (; at < end; at += 1) {
      const byte = bytes[at] ?? 0;
      if (byte === QUOTE) {
        this.#next = this.#next === KEY_TEXT ? COLON : AFTER;
        this.#at = at + 1;
        return;
      }
      if (byte === BACKSLASH) {
        const length = this.#escapeLength(at + 1);
        this.#isWrong = length === 0;
        at += length;
      } else if (byte < 0x20) this.#isWrong = true;
      if (this.#isWrong) break;
    }
    this.#at = at;
  }

  /** Bytes of an escape behind its backslash; 0: it is none. */
  #escapeLength(at: number): number {
    const byte = this.#bytes[at] ?? 0;
    if (ESCAPED.has(byte)) return 1;
    if (byte !== UNICODE) return 0;
    const digits = this.#bytes.subarray(at + 1, at + 5);
    return digits.length === 4 && digits.every(isHexDigit) ? 5 : 0;
  }
}

function isHexDigit(byte: number): boolean {
  const letter = byte | 0x20;
  return (byte >= ZERO && byte <= 0x39) || (letter >= 0x61 && letter <= 0x66);
}
