import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openBench, refuses } from '../harness.fixture.ts';
import { deregisterStreamConsumer } from './deregister-stream-consumer.ts';
import { describeStreamConsumer } from './describe-stream-consumer.ts';
import { registerStreamConsumer } from './register-stream-consumer.ts';

const ARN = 'arn:aws:kinesis:us-east-1:000000000000:stream/a';
const CONSUMER = `${ARN}/consumer/c:1700000000`;

test('deregistered, it is gone; registered again, it is another one', async () => {
  const { call, make, refusal, environment } = await openBench();
  await make('a');
  await call(registerStreamConsumer, { StreamARN: ARN, ConsumerName: 'c' });
  assert.equal(await call(deregisterStreamConsumer, { ConsumerARN: CONSUMER }), undefined);
  const gone = `ResourceNotFoundException: Consumer ${CONSUMER}, account 000000000000 not found.`;
  assert.equal(await refusal(describeStreamConsumer, { ConsumerARN: CONSUMER }), gone);
  environment.advance(1000);
  const { Consumer } = await call(registerStreamConsumer, { StreamARN: ARN, ConsumerName: 'c' });
  assert.equal(Consumer.ConsumerARN, CONSUMER.replace('1700000000', '1700000001'));
  assert.equal(await refusal(describeStreamConsumer, { ConsumerARN: CONSUMER }), gone);
});

test('what is not there cannot go, and of two who ask at the same moment one is too late', async () => {
  const bench = await openBench();
  const { call, make, refusal } = bench;
  await make('a');
  const late = (what: string): string => `ResourceNotFoundException: Consumer ${what}, account 000000000000 not found.`;
  await refuses(bench, deregisterStreamConsumer, [
    [{ ConsumerARN: CONSUMER }, late(CONSUMER)],
    [
      { StreamARN: ARN },
      'InvalidArgumentException: Either ConsumerARN or both StreamARN and ConsumerName must be provided.',
    ],
  ]);
  await call(registerStreamConsumer, { StreamARN: ARN, ConsumerName: 'c' });
  const [, second] = await Promise.all([
    call(deregisterStreamConsumer, { ConsumerARN: CONSUMER }),
    refusal(deregisterStreamConsumer, { ConsumerARN: CONSUMER }),
  ]);
  assert.equal(second, late('c'));
});
