import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { areUnique } from './are-unique.ts';
import { RequestError, messageOf } from '../../kernel/errors.ts';
import { isMapping } from '../../kernel/json.ts';
import type { JsonCheck, JsonSchemas } from '../../ports/json-schema.ts';

const SENTENCE_CHARACTERS_MAX = 200;
const OLDER = /^https?:\/\/json-schema\.org\/draft-0[4-7]\/schema#?$/;
/** `format` is a remark, the specification's default. A check ends with the first thing that is wrong. */
const OPTIONS = { strict: false, logger: false, allErrors: false, validateFormats: false } as const;

/** JSON Schema by ajv. Schemas are the operator's own: their patterns are run as they are. */
export function createJsonSchemas(): JsonSchemas {
  return { compile: (schema) => checkBy(compile(schema)) };
}

function compile(schema: unknown): ValidateFunction {
  if (typeof schema !== 'boolean' && !isMapping(schema)) {
    throw new RequestError('InvalidSchema', 'a schema is a mapping, true or false');
  }
  const { $schema } = (typeof schema === 'object' ? schema : {}) as { $schema?: unknown };
  try {
    // One for each: two schemas may have one `$id`.
    if (typeof $schema === 'string' && OLDER.test($schema)) {
      const { $schema: _, ...rest } = schema as Record<string, unknown>;
      return withUniqueItems(new Ajv(OPTIONS)).compile(rest);
    }
    return withUniqueItems(new Ajv2020(OPTIONS)).compile(schema);
  } catch (error) {
    throw new RequestError('InvalidSchema', shorten(messageOf(error)));
  }
}

/** The library compares each item with each other one: 100,000 of them would hold the thread for minutes. */
function withUniqueItems(ajv: Ajv): Ajv {
  return ajv.removeKeyword('uniqueItems').addKeyword({
    keyword: 'uniqueItems',
    type: 'array',
    schemaType: 'boolean',
    validate: (isWanted: boolean, items: readonly unknown[]) => !isWanted || areUnique(items),
    error: { message: 'must NOT have duplicate items' },
  });
}

function checkBy(validate: ValidateFunction): JsonCheck {
  return (value) => {
    try {
      return validate(value) ? [] : (validate.errors ?? []).map(sentence);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      // A schema that refers to itself goes as deep as the value does.
      return ['is nested too deeply'];
    }
  };
}

/** Names the place and the rule, never the value. */
function sentence({ instancePath, message, schemaPath }: ErrorObject): string {
  return shorten(`${instancePath === '' ? 'the body' : instancePath} ${message ?? 'does not fit'} (${schemaPath})`);
}

function shorten(text: string): string {
  return text.length <= SENTENCE_CHARACTERS_MAX ? text : `${text.slice(0, SENTENCE_CHARACTERS_MAX - 1)}…`;
}
