import * as s from '../../../kernel/schema/declare.ts';
import { operation } from '../../../ports/operation.ts';
import { onStream } from '../address.ts';
import { addressedConsumer, consumerNotFound } from '../consumer-address.ts';
import type { KinesisState } from '../model.ts';
import { consumerArn, consumerName, streamArn, streamId, TARGET } from '../shapes.ts';

const input = s.struct({
  StreamARN: s.optional(streamArn),
  ConsumerName: s.optional(consumerName),
  ConsumerARN: s.optional(consumerArn),
  StreamId: s.optional(streamId),
});

/** Forgets a consumer; its subscriptions end, and it is gone when the answer comes. */
export const deregisterStreamConsumer = operation<KinesisState>()({
  name: 'DeregisterStreamConsumer',
  target: TARGET,
  input,
  errors: ['InvalidArgumentException', 'ResourceNotFoundException'],
  plane: 'control',
  doc: 'Forgets a consumer; its subscriptions end, and it is gone when the answer comes.',
  async handle(request, { state }) {
    const consumer = addressedConsumer(state, request);
    const isDone = await onStream(state, consumer.stream, async () => await state.consumers.deregister(consumer));
    if (isDone) return undefined;
    throw consumerNotFound(consumer.name, state.identity.account);
  },
});
