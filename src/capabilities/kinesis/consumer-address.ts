import { parseConsumerArn } from '../../kernel/names.ts';
import type { RequestError } from '../../kernel/errors.ts';
import { addressedStream, findStream } from './address.ts';
import type { Consumer } from './consumers.ts';
import { kinesisError } from './errors.ts';
import type { KinesisState } from './model.ts';

/** How a request names its consumer: by its ARN, by stream and name, or by all of them. */
export interface ConsumerAddress {
  readonly StreamARN?: string | undefined;
  readonly ConsumerName?: string | undefined;
  readonly ConsumerARN?: string | undefined;
}

/** The consumer that a request names. InvalidArgumentException and ResourceNotFoundException. */
export function addressedConsumer(state: KinesisState, address: ConsumerAddress): Consumer {
  const { StreamARN, ConsumerName, ConsumerARN } = address;
  if (ConsumerARN !== undefined) {
    const consumer = consumerOfArn(state, ConsumerARN);
    const isOther =
      (ConsumerName !== undefined && ConsumerName !== consumer.name) ||
      (StreamARN !== undefined && addressedStream(state, { StreamARN }).name !== consumer.stream.name);
    if (!isOther) return consumer;
    const sentence = 'ConsumerARN does not match the StreamARN and ConsumerName given.';
    throw kinesisError('InvalidArgumentException', sentence);
  }
  if (StreamARN === undefined || ConsumerName === undefined) {
    const sentence = 'Either ConsumerARN or both StreamARN and ConsumerName must be provided.';
    throw kinesisError('InvalidArgumentException', sentence);
  }
  const stream = addressedStream(state, { StreamARN });
  const consumer = state.consumers.find(stream, ConsumerName);
  if (consumer === undefined) throw consumerNotFound(ConsumerName, state.identity.account);
  return consumer;
}

/** The consumer of an ARN, whose region and account are not looked at. ResourceNotFoundException. */
export function consumerOfArn(state: KinesisState, arn: string): Consumer {
  const named = parseConsumerArn(arn);
  // The text fits the shape's pattern, so that it can be taken apart.
  const consumer = named && state.consumers.find(findStream(state, named.stream), named.name);
  // Deregistered and registered again, it is another one.
  if (consumer === undefined || !consumer.arn.endsWith(`:${named?.createdAtSeconds}`)) {
    throw consumerNotFound(arn, state.identity.account);
  }
  return consumer;
}

/** A consumer that does not exist, by name or ARN. */
export function consumerNotFound(consumer: string, account: string): RequestError {
  return kinesisError('ResourceNotFoundException', `Consumer ${consumer}, account ${account} not found.`);
}

/** A consumer as AWS describes it; it is active from its registration on. */
export function describeConsumer({ name, arn, createdAt }: Consumer): Record<string, unknown> {
  return {
    ConsumerName: name,
    ConsumerARN: arn,
    ConsumerStatus: 'ACTIVE',
    ConsumerCreationTimestamp: createdAt,
  };
}
