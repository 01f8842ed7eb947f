import { createHash, timingSafeEqual } from 'node:crypto';

/** Whether a text that senders repeat as it is (a token, a password) is one of the secrets; constant in time. */
export function isOneOfSecrets(secrets: readonly string[], given: string): boolean {
  // Digests have one length: not even that of the secret can be measured.
  const wanted = digestOf(given);
  let matches = 0;
  for (const secret of secrets) matches |= Number(timingSafeEqual(digestOf(secret), wanted));
  return matches !== 0;
}

/** User and password of an `Authorization: Basic` header; undefined when it is no such header. */
export function readBasic(header: string): { readonly user: string; readonly password: string } | undefined {
  const encoded = /^basic +([A-Za-z0-9+/]+={0,2})$/i.exec(header)?.[1];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? undefined : { user: text.slice(0, colon), password: text.slice(colon + 1) };
}

/** The header that proves a user. */
export function basicHeader(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
