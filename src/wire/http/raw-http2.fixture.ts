import type { Peer } from './sockets.fixture.ts';

/** Frame types (RFC 9113, 6). */
export const frames = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  ping: 6,
  goaway: 7,
  window: 8,
  continuation: 9,
};
export const END_STREAM = 1;
export const END_HEADERS = 4;

/** What every sender begins with: the preface and empty settings. */
export const hello = (): Buffer =>
  Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), frame(frames.settings, 0, 0)]);

/** One frame. */
export function frame(type: number, flags: number, stream: number, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** Header block of a POST to localhost, without compression; more fields behind. */
export function block(fields: readonly (readonly [name: string, value: string])[] = []): Buffer {
  const literals = fields.map(([name, value]) => Buffer.concat([Buffer.from([0]), text(name), text(value)]));
  return Buffer.concat([Buffer.from([0x83, 0x86, 0x84, 0x01]), text('localhost'), ...literals]);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  if (bytes.length < 127) return Buffer.concat([Buffer.from([bytes.length]), bytes]);
  const rest: number[] = [127];
  let left = bytes.length - 127;
  for (; left >= 128; left = Math.floor(left / 128)) rest.push((left % 128) + 128);
  return Buffer.concat([Buffer.from([...rest, left]), bytes]);
}

/** The number as four bytes. */
export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** The frames that came back; of a reset or a farewell, its code. */
export function heard(peer: Peer): {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly code: number | undefined;
  readonly payload: Buffer;
}[] {
  const bytes = peer.bytes();
  const found = [];
  for (let at = 0; at + 9 <= bytes.length;) {
    const length = bytes.readUIntBE(at, 3);
    const payload = bytes.subarray(at + 9, at + 9 + length);
    const type = bytes[at + 3] ?? 0;
    const code =
      type === frames.goaway ? payload.readUInt32BE(4) : type === frames.reset ? payload.readUInt32BE(0) : undefined;
    found.push({ type, flags: bytes[at + 4] ?? 0, stream: bytes.readUInt32BE(at + 5), code, payload });
    at += 9 + length;
  }
  return found;
}
