import { isGithubSignature, verifyGithub } from '../../../wire/webhook/github.ts';
import type { Verifier } from './verifier.ts';

/** A secret with the time in which it verifies, both ends included, in ms since the Unix epoch. */
export interface TimedSecret {
  readonly value: string;
  readonly notBefore: number;
  readonly notAfter: number;
}

/** GitHub's webhooks: HMAC-SHA256 over the bytes as sent. The older SHA-1 header alone proves nothing here. */
export function github(secrets: readonly TimedSecret[]): Verifier {
  return {
    kind: 'github',
    mayVerify: (headers) => isGithubSignature(headers['x-hub-signature-256'] ?? ''),
    verify(body, headers, nowMs) {
      const active = secrets.filter(({ notBefore, notAfter }) => notBefore <= nowMs && nowMs <= notAfter);
      const values = active.map(({ value }) => value);
      return verifyGithub(values, body, headers['x-hub-signature-256'] ?? '');
    },
    deliveryId(headers) {
      const id = headers['x-github-delivery'];
      return id === '' ? undefined : id;
    },
  };
}
