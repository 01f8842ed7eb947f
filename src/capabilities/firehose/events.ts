import type { Meter } from '../../ports/environment.ts';

/** Log lines and metrics of the Firehose capability; it uses no other names. */
export const firehoseEvents = {
  created: 'delivery.created',
  updated: 'delivery.updated',
  /** The file asks for something that differs from the delivery stream as it is and that cannot be changed. */
  drift: 'delivery.drift',
  /** The file names a destination that does not exist yet. */
  paused: 'delivery.paused',
  delivered: 'delivery.done',
  failed: 'delivery.failed',
  /** The destination did not take some records of a batch. */
  refused: 'delivery.refused',
  /** Records were given up: lines about them stand in the error output. */
  errorOutput: 'delivery.error-output',
  resumed: 'delivery.resumed',
  /** What was asked for was delivered once more. */
  replayed: 'delivery.replayed',
  /** Retention, or the deletion of the stream, removed records before they were delivered. */
  lost: 'delivery.retention-exceeded',
  /** A function did not take records, and they were given up. */
  gaveUp: 'delivery.gave-up',
  /** Somebody else delivers this stream now. */
  fenced: 'delivery.fenced',
  bug: 'delivery.bug',
  recordsIn: 'aws_firehose_incoming_records_total',
  bytesIn: 'aws_firehose_incoming_bytes_total',
  recordsRefused: 'aws_firehose_throttled_records_total',
  objects: 'firehose_delivered_objects_total',
  recordsOut: 'firehose_delivered_records_total',
  bytesOut: 'firehose_delivered_bytes_total',
  attemptsFailed: 'firehose_failed_attempts_total',
  /** Given up after the retries of a function, or for their age or size. */
  recordsFailed: 'firehose_failed_records_total',
  /** Sent again while the attempt before may have arrived. */
  duplicates: 'firehose_possible_duplicates_total',
  recordsLost: 'firehose_lost_records_total',
  /** Bytes of the events that functions have, over all deliveries. */
  eventBytes: 'firehose_function_event_bytes',
  /** Bytes that deliveries hold, over all of them, and how many wait for some. */
  memoryBytes: 'firehose_held_bytes',
  memoryWaiting: 'firehose_waiting_for_memory',
  /** Age of the oldest record of what a function took last. */
  freshness: 'firehose_data_freshness_ms',
  /** AWS's metrics, in the units of Prometheus. */
  s3Records: 'aws_firehose_delivery_to_s3_records_total',
  s3Bytes: 'aws_firehose_delivery_to_s3_bytes_total',
  s3Attempts: 'aws_firehose_delivery_to_s3_attempts_total',
  s3Success: 'aws_firehose_delivery_to_s3_success_total',
  s3Freshness: 'aws_firehose_delivery_to_s3_data_freshness_ms',
  httpRecords: 'aws_firehose_delivery_to_http_endpoint_records_total',
  httpBytes: 'aws_firehose_delivery_to_http_endpoint_bytes_total',
  httpAttempts: 'aws_firehose_delivery_to_http_endpoint_attempts_total',
  httpSuccess: 'aws_firehose_delivery_to_http_endpoint_success_total',
  httpFreshness: 'aws_firehose_delivery_to_http_endpoint_data_freshness_ms',
  searchRecords: 'aws_firehose_delivery_to_amazon_open_search_service_records_total',
  searchBytes: 'aws_firehose_delivery_to_amazon_open_search_service_bytes_total',
  searchAttempts: 'aws_firehose_delivery_to_amazon_open_search_service_attempts_total',
  searchSuccess: 'aws_firehose_delivery_to_amazon_open_search_service_success_total',
  searchFreshness: 'aws_firehose_delivery_to_amazon_open_search_service_data_freshness_ms',
  processingDuration: 'aws_firehose_execute_processing_duration_ms',
  processingSuccess: 'aws_firehose_execute_processing_success_total',
  processedRecords: 'aws_firehose_succeed_processing_records_total',
  processedBytes: 'aws_firehose_succeed_processing_bytes_total',
  backupRecords: 'aws_firehose_backup_to_s3_records_total',
  backupBytes: 'aws_firehose_backup_to_s3_bytes_total',
  /** Each record went to the backup, too. */
  backedUp: 'delivery.backed-up',
  /** What became of a batch could not be kept. */
  historyLost: 'delivery.history-lost',
} as const;

/** What is measured of a batch when it is over. */
export interface BatchMeasures {
  readonly records: number;
  readonly bytes: number;
  /** Age of its oldest record. */
  readonly freshnessMs: number;
  readonly attempts: number;
}

/** What is measured of a call of a function that processes records. */
export interface ProcessingMeasures {
  readonly ms: number;
  /** Whether it gave an answer about the records. */
  readonly isSuccess: boolean;
  /** Those that it processed, or dropped, and their bytes as they came. */
  readonly records: number;
  readonly bytes: number;
}

/** Measures a call under AWS's names. */
export function processingMetrics(meter: Meter, delivery: string, call: ProcessingMeasures): void {
  const labels = { delivery };
  meter.observe(firehoseEvents.processingDuration, labels, call.ms);
  meter.count(firehoseEvents.processingSuccess, labels, call.isSuccess ? 1 : 0);
  meter.count(firehoseEvents.processedRecords, labels, call.records);
  meter.count(firehoseEvents.processedBytes, labels, call.bytes);
}

/** Measures a batch under AWS's names for its destination; other destinations have none. */
export function deliveryMetrics(meter: Meter, kind: string, delivery: string, batch: BatchMeasures): void {
  const { records, bytes, freshnessMs, attempts } = batch;
  const success = records > 0 ? 1 : 0;
  const labels = { delivery };
  switch (kind) {
    case 'ExtendedS3DestinationConfiguration':
      meter.count(firehoseEvents.s3Records, labels, records);
      meter.count(firehoseEvents.s3Bytes, labels, bytes);
      meter.count(firehoseEvents.s3Attempts, labels, attempts);
      meter.count(firehoseEvents.s3Success, labels, success);
      return meter.gauge(firehoseEvents.s3Freshness, labels, freshnessMs);
    case 'HttpEndpointDestinationConfiguration':
      meter.count(firehoseEvents.httpRecords, labels, records);
      meter.count(firehoseEvents.httpBytes, labels, bytes);
      meter.count(firehoseEvents.httpAttempts, labels, attempts);
      meter.count(firehoseEvents.httpSuccess, labels, success);
      return meter.gauge(firehoseEvents.httpFreshness, labels, freshnessMs);
    case 'AmazonopensearchserviceDestinationConfiguration':
    case 'ElasticsearchDestinationConfiguration':
      meter.count(firehoseEvents.searchRecords, labels, records);
      meter.count(firehoseEvents.searchBytes, labels, bytes);
      meter.count(firehoseEvents.searchAttempts, labels, attempts);
      meter.count(firehoseEvents.searchSuccess, labels, success);
      return meter.gauge(firehoseEvents.searchFreshness, labels, freshnessMs);
    default:
      return undefined;
  }
}
