import { BSONRegExp, type Document } from 'bson';
import { PeerError, unsupported } from './errors.ts';
import { areEqual, compareValues, rankOf } from './order.ts';
import { partsOf, valuesAt } from './paths.ts';
import { isDocument, isOn, wholeNumber } from './values.ts';

type Test = (found: readonly unknown[], operand: unknown) => boolean;

/** Whether a document fits a filter. Operators that are not listed here are refused, never passed over. */
export function matches(document: Document, filter: Document): boolean {
  return Object.entries(filter).every(([name, operand]) => {
    if (name === '$and') return clauses(name, operand).every((clause) => matches(document, clause));
    if (name === '$or') return clauses(name, operand).some((clause) => matches(document, clause));
    if (name === '$nor') return !clauses(name, operand).some((clause) => matches(document, clause));
    if (name === '$comment') return true;
    if (name.startsWith('$')) throw unsupported(`the operator ${name}`);
    return fits(valuesAt(document, partsOf(name)), operand);
  });
}

/** Whether the values found at one place fit an operand: operators, or a value that one of them has to equal. */
export function fits(found: readonly unknown[], operand: unknown): boolean {
  if (!isOperators(operand)) return equals(found, operand);
  return Object.entries(operand).every(([name, value]) => {
    const test = Object.hasOwn(OPERATORS, name) ? OPERATORS[name] : undefined;
    if (test === undefined) throw unsupported(`the operator ${name}`);
    return test(found, value);
  });
}

/** Whether a value is a document of operators: its first name begins with `$`. */
export function isOperators(value: unknown): value is Document {
  return isDocument(value) && (Object.keys(value)[0]?.startsWith('$') ?? false);
}

const OPERATORS: Readonly<Record<string, Test>> = {
  $eq: (found, operand) => equals(found, operand),
  $ne: (found, operand) => !equals(found, operand),
  $in: (found, operand) => list('$in', operand).some((value) => equals(found, value)),
  $nin: (found, operand) => !list('$nin', operand).some((value) => equals(found, value)),
  $gt: (found, operand) => compares(found, operand, (order) => order > 0),
  $gte: (found, operand) => compares(found, operand, (order) => order >= 0),
  $lt: (found, operand) => compares(found, operand, (order) => order < 0),
  $lte: (found, operand) => compares(found, operand, (order) => order <= 0),
  $exists: (found, operand) => found.some((value) => value !== undefined) === isOn(operand),
  $size: (found, operand) => {
    const length = wholeNumber(operand, '$size');
    return found.some((value) => Array.isArray(value) && value.length === length);
  },
  $not(found, operand) {
    if (!isOperators(operand)) throw new PeerError('BadValue', '$not needs a document of operators');
    return !fits(found, operand);
  },
};

function equals(found: readonly unknown[], operand: unknown): boolean {
  if (operand instanceof BSONRegExp) throw unsupported('a regular expression');
  // Null finds what is missing, too.
  if (operand === null || operand === undefined) return withMembers(found).some((value) => (value ?? null) === null);
  return withMembers(found).some((value) => areEqual(value, operand));
}

function compares(found: readonly unknown[], operand: unknown, wanted: (order: number) => boolean): boolean {
  if (operand instanceof BSONRegExp) throw unsupported('a regular expression');
  if (operand === null || operand === undefined) return wanted(0) && equals(found, null);
  const rank = rankOf(operand);
  return withMembers(found).some((value) => rankOf(value) === rank && wanted(compareValues(value, operand)));
}

/** What is found, and the members of lists among it. */
function withMembers(found: readonly unknown[]): unknown[] {
  return found.flatMap((value) => (Array.isArray(value) ? [value, ...value] : [value]));
}

function clauses(name: string, operand: unknown): readonly Document[] {
  const given = list(name, operand);
  if (given.length === 0 || !given.every(isDocument)) {
    throw new PeerError('BadValue', `${name} must be a nonempty array of documents`);
  }
  return given;
}

function list(name: string, operand: unknown): readonly unknown[] {
  if (!Array.isArray(operand)) throw new PeerError('BadValue', `${name} needs an array`);
  return operand;
}
