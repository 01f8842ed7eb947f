import { Double, Int32, Long, type Document } from 'bson';
import { PeerError, unsupported } from './errors.ts';
import { matches } from './match.ts';
import { partsOf, valueAt } from './paths.ts';
import { projected, sorted } from './shape.ts';
import { isDocument, keyOf, numberOf, wholeNumber } from './values.ts';

type Stage = (documents: readonly Document[], operand: unknown) => readonly Document[];

/** What the stages make of documents. Stages that are not listed here are refused. */
export function pipeline(documents: readonly Document[], stages: readonly unknown[]): readonly Document[] {
  return stages.reduce<readonly Document[]>((found, stage) => {
    const [name = '', ...others] = isDocument(stage) ? Object.keys(stage) : [];
    if (!isDocument(stage) || others.length > 0 || name === '') {
      throw new PeerError('FailedToParse', 'A pipeline stage specification object must contain exactly one field.');
    }
    const run = Object.hasOwn(STAGES, name) ? STAGES[name] : undefined;
    if (run === undefined) throw unsupported(`the stage ${name}`);
    return run(found, stage[name]);
  }, documents);
}

const STAGES: Readonly<Record<string, Stage>> = {
  $match(documents, operand) {
    const filter = member('$match', operand);
    return documents.filter((document) => matches(document, filter));
  },
  $sort: (documents, operand) => sorted(documents, member('$sort', operand)),
  $limit(documents, operand) {
    const limit = count('$limit', operand);
    if (limit === 0) throw new PeerError('BadValue', 'the limit must be positive');
    return documents.slice(0, limit);
  },
  $skip: (documents, operand) => documents.slice(count('$skip', operand)),
  $project: (documents, operand) => documents.map((document) => projected(document, member('$project', operand))),
  $count(documents, operand) {
    if (typeof operand !== 'string' || operand === '' || /[.$]/.test(operand)) {
      throw new PeerError('BadValue', '$count needs the name of a member');
    }
    return documents.length === 0 ? [] : [{ [operand]: new Int32(documents.length) }];
  },
  $group: (documents, operand) => grouped(documents, member('$group', operand)),
};

function member(name: string, operand: unknown): Document {
  if (!isDocument(operand)) throw new PeerError('TypeMismatch', `${name} needs a document`);
  return operand;
}

function count(name: string, operand: unknown): number {
  const number = wholeNumber(operand, name);
  if (number < 0) throw new PeerError('BadValue', `${name} must not be negative`);
  return number;
}

/** Groups by a constant or a member, with `$sum` of a constant or a member: what counting needs. */
function grouped(documents: readonly Document[], { _id: by, ...sums }: Document): Document[] {
  const groups = new Map<string, { readonly id: unknown; readonly members: Document[] }>();
  for (const document of documents) {
    const id = evaluated(document, by) ?? null;
    const key = keyOf(id);
    const group = groups.get(key) ?? { id, members: [] };
    groups.set(key, group);
    group.members.push(document);
  }
  return [...groups.values()].map(({ id, members }) => {
    const totals = Object.entries(sums).map(([name, accumulator]) => [name, sum(members, name, accumulator)] as const);
    return { _id: id, ...Object.fromEntries(totals) };
  });
}

function sum(documents: readonly Document[], name: string, accumulator: unknown): unknown {
  const [operator, ...others] = isDocument(accumulator) ? Object.keys(accumulator) : [];
  if (operator !== '$sum' || others.length > 0) throw unsupported(`the accumulator of '${name}'`);
  const values = documents.map((document) => evaluated(document, (accumulator as Document)['$sum']));
  const numbers = values.map(numberOf).filter((number) => number !== undefined);
  if (values.some((value) => value instanceof Double)) {
    return new Double(numbers.reduce<number>((total, number) => total + Number(number), 0));
  }
  const total = numbers.reduce<bigint>((before, number) => before + BigInt(number), 0n);
  const isWide = values.some((value) => value instanceof Long) || total !== BigInt(Number(BigInt.asIntN(32, total)));
  return isWide ? Long.fromBigInt(total) : new Int32(Number(total));
}

function evaluated(document: Document, expression: unknown): unknown {
  if (typeof expression === 'string' && expression.startsWith('$')) {
    const path = expression.slice(1);
    const parts = partsOf(path);
    for (let length = 1; length < parts.length; length += 1) {
      if (Array.isArray(valueAt(document, parts.slice(0, length).join('.')))) {
        throw unsupported(`the expression ${expression} through a list`);
      }
    }
    return valueAt(document, path);
  }
  if (isDocument(expression) && Object.keys(expression).length > 0)
    throw unsupported('an expression that is a document');
  return expression;
}
