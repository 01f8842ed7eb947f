import { asBuffer } from '../../kernel/bytes/as-buffer.ts';
import { RequestError } from '../../kernel/errors.ts';
import { deliveryStreamArn, shardId, streamArn } from '../../kernel/names.ts';
import { encodeSequenceNumber } from '../../kernel/stream/sequence-number.ts';
import type { OutgoingRecord } from '../../ports/destination.ts';
import { FUNCTION } from './function-options.ts';
import type { DeliveryStream } from './model.ts';
import { processedRecord, type ProcessedRecord } from './processed-record.ts';
import { batchOf, destinationOf, errorTarget, failuresOf, openTarget } from './targets.ts';
import { UNPROCESSED } from './error-lines.ts';
import { transformOf, type Transform } from './transform-options.ts';
import type { TransformSource } from './transform-event.ts';
import { missingFunction } from './workers/event-bytes.ts';
import { transformGroup } from './workers/transform-piece.ts';
import type { WorkerDoors } from './workers/worker.ts';

/** Records that are looked at once. */
const SAMPLES_MAX = 100;
/** Names a shard that no stream has. */
const NOWHERE = { stream: '', generation: 0, ordinal: 0 };

/** A sample record. */
export interface Sample {
  readonly data: Uint8Array;
  readonly partitionKey: string;
}

/**
 * What would become of these records if they were a batch of the delivery now: what its function makes of them, and
 * under which names they would arrive. Nothing is stored, and no server is asked. RequestErrors: BadRequest.
 */
export async function previewDelivery(
  doors: WorkerDoors,
  delivery: DeliveryStream,
  samples: readonly Sample[],
  signal: AbortSignal,
): Promise<object> {
  if (delivery.target.kind === FUNCTION) throw refuse(`${delivery.name}: what a function takes has no names`);
  if (samples.length === 0 || samples.length > SAMPLES_MAX) throw refuse(`give 1 to ${SAMPLES_MAX} records`);
  const records = samples.map((sample, index) => recordOf(sample, index, doors.environment.clock.now()));
  const transform = transformOf(delivery.target);
  const processed = await process(doors, delivery, records, transform, signal);
  const path = failuresOf(doors.destinations, delivery.target);
  const destination = destinationOf(doors.destinations, delivery.target);
  let hasRefused = false;
  const shown = records.map((record) => {
    const made = processed.find(({ sequenceNumber }) => sequenceNumber === record.sequenceNumber);
    if (made === undefined) return { result: 'Dropped' };
    const { failure, data } = made;
    if (failure !== undefined) return { result: 'ProcessingFailed', code: failure.code, message: failure.message };
    const refusal = destination.refuses?.(data);
    hasRefused ||= refusal !== undefined;
    const members = { ...textOf(data), ...path?.line({ ...made, index: 0 }) };
    return { result: refusal === undefined ? 'Ok' : 'Failed', ...refusal, ...members };
  });
  const places = await placesOf(doors, delivery, { processed, hasRefused });
  return { ...places, records: shown };
}

async function process(
  doors: WorkerDoors,
  delivery: DeliveryStream,
  records: readonly OutgoingRecord[],
  transform: Transform | undefined,
  signal: AbortSignal,
): Promise<readonly ProcessedRecord[]> {
  if (transform === undefined) return records;
  if ('url' in transform.to) throw refuse('its records are processed by a URL, and a preview asks no server');
  const { name } = transform.to;
  if (!doors.functions.has(name)) throw refuse(missingFunction(name));
  const once = { ...transform, retries: 0 };
  const tries = { source: sourceOf(doors, delivery), failures: 0, waits: 0 };
  const found = await transformGroup(records, NOWHERE, tries, { ...doors, transform: once, cut: signal });
  if ('pauseMs' in found) throw refuse(typeof found.error === 'string' ? found.error : found.error.message);
  return found.map(({ entry }) => {
    const { partitionKey, data, headers = [] } = entry;
    return processedRecord({ offset: 0n, at: 0, key: Buffer.from(partitionKey), data, headers });
  });
}

function sourceOf({ identity, environment }: WorkerDoors, { name, from }: DeliveryStream): TransformSource {
  const { region, account } = identity;
  return {
    invocationId: environment.random.uuid(),
    deliveryStreamArn: deliveryStreamArn(region, account, name),
    ...(from !== undefined && { sourceKinesisStreamArn: streamArn(region, account, from) }),
    region,
  };
}

/** Where the batch, and what failed, would arrive. */
async function placesOf(
  doors: WorkerDoors,
  delivery: DeliveryStream,
  { processed, hasRefused }: { readonly processed: readonly ProcessedRecord[]; readonly hasRefused: boolean },
): Promise<object> {
  const good = processed.filter(({ failure }) => failure === undefined);
  const sizeBytes = good.reduce((sum, { data }) => sum + data.length, 0);
  const planned = {
    id: doors.environment.random.uuid(),
    version: delivery.version,
    oldestAt: doors.environment.clock.now(),
    recordCount: good.length,
    sizeBytes,
  };
  const batch = batchOf(delivery, doors.identity, planned);
  const { bytesMax, intervalMs } = destinationOf(doors.destinations, delivery.target).buffering(
    delivery.target.options as never,
  );
  const open = openTarget(doors, delivery.target, delivery.settings);
  const errorPlace = errorTarget(doors.destinations, delivery.target);
  const errors = openTarget(doors, errorPlace ?? delivery.target);
  const hasFailed = good.length < processed.length;
  const { errorType = '' } = failuresOf(doors.destinations, delivery.target) ?? {};
  const places = {
    destination: delivery.target.kind,
    place: open.place(batch),
    ...(hasFailed && { failedPlace: errors.place({ ...batch, errorType: UNPROCESSED }) }),
    // Without one, all of the batch is attempted again.
    ...(hasRefused && errorPlace !== undefined && { refusedPlace: errors.place({ ...batch, errorType }) }),
    bytes: sizeBytes,
    buffer: { bytesMax, intervalMs },
  };
  await open.close();
  await errors.close();
  return places;
}

function recordOf({ data, partitionKey }: Sample, index: number, at: number): OutgoingRecord {
  const sequenceNumber = encodeSequenceNumber(NOWHERE, BigInt(index));
  return { data, at, partitionKey, sequenceNumber, shardId: shardId(0), index };
}

/** Bytes as text where they are some, else in base64. */
function textOf(data: Uint8Array): { readonly text: string } | { readonly data: string } {
  const bytes = asBuffer(data);
  const text = bytes.toString();
  return Buffer.from(text).equals(bytes) ? { text } : { data: bytes.toString('base64') };
}

function refuse(sentence: string): RequestError {
  return new RequestError('BadRequest', sentence);
}
