import { asBuffer } from './bytes/as-buffer.ts';

/** A JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** The value of a JSON text, or of one in UTF-8; undefined, which JSON has not, when it is none. */
export function parseJson(text: string | Uint8Array): unknown {
  try {
    return JSON.parse(typeof text === 'string' ? text : asBuffer(text).toString()) as unknown;
  } catch {
    return undefined;
  }
}

/** Whether a value read from JSON is a mapping. */
export function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The one spelling of a JSON value: members sorted by code unit, no spaces. Equal values give equal text. */
export function canonicalJson(value: Json): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const struct = value as { readonly [name: string]: Json };
  const members = Object.keys(struct)
    .sort()
    .map((name) => `${JSON.stringify(name)}:${canonicalJson(struct[name] as Json)}`);
  return `{${members.join(',')}}`;
}
