import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openBench, type Bench } from '../harness.fixture.ts';
import { deleteStream } from './delete-stream.ts';
import { deregisterStreamConsumer } from './deregister-stream-consumer.ts';
import { getResourcePolicy } from './get-resource-policy.ts';
import { putResourcePolicy } from './put-resource-policy.ts';
import { registerStreamConsumer } from './register-stream-consumer.ts';

const STREAM = 'arn:aws:kinesis:us-east-1:000000000000:stream/a';
const POLICY = '{ "Version": "2012-10-17", "Statement": [] }';

async function consumer({ call }: Bench): Promise<string> {
  const { Consumer } = await call(registerStreamConsumer, { StreamARN: STREAM, ConsumerName: 'c' });
  return Consumer.ConsumerARN;
}

test('a policy is given as it was put, of a stream and of a consumer', async () => {
  const bench = await openBench();
  await bench.make('a', 1);
  const other = POLICY.replace('[]', '{}');
  for (const ResourceARN of [STREAM, await consumer(bench)]) {
    assert.equal(await bench.call(putResourcePolicy, { ResourceARN, Policy: POLICY }), undefined);
    assert.deepEqual(await bench.call(getResourcePolicy, { ResourceARN }), { Policy: POLICY });
    await bench.call(putResourcePolicy, { ResourceARN, Policy: other });
    assert.deepEqual(await bench.call(getResourcePolicy, { ResourceARN }), { Policy: other });
  }
});

test('it goes with what it is of', async () => {
  const bench = await openBench();
  const { call, refusal, make, environment } = bench;
  await make('a', 1);
  const ResourceARN = await consumer(bench);
  await call(putResourcePolicy, { ResourceARN, Policy: POLICY });
  await call(putResourcePolicy, { ResourceARN: STREAM, Policy: POLICY });
  await call(deregisterStreamConsumer, { ConsumerARN: ResourceARN });
  assert.match(await refusal(getResourcePolicy, { ResourceARN }), /^ResourceNotFoundException: Consumer arn/);
  environment.advance(1000);
  assert.match(await refusal(getResourcePolicy, { ResourceARN: await consumer(bench) }), /No resource policy/);
  await call(deleteStream, { StreamName: 'a', EnforceConsumerDeletion: true });
  await make('a', 1);
  assert.match(await refusal(getResourcePolicy, { ResourceARN: STREAM }), /^ResourceNotFoundException: No resource/);
});

test('refusals', async () => {
  const { refusal, make } = await openBench();
  await make('a', 1);
  const put = async (Policy: string, ResourceARN = STREAM): Promise<string> =>
    await refusal(putResourcePolicy, { ResourceARN, Policy });
  const malformed = 'InvalidArgumentException: The policy is no valid JSON with a Statement.';
  for (const text of ['', '{', 'null', '5', '{}', '{"Statement":null}', '{"Statement":"x"}']) {
    assert.equal(await put(text), malformed, text);
  }
  assert.match(await put(`{"Statement":[],"Id":"${'x'.repeat(20_480)}"}`), /^LimitExceededException/);
  assert.match(await put(POLICY, `${STREAM}b`), /^ResourceNotFoundException: Stream ab under/);
  assert.match(await put(POLICY, STREAM.replace('stream/', 'queue/')), /^ResourceNotFoundException: Resource arn/);
  assert.match(await put(POLICY, 'arn:aws:s3:::b'), /^ValidationException: .*'resourceARN'/);
});
