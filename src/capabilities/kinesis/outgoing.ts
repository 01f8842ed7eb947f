import { sequenceNumberEncoder } from '../../kernel/stream/sequence-number.ts';
import type { ShardInfo } from '../../ports/records.ts';
import type { StoredRecord } from '../../ports/stream-store.ts';

/** Longest text around one record's key and data: names, a 56 digit number, a time. */
const AROUND_BYTES = 192;
const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

/** Bytes of data and key of all records. */
export function recordsBytes(records: readonly StoredRecord[]): number {
  return records.reduce((sum, { key, data }) => sum + key.length + data.length, 0);
}

function buffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The JSON text of a partition key, quotes included. */
function keyText(key: Uint8Array): string {
  const text = buffer(key).toString('utf8');
  return PLAIN.test(text) ? `"${text}"` : JSON.stringify(text);
}

/**
 * GetRecords' answer as UTF-8 JSON, written once into one buffer: `head` and `tail` are the text around the records.
 */
export function writeRecords(
  shard: ShardInfo,
  records: readonly StoredRecord[],
  head: string,
  tail: string,
): Uint8Array {
  const sequenceNumber = sequenceNumberEncoder(shard.ref);
  let bytes = Buffer.byteLength(head) + Buffer.byteLength(tail);
  // A key's byte becomes six at most (\u00XX); data grows by a third.
  for (const { key, data } of records) bytes += AROUND_BYTES + key.length * 6 + Math.ceil(data.length / 3) * 4;
  const out = Buffer.allocUnsafe(bytes);
  let at = out.write(head);
  let separator = '';
  for (const { offset, at: arrival, key, data } of records) {
    const before =
      `${separator}{"SequenceNumber":"${sequenceNumber(offset)}","ApproximateArrivalTimestamp":${arrival / 1000},` +
      `"PartitionKey":${keyText(key)},"Data":"`;
    at += out.write(before, at);
    at += out.write(buffer(data).toString('base64'), at, 'latin1');
    at += out.write('"}', at, 'latin1');
    separator = ',';
  }
  at += out.write(tail, at);
  return out.subarray(0, at);
}
