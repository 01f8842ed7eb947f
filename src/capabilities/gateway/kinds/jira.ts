import { bodySignature } from './body-signature.ts';

/** Jira Cloud's webhooks with a secret; the identifier is unique on a site and stays over retries. */
export const jira = bodySignature({
  name: 'jira',
  doc: 'X-Hub-Signature over the bytes as sent; X-Atlassian-Webhook-Identifier is the delivery id.',
  header: 'x-hub-signature',
  idHeader: 'x-atlassian-webhook-identifier',
  scheme: { encoding: 'hex', prefix: 'sha256=' },
  form: /^sha256=[0-9a-f]{64}$/,
  more: () => ({ 'user-agent': 'Atlassian Webhook HTTP Client' }),
});
