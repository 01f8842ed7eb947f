import { matchPath } from '../../kernel/match-path.ts';

/** The path of a route: texts, `{name}` for one segment, and `{name+}` for all that are left, one or more. */
export interface RoutePath {
  readonly text: string;
  /** Whether it fits one path only. */
  readonly isLiteral: boolean;
  readonly segments: readonly Segment[];
}

type Segment = { readonly literal: string } | { readonly name: string; readonly isGreedy: boolean };

const PARAMETER = /^\{(\w+)(\+?)\}$/;

/** Reads the path of a route; a sentence when it is none. */
export function readRoutePath(text: string): RoutePath | string {
  if (/[?#]/.test(text)) return 'a path has no ? or #';
  const segments: Segment[] = [];
  for (const part of text.slice(1).split('/')) {
    const [, name, plus] = PARAMETER.exec(part) ?? [];
    if (name === undefined && /[{}]/.test(part))
      return 'a parameter takes a whole part of the path: /{name}/ or /{name+}';
    segments.push(name === undefined ? { literal: part } : { name, isGreedy: plus === '+' });
  }
  const names = segments.flatMap((segment) => ('name' in segment ? [segment.name] : []));
  if (new Set(names).size < names.length) return 'two parameters have one name';
  if (segments.slice(0, -1).some((segment) => 'name' in segment && segment.isGreedy)) {
    return 'nothing can stand behind a parameter with +';
  }
  return { text, isLiteral: names.length === 0, segments };
}

/** The values of the parameters, decoded, or undefined when the path does not fit. */
export function matchRoutePath({ text }: RoutePath, path: string): Readonly<Record<string, string>> | undefined {
  return matchPath(text, path);
}

/** Sorts by what API Gateway tries first: a text before a parameter, a parameter before one that takes the rest. */
export function compareRoutePaths(left: RoutePath, right: RoutePath): number {
  const length = Math.min(left.segments.length, right.segments.length);
  for (let index = 0; index < length; index += 1) {
    const difference = rankOf(left.segments[index]) - rankOf(right.segments[index]);
    if (difference !== 0) return difference;
  }
  return right.segments.length - left.segments.length;
}

/** The path with the names of its parameters left out: two of one shape fit the same paths. */
export function shapeOf({ segments }: RoutePath): string {
  return segments
    .map((segment) => ('literal' in segment ? segment.literal : segment.isGreedy ? '{+}' : '{}'))
    .join('/');
}

function rankOf(segment: Segment | undefined): number {
  if (segment === undefined || 'literal' in segment) return 0;
  return segment.isGreedy ? 2 : 1;
}
