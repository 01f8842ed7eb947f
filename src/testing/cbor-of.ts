import { CborWriter } from '../wire/aws-cbor/writer.ts';

/** A time in CBOR, with tag 1 as the Java SDK writes it, or without. */
export class CborTime {
  readonly ms: number;
  readonly isTagged: boolean;

  constructor(ms: number, isTagged = true) {
    this.ms = ms;
    this.isTagged = isTagged;
  }
}

/** A value as CBOR: what JSON has, bytes, and times. */
export function cborOf(value: unknown): Uint8Array {
  const writer = new CborWriter();
  write(writer, value);
  return writer.done();
}

function write(writer: CborWriter, value: unknown): void {
  if (value instanceof Uint8Array) writer.bytes(value);
  else if (value instanceof CborTime) {
    if (value.isTagged) writer.time(value.ms);
    else writer.number(value.ms);
  } else if (Array.isArray(value)) {
    writer.list(value.length);
    for (const item of value) write(writer, item);
  } else if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value);
    writer.map(entries.length);
    for (const [name, item] of entries) {
      writer.text(name);
      write(writer, item);
    }
  } else writer.plain(value);
}
