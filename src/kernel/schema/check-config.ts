import { didYouMean } from './did-you-mean.ts';
import type {
  EitherSchema, ListSchema, MapSchema, NumberSchema, Schema, StringSchema, StructSchema,
} from './declare.ts'; // prettier-ignore
import { isLongerThan, isShorterThan, memberSchema, shorten } from './shapes.ts';
import { wholePattern } from './whole-pattern.ts';

/** Where a value stands: names of members and keys, numbers of list items from 0. */
export type ConfigPath = readonly (string | number)[];

/** One thing wrong in a config file, for people. Values of secrets are never repeated. */
export interface Problem {
  readonly path: ConfigPath;
  /** For example `unknown key` or `not built yet`. */
  readonly what: string;
  /** What would be right; empty when there is nothing to say. */
  readonly expected: string;
  /** What to do; empty when there is nothing to say. */
  readonly hint: string;
}

/** How many problems of one file are collected at most. */
export const PROBLEMS_MAX = 50;

/** Checks a plain value (from YAML or a module) against its declaration; an empty list means it fits. */
export function checkConfig(schema: Schema, value: unknown, path: ConfigPath = []): readonly Problem[] {
  const found: Problem[] = [];
  check(schema, value, path, found);
  return found.slice(0, PROBLEMS_MAX);
}

function check(schema: Schema, value: unknown, path: ConfigPath, found: Problem[]): void {
  if (found.length >= PROBLEMS_MAX || schema.kind === 'any') return;
  if (schema.kind === 'not-built') {
    found.push({ path, what: schema.what ?? 'not built yet', expected: '', hint: 'remove it for now' });
  } else if (schema.kind === 'either') checkEither(schema, value, path, found);
  else if (!isOfKind(schema, value)) found.push(wrongKind(schema, value, path));
  else checkContent(schema, value, path, found);
}

function checkContent(schema: Schema, value: unknown, path: ConfigPath, found: Problem[]): void {
  switch (schema.kind) {
    case 'string':
      return checkString(schema, value as string, path, found);
    case 'integer':
    case 'long':
    case 'double':
      return checkNumber(schema, value as number, path, found);
    case 'list':
      return checkList(schema, value as readonly unknown[], path, found);
    case 'map':
      return checkMap(schema, value as Readonly<Record<string, unknown>>, path, found);
    case 'struct':
      return checkStruct(schema, value as Readonly<Record<string, unknown>>, path, found);
    default:
      return undefined;
  }
}

/** ISO 8601 with a time zone: what a timestamp may also be written as. */
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/;

function isOfKind(schema: Schema, value: unknown): boolean {
  switch (schema.kind) {
    case 'string':
    case 'blob':
      return typeof value === 'string' || (schema.kind === 'blob' && value instanceof Uint8Array);
    case 'integer':
    case 'long':
      return Number.isSafeInteger(value);
    case 'double':
      return typeof value === 'number' && Number.isFinite(value);
    case 'timestamp':
      return (typeof value === 'number' && Number.isFinite(value)) || (typeof value === 'string' && TIME.test(value));
    case 'boolean':
      return typeof value === 'boolean';
    case 'list':
      return Array.isArray(value);
    case 'map':
    case 'struct':
      return isMapping(value);
    default:
      return true;
  }
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
}

function wrongKind(schema: Schema, value: unknown, path: ConfigPath): Problem {
  const isEmpty = value === null || value === undefined;
  const wantsMapping = schema.kind === 'map' || schema.kind === 'struct';
  const isTextOfNumber = typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value);
  const wantsNumber = schema.kind === 'integer' || schema.kind === 'long' || schema.kind === 'double';
  let hint = '';
  if (isEmpty && wantsMapping) hint = 'write {} for the defaults';
  else if (isTextOfNumber && wantsNumber) hint = 'write the number without quotes';
  else if (schema.kind === 'string' && ['number', 'boolean'].includes(typeof value)) hint = 'put it in quotes';
  return { path, what: isEmpty ? 'empty' : `is ${kindOf(value)}`, expected: describe(schema), hint };
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'number') return Number.isInteger(value) ? 'a whole number' : 'a number';
  return { string: 'text', boolean: 'true or false', object: 'a mapping' }[typeof value as string] ?? typeof value;
}

/** What a shape takes, in a few words. */
export function describe(schema: Schema): string {
  switch (schema.kind) {
    case 'string':
      return schema.values === undefined ? `text${lengths(schema, 'characters')}` : `one of ${some(schema.values)}`;
    case 'integer':
    case 'long':
      return `a whole number${range(schema)}`;
    case 'double':
      return `a number${range(schema)}`;
    case 'boolean':
      return 'true or false';
    case 'blob':
      return 'text in base64';
    case 'timestamp':
      return 'a time such as 2026-01-31T12:00:00Z';
    case 'list':
      return `a list${lengths(schema, 'items')}`;
    case 'map':
      return `a mapping${lengths(schema, 'keys')}`;
    case 'struct':
      return `a mapping with ${some(Object.keys(schema.members))}`;
    case 'either':
      return schema.of.filter(({ kind }) => kind !== 'not-built').map(describe).join(', or '); // prettier-ignore
    default:
      return 'anything';
  }
}

