import type { Capability, Running } from '../../ports/capability.ts';
import { StreamExists } from '../../ports/records.ts';
import { streamsOptions, type StreamsOptions } from './config.ts';
import { kinesisEvents } from './events.ts';
import { allowedChange, configuredSpec, drift, type KinesisState } from './model.ts';
import { namedStreams } from './named-streams.ts';
import { notBuilt } from './not-built.ts';
import { addTagsToStream } from './operations/add-tags-to-stream.ts';
import { createStream } from './operations/create-stream.ts';
import { decreaseStreamRetentionPeriod } from './operations/decrease-stream-retention-period.ts';
import { deleteResourcePolicy } from './operations/delete-resource-policy.ts';
import { deleteStream } from './operations/delete-stream.ts';
import { deregisterStreamConsumer } from './operations/deregister-stream-consumer.ts';
import { describeAccountSettings } from './operations/describe-account-settings.ts';
import { describeLimits } from './operations/describe-limits.ts';
import { describeStreamConsumer } from './operations/describe-stream-consumer.ts';
import { describeStreamSummary } from './operations/describe-stream-summary.ts';
import { describeStream } from './operations/describe-stream.ts';
import { disableEnhancedMonitoring } from './operations/disable-enhanced-monitoring.ts';
import { enableEnhancedMonitoring } from './operations/enable-enhanced-monitoring.ts';
import { getRecords } from './operations/get-records.ts';
import { getResourcePolicy } from './operations/get-resource-policy.ts';
import { getShardIterator } from './operations/get-shard-iterator.ts';
import { increaseStreamRetentionPeriod } from './operations/increase-stream-retention-period.ts';
import { listShards } from './operations/list-shards.ts';
import { listStreamConsumers } from './operations/list-stream-consumers.ts';
import { listStreams } from './operations/list-streams.ts';
import { listTagsForResource } from './operations/list-tags-for-resource.ts';
import { listTagsForStream } from './operations/list-tags-for-stream.ts';
import { mergeShards } from './operations/merge-shards.ts';
import { putRecord } from './operations/put-record.ts';
import { putRecords } from './operations/put-records.ts';
import { putResourcePolicy } from './operations/put-resource-policy.ts';
import { registerStreamConsumer } from './operations/register-stream-consumer.ts';
import { removeTagsFromStream } from './operations/remove-tags-from-stream.ts';
import { splitShard } from './operations/split-shard.ts';
import { startStreamEncryption } from './operations/start-stream-encryption.ts';
import { stopStreamEncryption } from './operations/stop-stream-encryption.ts';
import { subscribeToShard } from './operations/subscribe-to-shard.ts';
import { tagResource } from './operations/tag-resource.ts';
import { untagResource } from './operations/untag-resource.ts';
import { updateAccountSettings } from './operations/update-account-settings.ts';
import { updateMaxRecordSize } from './operations/update-max-record-size.ts';
import { updateShardCount } from './operations/update-shard-count.ts';
import { updateStreamMode } from './operations/update-stream-mode.ts';
import { updateStreamWarmThroughput } from './operations/update-stream-warm-throughput.ts';
import { openKinesisState } from './state.ts';
import { streamRoutes } from './viewer.ts';
import { forgetClosedShards } from './workers/closed-shards.ts';

/** The Kinesis Data Streams API, and the section `streams` of the config file. */
export const kinesis: Capability<typeof streamsOptions, KinesisState> = {
  name: 'kinesis',
  section: 'streams',
  options: streamsOptions,
  operations: [
    addTagsToStream,
    createStream,
    decreaseStreamRetentionPeriod,
    deleteResourcePolicy,
    deleteStream,
    deregisterStreamConsumer,
    describeAccountSettings,
    describeLimits,
    describeStream,
    describeStreamConsumer,
    describeStreamSummary,
    disableEnhancedMonitoring,
    enableEnhancedMonitoring,
    getRecords,
    getResourcePolicy,
    getShardIterator,
    increaseStreamRetentionPeriod,
    listShards,
    listStreamConsumers,
    listStreams,
    listTagsForResource,
    listTagsForStream,
    mergeShards,
    putRecord,
    putRecords,
    putResourcePolicy,
    registerStreamConsumer,
    removeTagsFromStream,
    splitShard,
    startStreamEncryption,
    stopStreamEncryption,
    subscribeToShard,
    tagResource,
    untagResource,
    updateAccountSettings,
    updateMaxRecordSize,
    updateShardCount,
    updateStreamMode,
    updateStreamWarmThroughput,
    ...notBuilt,
  ],
  resources: namedStreams,
  async start(options, doors, environment): Promise<Running<KinesisState>> {
    const state = openKinesisState(doors, environment);
    const { consumers, fanOut } = state;
    await consumers.sweep();
    await applyFile(state, options ?? {});
    const closedShards = forgetClosedShards(state.records, environment.clock);
    return {
      state,
      admin: streamRoutes(state),
      reload: async (changed) => await applyFile(state, (changed ?? {}) as StreamsOptions),
      health: () => ({ ok: true, problems: [] }),
      drain: async () => fanOut.stop(),
      stop: async () => {
        closedShards.stop();
        fanOut.stop();
      },
    };
  },
};

/** Creates what the file names and is missing; what differs and cannot be changed yet is said, never lost. */
async function applyFile(state: KinesisState, options: StreamsOptions): Promise<void> {
  const { log } = state.environment;
  state.named = new Set(Object.keys(options));
  for (const [name, wanted] of Object.entries(options)) {
    const spec = configuredSpec(name, wanted);
    const existing = state.records.describe(name);
    if (existing === undefined) {
      await create(state, spec);
      log.info(kinesisEvents.created, { stream: name, shards: spec.shardCount });
      continue;
    }
    const change = allowedChange(existing, spec);
    if (Object.keys(change).length > 0) {
      await state.records.update(name, () => change);
      log.info(kinesisEvents.updated, { stream: name, changed: Object.keys(change).join(',') });
    }
    for (const different of drift(existing, spec)) {
      log.warn(kinesisEvents.drift, { stream: name, differs: different });
    }
  }
}

async function create(state: KinesisState, spec: ReturnType<typeof configuredSpec>): Promise<void> {
  try {
    await state.records.create(spec);
  } catch (error) {
    // Another node applied the same file at the same time.
    if (!(error instanceof StreamExists)) throw error;
  }
}
