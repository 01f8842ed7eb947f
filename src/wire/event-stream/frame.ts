import { crc32 } from 'node:zlib';

const PRELUDE_BYTES = 12;
const CRC_BYTES = 4;
/** Of a header whose value is text. */
const STRING_TYPE = 7;

/** Writes frames of one kind: all have the same headers. Names have up to 255 bytes, values up to 32,767. */
export class FrameWriter {
  readonly #headers: Buffer;

  constructor(headers: Readonly<Record<string, string>>) {
    this.#headers = Buffer.concat(Object.entries(headers).map(([name, value]) => encodeHeader(name, value)));
  }

  /**
   * A frame of `application/vnd.amazon.eventstream`: total and headers' length with their CRC-32, headers, payload, and
   * the CRC-32 of all of that. Numbers are big-endian. One piece, so that nobody ends a stream in the middle of it.
   */
  write(payload: readonly Uint8Array[]): Uint8Array {
    const headers = this.#headers;
    const payloadAt = PRELUDE_BYTES + headers.length;
    const payloadBytes = payload.reduce((sum, piece) => sum + piece.length, 0);
    const frame = Buffer.allocUnsafe(payloadAt + payloadBytes + CRC_BYTES);
    frame.writeUInt32BE(frame.length, 0);
    frame.writeUInt32BE(headers.length, 4);
    frame.writeUInt32BE(crc32(frame.subarray(0, 8)), 8);
    headers.copy(frame, PRELUDE_BYTES);
    let at = payloadAt;
    for (const piece of payload) {
      frame.set(piece, at);
      at += piece.length;
    }
    frame.writeUInt32BE(crc32(frame.subarray(0, at)), at);
    return frame;
  }
}

function encodeHeader(name: string, value: string): Buffer {
  const nameBytes = Buffer.from(name);
  const valueBytes = Buffer.from(value);
  const fixed = Buffer.from([nameBytes.length, ...nameBytes, STRING_TYPE, 0, 0]);
  fixed.writeUInt16BE(valueBytes.length, fixed.length - 2);
  return Buffer.concat([fixed, valueBytes]);
}
