import * as s from '../../../kernel/schema/declare.ts';
import { operation } from '../../../ports/operation.ts';
import { kinesisError } from '../errors.ts';
import { kinesisLimits } from '../limits.ts';
import type { KinesisState } from '../model.ts';
import { openOpaque, sealOpaque } from '../opaque.ts';
import { TARGET, nextToken, streamArn, streamModeDetails, streamName } from '../shapes.ts';

const input = s.struct({
  Limit: s.optional(s.integer({ min: 1, max: 10_000 })),
  ExclusiveStartStreamName: s.optional(streamName),
  NextToken: s.optional(nextToken),
});

const output = s.struct({
  StreamNames: s.list(streamName),
  HasMoreStreams: s.boolean(),
  NextToken: s.optional(nextToken),
  StreamSummaries: s.list(
    s.struct({
      StreamName: streamName,
      StreamARN: streamArn,
      StreamStatus: s.string(),
      StreamModeDetails: streamModeDetails,
      StreamCreationTimestamp: s.timestamp(),
    }),
  ),
});

/** Lists streams by name. */
export const listStreams = operation<KinesisState>()({
  name: 'ListStreams',
  target: TARGET,
  input,
  output,
  errors: ['ExpiredNextTokenException', 'InvalidArgumentException'],
  plane: 'control',
  doc: 'Lists streams by name, a page at a time.',
  async handle(request, { state }) {
    const after = request.NextToken === undefined ? request.ExclusiveStartStreamName : openToken(request.NextToken);
    const all = state.records.list();
    const rest = after === undefined ? all : all.filter(({ name }) => name > after);
    const page = rest.slice(0, request.Limit ?? kinesisLimits.listStreamsDefault);
    const last = page.at(-1);
    const more = page.length < rest.length && last !== undefined;
    return {
      StreamNames: page.map(({ name }) => name),
      HasMoreStreams: more,
      ...(more ? { NextToken: sealOpaque('streams', { after: last.name }) } : {}),
      StreamSummaries: page.map((stream) => ({
        StreamName: stream.name,
        StreamARN: stream.arn,
        StreamStatus: 'ACTIVE',
        StreamModeDetails: { StreamMode: stream.mode },
        StreamCreationTimestamp: stream.createdAt,
      })),
    };
  },
});

function openToken(token: string): string {
  const after = openOpaque('streams', token)?.['after'];
  if (typeof after !== 'string') throw kinesisError('InvalidArgumentException', 'NextToken is invalid.');
  return after;
}
