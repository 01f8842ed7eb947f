import { RequestError } from '../../kernel/errors.ts';
import type { AwsForm } from '../../kernel/schema/aws-types.ts';
import type { Schema } from '../../kernel/schema/declare.ts';
import type { WholeBody } from '../../ports/http.ts';
import { encodeAwsJson, jsonPieces } from './encode.ts';
import { holdsTooManyValues } from './values-bound.ts';

/** How a protocol of this family writes values; all else of them is the same. */
export interface AwsCodec {
  /** Of requests and answers. */
  readonly contentType: string;
  /** What the values of `parse` look like, and what operations write themselves. */
  readonly form: AwsForm;
  /** Throws RequestError `SerializationException`, without a message as AWS answers to what is no value at all. */
  parse(body: Uint8Array): unknown;
  /** A value of the shape. */
  value(schema: Schema, value: unknown): WholeBody;
  /** The same in pieces, each of which is little work, however long its lists are. */
  pieces(schema: Schema, value: unknown): Iterable<Uint8Array>;
  /** The names of members and their texts. */
  members(value: Readonly<Record<string, string>>): WholeBody;
}

const ESCAPED_SURROGATE = /\\u[dD][89a-fA-F]/;
/** Half a pair. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/** Half a pair can only come escaped; it is no character, and would be stored as another one than was sent. */
function isWellFormed(value: unknown): boolean {
  if (typeof value === 'string') return !LONE_SURROGATE.test(value);
  if (typeof value !== 'object' || value === null) return true;
  return Object.entries(value).every(([name, inner]) => !LONE_SURROGATE.test(name) && isWellFormed(inner));
}

/** JSON 1.1, and its older sisters under their own names. */
export function jsonCodec(contentType: string): AwsCodec {
  return {
    contentType,
    form: 'text',
    parse: (body) => {
      if (holdsTooManyValues(body)) throw new RequestError('SerializationException', '');
      try {
        const text = new TextDecoder('utf-8', { fatal: true }).decode(body);
        const value: unknown = JSON.parse(text);
        if (!ESCAPED_SURROGATE.test(text) || isWellFormed(value)) return value;
      } catch {
        // Answered below, as half a character is.
      }
      throw new RequestError('SerializationException', '');
    },
    value: (schema, value) => JSON.stringify(encodeAwsJson(schema, value)),
    pieces: jsonPieces,
    members: (value) => JSON.stringify(value),
  };
}
