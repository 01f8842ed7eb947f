import type { Verdict } from '../verdict.ts';

const LENGTH_BYTES = 4;

/** What is kept of a request beside its body. Secrets are masked before they come here. */
export interface RequestHeadEntry extends Omit<Verdict, 'route'> {
  /** The `x-amzn-requestid` of its answer. */
  readonly id: string;
  /** When it came, ISO 8601. */
  readonly at: string;
  /** The key of its route. */
  readonly route: string;
  /** The stream that has its record; absent: none has. */
  readonly stream?: string | undefined;
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly remoteAddress: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The body of the answer, its beginning. */
  readonly answer: string;
  /** Whether the whole body is kept: otherwise it was cut. */
  readonly isWhole: boolean;
  /** The request that was sent on again; absent: it came from outside. */
  readonly redeliveryOf?: string | undefined;
}

/** A request as it stands in the log. */
export interface RequestEntry {
  /** Its place: the newer the higher. */
  readonly number: bigint;
  readonly head: RequestHeadEntry;
  readonly body: Uint8Array;
}

/**
 * The record's data: the length of the head in 4 bytes, the head as JSON, the body as it came. `headers` is the JSON of
 * the head's headers.
 */
export function encodeRequest(head: Omit<RequestHeadEntry, 'headers'>, headers: string, body: Uint8Array): Uint8Array {
  const text = `${JSON.stringify(head).slice(0, -1)},"headers":${headers}}`;
  const length = Buffer.byteLength(text);
  const data = Buffer.allocUnsafe(LENGTH_BYTES + length + body.length);
  data.writeUInt32BE(length, 0);
  data.write(text, LENGTH_BYTES);
  data.set(body, LENGTH_BYTES + length);
  return data;
}

/** What a record of the log says; undefined where it says nothing. */
export function decodeRequest(number: bigint, data: Uint8Array): RequestEntry | undefined {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  try {
    const end = LENGTH_BYTES + bytes.readUInt32BE(0);
    const head = JSON.parse(bytes.toString('utf8', LENGTH_BYTES, end)) as RequestHeadEntry;
    return { number, head, body: bytes.subarray(end) };
  } catch {
    return undefined;
  }
}
