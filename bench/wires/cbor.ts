import { CborWriter } from '../../src/wire/aws-cbor/writer.ts';
import { DIGITS, fillerBytes, recordBytes } from '../records.ts';
import type { Wire } from '../wire.ts';

const NUMBER = '0'.repeat(DIGITS);
const FILLER = fillerBytes(recordBytes - 2 * DIGITS);
/** As the Java SDK writes them: maps and lists of a length that their end tells. */
const MAP = '\xbf';
const LIST = '\x9f';
const END = '\xff';
const DATA = 'dData\x59\x04\x00';
const KEY = 'lPartitionKeyl';
const MEMBERS = `${DATA}${NUMBER}${NUMBER}${FILLER.toString('latin1')}${KEY}${NUMBER}`;
const KEY_MARK = Buffer.from(KEY, 'latin1');
/** From the begin of a key's mark to that of the data right behind the key. */
const KEY_TO_DATA = KEY.length + DIGITS + DATA.length;
const ALL_STORED = Buffer.from('qFailedRecordCount\0', 'latin1');
const ITERATOR = Buffer.from('qNextShardIterator', 'latin1');
const BEHIND = Buffer.from('rMillisBehindLatest', 'latin1');
const TEXT_OF_ONE_BYTE_LENGTH = 0x78;

function isKeyMark(body: Buffer, at: number): boolean {
  return at >= 0 && at + KEY.length <= body.length && KEY_MARK.compare(body, at, at + KEY.length) === 0;
}

/** AWS's CBOR: a record's data and its key are neighbours, and an iterator has 24 to 255 bytes. */
export const cbor: Wire = {
  name: 'cbor',
  contentType: 'application/x-amz-cbor-1.1',
  dataMark: Buffer.from(DATA, 'latin1'),
  keyMark: KEY_MARK,
  filler: FILLER,
  // Lengths stand in front.
  isClosed: () => true,
  findKey(body, start) {
    const at = [start - KEY_TO_DATA, start + recordBytes].find((place) => isKeyMark(body, place));
    return at === undefined ? -1 : at + KEY.length;
  },
  putBody(stream, count, isSingle) {
    const name = `jStreamName${String.fromCharCode(0x60 + stream.length)}${stream}`;
    const text = isSingle
      ? `${MAP}${name}${MEMBERS}${END}`
      : `${MAP}gRecords${LIST}${`${MAP}${MEMBERS}${END}`.repeat(count)}${END}${name}${END}`;
    return Buffer.from(text, 'latin1');
  },
  input(value) {
    const writer = new CborWriter();
    writer.plain(value);
    return Buffer.from(writer.done());
  },
  isStored: (body) => body.includes(ALL_STORED),
  readPlace(body) {
    const behind = body.lastIndexOf(BEHIND);
    const head = body.lastIndexOf(ITERATOR) + ITERATOR.length;
    if (behind < 0 || head < ITERATOR.length || body[head] !== TEXT_OF_ONE_BYTE_LENGTH) return undefined;
    const from = head + 2;
    const iterator = body.toString('latin1', from, from + (body[head + 1] as number));
    return { iterator, isAtTip: body[behind + BEHIND.length] === 0 };
  },
};
