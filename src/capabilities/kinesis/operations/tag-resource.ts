import * as s from '../../../kernel/schema/declare.ts';
import { operation } from '../../../ports/operation.ts';
import type { KinesisState } from '../model.ts';
import { changeResource } from '../resource.ts';
import { resourceArn, streamId, tagMap, TARGET } from '../shapes.ts';
import { checkTags } from '../tags.ts';

const input = s.struct({ Tags: tagMap, ResourceARN: resourceArn, StreamId: s.optional(streamId) });

/** Adds tags to a stream or consumer, or gives those that are there another value. */
export const tagResource = operation<KinesisState>()({
  name: 'TagResource',
  target: TARGET,
  input,
  errors: ['InvalidArgumentException', 'LimitExceededException', 'ResourceInUseException', 'ResourceNotFoundException'],
  plane: 'control',
  doc: 'Adds tags (50 each) to a stream or consumer, or gives those that are there another value.',
  async handle(request, { state }) {
    await changeResource(state, request.ResourceARN, (kept) => {
      const tags = { ...kept.tags, ...request.Tags };
      checkTags(state, request.ResourceARN, tags);
      return { tags };
    });
    return undefined;
  },
});
