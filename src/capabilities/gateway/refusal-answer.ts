import type { RequestError } from '../../kernel/errors.ts';
import type { HttpAnswer } from '../../ports/http.ts';
import { sentences } from './errors.ts';

/** A JSON value as an answer. */
export function jsonAnswer(status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): HttpAnswer {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(value) };
}

/** What the sender is told of a refusal: code and sentence of the closed list. */
export function refusalAnswer({ status, code, headers }: RequestError): HttpAnswer {
  const message = Object.hasOwn(sentences, code) ? sentences[code as keyof typeof sentences] : 'the request is refused';
  return jsonAnswer(status, { error: code, message }, headers);
}
