import * as s from '../../../kernel/schema/declare.ts';
import { isoTime } from '../../../kernel/iso-time.ts';
import { limits } from '../limits.ts';
import type { RouteProblem } from './verifier.ts';

const text = { min: 1, max: 1024, secret: true } as const;

const secret = s.either(
  [
    s.string(text),
    s.struct({
      value: s.string({ ...text, doc: 'The secret itself.' }),
      notBefore: s.optional(s.string({ doc: 'ISO 8601 time from which it verifies; without it, always did.' })),
      notAfter: s.optional(s.string({ doc: 'ISO 8601 time up to which it verifies; without it, for ever.' })),
    }),
  ],
  { doc: 'A secret, or one with the time in which it verifies. Two active ones make a rotation without loss.' },
);

/** The declaration of a list of secrets. */
export const secretList = s.list(secret, { min: 1, max: limits.secretsMax, doc: 'Any of them verifies.' });

/** A checked list. */
export type SecretList = s.Static<typeof secretList>;

/** The declaration of how far a signed time may be from now. */
export const tolerance = s.integer({
  min: 1,
  max: limits.toleranceSecondsMax,
  doc: `How far the signed time may be from now, either way, in seconds; default ${limits.toleranceSeconds}.`,
});

/** A key with the time in which it verifies, both ends included, in ms since the Unix epoch. */
export interface TimedKey<K> {
  readonly key: K;
  readonly notBefore: number;
  readonly notAfter: number;
}

/** The secrets with their times, each as the key that `read` makes of its text. */
export function readSecrets<K>(secrets: SecretList, read: (text: string) => K): readonly TimedKey<K>[] {
  return secrets.map((one) => {
    if (typeof one === 'string') return { key: read(one), notBefore: -Infinity, notAfter: Infinity };
    return {
      key: read(one.value),
      notBefore: timeOf(one.notBefore) ?? -Infinity,
      notAfter: timeOf(one.notAfter) ?? Infinity,
    };
  });
}

/** The keys that verify at `nowMs`. */
export function activeKeys<K>(keys: readonly TimedKey<K>[], nowMs: number): readonly K[] {
  return keys.filter(({ notBefore, notAfter }) => notBefore <= nowMs && nowMs <= notAfter).map(({ key }) => key);
}

/** The text of the first secret that is active; undefined when none is. */
export function activeText(secrets: SecretList | undefined, nowMs: number): string | undefined {
  return activeKeys(
    readSecrets(secrets ?? [], (one) => one),
    nowMs,
  )[0];
}

/** Times that are none or never come, and texts that `isFit` does not take; `path` leads to the list. */
export function secretProblems(
  secrets: SecretList | undefined,
  path: readonly string[] = ['secrets'],
  fit?: { readonly isFit: (text: string) => boolean; readonly expected: string },
): readonly RouteProblem[] {
  return (secrets ?? []).flatMap((one, index) => {
    const place = [...path, String(index)];
    const value = typeof one === 'string' ? one : one.value;
    const wrong = fit === undefined || fit.isFit(value) ? [] : [{ path: place, message: `expected ${fit.expected}` }];
    if (typeof one === 'string') return wrong;
    const times = (['notBefore', 'notAfter'] as const)
      .filter((name) => one[name] !== undefined && timeOf(one[name]) === undefined)
      .map((name) => ({
        path: [...place, name],
        message: 'expected an ISO 8601 time, for example 2026-01-31T00:00:00Z',
      }));
    const [from, to] = [timeOf(one.notBefore), timeOf(one.notAfter)];
    const isNever = from !== undefined && to !== undefined && to < from;
    const never = isNever
      ? [{ path: [...place, 'notAfter'], message: 'is before `notBefore`: it never verifies' }]
      : [];
    return [...wrong, ...times, ...never];
  });
}

function timeOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : isoTime(text);
}

/** The value of a header or a parameter that is there and not empty. */
export function filled(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}
