import { bodySignature } from './body-signature.ts';

/** Bitbucket Cloud's webhooks with a secret; attempts of one delivery share X-Request-UUID. */
export const bitbucket = bodySignature({
  name: 'bitbucket',
  doc: 'X-Hub-Signature over the bytes as sent; X-Request-UUID is the delivery id.',
  header: 'x-hub-signature',
  idHeader: 'x-request-uuid',
  scheme: { encoding: 'hex', prefix: 'sha256=' },
  form: /^sha256=[0-9a-f]{64}$/,
  more: ({ event }) => ({ 'user-agent': 'Bitbucket-Webhooks/2.0', 'x-event-key': event }),
});
