import type { OutgoingRecord } from '../../../ports/destination.ts';
import { extendLast } from '../joined-ranges.ts';
import { firehoseLimits } from '../limits.ts';
import type { Range } from '../model.ts';
import { originRange } from './batch-records.ts';

/** Records about which lines were written: how many, and as many stretches of them as are remembered, and one more. */
export class FailedRecords {
  readonly ranges: Range[] = [];
  count = 0;

  /** Takes one, in the order of the batch; `isStored`: it stands in a stream. */
  add(record: Pick<OutgoingRecord, 'sequenceNumber'>, isStored: boolean): void {
    this.count += 1;
    if (!isStored || this.ranges.length > firehoseLimits.historyRangesMax) return;
    const range = originRange(record);
    if (!extendLast(this.ranges, range)) this.ranges.push(range);
  }
}
