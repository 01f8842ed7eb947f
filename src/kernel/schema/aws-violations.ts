import type { ListSchema, MapSchema, Schema, StructSchema } from './declare.ts';
import { printAws } from './aws-print.ts';
import { isLongerThan, isShorterThan, lowerFirst, memberSchema } from './shapes.ts';
import { wholePattern } from './whole-pattern.ts';

/** AWS reports at most so many violations of one request. */
export const VIOLATIONS_MAX = 10;

/** Constraint violations of a decoded value in declared order, as AWS words them; at most ten. */
export function awsViolations(schema: Schema, value: unknown): readonly string[] {
  const found: string[] = [];
  if (schema.kind === 'struct') visitMembers(schema, value as Decoded, '', found);
  else visit(schema, value, 'value', found);
  return found.slice(0, VIOLATIONS_MAX);
}

type Decoded = Readonly<Record<string, unknown>>;

function visitMembers(schema: StructSchema, value: Decoded, path: string, found: string[]): void {
  for (const [name, member] of Object.entries(schema.members)) {
    if (found.length >= VIOLATIONS_MAX) return;
    const place = path === '' ? lowerFirst(name) : `${path}.${lowerFirst(name)}`;
    const one = value[name];
    if (one !== undefined) visit(memberSchema(member), one, place, found);
    else if (member.kind !== 'optional') found.push(nullAt(place));
  }
}

function nullAt(place: string): string {
  return `Value null at '${place}' failed to satisfy constraint: Member must not be null`;
}

function visit(schema: Schema, value: unknown, place: string, found: string[]): void {
  for (const sentence of ownViolations(schema, value)) {
    found.push(`Value '${printAws(schema, value)}' at '${place}' failed to satisfy constraint: ${sentence}`);
  }
  if (schema.kind === 'struct') visitMembers(schema, value as Decoded, place, found);
  else if (schema.kind === 'list') visitItems(schema, value as readonly unknown[], place, found);
  else if (schema.kind === 'map') visitValues(schema, value as Decoded, place, found);
}

function visitItems(schema: ListSchema, items: readonly unknown[], place: string, found: string[]): void {
  if (isScalar(schema.item)) return;
  for (const [index, item] of items.entries()) {
    if (found.length >= VIOLATIONS_MAX) return;
    const at = `${place}.${index + 1}.member`;
    if (item === null) found.push(nullAt(at));
    else visit(schema.item, item, at, found);
  }
}

function visitValues(schema: MapSchema, values: Decoded, place: string, found: string[]): void {
  if (isScalar(schema.value)) return;
  for (const [key, value] of Object.entries(values)) {
    if (found.length >= VIOLATIONS_MAX) return;
    const at = `${place}.${key.slice(0, 256)}.member`;
    if (value === null) found.push(nullAt(at));
    else visit(schema.value, value, at, found);
  }
}

/** Scalars inside a list or map are reported once, at the list or map. */
function isScalar(schema: Schema): boolean {
  return schema.kind !== 'struct' && schema.kind !== 'list' && schema.kind !== 'map';
}

/** Broken constraints of the value itself, without what it contains. */
function ownViolations(schema: Schema, value: unknown): readonly string[] {
  switch (schema.kind) {
    case 'string':
    case 'integer':
    case 'long':
    case 'double':
    case 'blob':
      return scalarViolations(schema, value);
    case 'list':
      return [...lengthViolations(schema, (value as readonly unknown[]).length), ...itemsViolation(schema, value)];
    case 'map':
      return [...lengthViolations(schema, Object.keys(value as Decoded).length), ...entriesViolations(schema, value)];
    default:
      return [];
  }
}

function scalarViolations(schema: Schema, value: unknown): readonly string[] {
  if (value === null) return ['Member must not be null'];
  switch (schema.kind) {
    case 'string':
      return stringViolations(schema, value as string);
    case 'integer':
    case 'long':
    case 'double':
      return rangeViolations(schema, value as number);
    case 'blob':
      return lengthViolations(schema, (value as Uint8Array).length);
    default:
      return [];
  }
}

function stringViolations(schema: Schema & { kind: 'string' }, text: string): readonly string[] {
  const found: string[] = [];
  const { pattern, values, min, max } = schema;
  if (values !== undefined && !values.includes(text)) found.push(enumSentence(values));
  if (pattern !== undefined && !wholePattern(pattern).test(text)) found.push(patternSentence(pattern));
  if (min !== undefined && isShorterThan(text, min)) found.push(minSentence(min));
  if (max !== undefined && isLongerThan(text, max)) found.push(maxSentence(max));
  return found;
}

interface Bounds {
  readonly min?: number;
  readonly max?: number;
}

function lengthViolations({ min, max }: Bounds, length: number): readonly string[] {
  if (min !== undefined && length < min) return [minSentence(min)];
  return max !== undefined && length > max ? [maxSentence(max)] : [];
}

function rangeViolations({ min, max }: Bounds, value: number): readonly string[] {
  if (min !== undefined && value < min) return [`Member must have value greater than or equal to ${min}`];
  return max !== undefined && value > max ? [`Member must have value less than or equal to ${max}`] : [];
}

function itemsViolation(schema: ListSchema, value: unknown): readonly string[] {
  const { item } = schema;
  if (!isScalar(item)) return [];
  const broken = (value as readonly unknown[]).some((one) => scalarViolations(item, one).length > 0);
  return broken ? [`Member must satisfy constraint: ${allConstraints(item)}`] : [];
}

function entriesViolations(schema: MapSchema, value: unknown): readonly string[] {
  const found: string[] = [];
  const entries = Object.entries(value as Decoded);
  if (entries.some(([key]) => stringViolations(schema.key, key).length > 0)) {
    found.push(`Map keys must satisfy constraint: ${allConstraints(schema.key)}`);
  }
  const values = schema.value;
  if (isScalar(values) && entries.some(([, one]) => scalarViolations(values, one).length > 0)) {
    found.push(`Map value must satisfy constraint: ${allConstraints(values)}`);
  }
  return found;
}

/** All constraints of a shape in AWS's brackets, maximum first. */
function allConstraints(schema: Schema): string {
  const sentences: string[] = [];
  const { max, min, pattern, values } = schema as Bounds & { pattern?: string; values?: readonly string[] };
  const isNumber = schema.kind === 'integer' || schema.kind === 'long' || schema.kind === 'double';
  const what = isNumber ? 'value' : 'length';
  if (max !== undefined) sentences.push(`Member must have ${what} less than or equal to ${max}`);
  if (min !== undefined) sentences.push(`Member must have ${what} greater than or equal to ${min}`);
  if (pattern !== undefined) sentences.push(patternSentence(pattern));
  if (values !== undefined) sentences.push(enumSentence(values));
  return `[${sentences.length === 0 ? 'Member must not be null' : sentences.join(', ')}]`;
}

function minSentence(min: number): string {
  return `Member must have length greater than or equal to ${min}`;
}

function maxSentence(max: number): string {
  return `Member must have length less than or equal to ${max}`;
}

function patternSentence(pattern: string): string {
  return `Member must satisfy regular expression pattern: ${pattern}`;
}

function enumSentence(values: readonly string[]): string {
  return `Member must satisfy enum value set: [${values.join(', ')}]`;
}
