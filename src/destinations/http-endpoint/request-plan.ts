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
  /** Of the ids of all records; empty where nobody needs it. */
  readonly digest: string;
}

/** A part that has the id it is sent with. */
export interface PlannedRequest extends RequestPart {
  readonly id: string;
}

/** Characters of ids that go into a hash at once. */
const NEW_IDS_MAX = 64 * 1024;
const RECORD_FRAME_BYTES = '{"data":""}'.length;
const HEAD = (id: string, at: number): string => `{"requestId":"${id}","timestamp":${at},"records":[`;
const TAIL = ']}';
/** At most: ids have one length, and times until the year 2286; one before 2001 is shorter. */
const FRAME_BYTES_MAX = HEAD('x'.repeat(36), 1e12).length + TAIL.length;

/** AWS's name of a record: the sequence number of what stands in the stream, and its place therein. */
export function dataId({ sequenceNumber, subSequenceNumber = 0 }: OutgoingRecord): string {
  return `${sequenceNumber}.${subSequenceNumber}`;
}

/** What stands around the records in a body. */
export function bodyFrame(id: string, at: number): { readonly head: string; readonly tail: string } {
  return { head: HEAD(id, at), tail: TAIL };
}

/** Bytes of a request's body before compression; `at` as in its frame. */
export function bodyBytes({ id, bytes }: PlannedRequest, at: number): number {
  const { head, tail } = bodyFrame(id, at);
  return head.length + bytes + tail.length;
}

/**
 * Cuts the records of an attempt into requests. An attempt whose records are all of the batch and fit in one request
 * has the batch's id; of several requests each has one of its own, made of the batch's id and of all records that it
 * holds, so that it is the same in a later attempt that holds these records, and never that of another body. A request
 * that failed is cut off from the next as it was before.
 */
export async function planRequests(batch: Batch, turn: () => Promise<void>): Promise<readonly PlannedRequest[]> {
  if (mayBeOneRequest(batch)) {
    const { parts, stored } = await cut(batch, turn, false);
    const [only] = parts;
    if (only === undefined) return [];
    if (parts.length === 1 && stored === batch.recordCount) return [{ ...only, id: batch.id }];
  }
  const { parts, stored } = await cut(batch, turn, true);
  const isWhole = parts.length === 1 && batch.isPart !== true && stored === batch.recordCount;
  return parts.map((one) => ({ ...one, id: isWhole ? batch.id : partId(batch.id, one) }));
}

/** A request that holds all of the batch needs nothing of its records' ids, which are half of the work of a plan. */
function mayBeOneRequest({ isPart, recordCount, sizeBytes }: Batch): boolean {
  const bytes = plainBytesMax(recordCount, sizeBytes);
  return isPart !== true && recordCount <= REQUEST_RECORDS_MAX && bytes <= REQUEST_BYTES_MAX;
}

/** Bytes of one body with so many records of so many bytes, about, before compression. */
export function plainBytesMax(recordCount: number, sizeBytes: number): number {
  return FRAME_BYTES_MAX + recordCount * (RECORD_FRAME_BYTES + 1) + (sizeBytes / 3) * 4;
}

interface Cut {
  readonly parts: readonly RequestPart[];
  /** Records of the stream that were seen. */
  readonly stored: number;
}

async function cut(batch: Batch, turn: () => Promise<void>, hasIds: boolean): Promise<Cut> {
  const parts: RequestPart[] = [];
  const part = new PartBuilder(0, hasIds);
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
  return { parts, stored };
}

/** The halves of a request, whose records these are. */
export async function halves(
  batchId: string,
  request: RequestPart,
  records: AsyncIterable<readonly OutgoingRecord[]>,
): Promise<readonly [PlannedRequest, PlannedRequest]> {
  const part = new PartBuilder(request.from, true);
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
  readonly #hasIds: boolean;
  #from: number;
  #to: number;
  #bytes = 0;
  #first: OutgoingRecord | undefined;
  #last: OutgoingRecord | undefined;
  #ids: Hash = createHash('sha256');
  /** Ids that are not in the hash yet: each call of it has its price. */
  #newIds = '';

  constructor(from: number, hasIds: boolean) {
    this.#from = from;
    this.#to = from;
    this.#hasIds = hasIds;
  }

  get to(): number {
    return this.#to;
  }

  get isEmpty(): boolean {
    return this.#to === this.#from;
  }

  isFullFor({ data }: OutgoingRecord): boolean {
    if (this.isEmpty) return false;
    const bytes = FRAME_BYTES_MAX + this.#bytes + 1 + recordBytes(data.length);
    return this.#to - this.#from === REQUEST_RECORDS_MAX || bytes > REQUEST_BYTES_MAX;
  }

  /** Whether the record began a request before. */
  endsBefore({ index }: OutgoingRecord, { startsRequest }: Pick<Batch, 'startsRequest'>): boolean {
    return !this.isEmpty && startsRequest?.(index) === true;
  }

  add(record: OutgoingRecord): void {
    if (this.isEmpty) this.#first = record;
    else this.#bytes += 1;
    this.#last = record;
    this.#bytes += recordBytes(record.data.length);
    if (this.#hasIds) this.#newIds += `${idOf(record)}\n`;
    if (this.#newIds.length > NEW_IDS_MAX) this.#hashIds();
    this.#to += 1;
  }

  close(): RequestPart {
    const [from, to, bytes, first, last] = [this.#from, this.#to, this.#bytes, this.#first, this.#last];
    this.#hashIds();
    const digest = this.#hasIds ? this.#ids.digest('hex') : '';
    const [firstId, lastId] = [first, last].map((record) => (record === undefined ? '' : idOf(record)));
    this.#from = to;
    this.#bytes = 0;
    this.#ids = createHash('sha256');
    return { from, to, bytes, firstId: firstId ?? '', lastId: lastId ?? '', digest };
  }

  #hashIds(): void {
    this.#ids.update(this.#newIds);
    this.#newIds = '';
  }
}

/** Of the record in the stream: sequence numbers are unique in a shard alone. */
export function idOf(record: OutgoingRecord): string {
  return `${record.shardId}/${dataId(record)}`;
}

function recordBytes(dataBytes: number): number {
  return RECORD_FRAME_BYTES + Math.ceil(dataBytes / 3) * 4;
}
