import { signByScheme, verifyByScheme, type SignatureScheme } from './signature-scheme.ts';

const SCHEME: SignatureScheme = { algorithm: 'sha256', encoding: 'hex', prefix: 'v0=', template: 'v0:{ts}:{body}' };

/** The value of `X-Slack-Signature`. */
export function signSlack(secret: string, timestamp: string, body: Uint8Array | string): string {
  return signByScheme(SCHEME, secret, { timestamp, body });
}

/**
 * Whether the signature is the body's under one of the secrets; a large one in turns. The time is not compared with any
 * clock.
 */
export async function verifySlack(
  secrets: readonly string[],
  timestamp: string,
  signature: string,
  body: Uint8Array,
  turn: () => Promise<void>,
): Promise<boolean> {
  return await verifyByScheme(SCHEME, secrets, { timestamp, body }, signature, turn);
}

/** What Slack wants back when an address is registered: the challenge of an `url_verification`; else undefined. */
export function slackChallenge(content: unknown): string | undefined {
  if (typeof content !== 'object' || content === null) return undefined;
  const { type, challenge } = content as { type?: unknown; challenge?: unknown };
  return type === 'url_verification' && typeof challenge === 'string' ? challenge : undefined;
}
