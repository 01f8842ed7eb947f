import { ownWord } from '../../kernel/net/config-url.ts';
import { checkConfig } from '../../kernel/schema/check-config.ts';
import type { AnyDestination } from '../../ports/destination.ts';
import type { UrlRules } from '../../ports/http-client.ts';
import type { Target } from './model.ts';
import { S3 } from './targets.ts';
import { transformOf } from './transform-options.ts';

/**
 * What the shapes of a target's options alone cannot say, in a sentence: rules of the service, of the bucket for what
 * is not taken, and with `urls` which servers the node may ask.
 */
export function targetProblem(
  { kind, options }: Target,
  destinations: readonly AnyDestination[],
  urls: UrlRules,
): string | undefined {
  const destination = destinations.find(({ name }) => name === kind);
  return (
    destination?.problem(options as never) ??
    backupProblem(destination?.failures?.(options as never).backup, destinations) ??
    urlProblem(urlsOf({ kind, options }, destinations), urls)
  );
}

/** What the shapes say of a target's options, which may come of several words, and then what they alone cannot say. */
export function optionsProblem(
  target: Target,
  destinations: readonly AnyDestination[],
  urls: UrlRules,
): string | undefined {
  const destination = destinations.find(({ name }) => name === target.kind);
  const [broken] = destination === undefined ? [] : checkConfig(destination.options, target.options);
  if (broken !== undefined) return `${broken.path.join('.')}: ${broken.what}`;
  return targetProblem(target, destinations, urls);
}

/** Which word in the URLs of a target only files may say, unless the file said it before, in a sentence. */
export function fileWordProblem(
  target: Target,
  destinations: readonly AnyDestination[],
  former?: Target,
): string | undefined {
  const before = former === undefined ? [] : urlsOf(former, destinations);
  const [word] = urlsOf(target, destinations).flatMap((url) => (before.includes(url) ? [] : (ownWord(url) ?? [])));
  return word === undefined ? undefined : `${word} in a URL is the config file's; say the address`;
}

/** What is asked over HTTP: the destination, and what transforms its records. */
function urlsOf(target: Target, destinations: readonly AnyDestination[]): readonly string[] {
  const { kind, options } = target;
  const to = transformOf(target)?.to;
  return [
    ...(destinations.find(({ name }) => name === kind)?.urls?.(options as never) ?? []),
    ...(to !== undefined && 'url' in to ? [to.url] : []),
  ];
}

function backupProblem(backup: unknown, destinations: readonly AnyDestination[]): string | undefined {
  if (backup === undefined) return undefined;
  const problem = destinations.find(({ name }) => name === S3)?.problem(backup as never);
  return problem === undefined ? undefined : `S3Configuration: ${problem}`;
}

function urlProblem(asked: readonly string[], urls: UrlRules): string | undefined {
  return asked.map((url) => urls.problem(url)).find((problem) => problem !== undefined);
}
