import { kinesisError } from './errors.ts';
import { kinesisLimits } from './limits.ts';
import type { KinesisState } from './model.ts';

/** AWS's own set. */
const CHARACTERS = /^[\p{L}\p{Z}\p{N}_.:/=+\-@%]*$/u;

/** Checks the tags a stream is to have: InvalidArgumentException for foreign characters and for more than 50. */
export function checkTags({ identity }: KinesisState, stream: string, tags: Readonly<Record<string, string>>): void {
  const texts = Object.entries(tags).flat();
  if (!texts.every((text) => CHARACTERS.test(text))) {
    const sentence =
      'Some tags contain invalid characters. Valid characters: Unicode letters, digits, white space, _ . / = + - % @.';
    throw kinesisError('InvalidArgumentException', sentence);
  }
  if (Object.keys(tags).length <= kinesisLimits.tagsPerStreamMax) return;
  const sentence =
    `Failed to add tags to stream ${stream} under account ${identity.account} because a given stream cannot have ` +
    `more than ${kinesisLimits.tagsPerStreamMax} tags associated with it.`;
  throw kinesisError('InvalidArgumentException', sentence);
}
