import { functionArn } from '../../kernel/names.ts';
import type { Identity } from '../../ports/capability.ts';
import { functionNotFound } from './errors.ts';

/** What a caller may name a function by (Lambda's `NamespacedFunctionName`). */
export const FUNCTION_NAME_PATTERN =
  '(arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?' +
  '([a-zA-Z0-9-_\\.]+)(:(\\$LATEST(\\.PUBLISHED)?|[a-zA-Z0-9-_]+))?';
const WHOLE = new RegExp(`^${FUNCTION_NAME_PATTERN}$`);
const NAME_GROUP = 10;
const QUALIFIER_GROUP = 12;
const LATEST = '$LATEST';

/**
 * The name in what a caller names a function by: its name, its ARN or a part of that, with or without a version.
 * RequestErrors: a text that is none of these, and any version but the only one there is.
 */
export function readFunctionName(given: string, qualifier: string | undefined, { region, account }: Identity): string {
  const parts = WHOLE.exec(given);
  const name = parts?.[NAME_GROUP];
  if (name === undefined) throw functionNotFound(functionArn(region, account, given));
  const version = parts?.[QUALIFIER_GROUP] ?? qualifier ?? LATEST;
  if (version !== LATEST) throw functionNotFound(`${functionArn(region, account, name)}:${version}`);
  return name;
}
