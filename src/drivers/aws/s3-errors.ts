import { DeliveryError } from '../../kernel/errors.ts';

/** What the SDK throws, as far as anybody here looks at it. */
interface SdkError {
  readonly name?: string;
  readonly message?: string;
  readonly code?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

/** Refusals that the same request cannot get over: the delivery's options, or the bucket's, have to change first. */
const FINAL = new Set([
  'AccessDenied',
  'AllAccessDisabled',
  'AuthorizationHeaderMalformed',
  'EntityTooLarge',
  'InvalidAccessKeyId',
  'InvalidArgument',
  'InvalidBucketName',
  'InvalidRequest',
  'KeyTooLongError',
  'KMS.DisabledException',
  'KMS.NotFoundException',
  'NoSuchBucket',
  'PermanentRedirect',
  'SignatureDoesNotMatch',
]);
const FORBIDDEN = 403;
const NOT_FOUND = 404;
const NOT_IMPLEMENTED = 501;
const PRECONDITION_FAILED = 412;
const MESSAGE_MAX = 300;
/** What the SDK throws without a code of S3's: the network's, or that there are no credentials. */
const UNNAMED = 'ServiceUnavailable';

/** An object of the key was there already. */
export function isTaken(error: unknown): boolean {
  const { name, $metadata } = error as SdkError;
  return name === 'PreconditionFailed' || $metadata?.httpStatusCode === PRECONDITION_FAILED;
}

/**
 * No object of the key is there, or none that may be seen: who may only write is not told, and is not to wait for it.
 * Answers to HEAD have no words.
 */
export function isAbsent(error: unknown): boolean {
  const status = (error as SdkError).$metadata?.httpStatusCode;
  return status === NOT_FOUND || status === FORBIDDEN;
}

/** The store does not know conditions on the completion of uploads. */
export function lacksConditions(error: unknown): boolean {
  const cause = error instanceof DeliveryError ? error.cause : undefined;
  const { name, $metadata } = (cause ?? {}) as SdkError;
  return name === 'NotImplemented' || $metadata?.httpStatusCode === NOT_IMPLEMENTED;
}

/** The failure as deliveries know failures; the message is S3's own. */
export function asDeliveryError(error: unknown): DeliveryError {
  if (error instanceof DeliveryError) return error;
  const { name = UNNAMED, message = '', code } = error as SdkError;
  if (name === 'AbortError') return new DeliveryError('S3.Stopped', 'the node stops', true, error);
  const isNamed = /^[A-Z][A-Za-z.]*$/.test(name) && name !== 'Error';
  const word = isNamed ? name : (code ?? UNNAMED);
  const whole = message === '' || message === 'UnknownError' ? word : message;
  const text = whole.length > MESSAGE_MAX ? `${whole.slice(0, MESSAGE_MAX)}...` : whole;
  return new DeliveryError(`S3.${word}`, text, !FINAL.has(word), error);
}
