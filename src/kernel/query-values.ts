import { RequestError } from './errors.ts';
import { isoTime } from './iso-time.ts';

/** A whole number of a query; undefined when it is absent. RequestError BadRequest for any other text. */
export function wholeNumber(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  if (!/^\d{1,15}$/.test(text)) throw new RequestError('BadRequest', `${name} is a whole number`);
  return Number(text);
}

/** A time of a query, in ms; undefined when it is absent. RequestError BadRequest for any other text. */
export function timeValue(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  const time = isoTime(text);
  if (time === undefined) throw new RequestError('BadRequest', `${name} is a time such as 2026-01-31T12:00:00Z`);
  return time;
}

/** Whether a query says `true`; what is absent is false. RequestError BadRequest for any other text. */
export function flagValue(query: URLSearchParams, name: string): boolean {
  const text = query.get(name) ?? 'false';
  if (text !== 'true' && text !== 'false') throw new RequestError('BadRequest', `${name} is true or false`);
  return text === 'true';
}
