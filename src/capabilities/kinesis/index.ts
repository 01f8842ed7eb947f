import type { Capability, Running } from '../../ports/capability.ts';
import { StreamExists } from '../../ports/records.ts';
import { openAnswerMemory } from './answer-memory.ts';
import { streamsOptions, type StreamsOptions } from './config.ts';
import { Consumers } from './consumers.ts';
import { FanOut } from './fan-out.ts';
import { kinesisEvents } from './events.ts';
import { allowedChange, configuredSpec, drift, type KinesisState } from './model.ts';
import { addTagsToStream } from './operations/add-tags-to-stream.ts';
import { decreaseStreamRetentionPeriod } from './operations/decrease-stream-retention-period.ts';
import { increaseStreamRetentionPeriod } from './operations/increase-stream-retention-period.ts';
import { listTagsForStream } from './operations/list-tags-for-stream.ts';
import { mergeShards } from './operations/merge-shards.ts';
import { removeTagsFromStream } from './operations/remove-tags-from-stream.ts';
import { splitShard } from './operations/split-shard.ts';
import { subscribeToShard } from './operations/subscribe-to-shard.ts';
import { updateShardCount } from './operations/update-shard-count.ts';
import { createStream } from './operations/create-stream.ts';
import { deleteStream } from './operations/delete-stream.ts';
import { describeStream } from './operations/describe-stream.ts';
import { describeStreamSummary } from './operations/describe-stream-summary.ts';
import { getRecords } from './operations/get-records.ts';
import { getShardIterator } from './operations/get-shard-iterator.ts';
import { deregisterStreamConsumer } from './operations/deregister-stream-consumer.ts';
import { describeStreamConsumer } from './operations/describe-stream-consumer.ts';
import { listStreamConsumers } from './operations/list-stream-consumers.ts';
import { registerStreamConsumer } from './operations/register-stream-consumer.ts';
import { listShards } from './operations/list-shards.ts';
import { listStreams } from './operations/list-streams.ts';
import { putRecord } from './operations/put-record.ts';
import { putRecords } from './operations/put-records.ts';
import { streamRoutes } from './viewer.ts';

/** The Kinesis Data Streams API, and the section `streams` of the config file. */
export const kinesis: Capability<typeof streamsOptions, KinesisState> = {
  name: 'kinesis',
  section: 'streams',
  options: streamsOptions,
  operations: [
    addTagsToStream,
    createStream,
    decreaseStreamRetentionPeriod,
    deleteStream,
    deregisterStreamConsumer,
    describeStream,
    describeStreamConsumer,
    describeStreamSummary,
    getRecords,
    getShardIterator,
    increaseStreamRetentionPeriod,
    listShards,
    listStreamConsumers,
    listStreams,
    listTagsForStream,
    mergeShards,
    putRecord,
    putRecords,
    registerStreamConsumer,
    removeTagsFromStream,
    splitShard,
    subscribeToShard,
    updateShardCount,
  ],
  async start(options, doors, environment): Promise<Running<KinesisState>> {
    const { records, identity, catalog } = doors;
    const consumers = new Consumers(catalog, records);
    const memory = openAnswerMemory();
    const fanOut = new FanOut({ records, consumers, identity, environment, memory });
    const state: KinesisState = { records, consumers, fanOut, identity, environment, memory, named: new Set() };
    await consumers.sweep();
    await applyFile(state, options ?? {});
    return {
      state,
      admin: streamRoutes(state),
      reload: async (changed) => await applyFile(state, (changed ?? {}) as StreamsOptions),
      health: () => ({ ok: true, problems: [] }),
      drain: async () => fanOut.stop(),
      stop: async () => fanOut.stop(),
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
