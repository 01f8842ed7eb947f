import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NodeBench } from '../../../testing/node-bench.ts';
import { invalid, openBench, refuses, type Bench } from '../harness.fixture.ts';
import { deleteStream } from './delete-stream.ts';
import { deregisterStreamConsumer } from './deregister-stream-consumer.ts';
import { describeStreamSummary } from './describe-stream-summary.ts';
import { listStreamConsumers } from './list-stream-consumers.ts';
import { registerStreamConsumer } from './register-stream-consumer.ts';

const ARN = 'arn:aws:kinesis:us-east-1:000000000000:stream/a';

async function names({ call }: Bench): Promise<string> {
  const { Consumers } = await call(listStreamConsumers, { StreamARN: ARN });
  return Consumers.map(({ ConsumerName }: { ConsumerName: string }) => ConsumerName).join(' ');
}

test('a consumer is active when the answer comes, and counted', async () => {
  const { call, make, environment } = await openBench();
  await make('a');
  environment.advance(1234);
  const { Consumer } = await call(registerStreamConsumer, { StreamARN: ARN, ConsumerName: 'c', Tags: { a: 'b' } });
  assert.deepEqual(Consumer, {
    ConsumerName: 'c',
    ConsumerARN: `${ARN}/consumer/c:1700000001`,
    ConsumerStatus: 'ACTIVE',
    ConsumerCreationTimestamp: 1_700_000_001.234,
  });
  const { StreamDescriptionSummary } = await call(describeStreamSummary, { StreamName: 'a' });
  assert.equal(StreamDescriptionSummary.ConsumerCount, 1);
});

test('refusals', async () => {
  const bench = await openBench();
  const { call, make } = bench;
  await make('a');
  await call(registerStreamConsumer, { StreamARN: ARN, ConsumerName: 'c' });
  await refuses(bench, registerStreamConsumer, [
    [
      { StreamARN: ARN, ConsumerName: 'c' },
      'ResourceInUseException: Consumer c of stream a under account 000000000000 already exists.',
    ],
    [
      { StreamARN: ARN.replace('/a', '/b'), ConsumerName: 'c' },
      'ResourceNotFoundException: Stream b under account 000000000000 not found.',
    ],
    [{ StreamARN: ARN }, invalid(null, 'consumerName', 'not be null')],
    [
      { StreamARN: ARN, ConsumerName: 'c:d' },
      invalid('c:d', 'consumerName', 'satisfy regular expression pattern: [a-zA-Z0-9_.-]+'),
    ],
    [
      { StreamARN: ARN, ConsumerName: 'd', Tags: { 'a?': '' } },
      'InvalidArgumentException: Some tags contain invalid characters. Valid characters: Unicode letters, digits, ' +
        'white space, _ . / = + - % @.',
    ],
  ]);
  assert.equal(await names(bench), 'c');
});

test('twenty a stream, and five at the same moment', async () => {
  const bench = await openBench();
  const { call, make, refusal } = bench;
  await make('a');
  const register = (index: number): object => ({ StreamARN: ARN, ConsumerName: `c${String(index).padStart(2, '0')}` });
  const five = [0, 1, 2, 3, 4].map(async (index) => await call(registerStreamConsumer, register(index)));
  assert.equal(
    await refusal(registerStreamConsumer, register(5)),
    'LimitExceededException: 5 consumers of stream a under account 000000000000 are being created already.',
  );
  await Promise.all(five);
  for (let index = 5; index < 20; index += 1) await call(registerStreamConsumer, register(index));
  assert.equal(
    await refusal(registerStreamConsumer, register(20)),
    'LimitExceededException: The stream a under account 000000000000 has its 20 consumers already.',
  );
  const gone = { StreamARN: ARN, ConsumerName: 'c07' };
  await call(deregisterStreamConsumer, gone);
  const two = await Promise.allSettled(
    [20, 21].map(async (index) => await call(registerStreamConsumer, register(index))),
  );
  assert.deepEqual(
    two.map(({ status }) => status).sort(),
    ['fulfilled', 'rejected'],
    'one place, and one that gets it',
  );
});

test('a stream goes with its consumers only when that is asked for, and a new one of the name has none', async () => {
  const bench = await openBench();
  const { call, make, refusal, catalog } = bench;
  await make('a');
  await call(registerStreamConsumer, { StreamARN: ARN, ConsumerName: 'c' });
  const inUse =
    "ResourceInUseException: DeleteStream can't delete 000000000000:a because there are consumers associated with " +
    'this data stream. To delete a anyway, set the EnforceConsumerDeletion parameter to true to force the deletion of ' +
    'all the consumers that are associated with it.';
  assert.equal(await refusal(deleteStream, { StreamName: 'a' }), inUse);
  assert.equal(await refusal(deleteStream, { StreamName: 'a', EnforceConsumerDeletion: false }), inUse);
  await call(deleteStream, { StreamName: 'a', EnforceConsumerDeletion: true });
  assert.deepEqual(catalog.list('consumers/'), []);
  await make('a');
  assert.equal(await names(bench), '');
  await call(registerStreamConsumer, { StreamARN: ARN, ConsumerName: 'c' });
  assert.equal(await names(bench), 'c');
});

test('who registers while the stream is deleted and made again has no consumer', async () => {
  const bench = await openBench();
  const { call, make, refusal, records, catalog } = bench;
  await make('a');
  const propose = catalog.propose.bind(catalog);
  let isFirst = true;
  catalog.propose = async (ops) => {
    if (isFirst && ops[0]?.key === 'consumers/a') {
      isFirst = false;
      await records.delete('a');
      await make('a');
      await call(registerStreamConsumer, { StreamARN: ARN, ConsumerName: 'new' });
    }
    return await propose(ops);
  };
  assert.equal(
    await refusal(registerStreamConsumer, { StreamARN: ARN, ConsumerName: 'old' }),
    'ResourceNotFoundException: Stream a under account 000000000000 not found.',
  );
  assert.equal(await names(bench), 'new');
});

test('consumers outlive a power cut; those of a stream that is gone do not', async () => {
  const bench = await new NodeBench().open();
  const call = async (action: string, input: object): Promise<unknown> =>
    await bench.call(`Kinesis_20131202.${action}`, input);
  for (const StreamName of ['a', 'b']) {
    await call('CreateStream', { StreamName, ShardCount: 1 });
    const StreamARN = ARN.replace(/a$/, StreamName);
    await call('RegisterStreamConsumer', { StreamARN, ConsumerName: 'c' });
  }
  const before = await call('ListStreamConsumers', { StreamARN: ARN });
  // As after a crash between the two steps of a deletion.
  await bench.simulation.drive(bench.node.records.delete('b'));
  bench.simulation.restart();
  await bench.open();
  assert.deepEqual(await call('ListStreamConsumers', { StreamARN: ARN }), before);
  assert.deepEqual(
    bench.node.catalog.list('consumers/').map(({ key }) => key),
    ['consumers/a'],
  );
});
