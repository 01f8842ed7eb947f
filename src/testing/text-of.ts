import type { HttpBody } from '../ports/http.ts';

/** The text of a body that is all there. */
export function textOf(body: HttpBody): string {
  if (typeof body === 'string') return body;
  if ('pieces' in body) throw new TypeError('this body is made while it is sent');
  return Buffer.concat([body].flat()).toString();
}
