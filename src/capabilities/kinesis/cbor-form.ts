import { assert } from '../../kernel/assert.ts';
import { SEQUENCE_NUMBER_BYTES } from '../../kernel/stream/sequence-number.ts';
import { asciiItem, BYTES, LIST, TEXT, writeHead, writeWideHead } from '../../wire/aws-cbor/head.ts';
import { CborWriter } from '../../wire/aws-cbor/writer.ts';
import { cborPutScan } from './cbor-put-scan.ts';
import type { KinesisForm } from './form.ts';

/** Heads of maps of so many members, and of the text that a sequence number is. */
const MAP_OF_2 = '\xa2';
const MAP_OF_3 = '\xa3';
const MAP_OF_4 = '\xa4';
const MAP_OF_5 = '\xa5';
const NUMBER = `${asciiItem('SequenceNumber')}x${String.fromCharCode(SEQUENCE_NUMBER_BYTES)}`;
const SHARD_ID = asciiItem('ShardId');
const ENCRYPTED = asciiItem('EncryptionType') + asciiItem('KMS');
const ARRIVAL = asciiItem('ApproximateArrivalTimestamp');
const PARTITION_KEY = asciiItem('PartitionKey');
const RECORDS = asciiItem('Records');
const DATA = Buffer.from(asciiItem('Data'), 'latin1');
const MEMBERS_BEHIND = 2;

/** CBOR, data as it is. */
export const cborForm: KinesisForm = {
  name: 'binary',
  scan: cborPutScan,
  put: {
    separatorBytes: 0,
    before(failed, count, isEncrypted) {
      return latin1((writer) => {
        writer.map(isEncrypted ? 3 : 2);
        writer.text('FailedRecordCount');
        writer.number(failed);
        writer.text('Records');
        writer.list(count);
      });
    },
    beforeNumber: MAP_OF_2 + NUMBER,
    afterNumber: (shardId) => SHARD_ID + asciiItem(shardId),
    refused(code, message) {
      const writer = new CborWriter();
      writer.plain({ ErrorCode: code, ErrorMessage: message });
      return writer.done();
    },
    after: (isEncrypted) => (isEncrypted ? ENCRYPTED : ''),
  },
  record: {
    separatorBytes: 0,
    beforeNumber: (isEncrypted) => (isEncrypted ? MAP_OF_5 : MAP_OF_4) + NUMBER,
    afterNumber(arrival, isEncrypted) {
      const time = latin1((writer) => writer.time(arrival));
      return `${isEncrypted ? ENCRYPTED : ''}${ARRIVAL}${time}${PARTITION_KEY}`;
    },
    writeKey(into, at, from, keyAt, keyEnd, dataBytes) {
      let to = writeHead(into, at, TEXT, keyEnd - keyAt);
      for (let index = keyAt; index < keyEnd; index += 1, to += 1) into[to] = from[index] as number;
      for (let index = 0; index < DATA.length; index += 1, to += 1) into[to] = DATA[index] as number;
      return writeHead(into, to, BYTES, dataBytes);
    },
    writeData(memory, from, to, at) {
      memory.copy(from, to, at);
      return at + to - from;
    },
    writeEnd: (_, at) => at,
  },
  stored(shardId, sequenceNumber, isEncrypted) {
    const encryption = isEncrypted ? ENCRYPTED : '';
    const text = `${SHARD_ID}${asciiItem(shardId)}${NUMBER}${sequenceNumber}${encryption}`;
    return Buffer.from((isEncrypted ? MAP_OF_3 : MAP_OF_2) + text, 'latin1');
  },
  before(count) {
    const head = Buffer.from(`${MAP_OF_3}${RECORDS}...`, 'latin1');
    writeWideHead(head, head.length - 3, LIST, count);
    return head;
  },
  after(members) {
    const entries = Object.entries(members);
    assert(entries.length === MEMBERS_BEHIND, 'two members stand behind the records');
    const writer = new CborWriter();
    for (const [name, value] of entries) {
      writer.text(name);
      writer.plain(value);
    }
    return writer.done();
  },
};

/** What is written, a character for each byte. */
function latin1(write: (writer: CborWriter) => void): string {
  const writer = new CborWriter();
  write(writer);
  return Buffer.from(writer.done()).toString('latin1');
}
