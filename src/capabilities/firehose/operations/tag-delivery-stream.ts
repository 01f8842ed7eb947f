import * as s from '../../../kernel/schema/declare.ts';
import { operation } from '../../../ports/operation.ts';
import type { FirehoseState } from '../model.ts';
import { deliveryStreamName, tagList, TARGET } from '../shapes.ts';
import { checkTagCount, tagsOf } from '../tags.ts';

/** Adds tags, or gives those that are there another value. */
export const tagDeliveryStream = operation<FirehoseState>()({
  name: 'TagDeliveryStream',
  target: TARGET,
  input: s.struct({ DeliveryStreamName: deliveryStreamName, Tags: tagList }),
  output: s.struct({}),
  errors: ['LimitExceededException', 'ResourceNotFoundException'],
  plane: 'control',
  doc: 'Adds tags (50 a delivery stream), or gives those that are there another value.',
  async handle({ DeliveryStreamName: name, Tags }, { state }) {
    await state.deliveries.change(name, (current) => {
      const tags = { ...current.tags, ...tagsOf(Tags) };
      checkTagCount(name, tags);
      return { ...current, tags };
    });
    return {};
  },
});
