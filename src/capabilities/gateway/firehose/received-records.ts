import { decodeBase64 } from '../../../kernel/bytes/base64.ts';
import { nextTurn } from '../../../kernel/flow/next-turn.ts';
import { isMapping, parseJson } from '../../../kernel/json.ts';
import type { Clock } from '../../../ports/environment.ts';
import { recordKey } from '../../../ports/record-key.ts';
import { limits } from '../limits.ts';
import type { Receive } from '../route.ts';
import type { DeliveryRequest } from './delivery-request.ts';
import { withMember } from './with-member.ts';

/** A record that can be kept. */
export interface ReceivedRecord {
  /** Its place in the request, from 0. */
  readonly index: number;
  readonly data: Uint8Array;
  /** By the route's `partitionKey`; undefined: it has none. */
  readonly partitionKey: string | undefined;
}

/** A record that cannot, and why. */
export interface SkippedRecord {
  readonly index: number;
  readonly problem: string;
  /** As far as it could be decoded; empty where it could not. */
  readonly data: Uint8Array;
}

/** What the records of a request are, in their order each. */
export interface ReadRecords {
  readonly taken: ReceivedRecord[];
  readonly skipped: SkippedRecord[];
}

/** What decides whether a record can be kept. */
export interface RecordRules {
  readonly receive: Receive;
  /** What is wrong with its JSON; absent: it need not be JSON. */
  readonly check: ((value: unknown) => readonly string[]) | undefined;
  /** Of key and data, in bytes. */
  readonly recordBytesMax: number;
}

/** Decodes the records, with a turn of the loop after each quarter of a MiB: those who wait need not wait for all. */
export async function readRecords(request: DeliveryRequest, rules: RecordRules, clock: Clock): Promise<ReadRecords> {
  const read: ReadRecords = { taken: [], skipped: [] };
  let bytes = 0;
  for (const [index, record] of request.records.entries()) {
    const data = dataOf(record);
    const found = judge(data, request, rules);
    if (typeof found === 'string') read.skipped.push({ index, problem: found, data: data ?? new Uint8Array() });
    else read.taken.push({ index, ...found });
    bytes += (data?.length ?? 0) + limits.bytesPerReceivedRecord;
    if (bytes < limits.receivedBytesPerTurn) continue;
    bytes = 0;
    await nextTurn(clock);
  }
  return read;
}

function dataOf(record: unknown): Uint8Array | undefined {
  const text = isMapping(record) ? record['data'] : undefined;
  return typeof text === 'string' ? decodeBase64(text) : undefined;
}

/** The record, or what is wrong with it in a few words. */
function judge(
  bytes: Uint8Array | undefined,
  { requestId, commonAttributes }: DeliveryRequest,
  { receive, check, recordBytesMax }: RecordRules,
): Omit<ReceivedRecord, 'index'> | string {
  if (bytes === undefined) return 'its data is no base64';
  if (bytes.length === 0) return 'it is empty';
  const { keys, attributesMember } = receive;
  const needsJson = check !== undefined || attributesMember !== undefined;
  const value = needsJson ? parseJson(bytes) : undefined;
  if (check !== undefined) {
    if (value === undefined) return 'it is no JSON';
    const [problem] = check(value);
    if (problem !== undefined) return problem;
  }
  const partitionKey = recordKey(keys?.find(bytes));
  let data = bytes;
  if (attributesMember !== undefined) {
    if (!isMapping(value)) return 'it is no JSON object';
    data = withMember(bytes, attributesMember, commonAttributes);
  }
  const isTooLarge = data.length + Buffer.byteLength(partitionKey ?? requestId) > recordBytesMax;
  return isTooLarge ? 'it is larger than a record of the stream' : { data, partitionKey };
}
