import { asBuffer } from '../../../kernel/bytes/as-buffer.ts';
import { inPieces } from '../../../kernel/flow/in-pieces.ts';
import { jsonChildren, jsonTextAt, type JsonChild } from '../../../kernel/json-children.ts';
import { JsonScanner } from '../../../kernel/json-scanner.ts';

const [QUOTE, OPEN_OBJECT] = [0x22, 0x7b];
const PIECE_BYTES = 64 * 1024;
/** Values of more bytes than this are not built, but for texts: headers of an answer are never as long. */
const VALUE_BYTES_MAX = 64 * 1024;
/** What stands for a value that is too long to be a part of an answer. */
const TOO_LONG = Symbol('too long');

/** What a function returned: JSON of up to 6 MiB, of which only what is asked for is built. */
export class Returned {
  readonly payload: Uint8Array;
  readonly #from: number;
  readonly #members: ReadonlyMap<string, JsonChild>;

  private constructor(payload: Uint8Array, from: number, members: ReadonlyMap<string, JsonChild>) {
    this.payload = payload;
    this.#from = from;
    this.#members = members;
  }

  /** Looks through what a function returned in pieces, `turn` between them; undefined when it is no JSON. */
  static async read(payload: Uint8Array, turn: () => Promise<void>): Promise<Returned | undefined> {
    return await inPieces(Returned.#read(payload), turn);
  }

  static *#read(payload: Uint8Array): Generator<undefined, Returned | undefined> {
    const scanner = new JsonScanner(payload);
    while (scanner.scan(PIECE_BYTES)) yield;
    if (scanner.wrongAt !== undefined) return undefined;
    const from = payload.findIndex((byte) => byte > 0x20);
    const members = new Map<string, JsonChild>();
    for (const child of payload[from] === OPEN_OBJECT ? jsonChildren(payload, from) : []) {
      if (child === undefined) yield;
      // Of one name the last counts, as everywhere.
      else if (child.name !== undefined && NAMES.has(child.name)) members.set(child.name, child);
    }
    return new Returned(payload, from, members);
  }

  /** The text that was returned; undefined where it was something else. */
  get text(): string | undefined {
    return jsonTextAt(this.payload, this.#from, this.payload.length);
  }

  /** The value of a member; undefined where there is none. */
  member(name: ReturnedName): unknown {
    const found = this.#members.get(name);
    if (found === undefined) return undefined;
    const { at, end } = found;
    if (this.payload[at] !== QUOTE && end - at > VALUE_BYTES_MAX) return TOO_LONG;
    return JSON.parse(asBuffer(this.payload).toString('utf8', at, end)) as unknown;
  }
}

const KNOWN = [
  'statusCode', 'headers', 'multiValueHeaders', 'cookies', 'body', 'isBase64Encoded', 'bodyBase64',
] as const; // prettier-ignore
const NAMES: ReadonlySet<string> = new Set(KNOWN);

/** A member that some form of answers has. */
type ReturnedName = (typeof KNOWN)[number];
