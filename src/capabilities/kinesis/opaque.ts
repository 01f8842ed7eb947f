import { createHash } from 'node:crypto';
import { parseJson } from '../../kernel/json.ts';

const CHECK_BYTES = 8;
const VERSION = 1;
const HEAD = Buffer.from([0, 0, 0, 0, 0, 0, 0, VERSION]);

/** Eight bytes that tell a body of this kind from others and from garbage; no signature. */
export function checkSum(kind: string, body: Uint8Array): Buffer {
  return createHash('sha256').update(`millrace ${kind} ${VERSION}\n`).update(body).digest().subarray(0, CHECK_BYTES);
}

/**
 * An opaque text that carries `value`: base64 of its JSON behind a check sum, so that garbage, other versions and the
 * texts of another kind are told apart. It protects against accidents; it is no signature.
 */
export function sealOpaque(kind: string, value: Readonly<Record<string, unknown>>): string {
  const body = Buffer.from(JSON.stringify(value));
  return Buffer.concat([HEAD, checkSum(kind, body), body]).toString('base64');
}

/** What sealOpaque was given, or undefined for any other text. */
export function openOpaque(kind: string, text: string): Readonly<Record<string, unknown>> | undefined {
  const bytes = Buffer.from(text, 'base64');
  // Node skips what is no base64: only the text that comes out again is ours.
  if (bytes.toString('base64') !== text || !bytes.subarray(0, HEAD.length).equals(HEAD)) return undefined;
  const body = bytes.subarray(HEAD.length + CHECK_BYTES);
  if (!checkSum(kind, body).equals(bytes.subarray(HEAD.length, HEAD.length + CHECK_BYTES))) return undefined;
  return parseObject(body.toString());
}

/** Whoever knows the format can seal what we never would. */
function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  const value = parseJson(text);
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
}
