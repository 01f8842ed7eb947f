import * as s from '../../../kernel/schema/declare.ts';
import { tagPage } from '../../../kernel/tags.ts';
import { operation } from '../../../ports/operation.ts';
import { addressedStream } from '../address.ts';
import { kinesisLimits } from '../limits.ts';
import type { KinesisState } from '../model.ts';
import { streamArn, streamId, streamName, tag, tagKey, TARGET } from '../shapes.ts';

const input = s.struct({
  StreamName: s.optional(streamName),
  ExclusiveStartTagKey: s.optional(tagKey),
  Limit: s.optional(s.integer({ min: 1, max: kinesisLimits.tagsPageMax })),
  StreamARN: s.optional(streamArn),
  StreamId: s.optional(streamId),
});

const output = s.struct({
  Tags: s.list(tag, { min: 0, max: 200 }),
  HasMoreTags: s.boolean(),
});

/** Lists the tags of a stream by key, a page at a time. */
export const listTagsForStream = operation<KinesisState>()({
  name: 'ListTagsForStream',
  target: TARGET,
  input,
  output,
  errors: ['InvalidArgumentException', 'ResourceNotFoundException'],
  plane: 'control',
  doc: 'Lists the tags of a stream by key, a page at a time.',
  async handle(request, { state }) {
    const { tags } = addressedStream(state, request);
    const { ExclusiveStartTagKey: after, Limit: limit = kinesisLimits.tagsPageMax } = request;
    return tagPage(tags, after, limit);
  },
});
