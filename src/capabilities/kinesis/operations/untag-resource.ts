import * as s from '../../../kernel/schema/declare.ts';
import { withoutTags } from '../../../kernel/tags.ts';
import { operation } from '../../../ports/operation.ts';
import type { KinesisState } from '../model.ts';
import { changeResource } from '../resource.ts';
import { resourceArn, streamId, tagKeys, TARGET } from '../shapes.ts';

const input = s.struct({ TagKeys: tagKeys, ResourceARN: resourceArn, StreamId: s.optional(streamId) });

/** Removes tags of a stream or consumer; those that are not there are fine. */
export const untagResource = operation<KinesisState>()({
  name: 'UntagResource',
  target: TARGET,
  input,
  errors: ['InvalidArgumentException', 'LimitExceededException', 'ResourceInUseException', 'ResourceNotFoundException'],
  plane: 'control',
  doc: 'Removes tags of a stream or consumer; those that are not there are fine.',
  async handle({ TagKeys, ResourceARN }, { state }) {
    await changeResource(state, ResourceARN, ({ tags }) => ({ tags: withoutTags(tags, TagKeys) }));
    return undefined;
  },
});
