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
  replayFailed: 'delivery.replay-failed',
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
  putRequests: 'aws_firehose_incoming_put_requests_total',
  putRecordRequests: 'aws_firehose_put_record_requests_total',
  putRecordBytes: 'aws_firehose_put_record_bytes_total',
  putRecordLatency: 'aws_firehose_put_record_latency_ms',
  putBatchRequests: 'aws_firehose_put_record_batch_requests_total',
  putBatchRecords: 'aws_firehose_put_record_batch_records_total',
  putBatchBytes: 'aws_firehose_put_record_batch_bytes_total',
  putBatchLatency: 'aws_firehose_put_record_batch_latency_ms',
  readRecords: 'aws_firehose_data_read_from_kinesis_stream_records_total',
  readBytes: 'aws_firehose_data_read_from_kinesis_stream_bytes_total',
  behindLatest: 'aws_firehose_kinesis_behind_latest_ms',
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
  s3Objects: 'aws_firehose_delivery_to_s3_object_count_total',
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
  backupAttempts: 'aws_firehose_backup_to_s3_attempts_total',
  backupSuccess: 'aws_firehose_backup_to_s3_success_total',
  backupFreshness: 'aws_firehose_backup_to_s3_data_freshness_ms',
  /** Each record went to the backup, too. */
  backedUp: 'delivery.backed-up',
  /** What became of a batch could not be kept, and is tried again with the next; and never will be. */
  historyWaits: 'delivery.history-waits',
  historyLost: 'delivery.history-lost',
  historyWaiting: 'firehose_history_waiting_bytes',
} as const;

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

/** What is measured of a call that puts records. */
export interface PutMeasures {
  readonly action: 'PutRecord' | 'PutRecordBatch';
  readonly ms: number;
  readonly records: number;
  readonly bytes: number;
}

/** Measures a call that puts records under AWS's names. */
export function putMetrics(meter: Meter, delivery: string, { action, ms, records, bytes }: PutMeasures): void {
  const labels = { delivery };
  if (action === 'PutRecord') {
    meter.count(firehoseEvents.putRecordRequests, labels);
    meter.count(firehoseEvents.putRecordBytes, labels, bytes);
    meter.observe(firehoseEvents.putRecordLatency, labels, ms);
    return;
  }
  meter.count(firehoseEvents.putBatchRequests, labels);
  meter.count(firehoseEvents.putBatchRecords, labels, records);
  meter.count(firehoseEvents.putBatchBytes, labels, bytes);
  meter.observe(firehoseEvents.putBatchLatency, labels, ms);
}
