import * as s from '../../../kernel/schema/declare.ts';
import { operation } from '../../../ports/operation.ts';
import { firehoseLimits } from '../limits.ts';
import type { FirehoseState } from '../model.ts';
import { deliveryStreamName, deliveryStreamType, TARGET } from '../shapes.ts';

const input = s.struct({
  Limit: s.optional(s.integer({ min: 1, max: firehoseLimits.listMax })),
  DeliveryStreamType: s.optional(deliveryStreamType),
  ExclusiveStartDeliveryStreamName: s.optional(deliveryStreamName),
});

/** Lists delivery streams by name, a page at a time. */
export const listDeliveryStreams = operation<FirehoseState>()({
  name: 'ListDeliveryStreams',
  target: TARGET,
  input,
  output: s.struct({ DeliveryStreamNames: s.list(deliveryStreamName), HasMoreDeliveryStreams: s.boolean() }),
  errors: [],
  plane: 'control',
  doc: 'Lists delivery streams by name, a page at a time (10 unless Limit says otherwise).',
  async handle(request, { state }) {
    const { ExclusiveStartDeliveryStreamName: after = '', DeliveryStreamType: type } = request;
    const all = state.deliveries.list().filter(({ name, from }) => {
      const own = from === undefined ? 'DirectPut' : 'KinesisStreamAsSource';
      return name > after && (type === undefined || type === own);
    });
    const page = all.slice(0, request.Limit ?? firehoseLimits.listDefault);
    return {
      DeliveryStreamNames: page.map(({ name }) => name),
      HasMoreDeliveryStreams: page.length < all.length,
    };
  },
});
