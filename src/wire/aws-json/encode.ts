import { encodeBase64 } from '../../kernel/bytes/base64.ts';
import { memberSchema } from '../../kernel/schema/shapes.ts';
import type { Schema } from '../../kernel/schema/declare.ts';
import { holdsLongList, LIST_PIECE_ITEMS } from './long-lists.ts';

/** A value as AWS's JSON 1.1 writes it: bytes as base64, times as epoch seconds; what has no shape is left out. */
export function encodeAwsJson(schema: Schema, value: unknown): unknown {
  if (value === undefined || value === null) return undefined;
  switch (schema.kind) {
    case 'blob':
      return encodeBase64(value as Uint8Array);
    case 'timestamp':
      return (value as number) / 1000;
    case 'list':
      return (value as readonly unknown[]).map((item) => encodeAwsJson(schema.item, item));
    case 'map':
      return mapValues(value, (item) => encodeAwsJson(schema.value, item));
    case 'struct': {
      const given = value as Readonly<Record<string, unknown>>;
      return mapValues(schema.members, (member, name) => encodeAwsJson(memberSchema(member), given[name]));
    }
    default:
      return value;
  }
}

/** The text of encodeAwsJson's value in pieces: long lists, where they are not inside of others, are divided. */
export function* jsonPieces(schema: Schema, value: unknown): Generator<Uint8Array> {
  for (const text of texts(schema, value)) yield Buffer.from(text);
}

function* texts(schema: Schema, value: unknown): Generator<string> {
  if (!holdsLongList(schema, value)) {
    yield JSON.stringify(encodeAwsJson(schema, value));
  } else if (schema.kind === 'list') {
    const items = value as readonly unknown[];
    for (let from = 0; from < items.length; from += LIST_PIECE_ITEMS) {
      const some = encodeAwsJson(schema, items.slice(from, from + LIST_PIECE_ITEMS));
      yield `${from === 0 ? '[' : ','}${JSON.stringify(some).slice(1, -1)}`;
    }
    yield ']';
  } else if (schema.kind === 'struct') {
    let before = '{';
    for (const [name, member] of Object.entries(schema.members)) {
      const inner = (value as Readonly<Record<string, unknown>>)[name];
      if (inner === undefined || inner === null) continue;
      yield `${before}${JSON.stringify(name)}:`;
      yield* texts(memberSchema(member), inner);
      before = ',';
    }
    yield '}';
  }
}

function mapValues<T>(values: Readonly<Record<string, T>> | object, map: (value: T, name: string) => unknown): object {
  const mapped: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(values as Readonly<Record<string, T>>)) {
    const inner = map(value, name);
    if (inner !== undefined) define(mapped, name, inner);
  }
  return mapped;
}

/** Also a name that objects have a meaning for. */
function define(object: Record<string, unknown>, name: string, value: unknown): void {
  if (name === '__proto__') Object.defineProperty(object, name, { value, enumerable: true });
  else object[name] = value;
}
