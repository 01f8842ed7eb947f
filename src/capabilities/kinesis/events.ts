/** Log lines and metrics of the Kinesis capability; it uses no other names. */
export const kinesisEvents = {
  /** The file asks for something that differs from the stream as it is and that cannot be changed yet. */
  drift: 'kinesis.stream-drift',
  /** The file changed what it may of a stream. */
  updated: 'kinesis.stream-updated',
  /** A stream of the file did not exist and was created. */
  created: 'kinesis.stream-created',
  recordsIn: 'kinesis_records_in_total',
  bytesIn: 'kinesis_in_bytes_total',
  recordsOut: 'kinesis_records_out_total',
  bytesOut: 'kinesis_out_bytes_total',
  subscriptions: 'kinesis_subscriptions',
  subscriptionsCut: 'kinesis_subscriptions_cut_total',
  fanOutBytes: 'kinesis_fan_out_bytes',
  fanOutWaiting: 'kinesis_fan_out_waiting',
  recordsRefused: 'kinesis_records_refused_total',
} as const;
