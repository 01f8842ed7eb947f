import { hash } from 'node:crypto';
import { asBuffer } from '../../kernel/bytes/as-buffer.ts';
import { packHeader } from '../../kernel/stream/packed-entries.ts';
import type { Arrival, ResumeToken } from '../../ports/source.ts';
import type { Header } from '../../ports/stream-store.ts';

/** Header of each record that a source brought: how it is known again, and the source's name in UTF-8. */
const ARRIVAL_HEADER = 'millrace-source';
/** Header of the last record of each batch: its number, and the token that stood before it. */
const RESUME_HEADER = 'millrace-resume';
const DIGEST_BYTES = 16;

/** Words of a digest. */
export const DIGEST_WORDS = 4;

/** By what an event is known again: 16 bytes as four words, the first byte the highest of the first one. */
export type Digest = Uint32Array;

/** What a batch says of how to go on after a crash. */
export interface ResumeMark {
  readonly batch: number;
  /** Everything up to here was durable when the batch was begun; absent: nothing had come. */
  readonly token?: ResumeToken;
}

/** Writes by what an event is known again; false: by nothing. */
export function writeDigest({ key, id, data }: Arrival, into: Digest): boolean {
  if (key === undefined && id === undefined) return false;
  if (key !== undefined) writeWords(digestText(`key\0${key}`), into);
  else {
    // An event is hashed as it came; its id, where it has one, joins what came of that.
    const content = hash('sha1', data, 'binary');
    writeWords(id === '' ? content : digestText(`id\0${id}\0${content}`), into);
  }
  return true;
}

function digestText(text: string): string {
  return hash('sha1', text, 'binary');
}

/** The start of a digest that has one character for each byte. */
function writeWords(text: string, into: Digest): void {
  for (let word = 0; word < DIGEST_WORDS; word += 1) {
    const at = 4 * word;
    into[word] =
      (text.charCodeAt(at) << 24) |
      (text.charCodeAt(at + 1) << 16) |
      (text.charCodeAt(at + 2) << 8) |
      text.charCodeAt(at + 3);
  }
}

/** The header of a source's records as it stands in them: the length of the digest, the digest, the source's name. */
export class ArrivalHeader {
  readonly #known: Uint8Array;
  readonly #unknown: Uint8Array;
  readonly #digestAt: number;

  constructor(source: string) {
    const name = Buffer.from(source);
    this.#known = packHeader([ARRIVAL_HEADER, Buffer.concat([Buffer.alloc(1 + DIGEST_BYTES, DIGEST_BYTES), name])]);
    this.#unknown = packHeader([ARRIVAL_HEADER, Buffer.concat([Buffer.alloc(1), name])]);
    this.#digestAt = this.#known.length - name.length - DIGEST_BYTES;
  }

  /** Bytes that it takes at most. */
  get bytesMax(): number {
    return this.#known.length;
  }

  /** Writes it for an event of this digest, or of none; returns the position behind it. */
  write(into: Uint8Array, at: number, digest: Digest | undefined): number {
    const header = digest === undefined ? this.#unknown : this.#known;
    into.set(header, at);
    if (digest !== undefined) writeBytes(digest, into, at + this.#digestAt);
    return at + header.length;
  }
}

function writeBytes(digest: Digest, into: Uint8Array, from: number): void {
  let at = from;
  for (let word = 0; word < DIGEST_WORDS; word += 1) {
    const value = digest[word] as number;
    into[at] = value >>> 24;
    into[at + 1] = value >>> 16;
    into[at + 2] = value >>> 8;
    into[at + 3] = value;
    at += 4;
  }
}

/** The further header of a batch's last record, as it stands in it. */
export function resumeHeader(mark: ResumeMark): Uint8Array {
  return packHeader([RESUME_HEADER, Buffer.from(JSON.stringify(mark))]);
}

/** What the headers of a stored record say of this source; undefined: somebody else's record. */
export function readArrival(
  source: string,
  headers: readonly Header[],
): { readonly digest?: Digest; readonly mark?: ResumeMark } | undefined {
  const own = valueOf(headers, ARRIVAL_HEADER);
  if (own === undefined) return undefined;
  const digestBytes = own[0] ?? 0;
  if (own.toString('utf8', 1 + digestBytes) !== source) return undefined;
  const mark = valueOf(headers, RESUME_HEADER);
  return {
    ...(digestBytes > 0 && { digest: readDigest(own) }),
    ...(mark !== undefined && { mark: JSON.parse(mark.toString()) as ResumeMark }),
  };
}

function readDigest(value: Buffer): Digest {
  return Uint32Array.from({ length: DIGEST_WORDS }, (_, word) => value.readUInt32BE(1 + 4 * word));
}

function valueOf(headers: readonly Header[], name: string): Buffer | undefined {
  const value = headers.find(([known]) => known === name)?.[1];
  return value === undefined ? undefined : asBuffer(value);
}
