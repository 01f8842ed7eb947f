import { kinesisError } from './errors.ts';
import { kinesisLimits } from './limits.ts';
import type { KinesisState } from './model.ts';

/** AWS's own set. */
const CHARACTERS = /^[\p{L}\p{Z}\p{N}_.:/=+\-@%]*$/u;
const RESERVED = /^aws:/i;

/**
 * Checks the tags a stream, or the resource of an ARN, is to have: InvalidArgumentException for foreign characters, for
 * keys that begin with `aws:`, and for more than 50.
 */
export function checkTags({ identity }: KinesisState, resource: string, tags: Readonly<Record<string, string>>): void {
  const texts = Object.entries(tags).flat();
  if (!texts.every((text) => CHARACTERS.test(text))) {
    const sentence =
      'Some tags contain invalid characters. Valid characters: Unicode letters, digits, white space, _ . / = + - % @.';
    throw kinesisError('InvalidArgumentException', sentence);
  }
  if (Object.keys(tags).some((key) => RESERVED.test(key))) {
    // Our own sentence: AWS's is not documented.
    throw kinesisError('InvalidArgumentException', 'Tag keys that begin with aws: are reserved for AWS.');
  }
  if (Object.keys(tags).length <= kinesisLimits.tagsPerStreamMax) return;
  const isArn = resource.startsWith('arn:');
  const [what, kind] = isArn ? [`resource ${resource}`, 'resource'] : [`stream ${resource}`, 'stream'];
  const sentence =
    `Failed to add tags to ${what} under account ${identity.account} because a given ${kind} cannot have ` +
    `more than ${kinesisLimits.tagsPerStreamMax} tags associated with it.`;
  throw kinesisError('InvalidArgumentException', sentence);
}
