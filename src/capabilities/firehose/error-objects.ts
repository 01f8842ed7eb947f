import { DeliveryError } from '../../kernel/errors.ts';
import { nameOfArn } from '../../kernel/names.ts';
import { asBuffer } from '../../kernel/bytes/as-buffer.ts';
import type { BlobStore } from '../../ports/blob-store.ts';
import type { Compute } from '../../ports/environment.ts';
import { firehoseLimits } from './limits.ts';
import type { Target } from './model.ts';
import type { PlacedRecord } from './outgoing.ts';
import { READ_LIMIT } from './range-slices.ts';

/** Members of S3 options that say where lines stand, and how they are written. */
interface Placing {
  readonly BucketARN: string;
  readonly Prefix?: string;
  readonly ErrorOutputPrefix?: string;
  readonly CompressionFormat?: string;
}

/** Why the lines of this target cannot be read again; undefined when they can. */
export function unreadable({ options }: Target): string | undefined {
  const { CompressionFormat: format = 'UNCOMPRESSED' } = options as unknown as Placing;
  return format === 'UNCOMPRESSED' || format === 'GZIP' ? undefined : `error output in ${format} cannot be replayed`;
}

/** The bucket of the target. */
export function bucketOf({ options }: Target): string {
  return nameOfArn((options as unknown as Placing).BucketARN);
}

/** Keys of the objects with lines of that delivery and type, in their order, bounded. Rejects with DeliveryErrors. */
export async function errorObjects(
  blobs: BlobStore,
  target: Target,
  { delivery, errorType }: { readonly delivery: string; readonly errorType: string },
): Promise<{ readonly keys: readonly string[]; readonly isCut: boolean }> {
  const { Prefix = '', ErrorOutputPrefix = '' } = target.options as unknown as Placing;
  // Expressions differ between objects: what stands before the first is the same in all.
  const expression = ErrorOutputPrefix === '' ? Prefix : ErrorOutputPrefix;
  const [prefix = ''] = expression.split('!{');
  const name = namePattern(expression, delivery, errorType);
  const keys: string[] = [];
  let after = '';
  for (let isEnd = false; !isEnd;) {
    const page = await blobs.list(bucketOf(target), { prefix, after, limit: 1000 });
    for (const { key } of page) if (key.includes(errorType) && name.test(key)) keys.push(key);
    if (keys.length > firehoseLimits.replayObjectsMax) {
      return { keys: keys.slice(0, firehoseLimits.replayObjectsMax), isCut: true };
    }
    after = page.at(-1)?.key ?? '';
    isEnd = page.length < 1000;
  }
  return { keys, isCut: false };
}

/** What a key ends with: the name behind the text that stands in front of it in all keys, be that a folder or not. */
function namePattern(prefix: string, delivery: string, errorType: string): RegExp {
  const last = prefix.lastIndexOf('!{');
  const end = prefix.indexOf('}', last);
  const isType = prefix.slice(last, end + 1) === '!{firehose:error-output-type}';
  // Without expressions the folder of the hour follows.
  const before = last < 0 ? '/' : (isType ? errorType : '') + prefix.slice(end + 1);
  return new RegExp(
    `${escaped(before)}${escaped(delivery)}-\\d+-\\d{4}(-\\d\\d){5}-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}[^/]*$`,
  );
}

/** Of a key's name: what stands in front of the last digits of its UUID, these, and the ending behind them. */
const UUID_AT_END = /(-\d{4}(?:-\d\d){5}-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-)([0-9a-f]{12})([^/]*)$/;

/**
 * The key of the lines when so many records of the batch are gone, of the same length: each count has a UUID of its
 * own. An attempt before wrote lines about some of the records that are gone now: what it wrote is to stay.
 */
export function keyWithout(gone: number, key: string): string {
  return key.replace(UUID_AT_END, (_, before: string, digits: string, end: string) => {
    const own = BigInt(`0x${digits}`) ^ BigInt(gone);
    return before + own.toString(16).padStart(digits.length, '0') + end;
  });
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&');
}

