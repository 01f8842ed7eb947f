import { createHash } from 'node:crypto';
import { Fields } from './protobuf.ts';

/** One record that a producer packed with others into one; bytes are slices of the record they came in. */
export interface SubRecord {
  /** Partition key in UTF-8. */
  readonly key: Uint8Array;
  readonly data: Uint8Array;
}

/** What the bytes of an aggregated record begin with. */
const MAGIC = Uint8Array.of(0xf3, 0x89, 0x9a, 0xc2);
/** The digest of all between it and the magic bytes. */
const DIGEST_BYTES = 16;

// Numbers of fields, as the Kinesis Producer Library declares them.
const KEY_TABLE = 1;
const HASH_KEY_TABLE = 2;
const RECORDS = 3;
const KEY_INDEX = 1;
const HASH_KEY_INDEX = 2;
const DATA = 3;

/** Our own, of what one record holds: each of them costs its reader more than its bytes. */
const RECORDS_MAX = 100_000;
/** A partition key in characters, as Kinesis bounds it, and in UTF-8. */
const KEY_CHARACTERS_MAX = 256;
const KEY_BYTES_MAX = KEY_CHARACTERS_MAX * 4;

/** Work of about a millisecond, between which the loop turns: bytes of the digest, and parts of the body. */
const DIGESTED_BYTES = 512 * 1024;
const PARTS_PER_TURN = 500;
/** Of a record whose records are only counted: so many are looked at in one turn, of any record. */
const COUNTED_FIELDS_MAX = 50_000;

/** Whether bytes begin as such a record does: all others are known not to be one without opening them. */
export function looksAggregated(bytes: Uint8Array): boolean {
  // Asked of every record: mostly its first byte tells.
  if (bytes[0] !== MAGIC[0] || bytes.length <= MAGIC.length + DIGEST_BYTES) return false;
  return MAGIC.every((byte, index) => bytes[index] === byte);
}

/**
 * How many records these bytes leave as, at most: without a look at the digest, or into the records. One where they are
 * a record like any other, and the most that there can be where counting them would take long.
 */
export function recordsAtMost(bytes: Uint8Array): number {
  if (!looksAggregated(bytes)) return 1;
  const fields = new Fields(bytes, MAGIC.length, bytes.length - DIGEST_BYTES);
  let records = 0;
  for (let seen = 0; fields.next(); seen += 1) {
    if (seen === COUNTED_FIELDS_MAX) return RECORDS_MAX;
    if (fields.number === RECORDS) records += 1;
  }
  return fields.isMalformed ? 1 : Math.max(1, records);
}

/**
 * The records that the Kinesis Producer Library packed into one; undefined for what it did not make: without its first
 * bytes, with a digest that does not fit, malformed or empty, with a key that no record may have, or with more than
 * 100,000 records or keys. Such bytes are a record like any other. `turn` lets the loop turn.
 */
export async function openAggregatedRecord(
  bytes: Uint8Array,
  turn: () => Promise<void>,
): Promise<AggregatedRecord | undefined> {
  if (!looksAggregated(bytes)) return undefined;
  const to = bytes.length - DIGEST_BYTES;
  const body = bytes.subarray(MAGIC.length, to);
  const digest = createHash('md5');
  for (let from = 0; from < body.length; from += DIGESTED_BYTES) {
    if (from > 0) await turn();
    digest.update(body.subarray(from, from + DIGESTED_BYTES));
  }
  if (!digest.digest().equals(bytes.subarray(to))) return undefined;
  const parts = new Parts(body);
  while (parts.readSome()) await turn();
  return parts.areWhole ? new AggregatedRecord(body, parts) : undefined;
}

/** Records in one record. No object is kept for each one: millions of tiny ones fit into a large record. */
export class AggregatedRecord {
  readonly count: number;
  readonly #body: Uint8Array;
  readonly #keys: Parts['keys'];

  constructor(body: Uint8Array, { keys, records }: Pick<Parts, 'keys' | 'records'>) {
    this.count = records;
    this.#body = body;
    this.#keys = keys;
  }

