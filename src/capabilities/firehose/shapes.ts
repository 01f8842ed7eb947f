import * as s from '../../kernel/schema/declare.ts';
import { firehoseLimits } from './limits.ts';

/** The `X-Amz-Target` prefix of all Firehose actions. */
export const TARGET = 'Firehose_20150804';

/** Shape of a delivery stream's name. */
export const deliveryStreamName = s.string({
  min: 1,
  max: firehoseLimits.nameCharactersMax,
  pattern: '[a-zA-Z0-9_.-]+',
  doc: 'Name of the delivery stream.',
});

/** Shape of one record: up to 1,024,000 bytes. */
export const record = s.struct({ Data: s.blob({ min: 0, max: firehoseLimits.recordBytesMax }) }, { name: 'Record' });

/** Shape of the type of a delivery stream. */
export const deliveryStreamType = s.string({
  values: ['DirectPut', 'KinesisStreamAsSource', 'MSKAsSource', 'DatabaseAsSource'],
});
