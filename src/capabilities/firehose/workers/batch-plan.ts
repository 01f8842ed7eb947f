import { GONE, UNPROCESSED } from '../error-lines.ts';
import type { DeliveryStream, Intent, Target } from '../model.ts';
import type { RecordForm } from '../outgoing.ts';
import { batchOf, errorTarget, failuresOf, openTarget, type OpeningDoors } from '../targets.ts';
import type { WorkerDoors } from './worker.ts';

/**
 * Decides on all places of a batch, by the delivery's options as they are. `form`: what was processed can hold records
 * that failed, also where nothing is processed any more.
 */
export async function planBatch(
  doors: OpeningDoors & Pick<WorkerDoors, 'identity'>,
  delivery: DeliveryStream,
  gathered: Pick<Intent, 'ranges' | 'recordCount' | 'leavingCount' | 'sizeBytes' | 'oldestAt'>,
  form: RecordForm = 'plain',
): Promise<Intent> {
  const { version, target } = delivery;
  const { ranges, recordCount, leavingCount = recordCount, sizeBytes, oldestAt } = gathered;
  const id = doors.environment.random.uuid();
  const packed = leavingCount > recordCount && { leavingCount };
  const intent = { id, version, target, ranges, recordCount, ...packed, sizeBytes, oldestAt };
  const failures = failuresOf(doors.destinations, target);
  const place = async (to: Target, errorType?: string): Promise<string> => {
    const open = openTarget(doors, to, delivery.settings);
    const batch = batchOf(delivery, doors.identity, intent);
    const found = open.place(errorType === undefined ? batch : { ...batch, errorType });
    await open.close();
    return found;
  };
  const planned = { ...intent, place: await place(target) };
  const errors = errorTarget(doors.destinations, target);
  if (errors === undefined) return planned;
  return {
    ...planned,
    ...(failures !== undefined && { failedPlace: await place(errors, failures.errorType) }),
    ...(form === 'processed' && { unprocessedPlace: await place(errors, UNPROCESSED) }),
    lostPlace: await place(errors, GONE),
  };
}
