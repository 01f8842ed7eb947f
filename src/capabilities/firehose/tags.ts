import { firehoseError } from './errors.ts';
import { firehoseLimits } from './limits.ts';

/** The tags of a request by key; of two with the same key the last one counts, and no value is an empty one. */
export function tagsOf(
  list: readonly { readonly Key: string; readonly Value?: string }[],
): Readonly<Record<string, string>> {
  return Object.fromEntries(list.map(({ Key, Value = '' }) => [Key, Value]));
}

/** LimitExceededException where a delivery stream would have more than 50 tags. */
export function checkTagCount(name: string, tags: Readonly<Record<string, string>>): void {
  if (Object.keys(tags).length <= firehoseLimits.tagsMax) return;
  // Our own sentence: AWS's is not documented.
  const sentence = `Firehose ${name} cannot have more than ${firehoseLimits.tagsMax} tags.`;
  throw firehoseError('LimitExceededException', sentence);
}
