import type { Members, Schema, StringSchema } from './declare.ts';
import { isLongerThan, isShorterThan, memberSchema } from './shapes.ts';
import { wholePattern } from './whole-pattern.ts';

/** Whether a decoded value keeps all constraints: the fast question, asked before sentences are looked for. */
export type Fits = (value: unknown) => boolean;

/** Compiles the question for a shape; undefined where every decoded value fits. */
export function compileFits(schema: Schema): Fits | undefined {
  switch (schema.kind) {
    case 'string':
      return stringFits(schema);
    case 'integer':
    case 'long':
    case 'double': {
      const { min = -Infinity, max = Infinity } = schema;
      return (value) => (value as number) >= min && (value as number) <= max;
    }
    case 'blob': {
      const { min = 0, max = Infinity } = schema;
      return (value) => (value as Uint8Array).length >= min && (value as Uint8Array).length <= max;
    }
    case 'list':
      return listFits(schema.min ?? 0, schema.max ?? Infinity, compileFits(schema.item));
    case 'map':
      return mapFits(schema.min ?? 0, schema.max ?? Infinity, stringFits(schema.key), compileFits(schema.value));
    case 'struct':
      return structFits(schema.members);
    default:
      return undefined;
  }
}

function stringFits(schema: StringSchema): Fits | undefined {
  const { min, max, values } = schema;
  const pattern = schema.pattern === undefined ? undefined : wholePattern(schema.pattern);
  const known = values === undefined ? undefined : new Set(values);
  if (min === undefined && max === undefined && pattern === undefined && known === undefined) return undefined;
  return (value) => {
    const text = value as string;
    if (known !== undefined && !known.has(text)) return false;
    if (min !== undefined && isShorterThan(text, min)) return false;
    if (max !== undefined && isLongerThan(text, max)) return false;
    return pattern === undefined || pattern.test(text);
  };
}

function listFits(min: number, max: number, item: Fits | undefined): Fits {
  return (value) => {
    const items = value as readonly unknown[];
    if (items.length < min || items.length > max) return false;
    for (const one of items) {
      if (one === null || (item !== undefined && !item(one))) return false;
    }
    return true;
  };
}

function mapFits(min: number, max: number, key: Fits | undefined, entry: Fits | undefined): Fits {
  return (value) => {
    const entries = Object.entries(value as Readonly<Record<string, unknown>>);
    if (entries.length < min || entries.length > max) return false;
    return entries.every(([name, one]) => {
      return one !== null && (key === undefined || key(name)) && (entry === undefined || entry(one));
    });
  };
}

function structFits(members: Members): Fits {
  const parts = Object.entries(members).map(([name, member]) => ({
    name,
    isRequired: member.kind !== 'optional',
    fits: compileFits(memberSchema(member)),
  }));
  return (value) => {
    const given = value as Readonly<Record<string, unknown>>;
    for (const { name, isRequired, fits } of parts) {
      const one = given[name];
      if (one === undefined) {
        if (isRequired) return false;
      } else if (fits !== undefined && !fits(one)) return false;
    }
    return true;
  };
}
