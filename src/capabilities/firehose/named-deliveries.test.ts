import assert from 'node:assert/strict';
import { test } from 'node:test';
import { namedDeliveries } from './named-deliveries.ts';

const IDENTITY = { region: 'us-east-1', account: '000000000000' };
const DELIVERY = 'arn:aws:firehose:us-east-1:000000000000:deliverystream';
const STREAM = 'arn:aws:kinesis:us-east-1:000000000000:stream';

test('a delivery, and the stream that it is to read', () => {
  const source = (KinesisStreamARN: unknown): object => ({ KinesisStreamSourceConfiguration: { KinesisStreamARN } });
  const table: readonly (readonly [input: Readonly<Record<string, unknown>>, arns: readonly string[]])[] = [
    [{}, []],
    [{ DeliveryStreamName: 'd' }, [`${DELIVERY}/d`]],
    [{ DeliveryStreamName: 5 }, ['*']],
    [{ DeliveryStreamName: 'd'.repeat(129) }, ['*']],
    [{ DeliveryStreamName: 'd', ...source(`${STREAM}/s`) }, [`${DELIVERY}/d`, `${STREAM}/s`]],
    [{ DeliveryStreamName: 'd', ...source(5) }, [`${DELIVERY}/d`, '*']],
    [{ DeliveryStreamName: 'd', KinesisStreamSourceConfiguration: 's' }, [`${DELIVERY}/d`, '*']],
  ];
  for (const [input, arns] of table) {
    assert.deepEqual(namedDeliveries(input, IDENTITY).map(({ arn }) => arn), arns, JSON.stringify(input));
  }
}); // prettier-ignore