/** What reading lines needs. */
export interface ErrorReader {
  readonly blobs: BlobStore;
  readonly compute: Compute;
}

/** Which lines are wanted: those of records that arrived from `from` up to but without `until`, in ms. */
export interface LineTimes {
  readonly from?: number | undefined;
  readonly until?: number | undefined;
}

/** The records that the lines of an object hold. Rejects with DeliveryErrors, also for what is no such line. */
export async function* errorRecords(
  { blobs, compute }: ErrorReader,
  target: Target,
  key: string,
  times: LineTimes,
): AsyncGenerator<readonly PlacedRecord[]> {
  let group: PlacedRecord[] = [];
  let bytes = 0;
  let index = 0;
  for (const line of await linesOf({ blobs, compute }, target, key)) {
    const record = recordOf(line, key, index);
    index += 1;
    if (record.at < (times.from ?? 0) || record.at >= (times.until ?? Infinity)) continue;
    group.push(record);
    bytes += record.data.length;
    if (group.length < READ_LIMIT.records && bytes < READ_LIMIT.bytes) continue;
    yield group;
    [group, bytes] = [[], 0];
  }
  if (group.length > 0) yield group;
}

async function linesOf({ blobs, compute }: ErrorReader, target: Target, key: string): Promise<Iterable<string>> {
  const pieces = await blobs.get(bucketOf(target), key);
  if (pieces === undefined) return [];
  const all: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of pieces) {
    bytes += piece.length;
    if (bytes > firehoseLimits.replayObjectBytesMax) throw unreadableObject(key, 'is too large to be held');
    all.push(piece);
  }
  const content = Buffer.concat(all);
  const isPacked = content[0] === GZIP[0] && content[1] === GZIP[1];
  return lines(isPacked ? await unpacked(compute, content, key) : content);
}

const GZIP = [0x1f, 0x8b] as const;

async function unpacked(compute: Compute, content: Buffer, key: string): Promise<Buffer> {
  const found = await compute.inflate(content, 'gzip', firehoseLimits.replayObjectBytesMax);
  if (typeof found === 'string') throw unreadableObject(key, `cannot be unpacked: it is ${found}`);
  return asBuffer(found);
}

/** One after the other: a text of the whole object would be held beside it. */
function* lines(content: Buffer): Generator<string> {
  for (let from = 0; from < content.length;) {
    const end = content.indexOf(0x0a, from);
    const to = end < 0 ? content.length : end;
    if (to > from) yield content.toString('utf8', from, to);
    from = to + 1;
  }
}

interface Line {
  readonly rawData?: unknown;
  readonly arrivalTimestamp?: unknown;
  readonly dataId?: unknown;
  readonly esDocumentId?: unknown;
  readonly osDocumentId?: unknown;
}

function recordOf(text: string, key: string, index: number): PlacedRecord {
  const line = parsed(text, key);
  const { rawData, arrivalTimestamp, dataId, esDocumentId, osDocumentId } = line;
  if (typeof rawData !== 'string' || typeof arrivalTimestamp !== 'number') {
    throw unreadableObject(key, 'holds a line without rawData or arrivalTimestamp');
  }
  const id = [dataId, esDocumentId, osDocumentId].find((one) => typeof one === 'string') ?? '';
  const [, sequenceNumber = '', sub] = /^(\d+)(?:\.(\d+))?$/.exec(id) ?? [];
  return {
    data: Buffer.from(rawData, 'base64'),
    at: arrivalTimestamp,
    partitionKey: '',
    sequenceNumber,
    shardId: '',
    index,
    ...(sub !== undefined && sub !== '0' && { subSequenceNumber: Number(sub) }),
  };
}

function parsed(text: string, key: string): Line {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : {};
  } catch (error) {
    throw unreadableObject(key, 'holds a line that is no JSON', error);
  }
}

function unreadableObject(key: string, why: string, cause?: unknown): DeliveryError {
  return new DeliveryError('Replay.Unreadable', `${key} ${why}`, false, cause);
}
