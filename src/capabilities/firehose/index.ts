import { RequestError } from '../../kernel/errors.ts';
import type { Schema } from '../../kernel/schema/declare.ts';
import type { Capability, Doors, Running } from '../../ports/capability.ts';
import type { AnyDestination } from '../../ports/destination.ts';
import type { Json } from '../../ports/catalog.ts';
import type { Environment } from '../../ports/environment.ts';
import type { UrlRules } from '../../ports/http-client.ts';
import type { SectionProblem } from '../../ports/section-problem.ts';
import { bucketRoutes, deliveryRoutes } from './admin.ts';
import { comingDestinations, deliveriesOptions, type DeliveriesOptions } from './config.ts';
import { Deliveries } from './deliveries.ts';
import { deliveriesNotes } from './deliveries-notes.ts';
import { FUNCTION, functionProblem } from './function-options.ts';
import type { FirehoseState } from './model.ts';
import { namedDeliveries } from './named-deliveries.ts';
import { createDeliveryStream } from './operations/create-delivery-stream.ts';
import { deleteDeliveryStream } from './operations/delete-delivery-stream.ts';
import { describeDeliveryStream } from './operations/describe-delivery-stream.ts';
import { listDeliveryStreams } from './operations/list-delivery-streams.ts';
import { listTagsForDeliveryStream } from './operations/list-tags-for-delivery-stream.ts';
import { putRecord } from './operations/put-record.ts';
import { putRecordBatch } from './operations/put-record-batch.ts';
import { replayRoutes } from './replay-routes.ts';
import { Replays } from './replays.ts';
import { startDeliveryStreamEncryption } from './operations/start-delivery-stream-encryption.ts';
import { stopDeliveryStreamEncryption } from './operations/stop-delivery-stream-encryption.ts';
import { tagDeliveryStream } from './operations/tag-delivery-stream.ts';
import { untagDeliveryStream } from './operations/untag-delivery-stream.ts';
import { updateDestination } from './operations/update-destination.ts';
import { targetProblem } from './target-problem.ts';
import { DeliveryMemory } from './workers/delivery-memory.ts';

/** The Firehose API, and the section `deliveries` of the config file, with these kinds of destinations. */
export function createFirehose(destinations: readonly AnyDestination[]): Capability<Schema, FirehoseState> {
  return {
    name: 'firehose',
    section: 'deliveries',
    options: deliveriesOptions(destinations),
    operations: [
      createDeliveryStream(destinations),
      deleteDeliveryStream,
      describeDeliveryStream,
      listDeliveryStreams,
      listTagsForDeliveryStream,
      putRecord,
      putRecordBatch,
      startDeliveryStreamEncryption,
      stopDeliveryStreamEncryption,
      tagDeliveryStream,
      untagDeliveryStream,
      updateDestination(destinations),
    ],
    resources: namedDeliveries,
    problems: (options, _mode, urls) => deliveriesProblems(options as DeliveriesOptions, destinations, urls),
    notes: async (options, doors) => deliveriesNotes(options as DeliveriesOptions, destinations, doors),
    start: async (options, doors, environment) => await start((options ?? {}) as DeliveriesOptions, doors, environment),
  };
}

async function start(
  options: DeliveriesOptions,
  doors: Doors,
  environment: Environment,
): Promise<Running<FirehoseState>> {
  const memory = new DeliveryMemory(environment.meter);
  const deliveries = new Deliveries({ ...doors, environment, memory }, async (name) => await replays.drop(name));
  const replays = new Replays({
    ...doors,
    environment,
    memory,
    delivery: (name) => deliveries.get(name),
    isBusy: (name) => deliveries.worker(name)?.status().underway !== undefined,
  });
  const { records, catalog, destinations, http, identity } = doors;
  const state: FirehoseState = { records, catalog, destinations, http, identity, environment, deliveries };
  const apply = async (changed: DeliveriesOptions): Promise<void> => {
    const problems = deliveriesProblems(changed, destinations, http);
    if (problems.length > 0) {
      const lines = problems.map(({ path, message }) => `deliveries.${path.join('.')}: ${message}`);
      throw new RequestError('InvalidConfig', lines.join('\n'));
    }
    await deliveries.apply(changed);
  };
  await deliveries.open();
  await apply(options);
  replays.open();
  return {
    state,
    admin: [...deliveryRoutes(state, replays), ...bucketRoutes(doors.blobs), ...replayRoutes(state, replays)],
    // The config reader checked it against this capability's own declaration.
    reload: async (changed) => await apply((changed ?? {}) as DeliveriesOptions),
    health: () => {
      const problems = [...deliveries.problems(), ...replays.problems()];
      return { ok: problems.length === 0, problems };
    },
    drain: async (withinMs) => await deliveries.drain(withinMs),
    stop: async () => {
      await replays.stop();
      await deliveries.stop();
    },
  };
}

/** What the shape of the section alone cannot say. */
function deliveriesProblems(
  options: DeliveriesOptions,
  destinations: readonly AnyDestination[],
  urls: UrlRules,
): readonly SectionProblem[] {
  const known = [...destinations.map(({ name }) => name), FUNCTION, ...comingDestinations];
  return Object.entries(options).flatMap(([name, delivery]) => {
    const given = known.filter((kind) => delivery[kind] !== undefined);
    const [kind] = given;
    if (kind === undefined || given.length > 1) {
      const message =
        given.length === 0 ? 'has no destination; name one' : `has ${given.length} destinations; keep one`;
      return [{ path: [name], message }];
    }
    const message =
      kind === FUNCTION
        ? functionProblem(delivery[kind], delivery.from)
        : targetProblem({ kind, options: delivery[kind] as Json }, destinations, urls);
    return message === undefined ? [] : [{ path: [name, kind], message }];
  });
}
