import { RequestError } from '../../kernel/errors.ts';

/** The closed list of AWS exception names that Kinesis actions raise here, beside the common ones of the protocol. */
export const kinesisErrors = [
  'DryRunOperationException',
  'ExpiredIteratorException',
  'ExpiredNextTokenException',
  'InvalidArgumentException',
  'LimitExceededException',
  'ProvisionedThroughputExceededException',
  'ResourceInUseException',
  'ResourceNotFoundException',
  'ValidationException',
] as const;

/** One of `kinesisErrors`. */
export type KinesisError = (typeof kinesisErrors)[number];

/** A 400 with an AWS exception name and sentence. */
export function kinesisError(code: KinesisError, sentence: string): RequestError {
  return new RequestError(code, sentence);
}

/** AWS's sentence for a stream that does not exist. */
export function streamNotFound(name: string, account: string): RequestError {
  return kinesisError('ResourceNotFoundException', `Stream ${name} under account ${account} not found.`);
}

/** AWS's sentence for a shard that does not exist. */
export function shardNotFound(shard: string, stream: string, account: string): RequestError {
  const sentence = `Could not find shard ${shard} in stream ${stream} under account ${account}.`;
  return kinesisError('ResourceNotFoundException', sentence);
}
