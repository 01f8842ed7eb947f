import type { Writable } from 'node:stream';
import type { HttpBody } from '../../ports/http.ts';

/** Length of a body, in bytes. */
export function bodyBytes(body: HttpBody): number {
  if (typeof body === 'string') return Buffer.byteLength(body);
  return body instanceof Uint8Array ? body.length : body.reduce((sum, piece) => sum + piece.length, 0);
}

/** Writes a body, piece after piece; nothing when it is empty. */
export function writeBody(to: Writable, body: HttpBody): void {
  if (typeof body === 'string' || body instanceof Uint8Array) {
    if (body.length > 0) to.write(body);
  } else for (const piece of body) to.write(piece);
}
