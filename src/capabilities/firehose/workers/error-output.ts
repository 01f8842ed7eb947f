import { DeliveryError } from '../../../kernel/errors.ts';
import type { Delivered, FailurePath, OutgoingRecord } from '../../../ports/destination.ts';
import { failedLine, goneLine, GONE, UNPROCESSED, type Failure } from '../error-lines.ts';
import { keyWithout } from '../error-objects.ts';
import type { DeliveryStream, Gap, Intent, Target } from '../model.ts';
import { withData, type PlacedRecord } from '../outgoing.ts';
import { READ_LIMIT } from '../range-slices.ts';
import { batchOf, openTarget, type OpeningDoors } from '../targets.ts';
import { transformOf } from '../transform-options.ts';
import type { BatchRecords } from './batch-records.ts';
import type { WorkerDoors } from './worker.ts';

type Lines = () => AsyncIterable<readonly OutgoingRecord[]>;

/** The objects with lines about records of one intent that did not arrive. */
export class ErrorOutput {
  readonly #doors: OpeningDoors & Pick<WorkerDoors, 'identity'>;
  readonly #delivery: DeliveryStream;
  readonly #intent: Intent;
  readonly #target: Target;
  readonly #cut: AbortSignal;

  /** `target`: the S3 destination that holds the objects. */
  constructor(
    doors: OpeningDoors & Pick<WorkerDoors, 'identity'>,
    { delivery, intent, target, cut }: ErrorOutputOptions,
  ) {
    this.#doors = doors;
    this.#delivery = delivery;
    this.#intent = intent;
    this.#target = target;
    this.#cut = cut;
  }

  /** Writes a line for each record that `failureOf` names, by its place in the intent. Rejects with DeliveryErrors. */
  async writeFailed(
    records: BatchRecords,
    path: FailurePath,
    failureOf: (record: PlacedRecord) => Failure | undefined,
  ): Promise<Delivered> {
    const { place } = this.#intent;
    const line = (record: PlacedRecord): Uint8Array | undefined => {
      const failure = failureOf(record);
      return failure === undefined ? undefined : failedLine(record, failure, path.line(record, place));
    };
    return await this.#writeAbout(records, path.errorType, this.#intent.failedPlace, line);
  }

  /** Writes a line for each record that could not be processed, and shows it. Rejects with DeliveryErrors. */
  async writeUnprocessed(records: BatchRecords, shown: (record: OutgoingRecord) => void): Promise<Delivered> {
    // Entries of older versions do not say which function failed.
    const now = transformOf(this.#intent.target)?.arn ?? '';
    const line = (record: PlacedRecord): Uint8Array | undefined => {
      if (record.failure === undefined) return undefined;
      shown(record);
      return failedLine(record, record.failure, { lambdaArn: record.failure.lambdaArn ?? now });
    };
    return await this.#writeAbout(records, UNPROCESSED, this.#intent.unprocessedPlace, line);
  }

  /**
   * What stands under the key is replaced, since other records fail at each attempt: those that had a line and are
   * there still arrived meanwhile, or have one again. Of those that are gone the line may be all that is left.
   */
  async #writeAbout(
    records: BatchRecords,
    errorType: string,
    planned: string | undefined,
    line: (record: PlacedRecord) => Uint8Array | undefined,
  ): Promise<Delivered> {
    const { missing } = records;
    const place = planned === undefined || missing === 0 ? planned : keyWithout(missing, planned);
    return await this.#write(errorType, place, () => linesOf(records, line, missing));
  }

  /** Writes a line for each range that was gone. Rejects with DeliveryErrors. */
  async writeGone(gaps: readonly Gap[]): Promise<Delivered> {
    const { oldestAt } = this.#intent;
    const lines = async function* (): AsyncGenerator<readonly OutgoingRecord[]> {
      yield gaps.map((gap, index) => {
        const data = goneLine(gap);
        return { data, at: oldestAt, partitionKey: '', sequenceNumber: '', shardId: '', index };
      });
    };
    return await this.#write(GONE, this.#intent.lostPlace, lines);
  }

  async #write(errorType: string, planned: string | undefined, records: Lines): Promise<Delivered> {
    const open = openTarget(this.#doors, this.#target);
    try {
      const batch = { ...batchOf(this.#delivery, this.#doors.identity, this.#intent), errorType };
      const place = planned ?? open.place(batch);
      return await open.deliver({ ...batch, records }, place, this.#cut);
    } finally {
      await open.close();
    }
  }
}

/** Lines in groups no larger than what is read at once, though what is said can be longer than the record. */
async function* linesOf(
  records: BatchRecords,
  line: (record: PlacedRecord) => Uint8Array | undefined,
  missing: number,
): AsyncGenerator<readonly OutgoingRecord[]> {
  for await (const some of records.pass()) {
    let group: OutgoingRecord[] = [];
    let bytes = 0;
    for (const record of some) {
      const data = line(record);
      if (data === undefined) continue;
      if (bytes + data.length > READ_LIMIT.bytes && group.length > 0) {
        yield group;
        [group, bytes] = [[], 0];
      }
      group.push(withData(record, data));
      bytes += data.length;
    }
    if (group.length > 0) yield group;
  }
  // The object would take the place of one that has lines about them.
  if (records.missing !== missing) throw new DeliveryError('S3.RecordsGone', 'records went meanwhile', true);
}

/** What the objects are about, and where they go. */
export interface ErrorOutputOptions {
  readonly delivery: DeliveryStream;
  readonly intent: Intent;
  readonly target: Target;
  /** Ends a write that is under way. */
  readonly cut: AbortSignal;
}
