import { parseConfigUrl } from '../../kernel/net/config-url.ts';
import type { UrlRules } from '../../ports/http-client.ts';
import type { GatewayOptions } from './config.ts';
import { verifierKinds } from './kinds/index.ts';
import type { AnyVerifierKind, RouteProblem, Sample } from './kinds/verifier.ts';

/** A server elsewhere that requests of the log may be sent to. */
export interface RedeliveryTarget {
  readonly name: string;
  readonly url: string;
  /** The headers that prove the sender there; undefined: no secret is active just now. */
  sign(sample: Sample): Readonly<Record<string, string>> | undefined;
}

type Section = NonNullable<GatewayOptions['redeliverTo']>;
type TargetOptions = Section[string];

/** The targets of a section without problems, by name. */
export function redeliveryTargets(section: Section = {}): ReadonlyMap<string, RedeliveryTarget> {
  return new Map(Object.entries(section).map(([name, options]) => [name, targetOf(name, options)] as const));
}

function targetOf(name: string, { url, sign }: TargetOptions): RedeliveryTarget {
  const [chosen] = chosenKinds(sign);
  return {
    name,
    url,
    sign: (sample) => (chosen === undefined ? {} : chosen.kind.sign(chosen.options as never, sample)),
  };
}

/** What is wrong with the section beyond its shape. */
export function targetProblems(section: Section | undefined, urls: UrlRules): readonly RouteProblem[] {
  return Object.entries(section ?? {}).flatMap(([name, { url, sign }]) => {
    const problem = urlProblem(url, urls);
    const chosen = chosenKinds(sign);
    const isOne = sign === undefined || chosen.length === 1;
    const found: RouteProblem[] = [
      ...(problem === undefined ? [] : [{ path: ['url'], message: problem }]),
      ...(isOne ? [] : [{ path: ['sign'], message: 'expected one way to sign' }]),
      ...chosen.flatMap(({ kind, options }) =>
        (kind.problems?.(options as never) ?? []).map(({ path, message }) => ({
          path: ['sign', kind.name, ...path],
          message,
        })),
      ),
    ];
    return found.map(({ path, message }) => ({ path: ['redeliverTo', name, ...path], message }));
  });
}

function chosenKinds(
  sign: TargetOptions['sign'],
): readonly { readonly kind: AnyVerifierKind; readonly options: unknown }[] {
  const given: Readonly<Record<string, unknown>> = sign ?? {};
  return verifierKinds
    .filter(({ name }) => given[name] !== undefined)
    .map((kind) => ({ kind, options: given[kind.name] }));
}

/** What stands for the node's own address is looked at when it is known. */
function urlProblem(given: string, urls: UrlRules): string | undefined {
  const url = parseConfigUrl(given);
  if (url === undefined || !/^https?:$/.test(url.protocol)) return 'expected a URL of http or https';
  const { username, password } = url;
  if (username !== '' || password !== '') return 'holds a name or a password, and would be shown; `sign` has `basic`';
  return urls.problem(given);
}
