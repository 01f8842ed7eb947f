import type { Capability, Running } from '../../ports/capability.ts';
import { StreamExists } from '../../ports/records.ts';
import { streamsOptions, type StreamsOptions } from './config.ts';
import { kinesisEvents } from './events.ts';
import { configuredSpec, drift, type KinesisState } from './model.ts';
import { createStream } from './operations/create-stream.ts';
import { deleteStream } from './operations/delete-stream.ts';
import { describeStream } from './operations/describe-stream.ts';
import { describeStreamSummary } from './operations/describe-stream-summary.ts';
import { getRecords } from './operations/get-records.ts';
import { getShardIterator } from './operations/get-shard-iterator.ts';
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
    createStream,
    deleteStream,
    describeStream,
    describeStreamSummary,
    getRecords,
    getShardIterator,
    listShards,
    listStreams,
    putRecord,
    putRecords,
  ],
  async start(options, doors, environment): Promise<Running<KinesisState>> {
    const { records, identity } = doors;
    const state: KinesisState = { records, identity, environment, named: new Set() };
    await applyFile(state, options ?? {});
    return {
      state,
      admin: streamRoutes(state),
      reload: async (changed) => await applyFile(state, (changed ?? {}) as StreamsOptions),
      health: () => ({ ok: true, problems: [] }),
      drain: async () => {},
      stop: async () => {},
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
    const different = drift(existing, spec);
    if (different.length > 0) {
      log.warn(kinesisEvents.drift, {
        stream: name,
        differs: different.join(','),
        hint: 'changing a stream is not built yet',
      });
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
