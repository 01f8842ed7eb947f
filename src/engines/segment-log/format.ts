import { crc32 } from 'node:zlib';
import { EnvironmentError } from '../../kernel/errors.ts';

/** The on-disk format this code writes, and the newest it reads. */
export const FORMAT_VERSION = 2;
/** Bytes of a segment file's header. */
export const SEGMENT_HEADER_BYTES = 40;
/** Bytes of a commit's header. */
export const COMMIT_HEADER_BYTES = 64;
/** Bytes of an extent's header. */
export const EXTENT_HEADER_BYTES = 48;
/** First bytes of a commit: `cm` and two bytes that never occur in UTF-8. */
export const COMMIT_MAGIC = 0xfff56d63;
/** First bytes of an extent: `ex` and two bytes that never occur in UTF-8. */
export const EXTENT_MAGIC = 0xfff57865;
const SEGMENT_MAGIC = Buffer.from('millrace', 'latin1');

/** The extent says who its shard is and how far it had come; it holds no records. */
export const FLAG_DEFINE = 1;
/** Nothing follows in this shard. */
export const FLAG_END = 2;
/** The shard was dropped: all it ever held is garbage. */
export const FLAG_DROP = 4;
/** With DEFINE: the shard was closed before. */
export const FLAG_CLOSED = 8;

/** A place in the log, in bytes from the start of a segment's file. */
export interface LogPosition {
  readonly segment: number;
  readonly position: number;
}

/** Whether one place stands before another. */
export function isBefore(one: LogPosition, other: LogPosition): boolean {
  return one.segment < other.segment || (one.segment === other.segment && one.position < other.position);
}

/** What a segment file says about itself. `salt` keeps stored data from passing for a part of this file. */
export interface SegmentHeader {
  readonly version: number;
  readonly epoch: number;
  readonly segment: number;
  readonly salt: number;
  readonly createdAt: number;
  /** Number of the oldest segment whose records a settled file took over; 0: the file is a part of the journal. */
  readonly settledFrom: number;
}

/** What a commit says about itself; `synced` is the end of what was durable when it was written. */
export interface CommitHeader {
  readonly salt: number;
  readonly epoch: number;
  readonly segment: number;
  readonly position: number;
  readonly number: number;
  readonly at: number;
  readonly synced: LogPosition;
  readonly bodyBytes: number;
  readonly extentCount: number;
}

/** What an extent says about itself; `at` is the arrival time of its records in ms. */
export interface ExtentHeader {
  readonly shard: number;
  readonly flags: number;
  readonly count: number;
  readonly first: number;
  readonly at: number;
  readonly payloadBytes: number;
  readonly payloadCrc: number;
  /** The file's own; 0 in files of version 1. */
  readonly salt: number;
}

/** `segment-0000000007-epoch-3.log`. */
export function segmentName(segment: number, epoch: number): string {
  return `segment-${String(segment).padStart(10, '0')}-epoch-${epoch}.log`;
}

/** Number and epoch of a segment file's name, or undefined when it is none. */
export function parseSegmentName(name: string): { segment: number; epoch: number } | undefined {
  const parts = /^segment-(\d{10})-epoch-(\d{1,10})\.log$/.exec(name);
  return parts === null ? undefined : { segment: Number(parts[1]), epoch: Number(parts[2]) };
}

/** Writes a whole number below 2^53 in 8 bytes, little end first. */
export function writeU64(bytes: Buffer, value: number, at: number): void {
  bytes.writeUInt32LE(value % 0x1_0000_0000, at);
  bytes.writeUInt32LE(Math.floor(value / 0x1_0000_0000), at + 4);
}

/** Reads what writeU64 wrote. */
export function readU64(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * 0x1_0000_0000;
}

/** CRC-32 of a part of a buffer, going on from `before`. */
export function crcOf(bytes: Uint8Array, from: number, to: number, before = 0): number {
  return crc32(bytes.subarray(from, to), before);
}

/** The bytes of a segment file's header. */
export function encodeSegmentHeader(header: Omit<SegmentHeader, 'version'>): Buffer {
  const bytes = Buffer.alloc(SEGMENT_HEADER_BYTES);
  SEGMENT_MAGIC.copy(bytes);
  bytes.writeUInt32LE(FORMAT_VERSION, 8);
  bytes.writeUInt32LE(header.epoch, 12);
  bytes.writeUInt32LE(header.segment, 16);
  bytes.writeUInt32LE(header.salt, 20);
  writeU64(bytes, header.createdAt, 24);
  bytes.writeUInt32LE(header.settledFrom, 32);
  bytes.writeUInt32LE(crcOf(bytes, 0, 36), 36);
  return bytes;
}

/** The header of a segment file, or undefined when it is damaged; refuses a newer format with EOTHER. */
export function decodeSegmentHeader(bytes: Buffer, path: string): SegmentHeader | undefined {
  if (bytes.length < SEGMENT_HEADER_BYTES || !bytes.subarray(0, 8).equals(SEGMENT_MAGIC)) return undefined;
  // A wrong bit must not pass for another version: what does not match its checksum says nothing.
  if (bytes.readUInt32LE(36) !== crcOf(bytes, 0, 36)) return undefined;
  refuseNewer(bytes.readUInt32LE(8), path);
  return {
    version: bytes.readUInt32LE(8),
    epoch: bytes.readUInt32LE(12),
    segment: bytes.readUInt32LE(16),
    salt: bytes.readUInt32LE(20),
    createdAt: readU64(bytes, 24),
    settledFrom: bytes.readUInt32LE(32),
  };
}

