import * as s from '../../../kernel/schema/declare.ts';
import { isFresh } from '../../../wire/webhook/freshness.ts';
import { readStripeSignature, signStripe, verifyStripe } from '../../../wire/webhook/stripe.ts';
import { limits } from '../limits.ts';
import { activeKeys, activeText, readSecrets, secretList, secretProblems, tolerance } from './secrets.ts';
import type { VerifierKind } from './verifier.ts';

const HEADER = 'stripe-signature';

const options = s.struct(
  { secrets: secretList, toleranceSeconds: s.optional(tolerance) },
  { doc: "Stripe-Signature (v1) over time and body; the event's `id` is the delivery id." },
);

/** Stripe's webhooks. A time in the future is refused, too, where Stripe's own library takes it. */
export const stripe: VerifierKind<typeof options> = {
  name: 'stripe',
  options,
  readsContent: true,
  problems: ({ secrets }) => secretProblems(secrets),
  create({ secrets, toleranceSeconds = limits.toleranceSeconds }) {
    const keys = readSecrets(secrets, (text) => text);
    return {
      kind: 'stripe',
      mayVerify: (headers) => readStripeSignature(headers[HEADER] ?? '') !== undefined,
      async verify({ headers, body, nowMs, turn }) {
        const signature = readStripeSignature(headers[HEADER] ?? '');
        if (signature === undefined) return 'mismatch';
        if (!isFresh(signature.timestamp, nowMs, toleranceSeconds)) return 'stale';
        return (await verifyStripe(activeKeys(keys, nowMs), signature, body, turn)) ? 'valid' : 'mismatch';
      },
      deliveryId: (_, content) => content.text('id'),
      secretHeaders: [],
    };
  },
  sign({ secrets }, { nowMs, body }) {
    const secret = activeText(secrets, nowMs);
    return secret === undefined ? undefined : { [HEADER]: signStripe(secret, String(Math.floor(nowMs / 1000)), body) };
  },
};
