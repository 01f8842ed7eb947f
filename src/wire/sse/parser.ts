import { asBuffer } from '../../kernel/bytes/as-buffer.ts';
import type { SseChunk, SseEvent } from './event.ts';
import { EventParts, NO_BYTES } from './event-parts.ts';
import { LineBuffer } from './line-buffer.ts';

const LF = 0x0a;
const CR = 0x0d;
const COLON = 0x3a;
const SPACE = 0x20;
const BOM = [0xef, 0xbb, 0xbf] as const;
const DATA = Buffer.from('data');
const ID = Buffer.from('id');
const EVENT = Buffer.from('event');
const RETRY = Buffer.from('retry');
/** Longest delay a server may ask for: above, a number says nothing more. */
const RETRY_DIGITS_MAX = 15;
/** Fields other than data; a longer line of them belongs to an event that is too large. */
const FIELD_NAME_BYTES_MAX = 16;
const ID_ROOM_BYTES = 8 * 1024;

/** What an event stream is read with. */
export interface SseParserOptions {
  /** Bytes of an event's data, id and type together; larger ones are left out and counted. */
  readonly eventBytesMax: number;
  /** The id that stands before the first event: of an earlier connection. */
  readonly lastEventId?: string;
  /** Whether an id can be a position; absent: each can. */
  readonly isPosition?: (id: string) => boolean;
}

/**
 * Reads an event stream as the WHATWG's HTML standard (section 9.2.6) interprets one, from bytes in any pieces. Lines
 * end with CR, LF or both, and an event is there with the byte that ends its blank line, also when that is a CR.
 * Data stays the bytes that came; ids and types are decoded as UTF-8. What stands unfinished at the end is not looked
 * at. Chunks must not change afterwards: events are slices of them.
 */
export class SseParser {
  readonly #line = new LineBuffer();
  readonly #parts: EventParts;
  /** Set once it cannot be part of a byte order mark any more. */
  #bomBytes = 0;
  #isStarted = false;
  /** An LF that comes first belongs to the CR that ended the last chunk. */
  #skipsLf = false;
  /** What is left of the line is not looked at. */
  #skipsLine = false;
  #idBuffer: string;
  #lastEventId: string;
  #retryMs: number | undefined;

  readonly #isPosition: (id: string) => boolean;
  #hasRefusedId = false;

  constructor({ eventBytesMax, lastEventId = '', isPosition = () => true }: SseParserOptions) {
    this.#isPosition = isPosition;
    this.#parts = new EventParts(eventBytesMax);
    this.#idBuffer = lastEventId;
    this.#lastEventId = lastEventId;
  }

  /** The id to go on after; changes with each blank line, with or without data before it. */
  get lastEventId(): string {
    return this.#lastEventId;
  }

  /** Whether an id came that cannot be a position: the one before it stayed. */
  get hasRefusedId(): boolean {
    return this.#hasRefusedId;
  }

  /** The newest delay before reconnecting that the server asked for, in ms. */
  get retryMs(): number | undefined {
    return this.#retryMs;
  }

