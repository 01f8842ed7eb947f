import { createHash } from 'node:crypto';
import { canonicalJson, isMapping, type Json } from '../../kernel/json.ts';
import { isSameServer } from './same-server.ts';

/** What a file says of a destination: of each member that is no structure, by its path, what stands for its value. */
export type Marks = Readonly<Record<string, string>>;

type Structure = { readonly [name: string]: Json };

/** Values may be secrets: hashes stand for them. */
export function marksOf(said: Json): Marks {
  return Object.fromEntries(leaves(said, []).map(([path, value]) => [path, markOf(value)]));
}

/** The hash that stands for a value, the same for the same. */
export function markOf(value: Json): string {
  return createHash('sha256').update(canonicalJson(value)).digest('base64url');
}

/** Paths of members that are not the same in both. */
export function differences(one: Json, other: Json): readonly string[] {
  const [first, second] = [marksOf(one), marksOf(other)];
  const paths = new Set([...Object.keys(first), ...Object.keys(second)]);
  return [...paths].filter((path) => first[path] !== second[path]).sort();
}

/**
 * The options by the newest word of a file, where requests changed them as well: a member is the file's where the file
 * says something else of it than before (`before`), and stays as it is where it does not. What the file names no more
 * goes, unless a request changed it. A structure that asks another server than the file's is one value: no key goes to
 * a server that it was not said with.
 */
export function mergedWord(current: Json, said: Json, before: Marks): Json {
  return merge(current, said, [], before) ?? said;
}

function merge(
  current: Json | undefined,
  said: Json | undefined,
  path: readonly string[],
  before: Marks,
): Json | undefined {
  const isEither = isStructure(current) || isStructure(said);
  if (!isEither || !isStructure(current ?? {}) || !isStructure(said ?? {})) {
    return mergedLeaf(current, said, before[path.join('.')]);
  }
  if (isStructure(current) && isStructure(said) && !isSameServer(current, said)) {
    return hasChanged(said, path, before) ? said : current;
  }
  const names = new Set([...Object.keys(said ?? {}), ...Object.keys(current ?? {})]);
  const members = [...names].flatMap((name) => {
    const value = merge(memberOf(current, name), memberOf(said, name), [...path, name], before);
    return value === undefined ? [] : [[name, value] as const];
  });
  return members.length === 0 && said === undefined ? undefined : Object.fromEntries(members);
}

function mergedLeaf(current: Json | undefined, said: Json | undefined, was: string | undefined): Json | undefined {
  if (said !== undefined) return markOf(said) === was ? current : said;
  return current !== undefined && markOf(current) === was ? undefined : current;
}

/** Whether the file says something else below a path than before. */
function hasChanged(said: Json, path: readonly string[], before: Marks): boolean {
  const now = Object.fromEntries(leaves(said, path).map(([place, value]) => [place, markOf(value)]));
  const [below] = [`${path.join('.')}.`];
  const former = Object.keys(before).filter((place) => path.length === 0 || place.startsWith(below));
  return [...Object.keys(now), ...former].some((place) => now[place] !== before[place]);
}

function leaves(value: Json, path: readonly string[]): readonly (readonly [path: string, value: Json])[] {
  if (!isStructure(value) || Object.keys(value).length === 0) return [[path.join('.'), value]];
  return Object.entries(value).flatMap(([name, one]) => leaves(one, [...path, name]));
}

function isStructure(value: Json | undefined): value is Structure {
  return isMapping(value);
}

function memberOf(value: Json | undefined, name: string): Json | undefined {
  return isStructure(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}
