/** The `X-Amz-Target` prefix of all Kinesis Data Streams actions. */
export const TARGET = 'Kinesis_20131202';