  /** Takes the next bytes. */
  push(chunk: Uint8Array): SseChunk {
    const bytes = this.#withoutBom(asBuffer(chunk));
    const events: SseEvent[] = [];
    let tooLarge = 0;
    let at = this.#skipsLf && bytes[0] === LF ? 1 : 0;
    if (bytes.length > 0) this.#skipsLf = false;
    let nextCr = bytes.indexOf(CR, at);
    let nextLf = bytes.indexOf(LF, at);
    while (nextCr !== -1 || nextLf !== -1) {
      const isCr = nextCr !== -1 && (nextLf === -1 || nextCr < nextLf);
      const end = isCr ? nextCr : nextLf;
      if (this.#endLine(bytes, at, end)) {
        if (this.#parts.isTooLarge) tooLarge += 1;
        this.#move();
        const event = this.#parts.finish();
        if (event !== undefined) events.push(event);
      }
      at = end + 1;
      if (isCr && at === bytes.length) this.#skipsLf = true;
      else if (isCr && bytes[at] === LF) at += 1;
      if (isCr) nextCr = bytes.indexOf(CR, at);
      if (nextLf !== -1 && nextLf < at) nextLf = bytes.indexOf(LF, at);
    }
    if (at < bytes.length) this.#keep(bytes.subarray(at));
    return { events, tooLarge };
  }

  #move(): void {
    const id = this.#idBuffer;
    if (id === this.#lastEventId) return;
    if (this.#isPosition(id)) this.#lastEventId = id;
    else this.#hasRefusedId = true;
  }

  /** Ends the line whose last bytes stand from `from` to `to`; true when it is blank. */
  #endLine(bytes: Buffer, from: number, to: number): boolean {
    if (this.#skipsLine) {
      this.#skipsLine = false;
      return false;
    }
    if (this.#line.length === 0) {
      if (from === to) return true;
      this.#field(bytes, from, to);
      return false;
    }
    this.#line.append(bytes.subarray(from, to));
    const line = this.#line.take();
    this.#field(line, 0, line.length);
    return false;
  }

  /** Keeps a line that goes on in the next chunk; no more of it than may still be part of an event. */
  #keep(piece: Buffer): void {
    if (this.#skipsLine) return;
    this.#line.append(piece);
    // An id is taken also of an event that is left out: it is the way past it.
    const room = this.#parts.isTooLarge ? ID_ROOM_BYTES : Math.max(0, this.#parts.room) + FIELD_NAME_BYTES_MAX;
    if (this.#line.length <= room) return;
    const line = this.#line.take();
    this.#skipsLine = true;
    // Comments and unknown fields are no part of the event, however long.
    if (isKnownField(line)) this.#parts.overflow();
  }

  #field(line: Buffer, from: number, to: number): void {
    const colon = colonOf(line, from, to);
    const nameBytes = colon - from;
    let value = colon === to ? to : colon + 1;
    if (value < to && line[value] === SPACE) value += 1;
    if (nameBytes === 4 && isName(line, from, DATA)) {
      // A buffer's own `subarray` takes twice as long.
      this.#parts.addData(value === to ? NO_BYTES : new Uint8Array(line.buffer, line.byteOffset + value, to - value));
    } else if (nameBytes === 2 && isName(line, from, ID)) this.#id(line, value, to);
    else if (nameBytes === 5 && isName(line, from, EVENT)) this.#type(line, value, to);
    else if (nameBytes === 5 && isName(line, from, RETRY)) this.#retry(line.toString('latin1', value, to));
  }

  #id(line: Buffer, from: number, to: number): void {
    if (!(this.#parts.isTooLarge || this.#parts.note(to - from))) return;
    const id = line.toString('utf8', from, to);
    if (id.includes('\0')) return;
    this.#idBuffer = id;
    this.#parts.id = id;
  }

  #type(line: Buffer, from: number, to: number): void {
    if (this.#parts.note(to - from)) this.#parts.type = line.toString('utf8', from, to);
  }

  #retry(text: string): void {
    if (/^[0-9]+$/.test(text)) this.#retryMs = Number(text.slice(0, RETRY_DIGITS_MAX));
  }

  #withoutBom(chunk: Buffer): Buffer {
    if (this.#isStarted) return chunk;
    let at = 0;
    while (at < chunk.length && this.#bomBytes < BOM.length) {
      if (chunk[at] !== BOM[this.#bomBytes]) {
        this.#isStarted = true;
        const seen = Buffer.from(BOM.slice(0, this.#bomBytes));
        // What looked like a mark came in part with earlier chunks.
        return this.#bomBytes > at ? Buffer.concat([seen, chunk.subarray(at)]) : chunk;
      }
      at += 1;
      this.#bomBytes += 1;
    }
    this.#isStarted = this.#bomBytes === BOM.length;
    return chunk.subarray(at);
  }
}

/** Position of the first colon, else `to`; names that mean something are short. */
function colonOf(line: Buffer, from: number, to: number): number {
  const end = Math.min(to, from + FIELD_NAME_BYTES_MAX);
  for (let at = from; at < end; at += 1) if (line[at] === COLON) return at;
  return to;
}

function isName(line: Buffer, from: number, name: Buffer): boolean {
  for (let index = 0; index < name.length; index += 1) if (line[from + index] !== name[index]) return false;
  return true;
}

function isKnownField(line: Buffer): boolean {
  const colon = colonOf(line, 0, line.length);
  return [DATA, ID, EVENT].some((name) => name.length === colon && isName(line, 0, name));
}
