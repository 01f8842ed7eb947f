import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DeliveryError } from '../../kernel/errors.ts';
import { asDeliveryError, isTaken, lacksConditions } from './s3-errors.ts';

/** As the SDK throws it. */
function thrown(name: string, message: string, httpStatusCode?: number): Error {
  return Object.assign(new Error(message), { name, $metadata: { httpStatusCode } });
}

test('what S3 refuses has its code and message; what may pass is tried again, what the options have to mend is final', () => {
  const unreachable = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
  const table: readonly (readonly [error: unknown, code: string, message: string, retryable: boolean])[] = [
    [
      thrown('SlowDown', 'Please reduce your request rate.', 503),
      'S3.SlowDown',
      'Please reduce your request rate.',
      true,
    ],
    [thrown('ServiceUnavailable', '', 503), 'S3.ServiceUnavailable', 'ServiceUnavailable', true],
    [
      thrown('InternalError', 'We encountered an internal error.', 500),
      'S3.InternalError',
      'We encountered an internal error.',
      true,
    ],
    [
      thrown('ExpiredToken', 'The provided token has expired.', 400),
      'S3.ExpiredToken',
      'The provided token has expired.',
      true,
    ],
    [
      thrown('RequestTimeTooSkewed', 'The clock is wrong.', 403),
      'S3.RequestTimeTooSkewed',
      'The clock is wrong.',
      true,
    ],
    [thrown('CredentialsProviderError', 'no credentials'), 'S3.CredentialsProviderError', 'no credentials', true],
    [unreachable, 'S3.ECONNREFUSED', 'connect ECONNREFUSED', true],
    [thrown('InvalidAccessKeyId', 'no such key', 403), 'S3.InvalidAccessKeyId', 'no such key', false],
    [thrown('SignatureDoesNotMatch', 'not that key', 403), 'S3.SignatureDoesNotMatch', 'not that key', false],
    [thrown('NoSuchBucket', 'no bucket', 404), 'S3.NoSuchBucket', 'no bucket', false],
    [thrown('AccessDenied', 'UnknownError', 403), 'S3.AccessDenied', 'AccessDenied', false],
    [thrown('SlowDown', 'x'.repeat(1000), 503), 'S3.SlowDown', `${'x'.repeat(300)}...`, true],
  ];
  for (const [error, code, message, retryable] of table) {
    const told = asDeliveryError(error);
    assert.deepEqual([told.code, told.message, told.retryable], [code, message, retryable]);
    assert.equal(asDeliveryError(told), told, 'it stays what it is');
  }
});

test('an object that is there already, and a store without conditions', () => {
  assert.equal(isTaken(thrown('PreconditionFailed', '', 412)), true);
  assert.equal(isTaken(thrown('412', '', 412)), true);
  assert.equal(isTaken(thrown('SlowDown', '', 503)), false);
  assert.equal(lacksConditions(asDeliveryError(thrown('NotImplemented', '', 501))), true);
  assert.equal(lacksConditions(new DeliveryError('S3.SlowDown', '', true)), false);
});
