import { bodySignature } from './body-signature.ts';

/** GitHub's webhooks. The older SHA-1 header alone proves nothing here; the delivery id is not signed. */
export const github = bodySignature({
  name: 'github',
  doc: 'X-Hub-Signature-256 over the bytes as sent; X-GitHub-Delivery is the delivery id.',
  header: 'x-hub-signature-256',
  idHeader: 'x-github-delivery',
  scheme: { encoding: 'hex', prefix: 'sha256=' },
  form: /^sha256=[0-9a-f]{64}$/,
  more: ({ event }) => ({ 'user-agent': 'GitHub-Hookshot/millrace', 'x-github-event': event }),
});