  /** In the order in which they were packed. */
  *records(): Generator<SubRecord> {
    for (const fields = new Fields(this.#body); fields.next();) {
      if (fields.number !== RECORDS) continue;
      const { key, dataAt, dataEnd } = readRecord(this.#body, fields.valueAt, fields.end) as PackedRecord;
      const itsKey = this.#body.subarray(this.#keys[key * 2], this.#keys[key * 2 + 1]);
      yield { key: itsKey, data: this.#body.subarray(dataAt, dataEnd) };
    }
  }
}

/** The parts of a body, looked at some at a time. */
class Parts {
  readonly #body: Uint8Array;
  readonly #fields: Fields;
  /** Where each key of the table begins and ends. */
  readonly keys: number[] = [];
  records = 0;
  #hashKeys = 0;
  #keysNamed = 0;
  #hashKeysNamed = 0;
  #isRefused = false;

  constructor(body: Uint8Array) {
    this.#body = body;
    this.#fields = new Fields(body);
  }

  /** Whether the body is well formed, and its records name only what its tables hold; known once all was read. */
  get areWhole(): boolean {
    if (this.#isRefused || this.#fields.isMalformed || this.records === 0) return false;
    const isKnown = this.#keysNamed <= this.#keyCount && this.#hashKeysNamed <= this.#hashKeys;
    return isKnown && this.records <= RECORDS_MAX && this.#keyCount <= RECORDS_MAX;
  }

  get #keyCount(): number {
    return this.keys.length / 2;
  }

  /** Reads on; false when all was read, or enough to refuse it. */
  readSome(): boolean {
    for (let part = 0; part < PARTS_PER_TURN; part += 1) {
      if (!this.#fields.next()) return false;
      this.#isRefused = !this.#take();
      if (this.#isRefused) return false;
    }
    return true;
  }

  #take(): boolean {
    const { number, isBytes, valueAt, end } = this.#fields;
    if (number !== KEY_TABLE && number !== HASH_KEY_TABLE && number !== RECORDS) return true;
    if (!isBytes || this.records > RECORDS_MAX || this.#keyCount > RECORDS_MAX) return false;
    if (number === KEY_TABLE) {
      if (!isKey(this.#fields.bytes)) return false;
      this.keys.push(valueAt, end);
    } else if (number === HASH_KEY_TABLE) this.#hashKeys += 1;
    else {
      const record = readRecord(this.#body, valueAt, end);
      if (record === undefined) return false;
      this.records += 1;
      this.#keysNamed = Math.max(this.#keysNamed, record.key + 1);
      this.#hashKeysNamed = Math.max(this.#hashKeysNamed, record.hashKey + 1);
    }
    return true;
  }
}

/** Whether bytes can be a partition key: such a one is not copied for each of its records at any length. */
function isKey(bytes: Uint8Array): boolean {
  if (bytes.length < 1 || bytes.length > KEY_BYTES_MAX) return false;
  if (bytes.length <= KEY_CHARACTERS_MAX) return true;
  let characters = 0;
  // Every character has one byte that does not go on with another one.
  for (const byte of bytes) if ((byte & 0xc0) !== 0x80) characters += 1;
  return characters <= KEY_CHARACTERS_MAX;
}

/** Places in the tables, -1: no hash key; and of the data in the body. */
interface PackedRecord {
  readonly key: number;
  readonly hashKey: number;
  readonly dataAt: number;
  readonly dataEnd: number;
}

function readRecord(body: Uint8Array, from: number, to: number): PackedRecord | undefined {
  let key = -1;
  let hashKey = -1;
  let [dataAt, dataEnd] = [-1, -1];
  const fields = new Fields(body, from, to);
  while (fields.next()) {
    const { number } = fields;
    if (number === DATA && fields.isBytes) [dataAt, dataEnd] = [fields.valueAt, fields.end];
    else if (number === KEY_INDEX && fields.isInteger) key = fields.integer;
    else if (number === HASH_KEY_INDEX && fields.isInteger) hashKey = fields.integer;
    else if (number <= DATA) return undefined;
  }
  return fields.isMalformed || dataAt < 0 || key < 0 ? undefined : { key, hashKey, dataAt, dataEnd };
}
