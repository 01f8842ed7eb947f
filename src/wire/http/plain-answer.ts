import type { HttpAnswer } from '../../ports/http.ts';

/** An answer in our own words, for what no protocol of a capability covers. */
export function plainAnswer(
  status: number,
  code: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): HttpAnswer {
  const body = `${JSON.stringify({ error: code, message })}\n`;
  return { status, headers: { 'content-type': 'application/json', ...headers }, body };
}
