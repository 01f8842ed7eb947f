import * as s from '../../../kernel/schema/declare.ts';
import { operation } from '../../../ports/operation.ts';
import type { StreamInfo } from '../../../ports/records.ts';
import { addressedStream, onStream } from '../address.ts';
import { kinesisError } from '../errors.ts';
import type { KinesisState } from '../model.ts';
import { TARGET, streamArn, streamId, streamName } from '../shapes.ts';

const input = s.struct({
  StreamName: s.optional(streamName),
  EnforceConsumerDeletion: s.optional(s.boolean()),
  StreamARN: s.optional(streamArn),
  StreamId: s.optional(streamId),
});

/** Deletes a stream with its records; it is gone when the answer comes. */
export const deleteStream = operation<KinesisState>()({
  name: 'DeleteStream',
  target: TARGET,
  input,
  errors: ['InvalidArgumentException', 'ResourceInUseException', 'ResourceNotFoundException'],
  plane: 'control',
  doc: 'Deletes a stream with its records and, when asked to, its consumers; gone when the answer comes.',
  async handle(request, { state }) {
    const stream = addressedStream(state, request);
    if (request.EnforceConsumerDeletion !== true) refuseWithConsumers(state, stream);
    await onStream(state, stream, async () => await state.records.delete(stream.name));
    await state.consumers.sweepStream(stream.name);
    return undefined;
  },
});

function refuseWithConsumers({ consumers, identity }: KinesisState, stream: StreamInfo): void {
  if (consumers.list(stream).length === 0) return;
  const sentence =
    `DeleteStream can't delete ${identity.account}:${stream.name} because there are consumers associated with this ` +
    `data stream. To delete ${stream.name} anyway, set the EnforceConsumerDeletion parameter to true to force the ` +
    'deletion of all the consumers that are associated with it.';
  throw kinesisError('ResourceInUseException', sentence);
}
