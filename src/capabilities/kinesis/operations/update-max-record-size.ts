import * as s from '../../../kernel/schema/declare.ts';
import { operation } from '../../../ports/operation.ts';
import { addressedStream } from '../address.ts';
import { kinesisLimits } from '../limits.ts';
import type { KinesisState } from '../model.ts';
import { refuseBusy } from '../resharding.ts';
import { changeStream, packSettings, storedRecordBytesMax } from '../settings.ts';
import { streamArn, streamId, TARGET } from '../shapes.ts';

const input = s.struct({
  StreamARN: s.optional(streamArn),
  StreamId: s.optional(streamId),
  MaxRecordSizeInKiB: s.integer({ min: kinesisLimits.recordKibMin, max: kinesisLimits.recordKibMax }),
});

/** Sets how large a record, data and partition key, may be. */
export const updateMaxRecordSize = operation<KinesisState>()({
  name: 'UpdateMaxRecordSize',
  target: TARGET,
  input,
  errors: ['InvalidArgumentException', 'LimitExceededException', 'ResourceInUseException', 'ResourceNotFoundException'],
  plane: 'control',
  doc: 'Sets how large a record, data and partition key, may be: 1 to 10 MiB.',
  async handle(request, { state }) {
    const stream = addressedStream(state, request);
    refuseBusy(state, stream);
    await changeStream(state, stream, (current, kept) => {
      const maxRecordBytes = request.MaxRecordSizeInKiB * 1024;
      const highest = storedRecordBytesMax(current);
      // What is stored already may be larger than what is taken from now on.
      const recordBytesHighest = highest > maxRecordBytes ? highest : undefined;
      return { maxRecordBytes, ...packSettings({ ...kept, recordBytesHighest }) };
    });
    return undefined;
  },
});
