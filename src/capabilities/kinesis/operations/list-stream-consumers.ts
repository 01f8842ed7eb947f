import * as s from '../../../kernel/schema/declare.ts';
import { operation } from '../../../ports/operation.ts';
import type { StreamInfo } from '../../../ports/records.ts';
import { addressedStream } from '../address.ts';
import { describeConsumer } from '../consumer-address.ts';
import { kinesisError } from '../errors.ts';
import { kinesisLimits } from '../limits.ts';
import type { KinesisState } from '../model.ts';
import { openOpaque, sealOpaque } from '../opaque.ts';
import { consumer, nextToken, streamArn, streamId, TARGET } from '../shapes.ts';

const input = s.struct({
  StreamARN: streamArn,
  NextToken: s.optional(nextToken),
  MaxResults: s.optional(s.integer({ min: 1, max: 10_000 })),
  StreamCreationTimestamp: s.optional(s.timestamp()),
  StreamId: s.optional(streamId),
});

const output = s.struct({ Consumers: s.list(s.struct(consumer)), NextToken: s.optional(nextToken) });

type Input = s.Static<typeof input>;

/** Lists the consumers of a stream by name, a page at a time. */
export const listStreamConsumers = operation<KinesisState>()({
  name: 'ListStreamConsumers',
  target: TARGET,
  input,
  output,
  errors: ['ExpiredNextTokenException', 'InvalidArgumentException', 'ResourceNotFoundException'],
  plane: 'control',
  doc: 'Lists the consumers of a stream by name, a page at a time.',
  async handle(request, { state }) {
    const { listConsumersDefault, listConsumersMax } = kinesisLimits;
    const stream = addressedStream(state, { StreamARN: request.StreamARN });
    const after = startOfPage(state, stream, request);
    const rest = state.consumers.list(stream).filter(({ name }) => after === undefined || name > after);
    const page = rest.slice(0, Math.min(request.MaxResults ?? listConsumersDefault, listConsumersMax));
    const last = page.at(-1);
    const Consumers = page.map(describeConsumer);
    if (page.length === rest.length || last === undefined) return { Consumers };
    const token = { s: stream.name, c: stream.createdAt, after: last.name, t: state.environment.clock.now() };
    return { Consumers, NextToken: sealOpaque('consumers', token) };
  },
});

/** The name behind which the page begins. */
function startOfPage(state: KinesisState, stream: StreamInfo, request: Input): string | undefined {
  const made = request.StreamCreationTimestamp;
  if (request.NextToken === undefined) {
    // AWS compares whole seconds.
    if (made === undefined || Math.floor(made / 1000) === Math.floor(stream.createdAt / 1000)) return undefined;
    const sentence = `Stream ${stream.name} was not created at the StreamCreationTimestamp given.`;
    throw kinesisError('ResourceNotFoundException', sentence);
  }
  if (made !== undefined) {
    const sentence = 'NextToken and StreamCreationTimestamp cannot be provided together.';
    throw kinesisError('InvalidArgumentException', sentence);
  }
  const { s: name, c: created, after, t } = openOpaque('consumers', request.NextToken) ?? {};
  // Whoever knows the format can seal what we never would.
  if (name !== stream.name || typeof after !== 'string' || typeof t !== 'number') {
    throw kinesisError('InvalidArgumentException', 'NextToken is invalid.');
  }
  if (state.environment.clock.now() - t > kinesisLimits.pageTokenLifeMs || created !== stream.createdAt) {
    throw kinesisError('ExpiredNextTokenException', 'NextToken has expired.');
  }
  return after;
}
