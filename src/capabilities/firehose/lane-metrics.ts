import type { Meter } from '../../ports/environment.ts';
import { firehoseEvents } from './events.ts';

/** What came of a batch, as far as it is measured. */
export interface BatchMeasures {
  readonly records: number;
  readonly bytes: number;
  /** Whether records arrived. */
  readonly isSuccess: boolean;
}

/** Measures what goes one way, under AWS's names. */
export interface LaneMetrics {
  attempted(): void;
  /** A batch is over. */
  over(batch: BatchMeasures): void;
  /** Age of the oldest record that is not delivered, in ms; 0: there is none. */
  oldest(ageMs: number): void;
}

/** AWS has no names for the others. */
const NONE: LaneMetrics = { attempted: () => undefined, over: () => undefined, oldest: () => undefined };

/** What a destination of this kind is measured by. */
export function destinationMetrics(meter: Meter, kind: string, delivery: string): LaneMetrics {
  const labels = { delivery };
  switch (kind) {
    case 'ExtendedS3DestinationConfiguration':
      return {
        attempted: () => meter.count(firehoseEvents.s3Attempts, labels),
        over: ({ records, bytes, isSuccess }) => {
          meter.count(firehoseEvents.s3Records, labels, records);
          meter.count(firehoseEvents.s3Bytes, labels, bytes);
          meter.count(firehoseEvents.s3Success, labels, Number(isSuccess));
          meter.count(firehoseEvents.s3Objects, labels, Number(isSuccess));
        },
        oldest: (ageMs) => meter.gauge(firehoseEvents.s3Freshness, labels, ageMs),
      };
    case 'HttpEndpointDestinationConfiguration':
      return {
        attempted: () => meter.count(firehoseEvents.httpAttempts, labels),
        over: ({ records, bytes, isSuccess }) => {
          meter.count(firehoseEvents.httpRecords, labels, records);
          meter.count(firehoseEvents.httpBytes, labels, bytes);
          meter.count(firehoseEvents.httpSuccess, labels, Number(isSuccess));
        },
        oldest: (ageMs) => meter.gauge(firehoseEvents.httpFreshness, labels, ageMs),
      };
    case 'AmazonopensearchserviceDestinationConfiguration':
    case 'ElasticsearchDestinationConfiguration':
      return {
        attempted: () => meter.count(firehoseEvents.searchAttempts, labels),
        over: ({ records, bytes, isSuccess }) => {
          meter.count(firehoseEvents.searchRecords, labels, records);
          meter.count(firehoseEvents.searchBytes, labels, bytes);
          meter.count(firehoseEvents.searchSuccess, labels, Number(isSuccess));
        },
        oldest: (ageMs) => meter.gauge(firehoseEvents.searchFreshness, labels, ageMs),
      };
    default:
      return NONE;
  }
}

/** What the backup of all records is measured by. */
export function backupMetrics(meter: Meter, delivery: string): LaneMetrics {
  const labels = { delivery };
  return {
    attempted: () => meter.count(firehoseEvents.backupAttempts, labels),
    over: ({ records, bytes, isSuccess }) => {
      meter.count(firehoseEvents.backupRecords, labels, records);
      meter.count(firehoseEvents.backupBytes, labels, bytes);
      meter.count(firehoseEvents.backupSuccess, labels, Number(isSuccess));
    },
    oldest: (ageMs) => meter.gauge(firehoseEvents.backupFreshness, labels, ageMs),
  };
}
