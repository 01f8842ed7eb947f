import { RequestError } from '../../kernel/errors.ts';

/** The closed list of AWS exception names that Firehose actions raise here, beside the common ones of the protocol. */
export const firehoseErrors = [
  'ConcurrentModificationException',
  'InvalidArgumentException',
  'LimitExceededException',
  'ResourceInUseException',
  'ResourceNotFoundException',
  'ServiceUnavailableException',
] as const;

/** One of `firehoseErrors`. */
export type FirehoseError = (typeof firehoseErrors)[number];

/** A failure with an AWS exception name and sentence: 503 when the service is unavailable, else 400. */
export function firehoseError(code: FirehoseError, sentence: string): RequestError {
  return new RequestError(code, sentence, code === 'ServiceUnavailableException' ? 503 : 400);
}

/** AWS's sentence for a delivery stream that does not exist. */
export function deliveryStreamNotFound(name: string, account: string): RequestError {
  return firehoseError('ResourceNotFoundException', `Firehose ${name} under account ${account} not found.`);
}
