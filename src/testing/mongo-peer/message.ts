import type { Document } from 'bson';
import { decodeDocument, encodeDocument } from './values.ts';

/** The largest message, bytes: room for the largest document and a command. Servers take more; hello tells clients. */
export const MESSAGE_BYTES_MAX = 20_000_000;

const HEADER_BYTES = 16;
const OP_REPLY = 1;
const OP_QUERY = 2004;
const OP_MSG = 2013;
const CHECKSUM_PRESENT = 1;
const MORE_TO_COME = 2;
/** The lower half of the flags has to be understood. */
const REQUIRED_FLAGS = 0xff_ff;

/** A command as it came. */
export interface Message {
  readonly requestId: number;
  readonly body: Document;
  readonly database: string;
  /** Nobody waits for an answer. */
  readonly isOneWay: boolean;
  /** In the protocol's old form, which is left for the first hello alone. */
  readonly isLegacy: boolean;
}

/** Bytes that are no message of the protocol: the connection ends. */
export class BrokenMessage extends Error {
  override readonly name = 'BrokenMessage';
}

/** The bytes of the message that begins here, or undefined while not even its length is there. */
export function messageLength(bytes: Buffer): number | undefined {
  if (bytes.length < 4) return undefined;
  const length = bytes.readInt32LE(0);
  if (length < HEADER_BYTES + 5 || length > MESSAGE_BYTES_MAX) throw new BrokenMessage(`a message of ${length} bytes`);
  return length;
}

/** A whole message. BrokenMessage for whatever a driver would never send. */
export function readMessage(bytes: Buffer): Message {
  const [requestId, code] = [bytes.readInt32LE(4), bytes.readInt32LE(12)];
  try {
    if (code === OP_MSG) return { requestId, ...readSections(bytes), isLegacy: false };
    if (code === OP_QUERY) return { requestId, ...readQuery(bytes), isOneWay: false, isLegacy: true };
  } catch (error) {
    throw new BrokenMessage(`no message: ${String(error)}`);
  }
  throw new BrokenMessage(`operation ${code} is unknown to this peer`);
}

/** The bytes of an answer. */
export function writeAnswer({ requestId, isLegacy }: Message, answer: Document): Buffer {
  const document = encodeDocument(answer);
  // OP_REPLY: flags, cursor, first and number of the documents; OP_MSG: flags, and a section of kind 0.
  const head = Buffer.alloc(HEADER_BYTES + (isLegacy ? 20 : 5));
  head.writeInt32LE(head.length + document.length, 0);
  head.writeInt32LE(requestId, 8);
  head.writeInt32LE(isLegacy ? OP_REPLY : OP_MSG, 12);
  if (isLegacy) head.writeInt32LE(1, HEADER_BYTES + 16);
  return Buffer.concat([head, document]);
}

function readSections(bytes: Buffer): Pick<Message, 'body' | 'database' | 'isOneWay'> {
  const flags = bytes.readUInt32LE(HEADER_BYTES);
  if ((flags & CHECKSUM_PRESENT) !== 0) throw new BrokenMessage('checksums are unknown to this peer');
  if ((flags & REQUIRED_FLAGS & ~MORE_TO_COME) !== 0) throw new BrokenMessage(`flags ${flags}`);
  let body: Document | undefined;
  const lists: [string, Document[]][] = [];
  let at = HEADER_BYTES + 4;
  while (at < bytes.length) {
    const kind = bytes[at];
    const end = at + 1 + bytes.readInt32LE(at + 1);
    if (end <= at + 5 || end > bytes.length || kind === undefined || kind > 1)
      throw new BrokenMessage('a wrong section');
    if (kind === 0 && body !== undefined) throw new BrokenMessage('two bodies');
    if (kind === 0) body = decodeDocument(bytes.subarray(at + 1, end));
    else lists.push(readList(bytes.subarray(at + 5, end)));
    at = end;
  }
  const database: unknown = body?.['$db'];
  if (body === undefined || typeof database !== 'string') throw new BrokenMessage('no body, or no $db in it');
  for (const [name, documents] of lists) {
    if (Object.hasOwn(body, name)) throw new BrokenMessage(`'${name}' comes twice`);
    body[name] = documents;
  }
  return { body, database, isOneWay: (flags & MORE_TO_COME) !== 0 };
}

/** A section of kind 1: a name, then documents to its end. */
function readList(bytes: Buffer): [string, Document[]] {
  const nameEnd = bytes.indexOf(0);
  if (nameEnd < 0) throw new BrokenMessage('a list without a name');
  const documents: Document[] = [];
  let at = nameEnd + 1;
  while (at < bytes.length) {
    const end = at + bytes.readInt32LE(at);
    if (end <= at + 4 || end > bytes.length) throw new BrokenMessage('a wrong length in a list');
    documents.push(decodeDocument(bytes.subarray(at, end)));
    at = end;
  }
  return [bytes.toString('utf8', 0, nameEnd), documents];
}

/** OP_QUERY: flags, the name of a collection, two counts, and the command as the document that is looked for. */
function readQuery(bytes: Buffer): Pick<Message, 'body' | 'database'> {
  const nameEnd = bytes.indexOf(0, HEADER_BYTES + 4);
  const at = nameEnd + 9;
  if (nameEnd < 0 || at + 5 > bytes.length) throw new BrokenMessage('a short query');
  const end = at + bytes.readInt32LE(at);
  if (end > bytes.length) throw new BrokenMessage('a short query');
  const name = bytes.toString('utf8', HEADER_BYTES + 4, nameEnd);
  return { body: decodeDocument(bytes.subarray(at, end)), database: name.replace(/\.\$cmd$/, '') };
}
