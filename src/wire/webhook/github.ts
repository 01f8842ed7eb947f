import { createHmac, timingSafeEqual } from 'node:crypto';

/** Length of `sha256=` and 64 hexadecimal digits. */
const SIGNATURE_LENGTH = 71;
const SIGNATURE = /^sha256=[0-9a-f]{64}$/;

/** The value of `X-Hub-Signature-256` for a body: `sha256=` and HMAC-SHA256 in lower-case hexadecimal. */
export function signGithub(secret: string, body: Uint8Array | string): string {
  return `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
}

/**
 * Whether `signature` is the body's under one of the secrets. Every secret is tried whatever the earlier ones said,
 * and compared in constant time. Digits must be lower case, as GitHub sends them.
 */
export function verifyGithub(secrets: readonly string[], body: Uint8Array | string, signature: string): boolean {
  if (!isGithubSignature(signature)) return false;
  const given = Buffer.from(signature, 'latin1');
  let matches = 0;
  for (const secret of secrets) {
    matches |= Number(timingSafeEqual(given, Buffer.from(signGithub(secret, body), 'latin1')));
  }
  return matches !== 0;
}

/** Whether the text has the form of a signature at all. */
export function isGithubSignature(text: string): boolean {
  return text.length === SIGNATURE_LENGTH && SIGNATURE.test(text);
}

/** What a signed request says beside its body. */
export interface GithubDelivery {
  /** For example `push`. */
  readonly event: string;
  /** Repeated by GitHub when it delivers again. */
  readonly deliveryId: string;
  readonly secret: string;
  readonly body: Uint8Array | string;
}

/** The headers with which GitHub sends a JSON body. */
export function githubHeaders(delivery: GithubDelivery): Record<string, string> {
  return {
    'content-type': 'application/json',
    'user-agent': 'GitHub-Hookshot/millrace',
    'x-github-event': delivery.event,
    'x-github-delivery': delivery.deliveryId,
    'x-hub-signature-256': signGithub(delivery.secret, delivery.body),
  };
}
