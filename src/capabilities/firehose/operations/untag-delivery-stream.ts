import * as s from '../../../kernel/schema/declare.ts';
import { withoutTags } from '../../../kernel/tags.ts';
import { operation } from '../../../ports/operation.ts';
import { firehoseLimits } from '../limits.ts';
import type { FirehoseState } from '../model.ts';
import { deliveryStreamName, tagKey, TARGET } from '../shapes.ts';

const input = s.struct({
  DeliveryStreamName: deliveryStreamName,
  TagKeys: s.list(tagKey, { min: 1, max: firehoseLimits.tagsMax }),
});

/** Removes tags; those that are not there are fine. */
export const untagDeliveryStream = operation<FirehoseState>()({
  name: 'UntagDeliveryStream',
  target: TARGET,
  input,
  output: s.struct({}),
  errors: ['ResourceNotFoundException'],
  plane: 'control',
  doc: 'Removes tags; those that are not there are fine.',
  async handle({ DeliveryStreamName: name, TagKeys }, { state }) {
    await state.deliveries.change(name, (current) => ({ ...current, tags: withoutTags(current.tags ?? {}, TagKeys) }));
    return {};
  },
});
