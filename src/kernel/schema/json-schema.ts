import { unreachable } from '../assert.ts';
import type { Schema, StructSchema } from './declare.ts';
import { memberSchema } from './shapes.ts';

/** A JSON Schema as plain data. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** `${env:X}` and `${secret:X}` may stand wherever a value may. */
const PLACEHOLDER: JsonSchema = { type: 'string', pattern: '\\$\\{(env|secret):' };

/** The declaration of a config file as JSON Schema 2020-12, for editors. */
export function toJsonSchema(schema: Schema, title?: string): JsonSchema {
  const head = { $schema: 'https://json-schema.org/draft/2020-12/schema', ...(title === undefined ? {} : { title }) };
  return { ...head, ...convert(schema) };
}

function convert(schema: Schema): JsonSchema {
  const body = shape(schema);
  return schema.doc === undefined ? body : { description: schema.doc, ...body };
}

function shape(schema: Schema): JsonSchema {
  switch (schema.kind) {
    case 'string': {
      const { min, max, values } = schema;
      const own = schema.filePattern ?? schema.pattern;
      const pattern = own === undefined ? undefined : `^(?:${own})$`;
      const plain = present({ type: 'string', minLength: min, maxLength: max, pattern, enum: values });
      return Object.keys(plain).length === 1 ? plain : orPlaceholder(plain);
    }
    case 'integer':
    case 'long':
      return orPlaceholder(present({ type: 'integer', minimum: schema.min, maximum: schema.max }));
    case 'double':
      return orPlaceholder(present({ type: 'number', minimum: schema.min, maximum: schema.max }));
    case 'boolean':
      return orPlaceholder({ type: 'boolean' });
    case 'blob':
      return { type: 'string', contentEncoding: 'base64' };
    case 'timestamp':
      return { anyOf: [{ type: 'number' }, { type: 'string', format: 'date-time' }, PLACEHOLDER] };
    case 'list':
      return present({ type: 'array', items: convert(schema.item), minItems: schema.min, maxItems: schema.max });
    case 'map':
      return present({
        type: 'object',
        additionalProperties: convert(schema.value),
        propertyNames: Object.keys(schema.key).length > 1 ? shape(schema.key) : undefined,
        minProperties: schema.min,
        maxProperties: schema.max,
      });
    case 'struct':
      return struct(schema);
    case 'any':
      return {};
    case 'either':
      return { anyOf: schema.of.filter(({ kind }) => kind !== 'not-built').map(convert) };
    case 'not-built':
      return { not: {}, description: schema.doc === undefined ? 'Not built yet.' : `${schema.doc} Not built yet.` };
    default:
      return unreachable(schema);
  }
}

function struct(schema: StructSchema): JsonSchema {
  const members = Object.entries(schema.members);
  const required = members.filter(([, member]) => member.kind !== 'optional').map(([name]) => name);
  return present({
    type: 'object',
    properties: Object.fromEntries(members.map(([name, member]) => [name, convert(memberSchema(member))])),
    required: required.length === 0 ? undefined : required,
    additionalProperties: false,
  });
}

function orPlaceholder(plain: JsonSchema): JsonSchema {
  return { anyOf: [plain, PLACEHOLDER] };
}

function present(members: JsonSchema): JsonSchema {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}
