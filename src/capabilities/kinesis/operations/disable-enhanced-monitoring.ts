import * as s from '../../../kernel/schema/declare.ts';
import { operation } from '../../../ports/operation.ts';
import { addressedStream } from '../address.ts';
import type { KinesisState } from '../model.ts';
import { changeMonitoring } from '../monitoring.ts';
import { metricNames, monitored, streamArn, streamId, streamName, TARGET } from '../shapes.ts';

const input = s.struct({
  StreamName: s.optional(streamName),
  ShardLevelMetrics: metricNames,
  StreamARN: s.optional(streamArn),
  StreamId: s.optional(streamId),
});

/** Notes that shard level metrics are not wanted any more. */
export const disableEnhancedMonitoring = operation<KinesisState>()({
  name: 'DisableEnhancedMonitoring',
  target: TARGET,
  input,
  output: monitored,
  errors: ['InvalidArgumentException', 'LimitExceededException', 'ResourceInUseException', 'ResourceNotFoundException'],
  plane: 'control',
  doc: 'Notes that shard level metrics are not wanted any more.',
  async handle(request, { state }) {
    const stream = addressedStream(state, request);
    return await changeMonitoring(state, stream, request.ShardLevelMetrics, false);
  },
});
