import type { ConfigPath, Problem } from '../kernel/schema/check-config.ts';
import type { Schema } from '../kernel/schema/declare.ts';
import { memberSchemaOf } from './member-schema-of.ts';

/** Where `${env:X}` and `${secret:X}` get their values; undefined: there is none. */
export interface Variables {
  environment(name: string): string | undefined;
  secret(name: string): string | undefined;
}

/** A tree with its placeholders filled in. */
export interface Substituted {
  readonly value: unknown;
  readonly problems: readonly Problem[];
  /** Names of the secrets that were used. */
  readonly secrets: ReadonlySet<string>;
  /** Where they stand now. */
  readonly secretPaths: readonly ConfigPath[];
}

/** Deeper trees are no configs; aliases and modules can make endless ones. */
const DEPTH_MAX = 32;
const PLACEHOLDER = /\$?\$\{([^}]*)\}/g;
const NAMED = /^(env|secret):([A-Za-z_][A-Za-z0-9_]*)(:-(.*))?$/s;
/** The listeners' own addresses: only parts to come take them, and those read them themselves. */
const ADDRESSES: readonly string[] = ['api', 'gateway'];
const NUMBER = /^-?\d+(\.\d+)?$/;

/**
 * Fills in `${env:X}`, `${env:X:-default}` and `${secret:X}`; `$${x}` stays as `${x}`. Text that comes out where
 * the shape takes a number or a truth value becomes one.
 */
export function substitute(schema: Schema, tree: unknown, variables: Variables): Substituted {
  const problems: Problem[] = [];
  const secrets = new Set<string>();
  const secretPaths: ConfigPath[] = [];
  const fill = (text: string, path: ConfigPath): string =>
    text.replaceAll(PLACEHOLDER, (whole: string, inside: string) => {
      if (whole.startsWith('$$')) return whole.slice(1);
      if (ADDRESSES.includes(inside)) return whole;
      const [, kind, name, given, standard] = NAMED.exec(inside) ?? [];
      if (kind === undefined || name === undefined) {
        problems.push(unknown(whole, path));
        return '';
      }
      if (kind === 'secret') {
        secrets.add(name);
        secretPaths.push(path);
      }
      const value = kind === 'env' ? variables.environment(name) : variables.secret(name);
      if (value !== undefined) return value;
      if (given !== undefined) return standard ?? '';
      problems.push(missing(kind, name, path));
      return '';
    });
  const walk = (value: unknown, shape: Schema | undefined, path: ConfigPath): unknown => {
    if (typeof value === 'string') {
      const text = fill(value, path);
      return text === value ? value : typed(text, shape);
    }
    if (typeof value !== 'object' || value === null) return value;
    if (path.length > DEPTH_MAX) {
      problems.push({ path, what: 'nested too deeply', expected: `at most ${DEPTH_MAX} levels`, hint: '' });
      return undefined;
    }
    if (Array.isArray(value)) {
      return value.map((one, index) => walk(one, memberSchemaOf(shape, index), [...path, index]));
    }
    const entries = Object.entries(value).map(([key, one]) => {
      return [key, walk(one, memberSchemaOf(shape, key), [...path, key])] as const;
    });
    return Object.fromEntries(entries);
  };
  return { value: walk(tree, schema, []), problems, secrets, secretPaths };
}

function unknown(whole: string, path: ConfigPath): Problem {
  const shown = whole.length > 60 ? `${whole.slice(0, 60)}...` : whole;
  const hint = `write $${whole.slice(0, 40)} for the text itself`;
  return { path, what: `${shown} is unknown`, expected: '${env:NAME} or ${secret:NAME}', hint };
}

function missing(kind: string, name: string, path: ConfigPath): Problem {
  if (kind === 'secret') {
    const hint = `set MILLRACE_SECRET_${name}, or put ${name} into the file of secrets.file`;
    return { path, what: `the secret ${name} is not set`, expected: '', hint };
  }
  const hint = `set it, or write \${env:${name}:-default}`;
  return { path, what: `the environment variable ${name} is not set`, expected: '', hint };
}

function typed(text: string, shape: Schema | undefined): unknown {
  switch (shape?.kind) {
    case 'integer':
    case 'long':
    case 'double':
      return NUMBER.test(text) ? Number(text) : text;
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : text;
    default:
      return text;
  }
}
