import { createHash } from 'node:crypto';

/** A record as a producer packs it; an index into the table of keys. */
export interface Packed {
  readonly key: number;
  readonly hashKey?: number;
  readonly data: string | Uint8Array;
  readonly tags?: readonly (readonly [string, string])[];
}

/** What the Kinesis Producer Library would write: magic bytes, message, digest. */
export function aggregated(
  keys: readonly string[],
  records: readonly Packed[],
  hashKeys: readonly string[] = [],
): Buffer {
  return sealed(
    Buffer.concat([
      ...keys.map((key) => bytesField(1, key)),
      ...hashKeys.map((key) => bytesField(2, key)),
      ...records.map((record) => bytesField(3, packed(record))),
    ]),
  );
}

/** Magic bytes and the right digest around any message. */
export function sealed(message: Uint8Array): Buffer {
  const digest = createHash('md5').update(message).digest();
  return Buffer.concat([Buffer.from('f3899ac2', 'hex'), message, digest]);
}

function packed({ key, hashKey, data, tags = [] }: Packed): Buffer {
  return Buffer.concat([
    integerField(1, key),
    ...(hashKey === undefined ? [] : [integerField(2, hashKey)]),
    bytesField(3, data),
    ...tags.map(([name, value]) => bytesField(4, Buffer.concat([bytesField(1, name), bytesField(2, value)]))),
  ]);
}

/** A field of protocol buffers that holds bytes. */
export function bytesField(number: number, value: string | Uint8Array): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes]);
}

/** A field of protocol buffers that holds a whole number. */
export function integerField(number: number, value: number): Buffer {
  return Buffer.concat([varint(number * 8), varint(value)]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Buffer.from([...bytes, rest]);
}
