import type { AnyDestination } from '../../ports/destination.ts';
import type { UrlRules } from '../../ports/http-client.ts';
import type { Target } from './model.ts';
import { S3 } from './targets.ts';

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
    urlProblem(destination?.urls?.(options as never) ?? [], urls)
  );
}

function backupProblem(backup: unknown, destinations: readonly AnyDestination[]): string | undefined {
  if (backup === undefined) return undefined;
  const problem = destinations.find(({ name }) => name === S3)?.problem(backup as never);
  return problem === undefined ? undefined : `S3Configuration: ${problem}`;
}

function urlProblem(asked: readonly string[], urls: UrlRules): string | undefined {
  return asked.map((url) => urls.problem(url)).find((problem) => problem !== undefined);
}
