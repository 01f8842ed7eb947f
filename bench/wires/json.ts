import { DIGITS, fillerBytes, recordBytes } from '../records.ts';
import type { Wire } from '../wire.ts';

const NUMBER = '0'.repeat(DIGITS);
/** Two numbers in base64. */
const NUMBERS_BYTES = (2 * DIGITS * 3) / 4;
const FILLER = Buffer.from(fillerBytes(recordBytes - NUMBERS_BYTES).toString('base64'), 'latin1');
const RECORD = `{"Data":"${NUMBER}${NUMBER}${FILLER.toString('latin1')}","PartitionKey":"${NUMBER}"}`;
const KEY = Buffer.from('"PartitionKey":"', 'latin1');
const QUOTE = 34;
/** Where the next iterator stands: in front of or behind all records. */
const EDGE_BYTES = 2000;

/** AWS's JSON 1.1. Digits are base64 characters, so that numbers are written and read where they stand. */
export const json: Wire = {
  name: 'json',
  contentType: 'application/x-amz-json-1.1',
  dataMark: Buffer.from('"Data":"', 'latin1'),
  keyMark: KEY,
  filler: FILLER,
  isClosed: (body, at) => body[at] === QUOTE,
  findKey(body, start) {
    // Data holds no braces, so they show where the record begins and ends.
    const at = body.indexOf(KEY, body.lastIndexOf('{', start));
    return at < 0 || at > body.indexOf('}', start) ? -1 : at + KEY.length;
  },
  putBody(stream, count, isSingle) {
    const text = isSingle
      ? `{"StreamName":"${stream}",${RECORD.slice(1)}`
      : `{"StreamName":"${stream}","Records":[${Array(count).fill(RECORD).join(',')}]}`;
    return Buffer.from(text, 'latin1');
  },
  input: (value) => Buffer.from(JSON.stringify(value)),
  isStored: (body) => body.includes('"FailedRecordCount":0'),
  readPlace(body) {
    const edges =
      body.toString('latin1', 0, EDGE_BYTES) +
      body.toString('latin1', Math.max(EDGE_BYTES, body.length - EDGE_BYTES), body.length);
    const iterator = /"NextShardIterator":"([^"]+)"/.exec(edges)?.[1];
    return iterator === undefined ? undefined : { iterator, isAtTip: /"MillisBehindLatest":0\b/.test(edges) };
  },
};
