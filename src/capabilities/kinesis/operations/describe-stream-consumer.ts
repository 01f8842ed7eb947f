import * as s from '../../../kernel/schema/declare.ts';
import { operation } from '../../../ports/operation.ts';
import { addressedConsumer, describeConsumer } from '../consumer-address.ts';
import type { KinesisState } from '../model.ts';
import { consumer, consumerArn, consumerName, streamArn, streamId, TARGET } from '../shapes.ts';

const input = s.struct({
  StreamARN: s.optional(streamArn),
  ConsumerName: s.optional(consumerName),
  ConsumerARN: s.optional(consumerArn),
  StreamId: s.optional(streamId),
});

const output = s.struct({ ConsumerDescription: s.struct({ ...consumer, StreamARN: streamArn }) });

/** Describes a consumer, named by its ARN or by stream and name. */
export const describeStreamConsumer = operation<KinesisState>()({
  name: 'DescribeStreamConsumer',
  target: TARGET,
  input,
  output,
  errors: ['InvalidArgumentException', 'ResourceNotFoundException'],
  plane: 'control',
  doc: 'Describes a consumer, named by its ARN or by stream and name.',
  async handle(request, { state }) {
    const found = addressedConsumer(state, request);
    return { ConsumerDescription: { ...describeConsumer(found), StreamARN: found.stream.arn } };
  },
});
