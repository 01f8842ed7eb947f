import { unreachable } from '../assert.ts';
import type { Schema, StructSchema } from './declare.ts';
import { lowerFirst, memberSchema, QUOTED_TEXT_MAX, shorten } from './shapes.ts';

/** A decoded value as AWS's sentences print it (Java's text forms), cut to a bounded length. */
export function printAws(schema: Schema, value: unknown): string {
  return shorten(print(schema, value));
}

function print(schema: Schema, value: unknown): string {
  if (value === null || value === undefined) return 'null';
  switch (schema.kind) {
    case 'string':
      return schema.secret === true ? '***' : shorten(value as string);
    case 'blob': {
      const { length } = value as Uint8Array;
      return `java.nio.HeapByteBuffer[pos=0 lim=${length} cap=${length}]`;
    }
    case 'list': {
      const { item } = schema;
      return printAll('[', value as readonly unknown[], ']', (one) => print(item, one));
    }
    case 'map': {
      const entries = Object.entries(value as Readonly<Record<string, unknown>>);
      return printAll('{', entries, '}', ([key, one]) => `${shorten(key)}=${print(schema.value, one)}`);
    }
    case 'struct':
      return printStruct(schema, value as Readonly<Record<string, unknown>>);
    case 'integer':
    case 'long':
    case 'double':
    case 'boolean':
    case 'timestamp':
      return JSON.stringify(value);
    case 'any':
    case 'either':
    case 'not-built':
      // Shapes that only the config file knows; AWS has no text form for them.
      return '...';
    default:
      return unreachable(schema);
  }
}

/** As recorded from AWS: `PutRecordsRequestEntry(data=..., explicitHashKey=null, partitionKey=k)`, by name. */
function printStruct(schema: StructSchema, value: Readonly<Record<string, unknown>>): string {
  const members = Object.entries(schema.members).sort(([one], [other]) => (one < other ? -1 : 1));
  return printAll(`${schema.name ?? ''}(`, members, ')', ([name, member]) => {
    return `${lowerFirst(name)}=${print(memberSchema(member), value[name])}`;
  });
}

function printAll<T>(opening: string, items: readonly T[], closing: string, text: (item: T) => string): string {
  let printed = opening;
  for (const [index, item] of items.entries()) {
    if (printed.length > QUOTED_TEXT_MAX) break;
    printed += `${index === 0 ? '' : ', '}${text(item)}`;
  }
  return printed + closing;
}
