import type { KinesisForm } from './form.ts';
import { jsonPutScan } from './json-put-scan.ts';

const BEFORE_NUMBER = ',{"SequenceNumber":"';
const BEFORE_DATA = Buffer.from('","Data":"', 'latin1');
const BEFORE_RECORDS = Buffer.from('{"Records":[', 'latin1');
const ENCRYPTED = ',"EncryptionType":"KMS"';
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const CLOSE = 0x7d;

/** JSON, data in base64. */
export const jsonForm: KinesisForm = {
  name: 'text',
  scan: jsonPutScan,
  put: {
    separatorBytes: 1,
    before: (failed) => `{"FailedRecordCount":${failed},"Records":[`,
    beforeNumber: BEFORE_NUMBER,
    // A shard's id needs no escapes.
    afterNumber: (shardId) => `","ShardId":"${shardId}"}`,
    refused: (code, message) => Buffer.from(`,${JSON.stringify({ ErrorCode: code, ErrorMessage: message })}`),
    after: (isEncrypted) => `]${isEncrypted ? ENCRYPTED : ''}}`,
  },
  record: {
    separatorBytes: 1,
    beforeNumber: () => BEFORE_NUMBER,
    afterNumber(arrival, isEncrypted) {
      const encryption = isEncrypted ? `"${ENCRYPTED.slice(0, -1)}` : '';
      return `${encryption}","ApproximateArrivalTimestamp":${arrival / 1000},"PartitionKey":"`;
    },
    writeKey(into, at, from, keyAt, keyEnd) {
      let to = writeText(into, at, from, keyAt, keyEnd);
      for (let index = 0; index < BEFORE_DATA.length; index += 1, to += 1) into[to] = BEFORE_DATA[index] as number;
      return to;
    },
    writeData: (memory, from, to, at) => memory.encode(from, to, at),
    writeEnd(into, at) {
      into[at] = QUOTE;
      into[at + 1] = CLOSE;
      return at + 2;
    },
  },
  stored(shardId, sequenceNumber, isEncrypted) {
    return `{"ShardId":"${shardId}","SequenceNumber":"${sequenceNumber}"${isEncrypted ? ENCRYPTED : ''}}`;
  },
  before: () => BEFORE_RECORDS,
  after: (members) => Buffer.from(`],${JSON.stringify(members).slice(1)}`),
};

/** Printable ASCII without quote and backslash stands for itself; any other text is escaped as JSON wants. */
function writeText(into: Buffer, at: number, from: Buffer, start: number, end: number): number {
  for (let index = start; index < end; index += 1) {
    const byte = from[index] as number;
    if (byte < 0x20 || byte > 0x7e || byte === QUOTE || byte === BACKSLASH) {
      return at + into.write(JSON.stringify(from.toString('utf8', start, end)).slice(1, -1), at);
    }
    into[at + index - start] = byte;
  }
  return at + end - start;
}
