import { isOpen } from '../../../ports/records.ts';
import * as s from '../../../kernel/schema/declare.ts';
import { operation } from '../../../ports/operation.ts';
import { addressedStream } from '../address.ts';
import { describeCommon, type KinesisState } from '../model.ts';
import { TARGET, describedStream, streamArn, streamName } from '../shapes.ts';

const input = s.struct({ StreamName: s.optional(streamName), StreamARN: s.optional(streamArn) });

const output = s.struct({
  StreamDescriptionSummary: s.struct({
    ...describedStream,
    OpenShardCount: s.integer(),
    ConsumerCount: s.integer(),
    MaxRecordSizeInKiB: s.integer(),
  }),
});

/** Describes a stream without its shards. */
export const describeStreamSummary = operation<KinesisState>()({
  name: 'DescribeStreamSummary',
  target: TARGET,
  input,
  output,
  errors: ['InvalidArgumentException', 'ResourceNotFoundException'],
  plane: 'control',
  doc: 'Describes a stream without its shards.',
  async handle(request, { state }) {
    const stream = addressedStream(state, request);
    return {
      StreamDescriptionSummary: {
        ...describeCommon(stream),
        OpenShardCount: stream.shards.filter(isOpen).length,
        ConsumerCount: state.consumers.list(stream).length,
        MaxRecordSizeInKiB: stream.maxRecordBytes / 1024,
      },
    };
  },
});
