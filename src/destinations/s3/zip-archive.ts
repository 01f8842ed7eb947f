import { Defect } from '../../kernel/errors.ts';

/** What an archive says of the one file in it. */
export interface ZipEntry {
  /** ASCII. */
  readonly name: string;
  /** Its time in ms, shown in UTC, since 1980 in steps of two seconds. */
  readonly at: number;
}

const MEMBER_HEAD_BYTES = 10;
const MEMBER_TAIL_BYTES = 8;
/** Beyond it an archive needs the larger records of ZIP64. */
const SIZE_BYTES_MAX = 0xffffffff;
const LOCAL_HEADER_BYTES = 30;
const DESCRIPTOR_BYTES = 16;
const CENTRAL_HEADER_BYTES = 46;
const END_BYTES = 22;
/** Deflate needs version 2.0. */
const VERSION = 20;
/** Sizes follow the data; the name is UTF-8. */
const FLAGS = 0x0808;
const DEFLATED = 8;
const FIRST_YEAR = 1980;

/** What stands in front of the file's name in both headers: version, flags, method, time, checksum, sizes. */
interface Described {
  readonly checksum: number;
  readonly packedBytes: number;
  readonly sizeBytes: number;
}

/**
 * An archive of one deflated file, as java.util.zip writes it to a stream, made of a gzip member with a head of ten
 * bytes: the deflate stream is the same, and the checksum and the size stand at the member's end.
 */
export async function* zipArchive(member: AsyncIterable<Uint8Array>, entry: ZipEntry): AsyncGenerator<Uint8Array> {
  yield localHeader(entry);
  let seenBytes = 0;
  let held = Buffer.alloc(0);
  for await (const chunk of member) {
    const skipped = Math.min(chunk.length, Math.max(0, MEMBER_HEAD_BYTES - seenBytes));
    seenBytes += chunk.length;
    const known = Buffer.concat([held, chunk.subarray(skipped)]);
    held = known.subarray(Math.max(0, known.length - MEMBER_TAIL_BYTES));
    if (known.length > held.length) yield known.subarray(0, known.length - held.length);
  }
  const packedBytes = seenBytes - MEMBER_HEAD_BYTES - MEMBER_TAIL_BYTES;
  if (packedBytes > SIZE_BYTES_MAX) throw new Defect('an object beyond 4 GiB');
  const described = { checksum: held.readUInt32LE(0), packedBytes, sizeBytes: held.readUInt32LE(4) };
  yield descriptor(described);
  yield directory(entry, described);
}

function localHeader(entry: ZipEntry): Buffer {
  const header = Buffer.alloc(LOCAL_HEADER_BYTES);
  header.writeUInt32LE(0x04034b50, 0);
  describe(header, 4, entry, { checksum: 0, packedBytes: 0, sizeBytes: 0 });
  return Buffer.concat([header, Buffer.from(entry.name)]);
}

function describe(header: Buffer, at: number, entry: ZipEntry, described: Described): void {
  const { time, date } = dosTime(entry.at);
  [VERSION, FLAGS, DEFLATED, time, date].forEach((value, index) => header.writeUInt16LE(value, at + 2 * index));
  sizes(header, at + 10, described);
  header.writeUInt16LE(Buffer.byteLength(entry.name), at + 22);
}

function sizes(into: Buffer, at: number, { checksum, packedBytes, sizeBytes }: Described): void {
  [checksum, packedBytes, sizeBytes].forEach((value, index) => into.writeUInt32LE(value, at + 4 * index));
}

function descriptor(described: Described): Buffer {
  const bytes = Buffer.alloc(DESCRIPTOR_BYTES);
  bytes.writeUInt32LE(0x08074b50, 0);
  sizes(bytes, 4, described);
  return bytes;
}

function directory(entry: ZipEntry, described: Described): Buffer {
  const header = Buffer.alloc(CENTRAL_HEADER_BYTES);
  header.writeUInt32LE(0x02014b50, 0);
  header.writeUInt16LE(VERSION, 4);
  describe(header, 6, entry, described);
  const name = Buffer.from(entry.name);
  const end = Buffer.alloc(END_BYTES);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(header.length + name.length, 12);
  end.writeUInt32LE(LOCAL_HEADER_BYTES + name.length + described.packedBytes + DESCRIPTOR_BYTES, 16);
  return Buffer.concat([header, name, end]);
}

function dosTime(ms: number): { readonly time: number; readonly date: number } {
  const shown = new Date(Math.max(ms, Date.UTC(FIRST_YEAR, 0, 1)));
  const time = (shown.getUTCHours() << 11) | (shown.getUTCMinutes() << 5) | (shown.getUTCSeconds() >> 1);
  const year = shown.getUTCFullYear() - FIRST_YEAR;
  return { time, date: (year << 9) | ((shown.getUTCMonth() + 1) << 5) | shown.getUTCDate() };
}
