import { createHash, type Hash } from 'node:crypto';
import type { Batch, OutgoingRecord } from '../../ports/destination.ts';

/** AWS's bounds of a request: records, and bytes of its body before compression. */
const REQUEST_RECORDS_MAX = 10_000;
const REQUEST_BYTES_MAX = 64 * 1024 * 1024;

/** Records of an attempt, from place to place, that go in one request. */
export interface RequestPart {
  readonly from: number;
  readonly to: number;
  /** Of the records in the body, with what stands between them. */
  readonly bytes: number;
  readonly firstId: string;
  readonly lastId: string;
  /** Of the ids of all records. */
  readonly digest: string;
}

/** A part that has the id it is sent with. */
export interface PlannedRequest extends RequestPart {
  readonly id: string;
}

const RECORD_FRAME_BYTES = '{"data":""}'.length;
const HEAD = (id: string, at: number): string => `{"requestId":"${id}","timestamp":${at},"records":[`;
const TAIL = ']}';
/** Ids have one length, and so have times until the year 2286. */
const FRAME_BYTES = HEAD('x'.repeat(36), 1e12).length + TAIL.length;

/** AWS's name of a record: the sequence number of what stands in the stream, and its place therein. */
export function dataId({ sequenceNumber, subSequenceNumber = 0 }: OutgoingRecord): string {
  return `${sequenceNumber}.${subSequenceNumber}`;
}

/** What stands around the records in a body. */
export function bodyFrame(id: string, at: number): { readonly head: string; readonly tail: string } {
  return { head: HEAD(id, at), tail: TAIL };
}

/** Bytes of a request's body before compression. */
export function bodyBytes({ bytes }: RequestPart): number {
  return FRAME_BYTES + bytes;
}

/**
 * Cuts the records of an attempt into requests. An attempt whose records are all of the batch and fit in one request
 * has the batch's id; of several requests each has one of its own, made of the batch's id and of all records that it
 * holds, so that it is the same in a later attempt that holds these records, and never that of another body. A request
 * that failed is cut off from the next as it was before.
 */
export async function planRequests(batch: Batch, turn: () => Promise<void>): Promise<readonly PlannedRequest[]> {
  const parts: RequestPart[] = [];
  const part = new PartBuilder(0);
  let stored = 0;
  for await (const records of batch.records()) {
    for (const record of records) {
      if (part.isFullFor(record) || part.endsBefore(record, batch)) parts.push(part.close());
      part.add(record);
      if ((record.subSequenceNumber ?? 0) === 0) stored += 1;
    }
    await turn();
  }
  if (!part.isEmpty) parts.push(part.close());
  const isWhole = parts.length === 1 && batch.isPart !== true && stored === batch.recordCount;
  return parts.map((one) => ({ ...one, id: isWhole ? batch.id : partId(batch.id, one) }));
}

/** The halves of a request, whose records these are. */
export async function halves(
  batchId: string,
  request: RequestPart,
  records: AsyncIterable<readonly OutgoingRecord[]>,
): Promise<readonly [PlannedRequest, PlannedRequest]> {
  const part = new PartBuilder(request.from);
  const middle = request.from + Math.ceil((request.to - request.from) / 2);
  let left: RequestPart | undefined;
  for await (const some of records) {
    for (const record of some) {
      if (part.to === middle) left = part.close();
      part.add(record);
    }
  }
  const pair = [left as RequestPart, part.close()] as const;
  return [withId(batchId, pair[0]), withId(batchId, pair[1])];
}

function withId(batchId: string, part: RequestPart): PlannedRequest {
  return { ...part, id: partId(batchId, part) };
}

/** A UUID of version 8 (RFC 9562). */
function partId(batchId: string, { digest }: RequestPart): string {
  const bytes = createHash('sha256').update(`${batchId}/${digest}`).digest().subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** Records one after the other, until a request holds no more. */
class PartBuilder {
  #from: number;
  #to: number;
  #bytes = 0;
  #firstId = '';
  #lastId = '';
  #ids: Hash = createHash('sha256');

  constructor(from: number) {
    this.#from = from;
    this.#to = from;
  }

  get to(): number {
    return this.#to;
  }

  get isEmpty(): boolean {
    return this.#to === this.#from;
  }

  isFullFor({ data }: OutgoingRecord): boolean {
    if (this.isEmpty) return false;
    const bytes = FRAME_BYTES + this.#bytes + 1 + recordBytes(data.length);
    return this.#to - this.#from === REQUEST_RECORDS_MAX || bytes > REQUEST_BYTES_MAX;
  }

  /** Whether the record began a request before. */
  endsBefore({ index }: OutgoingRecord, { startsRequest }: Pick<Batch, 'startsRequest'>): boolean {
    return !this.isEmpty && startsRequest?.(index) === true;
  }

  add(record: OutgoingRecord): void {
    this.#lastId = idOf(record);
    if (this.isEmpty) this.#firstId = this.#lastId;
    else this.#bytes += 1;
    this.#bytes += recordBytes(record.data.length);
    this.#ids.update(`${this.#lastId}\n`);
    this.#to += 1;
  }

  close(): RequestPart {
    const [from, to, bytes] = [this.#from, this.#to, this.#bytes];
    const part = { from, to, bytes, firstId: this.#firstId, lastId: this.#lastId, digest: this.#ids.digest('hex') };
    this.#from = to;
    this.#bytes = 0;
    this.#ids = createHash('sha256');
    return part;
  }
}

/** Of the record in the stream: sequence numbers are unique in a shard alone. */
export function idOf(record: OutgoingRecord): string {
  return `${record.shardId}/${dataId(record)}`;
}

function recordBytes(dataBytes: number): number {
  return RECORD_FRAME_BYTES + Math.ceil(dataBytes / 3) * 4;
}