function some(names: readonly string[]): string {
  const shown = names.slice(0, 12).join(', ');
  return names.length > 12 ? `${shown}, ...` : shown;
}

interface Bounds {
  readonly min?: number;
  readonly max?: number;
}

function range({ min, max }: Bounds): string {
  if (min !== undefined && max !== undefined) return ` from ${min} to ${max}`;
  if (min !== undefined) return ` of at least ${min}`;
  return max === undefined ? '' : ` of at most ${max}`;
}

function lengths({ min, max }: Bounds, unit: string): string {
  if (min !== undefined && max !== undefined) return ` of ${min === max ? min : `${min} to ${max}`} ${unit}`;
  if (min !== undefined) return ` of at least ${min} ${unit}`;
  return max === undefined ? '' : ` of at most ${max} ${unit}`;
}

function checkString(schema: StringSchema, text: string, path: ConfigPath, found: Problem[]): void {
  const { values, min = 0, max = Infinity } = schema;
  const pattern = schema.filePattern ?? schema.pattern;
  const shown = schema.secret === true ? 'this text' : `'${shorten(text).slice(0, 200)}'`;
  if (values !== undefined && !values.includes(text)) {
    found.push({ path, what: `${shown} is unknown`, expected: describe(schema), hint: didYouMean(text, values) });
  } else if (isShorterThan(text, min) || isLongerThan(text, max)) {
    const what = isShorterThan(text, min) ? 'too short' : 'too long';
    found.push({ path, what, expected: describe(schema), hint: '' });
  } else if (pattern !== undefined && !wholePattern(pattern).test(text)) {
    found.push({ path, what: `${shown} does not fit`, expected: `text matching ${pattern}`, hint: '' });
  }
}

function checkNumber(schema: NumberSchema, value: number, path: ConfigPath, found: Problem[]): void {
  const { min = -Infinity, max = Infinity } = schema;
  if (value >= min && value <= max) return;
  found.push({ path, what: `${value} is out of range`, expected: describe(schema), hint: '' });
}

function checkCount(schema: ListSchema | MapSchema, count: number, path: ConfigPath, found: Problem[]): void {
  const { min = 0, max = Infinity } = schema;
  if (count >= min && count <= max) return;
  found.push({ path, what: `has ${count}`, expected: describe(schema), hint: '' });
}

function checkList(schema: ListSchema, items: readonly unknown[], path: ConfigPath, found: Problem[]): void {
  checkCount(schema, items.length, path, found);
  for (const [index, item] of items.entries()) check(schema.item, item, [...path, index], found);
}

function checkMap(
  schema: MapSchema,
  entries: Readonly<Record<string, unknown>>,
  path: ConfigPath,
  found: Problem[],
): void {
  checkCount(schema, Object.keys(entries).length, path, found);
  for (const [key, value] of Object.entries(entries)) {
    checkString(schema.key, key, [...path, key], found);
    check(schema.value, value, [...path, key], found);
  }
}

function checkStruct(
  schema: StructSchema,
  value: Readonly<Record<string, unknown>>,
  path: ConfigPath,
  found: Problem[],
): void {
  const names = Object.keys(schema.members);
  for (const key of Object.keys(value)) {
    if (names.includes(key)) continue;
    const at = [...path, key];
    const told = schema.elsewhere?.get(key);
    if (told !== undefined) found.push({ path: at, what: told, expected: '', hint: '' });
    else found.push({ path: at, what: 'unknown key', expected: some(names), hint: didYouMean(key, names) });
  }
  for (const [name, member] of Object.entries(schema.members)) {
    const one = Object.hasOwn(value, name) ? value[name] : undefined;
    const isAbsent = one === undefined || (one === null && member.kind === 'optional');
    if (!isAbsent) check(memberSchema(member), one, [...path, name], found);
    else if (member.kind !== 'optional') {
      found.push({ path: [...path, name], what: 'missing', expected: describe(member), hint: '' });
    }
  }
}

/** When no choice fits, the problems of the only one of the value's kind say more than a list of all choices. */
function checkEither(schema: EitherSchema, value: unknown, path: ConfigPath, found: Problem[]): void {
  const attempts = schema.of.map((choice) => ({ choice, problems: checkConfig(choice, value, path) }));
  if (attempts.some(({ problems }) => problems.length === 0)) return;
  const near = attempts.filter(({ choice }) => choice.kind !== 'not-built' && isOfKind(choice, value));
  const coming = attempts.filter(({ choice }) => choice.kind === 'not-built');
  const named = coming.find(({ choice }) => choice.kind === 'not-built' && isNamed(choice.values, value));
  const [closest] = named === undefined ? (near.length > 0 ? near : coming) : [named];
  if (closest !== undefined && (named !== undefined || near.length <= 1)) found.push(...closest.problems);
  else found.push({ path, what: `is ${kindOf(value)} that fits no choice`, expected: describe(schema), hint: '' });
}

function isNamed(values: readonly string[] | undefined, value: unknown): boolean {
  return typeof value === 'string' && values?.includes(value) === true;
}
