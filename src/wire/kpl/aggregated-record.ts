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

/**
 * The records that the Kinesis Producer Library packed into one; undefined for what it did not make: without its first
 * bytes, with a digest that does not fit, malformed or empty, with a key that no record may have, or with more than
 * 100,000 records or keys. Such bytes are a record like any other.
 */
export function openAggregatedRecord(bytes: Uint8Array): AggregatedRecord | undefined {
  const to = bytes.length - DIGEST_BYTES;
  if (to <= MAGIC.length || MAGIC.some((byte, index) => bytes[index] !== byte)) return undefined;
  const body = bytes.subarray(MAGIC.length, to);
  const counts = countParts(body);
  if (counts === undefined) return undefined;
  const digest = createHash('md5').update(body).digest();
  return digest.equals(bytes.subarray(to)) ? new AggregatedRecord(body, counts) : undefined;
}

/** How many parts of each kind a body holds. */
interface Counts {
  readonly keys: number;
  readonly records: number;
}

/** Records in one record. No object is kept for each one: millions of tiny ones fit into a large record. */
export class AggregatedRecord {
  readonly count: number;
  readonly #body: Uint8Array;
  /** Where each key of the table begins and ends. */
  readonly #keys: Uint32Array;

  constructor(body: Uint8Array, { keys, records }: Counts) {
    this.count = records;
    this.#body = body;
    this.#keys = new Uint32Array(keys * 2);
    let at = 0;
    for (const fields = new Fields(body); fields.next();) {
      if (fields.number !== KEY_TABLE) continue;
      this.#keys[at] = fields.valueAt;
      this.#keys[at + 1] = fields.end;
      at += 2;
    }
  }

  /** In the order in which they were packed. */
  *records(): Generator<SubRecord> {
    for (const fields = new Fields(this.#body); fields.next();) {
      if (fields.number !== RECORDS) continue;
      const { key, data } = readRecord(fields.bytes) as PackedRecord;
      yield { key: this.#body.subarray(this.#keys[key * 2], this.#keys[key * 2 + 1]), data };
    }
  }
}

/** The parts of a well-formed body whose records name only what its tables hold; else undefined. */
function countParts(body: Uint8Array): Counts | undefined {
  let keys = 0;
  let hashKeys = 0;
  let records = 0;
  let keysNamed = 0;
  let hashKeysNamed = 0;
  const fields = new Fields(body);
  while (fields.next()) {
    const { number } = fields;
    if (number !== KEY_TABLE && number !== HASH_KEY_TABLE && number !== RECORDS) continue;
    if (!fields.isBytes || records > RECORDS_MAX || keys > RECORDS_MAX) return undefined;
    if (number === KEY_TABLE) {
      if (!isKey(fields.bytes)) return undefined;
      keys += 1;
    } else if (number === HASH_KEY_TABLE) hashKeys += 1;
    else {
      const record = readRecord(fields.bytes);
      if (record === undefined) return undefined;
      records += 1;
      keysNamed = Math.max(keysNamed, record.key + 1);
      hashKeysNamed = Math.max(hashKeysNamed, record.hashKey + 1);
    }
  }
  const isWhole = !fields.isMalformed && records > 0 && records <= RECORDS_MAX && keys <= RECORDS_MAX;
  const isKnown = keysNamed <= keys && hashKeysNamed <= hashKeys;
  return isWhole && isKnown ? { keys, records } : undefined;
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

/** Places in the tables; -1: no hash key. */
interface PackedRecord {
  readonly key: number;
  readonly hashKey: number;
  readonly data: Uint8Array;
}

function readRecord(bytes: Uint8Array): PackedRecord | undefined {
  let key = -1;
  let hashKey = -1;
  let data: Uint8Array | undefined;
  const fields = new Fields(bytes);
  while (fields.next()) {
    const { number } = fields;
    if (number === DATA && fields.isBytes) data = fields.bytes;
    else if (number === KEY_INDEX && fields.isInteger) key = fields.integer;
    else if (number === HASH_KEY_INDEX && fields.isInteger) hashKey = fields.integer;
    else if (number <= DATA) return undefined;
  }
  return fields.isMalformed || data === undefined || key < 0 ? undefined : { key, hashKey, data };
}