/** Raises EOTHER when `version` is one that only a newer millrace can read. */
export function refuseNewer(version: number, path: string, newest = FORMAT_VERSION): void {
  if (version <= newest) return;
  throw new EnvironmentError(
    'EOTHER',
    `${path} has on-disk format ${version}, written by a newer millrace; this one reads up to ${newest}`,
  );
}

/** Writes a commit's header at the start of `bytes`. */
export function encodeCommitHeader(bytes: Buffer, header: CommitHeader): void {
  bytes.writeUInt32LE(COMMIT_MAGIC, 0);
  bytes.writeUInt32LE(FORMAT_VERSION, 4);
  bytes.writeUInt32LE(header.salt, 8);
  bytes.writeUInt32LE(header.epoch, 12);
  bytes.writeUInt32LE(header.segment, 16);
  bytes.writeUInt32LE(header.position, 20);
  writeU64(bytes, header.number, 24);
  writeU64(bytes, header.at, 32);
  bytes.writeUInt32LE(header.synced.segment, 40);
  bytes.writeUInt32LE(header.synced.position, 44);
  bytes.writeUInt32LE(header.bodyBytes, 48);
  bytes.writeUInt32LE(header.extentCount, 52);
  bytes.writeUInt32LE(0, 56);
  bytes.writeUInt32LE(crcOf(bytes, 0, 60), 60);
}

/** The version of the commit header at `at`, or undefined when there is no whole one; `bytes` must reach that far. */
export function commitVersionAt(bytes: Buffer, at: number): number | undefined {
  if (bytes.readUInt32LE(at) !== COMMIT_MAGIC) return undefined;
  return bytes.readUInt32LE(at + 60) === crcOf(bytes, at, at + 60) ? bytes.readUInt32LE(at + 4) : undefined;
}

/** The commit header at `at`, or undefined when there is none that this code reads; `bytes` must reach that far. */
export function decodeCommitHeader(bytes: Buffer, at: number): CommitHeader | undefined {
  if ((commitVersionAt(bytes, at) ?? Infinity) > FORMAT_VERSION) return undefined;
  return {
    salt: bytes.readUInt32LE(at + 8),
    epoch: bytes.readUInt32LE(at + 12),
    segment: bytes.readUInt32LE(at + 16),
    position: bytes.readUInt32LE(at + 20),
    number: readU64(bytes, at + 24),
    at: readU64(bytes, at + 32),
    synced: { segment: bytes.readUInt32LE(at + 40), position: bytes.readUInt32LE(at + 44) },
    bodyBytes: bytes.readUInt32LE(at + 48),
    extentCount: bytes.readUInt32LE(at + 52),
  };
}

/** Writes an extent's header at `at`. */
export function encodeExtentHeader(bytes: Buffer, at: number, header: ExtentHeader): void {
  bytes.writeUInt32LE(EXTENT_MAGIC, at);
  bytes.writeUInt32LE(header.shard, at + 4);
  bytes.writeUInt32LE(header.flags, at + 8);
  bytes.writeUInt32LE(header.count, at + 12);
  writeU64(bytes, header.first, at + 16);
  writeU64(bytes, header.at, at + 24);
  bytes.writeUInt32LE(header.payloadBytes, at + 32);
  bytes.writeUInt32LE(header.payloadCrc, at + 36);
  bytes.writeUInt32LE(header.salt, at + 40);
  bytes.writeUInt32LE(crcOf(bytes, at, at + 44), at + 44);
}

/** The extent header at `at`, or undefined when there is no whole one; `bytes` must reach that far. */
export function decodeExtentHeader(bytes: Buffer, at: number): ExtentHeader | undefined {
  if (bytes.readUInt32LE(at) !== EXTENT_MAGIC) return undefined;
  if (bytes.readUInt32LE(at + 44) !== crcOf(bytes, at, at + 44)) return undefined;
  return {
    shard: bytes.readUInt32LE(at + 4),
    flags: bytes.readUInt32LE(at + 8),
    count: bytes.readUInt32LE(at + 12),
    first: readU64(bytes, at + 16),
    at: readU64(bytes, at + 24),
    payloadBytes: bytes.readUInt32LE(at + 32),
    payloadCrc: bytes.readUInt32LE(at + 36),
    salt: bytes.readUInt32LE(at + 40),
  };
}

/** A place in the log that does not hold what was written there; code EIO. */
export class DamagedLog extends EnvironmentError {
  constructor(path: string, position: number, what: string) {
    super('EIO', `the log is damaged: ${path} at byte ${position}: ${what}`);
  }
}

/** The error for a place in the log that does not hold what was written there. */
export function damage(path: string, position: number, what: string): DamagedLog {
  return new DamagedLog(path, position, what);
}
