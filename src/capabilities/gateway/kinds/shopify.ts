import { bodySignature } from './body-signature.ts';

/** Shopify's webhooks; after a change of the secret it signs with the old one for up to an hour. */
export const shopify = bodySignature({
  name: 'shopify',
  doc: 'X-Shopify-Hmac-SHA256 over the bytes as sent; X-Shopify-Webhook-Id is the delivery id.',
  header: 'x-shopify-hmac-sha256',
  idHeader: 'x-shopify-webhook-id',
  scheme: { encoding: 'base64', prefix: '' },
  form: /^[A-Za-z0-9+/]{43}=$/,
  more: ({ event }) => ({ 'x-shopify-topic': event }),
});
