import type { ConfigPath } from '../kernel/schema/check-config.ts';
import type { Schema } from '../kernel/schema/declare.ts';
import { wholePattern } from '../kernel/schema/whole-pattern.ts';
import { memberSchemaOf } from './member-schema-of.ts';

/** Names that people give to secrets, at the end of a key: `DB_PASSWORD`, `accessKey`; `TOKEN_URL` is none. */
const TELLING = /(secret|password|passwd|token|(api|access|private|secret)[_-]?key)s?$/i;
/** A user and a password before a host. */
const WITH_PASSWORD = /^[a-z][a-z0-9+.-]*:\/\/[^/?#@\s:]*:[^/?#@\s]+@/i;
const PLACEHOLDER = /\$\{[^}]*\}/g;
/** Shorter texts under a telling name are switches and names. */
const CHARACTERS_MIN = 8;

/** Where secrets stand in a file as they are, and not as placeholders; `tree` is what the file says, unchecked. */
export function literalSecrets(schema: Schema, tree: unknown): readonly ConfigPath[] {
  const found: ConfigPath[] = [];
  const walk = (value: unknown, shape: Schema | undefined, path: ConfigPath): void => {
    if (typeof value === 'string') {
      if (isLiteralSecret(value, shape, path)) found.push(path);
    } else if (typeof value === 'object' && value !== null) {
      for (const [key, one] of Object.entries(value)) {
        const step = Array.isArray(value) ? Number(key) : key;
        walk(one, memberSchemaOf(shape, step), [...path, step]);
      }
    }
  };
  walk(tree, schema, []);
  return found;
}

function isLiteralSecret(text: string, shape: Schema | undefined, path: ConfigPath): boolean {
  const own = text.replaceAll(PLACEHOLDER, '');
  if (own === '') return false;
  if (WITH_PASSWORD.test(own)) return true;
  if (own !== text) return false;
  if (isDeclaredSecret(shape, text)) return true;
  const name = path.findLast((step) => typeof step === 'string') ?? '';
  return text.length >= CHARACTERS_MIN && TELLING.test(name);
}

function isDeclaredSecret(shape: Schema | undefined, text: string): boolean {
  if (shape?.kind === 'either') return shape.of.some((one) => isDeclaredSecret(one, text));
  if (shape?.kind !== 'string' || shape.secret !== true) return false;
  return shape.harmless === undefined || !wholePattern(shape.harmless).test(text.toLowerCase());
}
