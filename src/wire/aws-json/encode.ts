import { encodeBase64 } from '../../kernel/bytes/base64.ts';
import { memberSchema } from '../../kernel/schema/shapes.ts';
import type { Schema } from '../../kernel/schema/declare.ts';

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

function mapValues<T>(values: Readonly<Record<string, T>> | object, map: (value: T, name: string) => unknown): object {
  const entries = Object.entries(values as Readonly<Record<string, T>>);
  return Object.fromEntries(entries.map(([name, value]) => [name, map(value, name)]));
}
