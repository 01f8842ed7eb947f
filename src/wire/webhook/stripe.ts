import { hmacText, hmacTexts, matchesAny } from './hmac.ts';

/** What `Stripe-Signature` says: the time as written, and the signatures of scheme v1. */
export interface StripeSignature {
  readonly timestamp: string;
  readonly signatures: readonly string[];
}

const PARTS_MAX = 32;

/** Reads `t=..,v1=..[,v1=..]`; other schemes are passed over. Undefined when time or signatures are missing. */
export function readStripeSignature(header: string): StripeSignature | undefined {
  const parts = header
    .split(',')
    .slice(0, PARTS_MAX)
    .map((part) => part.trim());
  const timestamps = parts.flatMap((part) => (part.startsWith('t=') ? [part.slice(2)] : []));
  const signatures = parts.flatMap((part) => (part.startsWith('v1=') ? [part.slice(3)] : []));
  const [timestamp] = timestamps;
  // Two times would leave open which one was signed.
  if (timestamp === undefined || timestamps.length !== 1 || signatures.length === 0) return undefined;
  return { timestamp, signatures };
}

/** The header as Stripe sends it; the secret is used as its text, `whsec_` included. */
export function signStripe(secret: string, timestamp: string, body: Uint8Array | string): string {
  return `t=${timestamp},v1=${hmacText('sha256', 'hex', secret, [`${timestamp}.`, body])}`;
}

/**
 * Whether one of the signatures is the body's under one of the secrets; a large one in turns. The time is not compared
 * with any clock.
 */
export async function verifyStripe(
  secrets: readonly string[],
  { timestamp, signatures }: StripeSignature,
  body: Uint8Array,
  turn: () => Promise<void>,
): Promise<boolean> {
  const wanted = await hmacTexts('sha256', 'hex', secrets, [`${timestamp}.`, body], turn);
  return matchesAny(wanted, signatures);
}
