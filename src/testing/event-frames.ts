import assert from 'node:assert/strict';

/** One frame as a client reads it. */
export interface ReadFrame {
  readonly headers: Readonly<Record<string, string>>;
  readonly payload: string;
  /** The payload as it came. */
  readonly bytes: Uint8Array;
}

/** The whole frames at the beginning of some bytes of `application/vnd.amazon.eventstream`, with both sums checked. */
export function readFrames(bytes: Uint8Array): { readonly frames: readonly ReadFrame[]; readonly rest: Buffer } {
  let rest = Buffer.from(bytes);
  const frames: ReadFrame[] = [];
  while (rest.length >= 16 && rest.length >= rest.readUInt32BE(0)) {
    const frame = rest.subarray(0, rest.readUInt32BE(0));
    rest = rest.subarray(frame.length);
    frames.push(readFrame(frame));
  }
  return { frames, rest };
}

function readFrame(frame: Buffer): ReadFrame {
  const headerBytes = frame.readUInt32BE(4);
  assert.equal(frame.readUInt32BE(8), crcOf(frame.subarray(0, 8)), 'the CRC of the prelude');
  assert.equal(frame.readUInt32BE(frame.length - 4), crcOf(frame.subarray(0, -4)), 'the CRC of the message');
  const bytes = frame.subarray(12 + headerBytes, frame.length - 4);
  return { headers: readHeaders(frame.subarray(12, 12 + headerBytes)), payload: bytes.toString(), bytes };
}

function readHeaders(bytes: Buffer): Record<string, string> {
  const headers: Record<string, string> = {};
  for (let at = 0; at < bytes.length;) {
    const nameEnd = at + 1 + (bytes[at] ?? 0);
    assert.equal(bytes[nameEnd], 7, 'values are text');
    const end = nameEnd + 3 + bytes.readUInt16BE(nameEnd + 1);
    headers[bytes.toString('utf8', at + 1, nameEnd)] = bytes.toString('utf8', nameEnd + 3, end);
    at = end;
  }
  return headers;
}

/** CRC-32 bit by bit: an oracle that shares nothing with what it judges. */
function crcOf(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}
