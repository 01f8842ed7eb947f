import * as s from '../../../kernel/schema/declare.ts';
import { operation } from '../../../ports/operation.ts';
import { StreamExists } from '../../../ports/records.ts';
import { kinesisError } from '../errors.ts';
import { kinesisLimits } from '../limits.ts';
import { checkTags } from '../tags.ts';
import { streamSpec, type KinesisState } from '../model.ts';
import { TARGET, streamModeDetails, streamName } from '../shapes.ts';

const input = s.struct({
  StreamName: streamName,
  ShardCount: s.optional(s.integer({ min: 1 })),
  StreamModeDetails: s.optional(streamModeDetails),
  MaxRecordSizeInKiB: s.optional(s.integer({ min: kinesisLimits.recordKibMin, max: kinesisLimits.recordKibMax })),
  Tags: s.optional(s.map(s.string({ max: 256 }), { key: s.string({ min: 1, max: 128 }), max: 200 })),
  WarmThroughputMiBps: s.optional(s.integer({ min: 0 })),
});

/** Creates a stream; it is ACTIVE when the answer comes. */
export const createStream = operation<KinesisState>()({
  name: 'CreateStream',
  target: TARGET,
  input,
  errors: ['InvalidArgumentException', 'LimitExceededException', 'ResourceInUseException'],
  plane: 'control',
  doc: 'Creates a stream, provisioned or on-demand (4 shards); ACTIVE when the answer comes.',
  async handle(request, { state }) {
    refuseWhatIsMissing(request);
    const mode = request.StreamModeDetails?.StreamMode === 'ON_DEMAND' ? 'ON_DEMAND' : 'PROVISIONED';
    if (mode === 'ON_DEMAND' && request.ShardCount !== undefined) {
      const sentence = 'ShardCount cannot be provided for a stream in ON_DEMAND mode.';
      throw kinesisError('InvalidArgumentException', sentence);
    }
    if (mode === 'PROVISIONED' && request.ShardCount === undefined) {
      const sentence = 'ShardCount must be provided for a stream in PROVISIONED mode.';
      throw kinesisError('InvalidArgumentException', sentence);
    }
    if ((request.ShardCount ?? 0) > kinesisLimits.shardsPerStreamMax) {
      const sentence =
        `This request would exceed the shard limit for the account ${state.identity.account} in ` +
        `${state.identity.region}. Limit: ${kinesisLimits.shardsPerStreamMax}.`;
      throw kinesisError('LimitExceededException', sentence);
    }
    const { Tags: tags = {} } = request;
    checkTags(state, request.StreamName, tags);
    const shape = { mode, shardCount: request.ShardCount, maxRecordKib: request.MaxRecordSizeInKiB, tags } as const;
    try {
      await state.records.create(streamSpec(request.StreamName, shape));
    } catch (error) {
      if (!(error instanceof StreamExists)) throw error;
      const sentence = `Stream ${request.StreamName} under account ${state.identity.account} already exists.`;
      throw kinesisError('ResourceInUseException', sentence);
    }
    return undefined;
  },
});

/** Members of AWS's request that would be lost in silence. */
function refuseWhatIsMissing(request: s.Static<typeof input>): void {
  if (request.WarmThroughputMiBps !== undefined) {
    throw kinesisError('InvalidArgumentException', 'WarmThroughputMiBps is not built yet: leave it out.');
  }
}
