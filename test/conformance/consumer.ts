import assert from 'node:assert/strict';
import { ok, type Subject } from './subject.ts';

/** A consumer as it is registered and described. */
export interface Consumer {
  readonly ConsumerName: string;
  readonly ConsumerARN: string;
  readonly ConsumerStatus: string;
}

/** A stream of so many shards with a consumer `c`, for the length of one test. */
export async function withConsumer(
  subject: Subject,
  work: (name: string, arn: string, consumer: Consumer) => Promise<void>,
  shards = 1,
): Promise<void> {
  const name = subject.name('consumers');
  await ok(subject.kinesis('CreateStream', { StreamName: name, ShardCount: shards }));
  try {
    const summary = await ok<{ StreamDescriptionSummary: { StreamARN: string } }>(
      subject.kinesis('DescribeStreamSummary', { StreamName: name }),
    );
    const { StreamARN } = summary.StreamDescriptionSummary;
    await work(name, StreamARN, await register(subject, StreamARN, 'c'));
  } finally {
    await ok(subject.kinesis('DeleteStream', { StreamName: name, EnforceConsumerDeletion: true }));
  }
}

/** Registers a consumer and waits until it is active. */
export async function register(subject: Subject, StreamARN: string, ConsumerName: string): Promise<Consumer> {
  const made = await ok<{ Consumer: Consumer }>(subject.kinesis('RegisterStreamConsumer', { StreamARN, ConsumerName }));
  for (let tries = 0; tries < 100; tries += 1) {
    const input = { ConsumerARN: made.Consumer.ConsumerARN };
    const { ConsumerDescription } = await ok<{ ConsumerDescription: Consumer & { StreamARN: string } }>(
      subject.kinesis('DescribeStreamConsumer', input),
    );
    const { StreamARN: _, ...consumer } = ConsumerDescription;
    if (consumer.ConsumerStatus === 'ACTIVE') return consumer;
    await new Promise((resolve) => void setTimeout(resolve, 100));
  }
  return assert.fail('the consumer did not become active');
}
