/** The client that all checks share: settings untouched, only the environment names the endpoint. */
import {
  CreateStreamCommand,
  DescribeStreamSummaryCommand,
  KinesisClient,
  RegisterStreamConsumerCommand,
  SubscribeToShardCommand,
  waitUntilStreamExists,
} from '@aws-sdk/client-kinesis';

export const client = new KinesisClient();
export const waiting = { client, maxWaitTime: 30, minDelay: 1 };
const FROM_START = { Type: 'TRIM_HORIZON' };

/** Tells that something was shown. */
export function ok(what) {
  process.stdout.write(`ok ${what}\n`);
}

export function text(bytes) {
  return Buffer.from(bytes).toString();
}

export async function createStream(StreamName, ShardCount) {
  await client.send(new CreateStreamCommand({ StreamName, ShardCount }));
  await waitUntilStreamExists(waiting, { StreamName });
  const { StreamDescriptionSummary } = await client.send(new DescribeStreamSummaryCommand({ StreamName }));
  return StreamDescriptionSummary;
}

export async function consumerOf(StreamARN, ConsumerName) {
  const { Consumer } = await client.send(new RegisterStreamConsumerCommand({ StreamARN, ConsumerName }));
  return Consumer.ConsumerARN;
}

export async function subscribe(ConsumerARN, ShardId, StartingPosition = FROM_START) {
  const { EventStream } = await client.send(new SubscribeToShardCommand({ ConsumerARN, ShardId, StartingPosition }));
  return EventStream;
}
