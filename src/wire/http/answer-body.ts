import type { Writable } from 'node:stream';
import type { HttpBody, HttpStream, WholeBody } from '../../ports/http.ts';

/** Whether the body is made while it is sent. */
export function isStreamed(body: HttpBody): body is HttpStream {
  return typeof body === 'object' && 'pieces' in body;
}

/** Length of a body, in bytes. */
export function bodyBytes(body: WholeBody): number {
  if (typeof body === 'string') return Buffer.byteLength(body);
  return body instanceof Uint8Array ? body.length : body.reduce((sum, piece) => sum + piece.length, 0);
}

/** Writes a body, piece after piece; nothing when it is empty. */
export function writeBody(to: Writable, body: WholeBody): void {
  if (typeof body === 'string' || body instanceof Uint8Array) {
    if (body.length > 0) to.write(body);
  } else for (const piece of body) to.write(piece);
}

/** The bytes of a body in turn, none of them more than `maxBytes` at once: no copies. */
export function* bodySlices(body: WholeBody, maxBytes: number): Generator<Uint8Array> {
  const pieces = typeof body === 'string' ? [Buffer.from(body)] : body instanceof Uint8Array ? [body] : body;
  for (const piece of pieces) {
    for (let at = 0; at < piece.length; at += maxBytes) yield piece.subarray(at, at + maxBytes);
  }
}
