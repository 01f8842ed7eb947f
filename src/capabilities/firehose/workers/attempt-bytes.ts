import type { AttemptSize } from '../../../ports/destination.ts';
import { firehoseLimits } from '../limits.ts';
import type { Intent, Target } from '../model.ts';
import { READ_LIMIT } from '../range-slices.ts';
import { errorTarget, failuresOf, openTarget, type OpeningDoors } from '../targets.ts';

/** One read is worked on while the next is under way. */
const READS = 2;
/** Of a record that was read: an object, and what it is called. */
const OBJECT_BYTES = 500;
/** Of a record that a destination refuses: what it says, and its place and reason, anew with each attempt. */
const REFUSED_BYTES = 200;
/** Of a character of what is kept of why: of those given up, and of those that are attempted again. */
const MESSAGE_BYTES = 2 * 2;
/** Of a byte of a record's line: base64, as a text, and as bytes. */
const LINE_COPIES = 4;
/** What a line has beside its record. */
const LINE_BYTES = 1024;

/**
 * Bytes that one attempt with the batch holds at most, by what it is. `groupBytes`: of the records that are read at
 * once; `hasLines`: lines about records may be written, too.
 */
export function attemptBytes(
  doors: OpeningDoors,
  intent: Pick<Intent, 'recordCount' | 'leavingCount' | 'sizeBytes'>,
  {
    target,
    groupBytes,
    hasLines,
  }: { readonly target: Target; readonly groupBytes: number; readonly hasLines: boolean },
): number {
  const { recordCount, leavingCount = recordCount, sizeBytes } = intent;
  const size = { recordCount: leavingCount, sizeBytes, groupBytes };
  const canRefuse = failuresOf(doors.destinations, target) !== undefined;
  const lines = hasLines || canRefuse ? linesBytes(doors, size, target) : 0;
  const read = READS * (groupBytes + READ_LIMIT.records * OBJECT_BYTES);
  const refused = canRefuse
    ? leavingCount * REFUSED_BYTES + MESSAGE_BYTES * firehoseLimits.keptMessageCharactersMax
    : 0;
  // Lines are written when the destination was asked, and not beside it.
  return read + refused + Math.max(openTarget(doors, target).holdsBytes(size), lines);
}

/** Of an object with a line for each record. */
function linesBytes(doors: OpeningDoors, { recordCount, sizeBytes, groupBytes }: AttemptSize, target: Target): number {
  const errors = errorTarget(doors.destinations, target);
  if (errors === undefined) return 0;
  const size = {
    recordCount,
    sizeBytes: 2 * sizeBytes + recordCount * LINE_BYTES,
    groupBytes: 2 * groupBytes,
  };
  return LINE_COPIES * groupBytes + openTarget(doors, errors).holdsBytes(size);
}
