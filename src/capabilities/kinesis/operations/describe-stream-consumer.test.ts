import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openBench, refuses } from '../harness.fixture.ts';
import { describeStreamConsumer } from './describe-stream-consumer.ts';
import { registerStreamConsumer } from './register-stream-consumer.ts';

const ARN = 'arn:aws:kinesis:us-east-1:000000000000:stream/a';
const CONSUMER = `${ARN}/consumer/c:1700000000`;

test('by its ARN, of any region and account, by stream and name, or by all of them', async () => {
  const { call, make } = await openBench();
  await make('a');
  await call(registerStreamConsumer, { StreamARN: ARN, ConsumerName: 'c' });
  for (const input of [
    { ConsumerARN: CONSUMER },
    { ConsumerARN: CONSUMER.replace('us-east-1:000000000000', 'eu-west-1:123456789012') },
    { StreamARN: ARN, ConsumerName: 'c' },
    { StreamARN: ARN, ConsumerName: 'c', ConsumerARN: CONSUMER },
  ]) {
    assert.deepEqual(await call(describeStreamConsumer, input), {
      ConsumerDescription: {
        ConsumerName: 'c',
        ConsumerARN: CONSUMER,
        ConsumerStatus: 'ACTIVE',
        ConsumerCreationTimestamp: 1_700_000_000,
        StreamARN: ARN,
      },
    });
  }
});

test('refusals', async () => {
  const bench = await openBench();
  const { call, make } = bench;
  await make('a');
  await make('b');
  await call(registerStreamConsumer, { StreamARN: ARN, ConsumerName: 'c' });
  const notFound = (what: string): string =>
    `ResourceNotFoundException: Consumer ${what}, account 000000000000 not found.`;
  const neither = 'InvalidArgumentException: Either ConsumerARN or both StreamARN and ConsumerName must be provided.';
  const other = 'InvalidArgumentException: ConsumerARN does not match the StreamARN and ConsumerName given.';
  const earlier = CONSUMER.replace('1700000000', '1600000000');
  const table: readonly (readonly [input: object, sentence: string])[] = [
    [{}, neither],
    [{ StreamARN: ARN }, neither],
    [{ ConsumerName: 'c' }, neither],
    [{ StreamARN: ARN, ConsumerName: 'd' }, notFound('d')],
    [{ StreamARN: ARN.replace(/a$/, 'b'), ConsumerName: 'c' }, notFound('c')],
    [{ ConsumerARN: earlier }, notFound(earlier)],
    [{ ConsumerARN: CONSUMER, ConsumerName: 'd' }, other],
    [{ ConsumerARN: CONSUMER, StreamARN: ARN.replace(/a$/, 'b') }, other],
    [
      { ConsumerARN: CONSUMER.replace('/a/', '/x/') },
      'ResourceNotFoundException: Stream x under account 000000000000 not found.',
    ],
  ];
  await refuses(bench, describeStreamConsumer, table);
});
