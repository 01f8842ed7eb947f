import { isStored, type RecordFailure, type RecordPosition } from '../../ports/records.ts';
import { StreamNotFound } from '../../ports/records.ts';
import { waitingTarget } from './config.ts';
import { isEncrypted } from './encryption.ts';
import { deliveryStreamNotFound, firehoseError } from './errors.ts';
import { firehoseEvents, putMetrics, type PutMeasures } from './events.ts';
import { DIRECT_PREFIX, type FirehoseState } from './model.ts';

/** What AWS answers for a record that could not be taken. */
export const TRY_AGAIN = 'Slow down.';

/** What came of records, and whether they are said to be encrypted. */
export interface PutDirectly {
  readonly results: readonly (RecordPosition | RecordFailure)[];
  readonly isEncrypted: boolean;
}

/** Stores records for a delivery stream that takes them directly; durable, or known not to be stored, on return. */
export async function putDirectly(
  state: FirehoseState,
  name: string,
  data: readonly Uint8Array[],
  action: PutMeasures['action'],
): Promise<PutDirectly> {
  const { account } = state.identity;
  const delivery = state.deliveries.get(name);
  if (delivery === undefined) throw notTaken(state, name);
  if (delivery.from !== undefined) {
    const sentence = 'This operation is not permitted on KinesisStreamAsSource delivery stream type.';
    throw firehoseError('InvalidArgumentException', sentence);
  }
  if (state.deliveries.worker(name) === undefined) throw paused(name, state.deliveries.lacks(delivery.target));
  const { clock, meter } = state.environment;
  const startedAt = clock.monotonic();
  try {
    const entries = data.map((bytes) => ({ partitionKey: name, data: bytes }));
    const results = await state.records.append(DIRECT_PREFIX + name, entries);
    const bytes = data.reduce((sum, { length }) => sum + length, 0);
    putMetrics(meter, name, { action, ms: clock.monotonic() - startedAt, records: data.length, bytes });
    count(state, name, data, results);
    return { results, isEncrypted: isEncrypted(delivery) };
  } catch (error) {
    if (error instanceof StreamNotFound) throw deliveryStreamNotFound(name, account);
    throw error;
  }
}

/** The answer's name of a stored record. */
export function recordId({ sequenceNumber }: RecordPosition): string {
  return sequenceNumber;
}

function notTaken(state: FirehoseState, name: string): Error {
  const waiting = state.deliveries.waiting.get(name);
  if (waiting === undefined) return deliveryStreamNotFound(name, state.identity.account);
  return paused(name, state.deliveries.lacks(waitingTarget(waiting)));
}

function paused(name: string, lacked = 'its destination is not built yet'): Error {
  return firehoseError('ServiceUnavailableException', `${name} is paused: ${lacked}.`);
}

function count(
  { environment }: FirehoseState,
  delivery: string,
  data: readonly Uint8Array[],
  results: readonly (RecordPosition | RecordFailure)[],
): void {
  const stored = data.filter((_, index) => results[index] !== undefined && isStored(results[index]));
  environment.meter.count(firehoseEvents.recordsIn, { delivery }, stored.length);
  const bytes = stored.reduce((sum, one) => sum + one.length, 0);
  environment.meter.count(firehoseEvents.bytesIn, { delivery }, bytes);
  if (stored.length > 0) environment.meter.count(firehoseEvents.putRequests, { delivery });
  if (stored.length < data.length) {
    environment.meter.count(firehoseEvents.recordsRefused, { delivery }, data.length - stored.length);
  }
}
