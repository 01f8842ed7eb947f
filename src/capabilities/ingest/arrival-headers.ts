import { hash } from 'node:crypto';
import { asBuffer } from '../../kernel/bytes/as-buffer.ts';
import type { Arrival, ResumeToken } from '../../ports/source.ts';
import type { Header } from '../../ports/stream-store.ts';

/** Header of each record that a source brought: how it is known again, and the source's name in UTF-8. */
const ARRIVAL_HEADER = 'millrace-source';
/** Header of the last record of each batch: its number, and the token that stood before it. */
const RESUME_HEADER = 'millrace-resume';
const DIGEST_BYTES = 16;

/** What a batch says of how to go on after a crash. */
export interface ResumeMark {
  readonly batch: number;
  /** Everything up to here was durable when the batch was begun; absent: nothing had come. */
  readonly token?: ResumeToken;
}

/** By what an event is known again, 16 characters of one byte each; undefined: by nothing. */
export function digestOf({ key, id, data }: Arrival): string | undefined {
  if (key === undefined && id === undefined) return undefined;
  if (key !== undefined) return digestText(`key\0${key}`);
  // An event is hashed as it came; its id, where it has one, joins what came of that.
  const content = hash('sha1', data, 'binary');
  return id === '' ? content.slice(0, DIGEST_BYTES) : digestText(`id\0${id}\0${content}`);
}

function digestText(text: string): string {
  return hash('sha1', text, 'binary').slice(0, DIGEST_BYTES);
}

/** The header of a record: the length of the digest, the digest, the source's name in UTF-8. */
export function arrivalHeader(source: Uint8Array, digest = ''): Header {
  const value = Buffer.allocUnsafe(1 + digest.length + source.length);
  value[0] = digest.length;
  value.write(digest, 1, 'latin1');
  value.set(source, 1 + digest.length);
  return [ARRIVAL_HEADER, value];
}

/** The further header of a batch's last record. */
export function resumeHeader(mark: ResumeMark): Header {
  return [RESUME_HEADER, Buffer.from(JSON.stringify(mark))];
}

/** What the headers of a stored record say of this source; undefined: somebody else's record. */
export function readArrival(
  source: string,
  headers: readonly Header[],
): { readonly digest?: string; readonly mark?: ResumeMark } | undefined {
  const own = valueOf(headers, ARRIVAL_HEADER);
  if (own === undefined) return undefined;
  const digestBytes = own[0] ?? 0;
  if (own.toString('utf8', 1 + digestBytes) !== source) return undefined;
  const mark = valueOf(headers, RESUME_HEADER);
  return {
    ...(digestBytes > 0 && { digest: own.toString('latin1', 1, 1 + digestBytes) }),
    ...(mark !== undefined && { mark: JSON.parse(mark.toString()) as ResumeMark }),
  };
}

function valueOf(headers: readonly Header[], name: string): Buffer | undefined {
  const value = headers.find(([known]) => known === name)?.[1];
  return value === undefined ? undefined : asBuffer(value);
}
