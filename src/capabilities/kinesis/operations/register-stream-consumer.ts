import { unreachable } from '../../../kernel/assert.ts';
import type { RequestError } from '../../../kernel/errors.ts';
import * as s from '../../../kernel/schema/declare.ts';
import { operation } from '../../../ports/operation.ts';
import type { StreamInfo } from '../../../ports/records.ts';
import { addressedStream, onStream } from '../address.ts';
import { describeConsumer } from '../consumer-address.ts';
import type { RegisterRefusal } from '../consumers.ts';
import { kinesisError } from '../errors.ts';
import { kinesisLimits } from '../limits.ts';
import type { KinesisState } from '../model.ts';
import { consumer, consumerName, streamArn, streamId, tagMap, TARGET } from '../shapes.ts';
import { checkTags } from '../tags.ts';

const input = s.struct({
  StreamARN: streamArn,
  ConsumerName: consumerName,
  StreamId: s.optional(streamId),
  Tags: s.optional(tagMap),
});

const output = s.struct({ Consumer: s.struct(consumer) });

/** Registers a consumer of a stream; it is ACTIVE when the answer comes. */
export const registerStreamConsumer = operation<KinesisState>()({
  name: 'RegisterStreamConsumer',
  target: TARGET,
  input,
  output,
  errors: ['InvalidArgumentException', 'LimitExceededException', 'ResourceInUseException', 'ResourceNotFoundException'],
  plane: 'control',
  doc: 'Registers a consumer, to be sent records (20 a stream); ACTIVE when the answer comes.',
  async handle({ StreamARN, ConsumerName: name, Tags: tags }, { state }) {
    const stream = addressedStream(state, { StreamARN });
    checkTags(state, stream.name, tags ?? {});
    const createdAt = state.environment.clock.now();
    const kept = { name, createdAt, ...(tags !== undefined && { tags }) };
    const made = await onStream(state, stream, async () => await state.consumers.register(stream, kept));
    if (typeof made === 'string') throw refused(state, stream, name, made);
    return { Consumer: describeConsumer(made) };
  },
});

function refused(state: KinesisState, stream: StreamInfo, name: string, why: RegisterRefusal): RequestError {
  const { account } = state.identity;
  const place = `stream ${stream.name} under account ${account}`;
  switch (why) {
    case 'exists':
      return kinesisError('ResourceInUseException', `Consumer ${name} of ${place} already exists.`);
    case 'too many': {
      const sentence = `The ${place} has its ${kinesisLimits.consumersPerStreamMax} consumers already.`;
      return kinesisError('LimitExceededException', sentence);
    }
    case 'too many at once': {
      const sentence = `${kinesisLimits.consumersCreatingMax} consumers of ${place} are being created already.`;
      return kinesisError('LimitExceededException', sentence);
    }
    default:
      return unreachable(why);
  }
}
