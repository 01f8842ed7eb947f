import type { Problem } from '../kernel/schema/check-config.ts';
import { didYouMean } from '../kernel/schema/did-you-mean.ts';
import { compileWildcard } from '../kernel/wildcard.ts';
import type { ServerOptions } from './schema.ts';

type Credentials = NonNullable<ServerOptions['credentials']>;

/** A capability's word and its actions. */
interface Acting {
  readonly name: string;
  readonly operations: readonly { readonly name: string }[];
  readonly rest?: readonly { readonly name: string }[];
}

const ADMIN = ['admin:Read', 'admin:Write'];
/** Nobody could tell which of two was meant. */
const TWICE = 'the same accessKeyId stands twice';

/** What the shape of `server.credentials` cannot say: key ids that stand twice, and patterns that fit no action. */
export function credentialProblems(credentials: Credentials, capabilities: readonly Acting[]): Problem[] {
  const actions = actionsOf(capabilities);
  const ids = credentials.map(({ accessKeyId }) => accessKeyId);
  return credentials.flatMap(({ accessKeyId, allow = [] }, index) => {
    const path = ['server', 'credentials', index] as const;
    const patterns = allow.flatMap((pattern, at) => {
      const problem = patternProblem(pattern, actions);
      return problem === undefined ? [] : [{ path: [...path, 'allow', at], ...problem }];
    });
    if (ids.indexOf(accessKeyId) === index) return patterns;
    return [...patterns, { path: [...path, 'accessKeyId'], what: TWICE, expected: '', hint: '' }];
  });
}

/** The same patterns where functions are allowed more than others. */
export function functionAllowProblems(functions: unknown, capabilities: readonly Acting[]): Problem[] {
  const actions = actionsOf(capabilities);
  const given = (functions ?? {}) as Readonly<Record<string, { readonly allow?: readonly string[] }>>;
  return Object.entries(given).flatMap(([name, { allow = [] }]) =>
    allow.flatMap((pattern, at) => {
      const problem = patternProblem(pattern, actions);
      return problem === undefined ? [] : [{ path: ['functions', name, 'allow', at], ...problem }];
    }),
  );
}

function actionsOf(capabilities: readonly Acting[]): readonly string[] {
  const served = capabilities.flatMap(({ name, operations, rest = [] }) =>
    [...operations, ...rest].map((operation) => `${name}:${operation.name}`),
  );
  return [...ADMIN, ...served];
}

function patternProblem(pattern: string, actions: readonly string[]): Omit<Problem, 'path'> | undefined {
  const fits = compileWildcard(pattern, { ignoreCase: true });
  if (actions.some(fits)) return undefined;
  const expected = 'a pattern of actions such as kinesis:PutRecord* or admin:Read';
  return { what: `'${pattern}' fits no action`, expected, hint: didYouMean(pattern, actions) };
}
