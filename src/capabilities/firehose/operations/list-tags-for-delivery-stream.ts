import * as s from '../../../kernel/schema/declare.ts';
import { tagPage } from '../../../kernel/tags.ts';
import { operation } from '../../../ports/operation.ts';
import { firehoseLimits } from '../limits.ts';
import type { FirehoseState } from '../model.ts';
import { deliveryStreamName, tag, tagKey, TARGET } from '../shapes.ts';

const input = s.struct({
  DeliveryStreamName: deliveryStreamName,
  ExclusiveStartTagKey: s.optional(tagKey),
  Limit: s.optional(s.integer({ min: 1, max: firehoseLimits.tagsMax })),
});

/** Lists the tags of a delivery stream by key, a page at a time. */
export const listTagsForDeliveryStream = operation<FirehoseState>()({
  name: 'ListTagsForDeliveryStream',
  target: TARGET,
  input,
  output: s.struct({ Tags: s.list(tag), HasMoreTags: s.boolean() }),
  errors: ['ResourceNotFoundException'],
  plane: 'control',
  doc: 'Lists the tags of a delivery stream by key, a page at a time.',
  async handle(request, { state }) {
    const { ExclusiveStartTagKey: after, Limit: limit = firehoseLimits.tagsMax } = request;
    return tagPage(state.deliveries.existing(request.DeliveryStreamName).tags ?? {}, after, limit);
  },
});
