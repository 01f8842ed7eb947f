import { isOneOfSecrets } from '../../../wire/webhook/secret-text.ts';
import { activeKeys, activeText, readSecrets, type SecretList } from '../kinds/secrets.ts';
import type { Verifier } from '../kinds/verifier.ts';

/** Header with the access key of a delivery stream (AWS's request specification 1.0). */
const ACCESS_KEY_HEADER = 'x-amz-firehose-access-key';

/** Firehose proves itself by the key that its delivery stream was given; any of these is one. */
export function accessKeys(keys: SecretList): Verifier {
  const timed = readSecrets(keys, (text) => text);
  return {
    kind: 'firehose',
    mayVerify: (headers) => headers[ACCESS_KEY_HEADER] !== undefined,
    verify: ({ headers, nowMs }) =>
      isOneOfSecrets(activeKeys(timed, nowMs), headers[ACCESS_KEY_HEADER] ?? '') ? 'valid' : 'mismatch',
    secretHeaders: [ACCESS_KEY_HEADER],
  };
}

/** The header that verifies by the first active key; undefined: none is. */
export function accessKeyHeader(keys: SecretList, nowMs: number): Readonly<Record<string, string>> | undefined {
  const key = activeText(keys, nowMs);
  return key === undefined ? undefined : { [ACCESS_KEY_HEADER]: key };
}
