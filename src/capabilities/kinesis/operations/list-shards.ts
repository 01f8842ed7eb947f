import * as s from '../../../kernel/schema/declare.ts';
import { operation } from '../../../ports/operation.ts';
import { isOpen, type ShardInfo, type StreamInfo } from '../../../ports/records.ts';
import { addressedStream, findStream } from '../address.ts';
import { kinesisError } from '../errors.ts';
import { kinesisLimits } from '../limits.ts';
import { describeShards, pageOfShards, type KinesisState } from '../model.ts';
import { openOpaque, sealOpaque } from '../opaque.ts';
import { TARGET, nextToken, shard, shardId, streamArn, streamId, streamName } from '../shapes.ts';

const FILTERS = [
  'AFTER_SHARD_ID',
  'AT_TRIM_HORIZON',
  'FROM_TRIM_HORIZON',
  'AT_LATEST',
  'AT_TIMESTAMP',
  'FROM_TIMESTAMP',
];

const shardFilter = s.struct({
  Type: s.string({ values: FILTERS }),
  ShardId: s.optional(shardId),
  Timestamp: s.optional(s.timestamp()),
});

const input = s.struct({
  StreamName: s.optional(streamName),
  NextToken: s.optional(nextToken),
  ExclusiveStartShardId: s.optional(shardId),
  MaxResults: s.optional(s.integer({ min: 1, max: 10_000 })),
  StreamCreationTimestamp: s.optional(s.timestamp()),
  ShardFilter: s.optional(shardFilter),
  StreamARN: s.optional(streamArn),
  StreamId: s.optional(streamId),
});

const output = s.struct({ Shards: s.list(shard), NextToken: s.optional(nextToken) });

type Input = s.Static<typeof input>;
type Filter = s.Static<typeof shardFilter>;

interface Listing {
  readonly stream: StreamInfo;
  readonly after?: string | undefined;
  readonly filter?: Filter | undefined;
}

/** Lists the shards of a stream, all or those a filter chooses. */
export const listShards = operation<KinesisState>()({
  name: 'ListShards',
  target: TARGET,
  input,
  output,
  errors: [
    'ExpiredNextTokenException',
    'InvalidArgumentException',
    'ResourceInUseException',
    'ResourceNotFoundException',
  ],
  plane: 'control',
  doc: 'Lists the shards of a stream, all or those a filter chooses, a page at a time.',
  async handle(request, { state }) {
    const { stream, after, filter } = request.NextToken === undefined ? begin(state, request) : goOn(state, request);
    const { MaxResults: max = kinesisLimits.listShardsDefault } = request;
    const { shards, hasMore } = pageOfShards(state, stream, { after, max, isWanted: filterOf(state, stream, filter) });
    const Shards = await describeShards(state, shards);
    const last = shards.at(-1);
    if (!hasMore || last === undefined) return { Shards };
    const token = { s: stream.name, c: stream.createdAt, after: last.id, f: filter, t: state.environment.clock.now() };
    return { Shards, NextToken: sealOpaque('shards', token) };
  },
});

function begin(state: KinesisState, request: Input): Listing {
  const filter = request.ShardFilter;
  if (filter !== undefined) checkFilter(filter);
  const stream = addressedStream(state, request);
  const made = request.StreamCreationTimestamp;
  // AWS compares whole seconds.
  if (made !== undefined && Math.floor(made / 1000) !== Math.floor(stream.createdAt / 1000)) {
    const sentence = `Stream ${stream.name} was not created at the StreamCreationTimestamp given.`;
    throw kinesisError('ResourceNotFoundException', sentence);
  }
  return { stream, after: request.ExclusiveStartShardId, filter };
}

function goOn(state: KinesisState, request: Input): Listing {
  if (request.StreamName !== undefined || request.StreamARN !== undefined) {
    throw kinesisError('InvalidArgumentException', 'NextToken and StreamName cannot be provided together.');
  }
  const { s: name, c: created, after, f: filter, t: made } = openOpaque('shards', request.NextToken ?? '') ?? {};
  // Whoever knows the format can seal what we never would.
  if (typeof name !== 'string' || typeof after !== 'string' || typeof made !== 'number' || !isFilter(filter)) {
    throw kinesisError('InvalidArgumentException', 'NextToken is invalid.');
  }
  if (state.environment.clock.now() - made > kinesisLimits.pageTokenLifeMs) {
    throw kinesisError('ExpiredNextTokenException', 'NextToken has expired.');
  }
  const stream = findStream(state, name);
  if (stream.createdAt !== created) throw kinesisError('ExpiredNextTokenException', 'NextToken has expired.');
  return { stream, after, filter };
}

function isFilter(value: unknown): value is Filter | undefined {
  if (value === undefined) return true;
  const { Type, ShardId = '' } = (value ?? {}) as Readonly<Record<string, unknown>>;
  return typeof Type === 'string' && typeof ShardId === 'string';
}

function checkFilter(filter: Filter): void {
  if (filter.Type === 'AFTER_SHARD_ID' && filter.ShardId === undefined) {
    throw kinesisError('InvalidArgumentException', 'ShardId must be provided for ShardFilterType AFTER_SHARD_ID.');
  }
  if (filter.Type.endsWith('_TIMESTAMP') && filter.Timestamp === undefined) {
    throw kinesisError('InvalidArgumentException', `Timestamp must be provided for ShardFilterType ${filter.Type}.`);
  }
}

/**
 * Which shards a filter means: those open at its moment (`AT_`), or open then or later (`FROM_`). As AWS documents it,
 * a shard that was closed at the very timestamp counts, beside its children; at the trim horizon it does not.
 */
function filterOf(state: KinesisState, stream: StreamInfo, filter: Filter | undefined): (shard: ShardInfo) => boolean {
  const horizon = state.environment.clock.now() - stream.retentionMs;
  const moment = Math.max(filter?.Timestamp ?? 0, horizon);
  const after = filter?.ShardId ?? '';
  switch (filter?.Type) {
    case 'AFTER_SHARD_ID':
      return ({ id }) => id > after;
    case 'AT_LATEST':
      return isOpen;
    case 'AT_TRIM_HORIZON': {
      const areAll = horizon <= stream.createdAt;
      return (shard) => wasThere(stream, shard, horizon) && (areAll || closedAt(shard) > horizon);
    }
    case 'AT_TIMESTAMP':
      return (shard) => wasThere(stream, shard, moment) && closedAt(shard) >= moment;
    case 'FROM_TIMESTAMP':
      return (shard) => closedAt(shard) >= moment;
    default:
      return () => true;
  }
}

function closedAt(shard: ShardInfo): number {
  return shard.closedAt ?? Infinity;
}

/** A moment before the stream was made is when it was made. */
function wasThere(stream: StreamInfo, shard: ShardInfo, moment: number): boolean {
  return moment <= stream.createdAt ? shard.parentShardId === undefined : shard.openedAt <= moment;
}
