import type { OutgoingRecord } from '../../ports/destination.ts';
import type { RecordInput } from '../../ports/records.ts';
import type { Header, Offset, StoredRecord } from '../../ports/stream-store.ts';
import type { Failure } from './error-lines.ts';
import type { LossCause } from './model.ts';

/** Internal streams of what was transformed and is not yet delivered. */
export const PROCESSED_PREFIX = '$processed/';

/** Where a transformed record comes from. */
export interface Origin {
  readonly generation: number;
  readonly ordinal: number;
  readonly offset: Offset;
  readonly subSequenceNumber: number | undefined;
}

/** What is kept of a record beside its transformed data; one letter each, as it stands beside every record. */
interface Kept {
  readonly g: number;
  readonly o: number;
  readonly p: string;
  readonly u?: number;
  readonly n: string;
  readonly s: string;
  readonly a: number;
  readonly f?: Failure;
  readonly x?: GoneUpTo;
}

/** Records of the source from the entry's own on, up to but without `to`, were gone. */
export interface GoneUpTo {
  readonly to: string;
  readonly cause: LossCause;
  /** It is not known how far they went: `to` is behind the first, which stands for all. */
  readonly isOpen?: true;
}

const HEADER = 'of';

/** The entry of a record that was transformed, or could not be: then with the data as it came. */
export function processedEntry(
  record: OutgoingRecord,
  origin: Origin,
  data: Uint8Array,
  failure?: Failure | GoneUpTo,
): RecordInput {
  const { sequenceNumber, shardId, at, partitionKey } = record;
  const { generation: g, ordinal: o, offset, subSequenceNumber: u } = origin;
  const kept: Kept = {
    g,
    o,
    p: String(offset),
    ...(u !== undefined && { u }),
    n: sequenceNumber,
    s: shardId,
    a: at,
    ...(failure !== undefined && ('cause' in failure ? { x: failure } : { f: failure })),
  };
  return { partitionKey, data, headers: [[HEADER, Buffer.from(JSON.stringify(kept))]] };
}

/** A transformed record as it leaves: with number, shard and arrival of the one it was made of. */
export interface ProcessedRecord extends Omit<OutgoingRecord, 'index'> {
  /** Set where it could not be transformed. */
  readonly failure?: Failure;
  /** Set where it stands for records that were gone: nothing of it is delivered. */
  readonly gone?: GoneUpTo;
}

/** Reads such an entry. */
export function processedRecord({ key, data, headers }: StoredRecord): ProcessedRecord {
  const { u, n, s, a, f, x } = keptOf(headers);
  return {
    data,
    at: a,
    partitionKey: Buffer.from(key).toString(),
    sequenceNumber: n,
    shardId: s,
    ...(u !== undefined && { subSequenceNumber: u }),
    ...(f !== undefined && { failure: f }),
    ...(x !== undefined && { gone: x }),
  };
}

/** Whether such an entry tells of all that went with a stream that was deleted. */
export function isOfDeleted({ headers }: Pick<StoredRecord, 'headers'>): boolean {
  return keptOf(headers).x?.cause === 'StreamDeleted';
}

/** When the record that such an entry was made of came to the delivery stream, in ms. */
export function arrivalOf(headers: readonly Header[]): number {
  return keptOf(headers).a;
}

/** Where such an entry comes from. */
export function originOf({ headers }: Pick<StoredRecord, 'headers'>): Origin {
  const { g, o, p, u, x } = keptOf(headers);
  const offset = x === undefined ? BigInt(p) : BigInt(x.to) - 1n;
  return { generation: g, ordinal: o, offset, subSequenceNumber: u };
}

function keptOf(headers: readonly Header[]): Kept {
  const [, value = Buffer.from('{}')] = headers.find(([name]) => name === HEADER) ?? [];
  return JSON.parse(Buffer.from(value).toString()) as Kept;
}
