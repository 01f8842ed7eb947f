import { Double, Int32, Long, ObjectId, Timestamp, type Document } from 'bson';
import { PeerError, unsupported } from './errors.ts';
import { fits, isOperators, matches } from './match.ts';
import { areEqual, compareValues } from './order.ts';
import { setAt, unsetAt, valueAt } from './paths.ts';
import { copyDocument, isDocument, numberOf } from './values.ts';

type Operator = (document: Document, path: string, operand: unknown) => void;

/** What makes a new document of an old one. */
export interface Change {
  readonly update: unknown;
  readonly isInsert: boolean;
  /** What `$currentDate` puts, ms. */
  readonly now: number;
}

const INT32_MAX = 2 ** 31;
const INT64_MAX = 2n ** 63n;

/** Whether an update changes members by operators; else it is the new document. Pipelines are refused. */
export function hasOperators(update: unknown): boolean {
  if (Array.isArray(update)) throw unsupported('an update by a pipeline');
  if (!isDocument(update)) throw new PeerError('FailedToParse', 'an update must be a document');
  return isOperators(update);
}

/** The document after the change; the old one stays as it is. ImmutableField when the change gives it another _id. */
export function changed(old: Document, { update, isInsert, now }: Change): Document {
  const change = update as Document;
  if (!hasOperators(change)) return replaced(old, change);
  const document = copyDocument(old);
  const operators = operatorsFor(isInsert, now);
  refuseConflicts(change);
  for (const [name, members] of Object.entries(change)) {
    const operator = Object.hasOwn(operators, name) ? operators[name] : undefined;
    if (operator === undefined) {
      if (name.startsWith('$')) throw unsupported(`the operator ${name}`);
      throw new PeerError('FailedToParse', `Unknown modifier: ${name}. Expected a valid update modifier`);
    }
    if (!isDocument(members)) throw new PeerError('FailedToParse', `Modifiers operate on fields: ${name}`);
    for (const [path, operand] of Object.entries(members)) operator(document, path, operand);
  }
  keepId(old, document);
  return document;
}

/** What an upsert inserts: what the filter demands to be equal, then the change, then an _id of its own. */
export function upserted(filter: Document, change: Change): Document {
  const given: Document = {};
  demandedBy(filter, given);
  const base = hasOperators(change.update) ? given : '_id' in given ? { _id: given['_id'] } : {};
  const { _id: id = new ObjectId(), ...rest } = changed(base, change);
  return { _id: id, ...rest };
}

function replaced(old: Document, update: Document): Document {
  const wrong = Object.keys(update).find((name) => name.startsWith('$'));
  if (wrong !== undefined)
    throw new PeerError('FailedToParse', `The dollar ($) prefixed field '${wrong}' is not allowed`);
  const { _id: id = old['_id'], ...rest } = update;
  const document = id === undefined ? rest : { _id: id, ...rest };
  keepId(old, document);
  return document;
}

function keepId(old: Document, document: Document): void {
  if (old['_id'] === undefined || areEqual(old['_id'], document['_id'])) return;
  const text = "Performing an update on the path '_id' would modify the immutable field '_id'";
  throw new PeerError('ImmutableField', text);
}

function demandedBy(filter: Document, into: Document): void {
  for (const [path, operand] of Object.entries(filter)) {
    if (path === '$and') for (const clause of operand as Document[]) demandedBy(clause, into);
    else if (path.startsWith('$')) continue;
    else if (!isOperators(operand)) setAt(into, path, operand);
    else if (Object.hasOwn(operand, '$eq')) setAt(into, path, operand['$eq']);
  }
}

/** No two operators may touch the same place, or one inside the other. */
function refuseConflicts(update: Document): void {
  const paths = Object.values(update).flatMap((members) => (isDocument(members) ? Object.keys(members) : []));
  const ordered = paths.map((path) => `${path}.`).sort();
  const at = ordered.findIndex((path, index) => index > 0 && path.startsWith(ordered[index - 1] ?? ''));
  if (at < 0) return;
  const path = (ordered[at] ?? '').slice(0, -1);
  throw new PeerError('ConflictingUpdateOperators', `Updating the path '${path}' would create a conflict at '${path}'`);
}

function operatorsFor(isInsert: boolean, now: number): Readonly<Record<string, Operator>> {
  return {
    $set: setAt,
    $setOnInsert: isInsert ? setAt : () => undefined,
    $unset: unsetAt,
    $inc: increment,
    $min: (document, path, operand) => keepWhere(document, path, operand, (order) => order < 0),
    $max: (document, path, operand) => keepWhere(document, path, operand, (order) => order > 0),
    $push: (document, path, operand) => setAt(document, path, [...listAt(document, path), ...each(operand)]),
    $addToSet(document, path, operand) {
      const list = [...listAt(document, path)];
      for (const value of each(operand)) if (!list.some((member) => areEqual(member, value))) list.push(value);
      setAt(document, path, list);
    },
    $pull(document, path, operand) {
      if (valueAt(document, path) === undefined) return;
      setAt(
        document,
        path,
        listAt(document, path).filter((member) => !isPulled(member, operand)),
      );
    },
    $currentDate(document, path, operand) {
      const type: unknown = isDocument(operand) ? operand['$type'] : 'date';
      if (type !== 'date' && type !== 'timestamp') throw new PeerError('BadValue', '$currentDate: date or timestamp');
      const seconds = Math.floor(now / 1000);
      setAt(document, path, type === 'date' ? new Date(now) : new Timestamp({ t: seconds, i: 1 }));
    },
  };
}

function keepWhere(document: Document, path: string, operand: unknown, wanted: (order: number) => boolean): void {
  const current = valueAt(document, path);
  if (current === undefined || wanted(compareValues(operand, current))) setAt(document, path, operand);
}

function listAt(document: Document, path: string): readonly unknown[] {
  const value = valueAt(document, path);
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw new PeerError('BadValue', `The field '${path}' must be an array`);
  return value;
}

function each(operand: unknown): readonly unknown[] {
  if (!isOperators(operand)) return [operand];
  const { $each: values, ...others } = operand as { $each?: unknown };
  const other = Object.keys(others)[0];
  if (other !== undefined) throw unsupported(`the modifier ${other}`);
  if (!Array.isArray(values)) throw new PeerError('BadValue', '$each needs an array');
  return values;
}

function isPulled(member: unknown, operand: unknown): boolean {
  if (isOperators(operand)) return fits([member], operand);
  if (isDocument(operand)) return isDocument(member) && matches(member, operand);
  return areEqual(member, operand);
}

/** Integers stay integers of the wider type of the two, and grow into 64 bits; a Double makes it a Double. */
function increment(document: Document, path: string, operand: unknown): void {
  const current = valueAt(document, path);
  const [by, from] = [numberOf(operand), current === undefined ? 0 : numberOf(current)];
  if (by === undefined || from === undefined) {
    throw new PeerError('TypeMismatch', `Cannot increment '${path}' with, or of, a value that is no number`);
  }
  if ([operand, current].some((value) => value instanceof Double || typeof value === 'number')) {
    setAt(document, path, new Double(Number(from) + Number(by)));
    return;
  }
  const sum = BigInt(from) + BigInt(by);
  if (sum >= INT64_MAX || sum < -INT64_MAX) throw new PeerError('BadValue', `$inc of '${path}' leaves 64 bits`);
  const isWide = operand instanceof Long || current instanceof Long || sum >= INT32_MAX || sum < -INT32_MAX;
  setAt(document, path, isWide ? Long.fromBigInt(sum) : new Int32(Number(sum)));
}
