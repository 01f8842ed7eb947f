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
  /** Retention, or the deletion of the stream, removed records before they were delivered. */
  lost: 'delivery.retention-exceeded',
  /** A function did not take records, and they were given up. */
  gaveUp: 'delivery.gave-up',
  /** Somebody else delivers this stream now. */
  fenced: 'delivery.fenced',
  bug: 'delivery.bug',
  recordsIn: 'firehose_records_in_total',
  bytesIn: 'firehose_in_bytes_total',
  recordsRefused: 'firehose_records_refused_total',
  objects: 'firehose_delivered_objects_total',
  recordsOut: 'firehose_delivered_records_total',
  bytesOut: 'firehose_delivered_bytes_total',
  attemptsFailed: 'firehose_failed_attempts_total',
  /** Given up after the retries of a function, or for their age or size. */
  recordsFailed: 'firehose_failed_records_total',
  recordsLost: 'firehose_lost_records_total',
  /** Bytes of the events that functions have, over all deliveries. */
  eventBytes: 'firehose_function_event_bytes',
  /** Age of the oldest record that is not delivered. */
  freshness: 'firehose_data_freshness_ms',
} as const;
