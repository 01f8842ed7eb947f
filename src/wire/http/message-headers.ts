import type { HeaderLine, HttpAnswer } from '../../ports/http.ts';
import { httpLimits } from './limits.ts';
import { plainAnswer } from './plain-answer.ts';

/**
 * The platform hides what is doubled and what is too much, and so keeps from our checks what others may have gone by:
 * a second Host, or an Origin behind the last header that it looks at.
 */
export function refusesHeaders(rawHeaders: readonly string[]): HttpAnswer | undefined {
  if (rawHeaders.length > 2 * httpLimits.headersMax) {
    return plainAnswer(431, 'RequestHeaderFieldsTooLarge', `a request has at most ${httpLimits.headersMax} headers`);
  }
  let hosts = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? '';
    if (name.length === 4 && name.toLowerCase() === 'host') hosts += 1;
  }
  return hosts > 1 ? plainAnswer(400, 'BadRequest', 'a request has one Host') : undefined;
}

/** The headers one by one; what HTTP/2 begins with a colon is none. `rawHeaders`: names and values in turn. */
export function headerLines(rawHeaders: readonly string[]): HeaderLine[] {
  const lines: HeaderLine[] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const [name = '', value = ''] = rawHeaders.slice(at, at + 2);
    if (!name.startsWith(':')) lines.push([name, value]);
  }
  return lines;
}

/** The headers by lower-case name, repeated ones joined with `, `; what HTTP/2 begins with a colon is none. */
export function plainHeaders(
  given: Readonly<Record<string, string | readonly string[] | number | undefined>>,
): Record<string, string> {
  const headers: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined || name.startsWith(':')) continue;
    headers[name] = typeof value === 'object' ? value.join(', ') : String(value);
  }
  return headers;
}
