import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openBench, refuses, type Answer } from '../harness.fixture.ts';
import { sealOpaque } from '../opaque.ts';
import { deleteStream } from './delete-stream.ts';
import { listStreamConsumers } from './list-stream-consumers.ts';
import { registerStreamConsumer } from './register-stream-consumer.ts';

const StreamARN = 'arn:aws:kinesis:us-east-1:000000000000:stream/a';

test('pages by name give each consumer once', async () => {
  const { call, make } = await openBench();
  await make('a');
  assert.deepEqual(await call(listStreamConsumers, { StreamARN }), { Consumers: [] });
  for (const ConsumerName of ['c', 'B', 'a', 'b']) await call(registerStreamConsumer, { StreamARN, ConsumerName });
  const pages: string[] = [];
  let NextToken: string | undefined;
  do {
    const answer: Answer = await call(listStreamConsumers, { StreamARN, MaxResults: 2, NextToken });
    pages.push(answer.Consumers.map(({ ConsumerName }: Answer) => ConsumerName).join());
    NextToken = answer.NextToken;
  } while (NextToken !== undefined && pages.length < 5);
  assert.deepEqual(pages, ['B,a', 'b,c']);
});

test('the stream is the one created at that second', async () => {
  const { call, make, refusal, environment } = await openBench();
  environment.advance(500);
  await make('a');
  await call(registerStreamConsumer, { StreamARN, ConsumerName: 'c' });
  const right = await call(listStreamConsumers, { StreamARN, StreamCreationTimestamp: 1_700_000_000 });
  assert.equal(right.Consumers.length, 1);
  assert.equal(
    await refusal(listStreamConsumers, { StreamARN, StreamCreationTimestamp: 1_700_000_001 }),
    'ResourceNotFoundException: Stream a was not created at the StreamCreationTimestamp given.',
  );
});

test('tokens: old ones, those of another stream, and what is none', async () => {
  const bench = await openBench();
  const { call, make, refusal, environment } = bench;
  await make('a');
  await make('b');
  for (const ConsumerName of ['c', 'd']) await call(registerStreamConsumer, { StreamARN, ConsumerName });
  const { NextToken } = await call(listStreamConsumers, { StreamARN, MaxResults: 1 });
  const wrong = 'InvalidArgumentException: NextToken is invalid.';
  await refuses(bench, listStreamConsumers, [
    [{ StreamARN, NextToken: 'x' }, wrong],
    [{ StreamARN, NextToken: sealOpaque('shards', {}) }, wrong],
    [{ StreamARN, NextToken: sealOpaque('consumers', { s: 'a', after: 1, t: 1 }) }, wrong],
    [{ StreamARN: StreamARN.replace(/a$/, 'b'), NextToken }, wrong],
    [
      { StreamARN, NextToken, StreamCreationTimestamp: 1_700_000_000 },
      'InvalidArgumentException: NextToken and StreamCreationTimestamp cannot be provided together.',
    ],
  ]);
  const expired = 'ExpiredNextTokenException: NextToken has expired.';
  environment.advance(300_001);
  assert.equal(await refusal(listStreamConsumers, { StreamARN, NextToken }), expired);
  environment.advance(-300_001);
  assert.equal((await call(listStreamConsumers, { StreamARN, NextToken })).Consumers.length, 1);
  await call(deleteStream, { StreamName: 'a', EnforceConsumerDeletion: true });
  environment.advance(1);
  await make('a');
  assert.equal(await refusal(listStreamConsumers, { StreamARN, NextToken }), expired);
});
